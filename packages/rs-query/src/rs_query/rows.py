"""Statements that run once for each row of a parameter, such as one ALTER TABLE a partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rs_query.errors import ParameterError
from rs_query.literals import Params, Row, Value
from rs_query.statements import Statement


def is_rows(value: object) -> bool:
    """Whether a value is a list of objects, each of them a row of values by name."""
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, Mapping) for item in value)


def list_names(params: Params) -> list[str]:
    """List the names that the parameters give values to: their own, and in place of a list of rows the rows' keys.

    Raises ParameterError for a name that is given twice.
    """
    names: list[str] = []
    for name, value in params.items():
        for one in _keys(value) if is_rows(value) else [name]:
            if one in names:
                raise ParameterError(f"parameter :{one} is given twice, by itself or in rows", parameter=one)
            names.append(one)
    return names


def rounds(statement: Statement, params: Params) -> Iterator[tuple[Params, Row]]:
    """Yield how often a statement runs: the values of each time, and those of them that are the row's own.

    Once, unless it uses a key of a list of rows: then once a row. Raises ParameterError where it uses two lists.
    """
    used = {place.name for place in statement.placeholders}
    single = {name: value for name, value in params.items() if not is_rows(value)}
    several = {name: value for name, value in params.items() if is_rows(value) and used.intersection(_keys(value))}
    if len(several) > 1:
        first, second, *_ = several
        raise ParameterError(f"{statement.what}: uses rows of both {first} and {second}", parameter=second)
    rows = next(map(_rows, several.values()), [{}])
    for row in rows:
        yield {**single, **row}, row


def _keys(value: Value) -> list[str]:
    return list(dict.fromkeys(key for row in _rows(value) for key in row))


def _rows(value: object) -> Sequence[Row]:
    assert isinstance(value, (list, tuple))
    return value
