"""The table of Redshift's functions: one row says all that there is to say of a function.

A row's `sql` is DuckDB's SQL with `{0}`, `{1}`, … for the arguments, or a function that writes it for one call. The
arguments come cast to what `takes` names, so that a text is read by Redshift's rules and not by DuckDB's.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from local_cloud.services.redshift.errors import FunctionNotFound, NotSupported, SqlError
from local_cloud.services.redshift.sql import kinds
from local_cloud.services.redshift.sql.kinds import Kind
from local_cloud.services.redshift.sql.moment import Moment

#: Where a row's `page` is: https://docs.aws.amazon.com/redshift/latest/dg/PAGE.html
MANUAL = "https://docs.aws.amazon.com/redshift/latest/dg"

#: What a parameter may be. `part` is a date part, `when` a date, a time or a timestamp.
#: `value` is cast to the result's type, `literal` has to be one.
PARAMETERS = frozenset(
    (
        "any",
        "bool",
        "bytes",
        "date",
        "float",
        "int",
        "literal",
        "number",
        "part",
        "stamp",
        "super",
        "text",
        "value",
        "when",
    )
)

HINT = "No function matches the given name and argument types. You may need to add explicit type casts."


NO_MOMENT = Moment(datetime.datetime(1970, 1, 1), datetime.datetime(1970, 1, 1))  # noqa: DTZ001 - never shown


@dataclass(frozen=True)
class Call:
    """One call on its way into DuckDB's SQL. `arguments` are cast already."""

    name: str
    node: exp.Anonymous
    arguments: Sequence[str]
    types: Sequence[Kind]
    moment: Moment = NO_MOMENT
    distinct: bool = False
    #: ORDER BY of WITHIN GROUP as DuckDB SQL, its items (with whether they descend), and the first one's type.
    order: str = ""
    ordered: Sequence[tuple[str, bool]] = ()
    ordered_kind: Kind = kinds.UNKNOWN
    #: IGNORE NULLS or nothing.
    nulls: str = ""

    def __len__(self) -> int:
        return len(self.arguments)

    def literal(self, index: int, default: str = "") -> str:
        """The text of an argument that has to be a literal. NotSupported where it is none."""
        if index >= len(self.arguments):
            return default
        node = self.node.expressions[index]
        sign = "-" if isinstance(node, exp.Neg) else ""
        node = node.this if sign else node
        if isinstance(node, exp.Literal):
            return sign + node.name
        if isinstance(node, exp.Boolean):
            return str(node.this).lower()
        if isinstance(node, (exp.Column, exp.Var)) and index == 0:
            return node.name
        raise NotSupported(f"{self.name.upper()} needs a literal as argument {index + 1} in the local warehouse")

    def argument(self, index: int, default: str) -> str:
        return self.arguments[index] if index < len(self.arguments) else default


Returns = str | Callable[[Call], Kind]
#: A call's SQL, or the `Pieces` of an aggregate.
Translation = str | Callable[[Call], Any]


@dataclass(frozen=True)
class Pieces:
    """DuckDB's aggregates that one of Redshift's is made of, each of which takes OVER, and what becomes of them."""

    aggregates: tuple[str, ...]
    finish: Callable[[Sequence[str]], str] = lambda done: done[0]


@dataclass(frozen=True)
class Function:
    """`takes` lists parameters: `text`, `text?` (may be left out), `text*` (any number of them)."""

    names: tuple[str, ...]
    takes: tuple[str, ...]
    returns: Returns
    sql: Translation
    page: str
    examples: tuple[tuple[str, Any], ...] = ()
    aggregate: bool = False
    window: bool = False
    #: What PostgreSQL calls a result column, where it is not the function's own name.
    column: str = ""

    @property
    def fewest(self) -> int:
        return sum(not parameter.endswith(("?", "*")) for parameter in self.takes)

    @property
    def most(self) -> int | None:
        return None if any(parameter.endswith("*") for parameter in self.takes) else len(self.takes)

    def parameter(self, index: int) -> str:
        return self.takes[min(index, len(self.takes) - 1)].rstrip("?*")

    def result(self, call: Call) -> Kind:
        """The type of a call whose arguments are typed but not written yet."""
        return kinds.kind(self.returns) if isinstance(self.returns, str) else self.returns(call)

    def render(self, call: Call) -> str:
        return self.sql.format(*call.arguments) if isinstance(self.sql, str) else str(self.sql(call))


def function(
    names: str, takes: str, returns: Returns, sql: Translation, page: str, *examples: Any, **more: Any
) -> Function:
    """One row, written short: names and parameters with blanks between them."""
    row = Function(tuple(names.split()), tuple(takes.split()), returns, sql, page, tuple(examples), **more)
    assert all(parameter.rstrip("?*") in PARAMETERS for parameter in row.takes), row
    return row


def first(call: Call) -> Kind:
    return call.types[0] if call.types else kinds.UNKNOWN


def widest(call: Call) -> Kind:
    return kinds.common(call.types)


def no_such(name: str, types: Sequence[Kind]) -> FunctionNotFound:
    """The error of a call that no row fits."""
    written = ", ".join(_type_name(kind) for kind in types)
    return FunctionNotFound(name, f"function {name}({written}) does not exist", hint=HINT)


def no_operator(written: str) -> SqlError:
    hint = "No operator matches the given name and argument type(s). You may need to add explicit type casts."
    return SqlError(f"operator does not exist: {written}", hint=hint)


def _type_name(kind: Kind) -> str:
    if kind.this in kinds.TEXTS:
        return "character" if kind.this in kinds.PADDED else "character varying"
    found = kinds.redshift_type(kind)
    return found.name if found else '"unknown"'
