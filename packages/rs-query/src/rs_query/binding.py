"""Parameters into statements, at the places the lexer found."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Optional

from rs_query.errors import ParameterError
from rs_query.lexer import first_word, skeleton
from rs_query.literals import Params, Row, Value, identifier, literal, storable
from rs_query.rows import list_names, rounds
from rs_query.statements import Placeholder, Statement

#: What a server can prepare, hence bind: https://docs.aws.amazon.com/redshift/latest/dg/r_PREPARE.html.
#: The rest (COPY, UNLOAD, DDL, CALL, …) takes literals only.
_SERVER_BINDS = frozenset({"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"})

_IN_OPENING = re.compile(r"\bIN ?\( ?$")
_CLOSING = re.compile(r"\s*\)")
#: Right after a value, or an identifier, these would make one token of two: 'a' followed by 'b' is not 'a''b'.
_MERGING = {"value": ("'", "."), "identifier": ('"',)}

Mark = Callable[[Statement, str, int], Optional[str]]
"""How a server's parameter is written in a statement, from its name and its number there (from 1);
None where this server binds nothing."""


@dataclass(frozen=True)
class Bound:
    """A statement ready to run: its SQL as sent, and the text values that the server binds, by name.

    `runs` are the offsets, in `sql` and in the statement's text, of what stands in both as it was written.
    """

    statement: Statement
    sql: str
    parameters: dict[str, str] = field(default_factory=dict)
    runs: tuple[tuple[int, int], ...] = ((0, 0),)

    def offset(self, sent: int) -> int:
        """Return where in the statement's text the character at `sent` of the SQL comes from."""
        number = bisect_right(self.runs, (sent, sys.maxsize)) - 1
        begin, source = self.runs[number]
        end = self.statement.placeholders[number].start if number + 1 < len(self.runs) else len(self.statement.text)
        return min(source + sent - begin, end)


def bind(statements: Sequence[Statement], params: Params, *, mark: Mark) -> list[Bound]:
    """List every statement with its values, as often as it runs: once, or once for each row of a list of rows.

    Text goes to the server where it can bind it (SELECT and DML, where `mark` says how); everything else
    becomes a literal: NULL, the empty string and lists because the Data API's parameters can't say them,
    numbers, booleans and dates because they would lose their type there (it takes nothing but text), all
    values of COPY, UNLOAD and DDL, and those of rows because a batch has one value for a name.

    Raises ParameterError for a placeholder without a value, a value without a placeholder, and a value that
    SQL can't express.
    """
    given = list_names(params)
    bound = [
        _bind(statement, values, row, mark) for statement in statements for values, row in rounds(statement, params)
    ]
    used = {placeholder.name for statement in statements for placeholder in statement.placeholders}
    unused = [key for key in given if key not in used]
    if unused:
        where = statements[0].name if statements else "<sql>"
        listed = ", ".join(f":{key}" for key in unused)
        known = ", ".join(f":{key}" for key in sorted(used)) or "none"
        raise ParameterError(f"{where}: {listed} given but used nowhere; its parameters: {known}", parameter=unused[0])
    return bound


def _bind(statement: Statement, params: Params, row: Row, mark: Mark) -> Bound:
    server_binds = bool(statement.placeholders) and first_word(statement.text) in _SERVER_BINDS
    parameters: dict[str, str] = {}
    sql = ""
    runs = [(0, 0)]
    for place in statement.placeholders:
        try:
            if place.name not in params:
                raise ParameterError(f"no value for parameter :{place.name}", parameter=place.name)
            value = params[place.name]
            marked = None
            literally = place.identifier or place.name in row
            if server_binds and not literally and isinstance(value, str) and value:
                names = [*parameters, place.name]
                marked = mark(statement, place.name, names.index(place.name) + 1)
            if marked is not None and isinstance(value, str):
                parameters[place.name] = _check(value, place.name)
            rendered = _render(statement, place, value) if marked is None else marked
        except ParameterError as error:
            raise ParameterError(f"{statement.where_is(place)}: {error}", parameter=place.name) from None
        sql += statement.text[runs[-1][1] : place.start] + rendered
        if statement.text[place.end : place.end + 1] in _MERGING[place.kind]:
            sql += " "
        runs.append((len(sql), place.end))
    return Bound(statement, sql + statement.text[runs[-1][1] :], parameters, tuple(runs))


def _check(value: str, name: str) -> str:
    try:
        return storable(value)
    except ValueError as error:
        raise ParameterError(f"parameter :{name} {error}", parameter=name) from None


def _render(statement: Statement, place: Placeholder, value: Value) -> str:
    if place.identifier:
        return identifier(value, place.name)
    if not isinstance(value, (list, tuple)):
        return literal(value, place.name)
    before, after = skeleton(statement.text[: place.start]), statement.text[place.end :]
    if not _IN_OPENING.search(before) or not _CLOSING.match(after):
        raise ParameterError(f"the list :{place.name} binds only as IN (:{place.name})", parameter=place.name)
    if not value:
        raise ParameterError(f"the list :{place.name} is empty, and IN () is no SQL", parameter=place.name)
    return ", ".join(literal(item, place.name) for item in value)
