"""DuckDB's errors in Redshift's words.

One table: what DuckDB says, and what Redshift says of the same mistake. Whatever is not in it reaches the user
as DuckDB put it, first line only.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from local_cloud.saving import cause_of
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.errors import (
    NotSupported,
    SqlError,
    StatementCancelled,
    TransactionAborted,
    TransactionConflict,
)
from local_cloud.services.redshift.sql.types import from_duckdb

log = logging.getLogger("local_cloud.redshift")

Rule = Callable[[re.Match[str], RunningStatement], SqlError]


def translate(error: Exception, running: RunningStatement) -> SqlError:
    """The SqlError that stands for an exception of DuckDB."""
    if isinstance(error, SqlError):
        return error
    text = str(error)
    for pattern, rule in _RULES:
        match = pattern.search(text)
        if match:
            return rule(match, running)
    if isinstance(error, OSError):  # a result that does not fit on the disk
        return SqlError(cause_of(error))
    if not type(error).__module__.endswith("duckdb"):
        log.error("statement failed inside the warehouse: %s", running.sql, exc_info=error)
        return SqlError(f"internal error: {type(error).__name__}: {text}")
    return SqlError(re.sub(r"^[\w ]+ Error: ", "", text).splitlines()[0])


def cancelled(query_id: int) -> StatementCancelled:
    return StatementCancelled(f"Query ({query_id}) cancelled on user's request")


def _said(message: str) -> Rule:
    return lambda match, running: SqlError(message.format(*match.groups()))


#: Families of system tables, and tables of PostgreSQL's catalog, that Redshift has.
_SYSTEM = re.compile(r"(?:pg_catalog\.)?(?:(?:stl|stv|svl|svv|svcs|sys)_\w+|pg_(?:\w+))|information_schema\.\w+")


def no_relation(name: str, *, position: int = 0) -> SqlError:
    """The error for a relation that is not there; one of the system's is there on Redshift."""
    if _SYSTEM.fullmatch(name.lower()):
        return NotSupported(f"{name} is not supported by the local warehouse, or does not exist", position=position)
    return SqlError(f'relation "{name}" does not exist', position=position)


def _relation(match: re.Match[str], running: RunningStatement) -> SqlError:
    name = running.written(match[1])
    return no_relation(name, position=running.place(name))


def _column(match: re.Match[str], running: RunningStatement) -> SqlError:
    name = match[1]
    where = f" in {', '.join(running.relations)}" if running.relations else ""
    return SqlError(f'column "{name}" does not exist{where}', position=running.place(name))


def _target_column(match: re.Match[str], running: RunningStatement) -> SqlError:
    table, column = match[1], match[2]
    return SqlError(f'column "{column}" of relation "{table}" does not exist', position=running.place(column))


def _updated_column(match: re.Match[str], running: RunningStatement) -> SqlError:
    table = running.relations[0].rpartition(".")[2] if running.relations else ""
    return SqlError(f'column "{match[1]}" of relation "{table}" does not exist', position=running.place(match[1]))


def _function(match: re.Match[str], running: RunningStatement) -> SqlError:
    name = match[1].lower()
    return SqlError(
        f"function {name}() does not exist",
        hint="No function matches the given name and argument types. You may need to add explicit type casts.",
        position=running.place(name),
    )


def _signature(match: re.Match[str], running: RunningStatement) -> SqlError:
    name, arguments = match[1], match[2]
    hint = "No function matches the given name and argument types. You may need to add explicit type casts."
    if re.fullmatch(r"[-+*/%<>=|~!]+", name):
        left, _, right = arguments.partition(", ")
        return SqlError(
            f"operator does not exist: {_type(left)} {name} {_type(right)}",
            hint="No operator matches the given name and argument type(s). You may need to add explicit type casts.",
        )
    types = ", ".join(_type(argument) for argument in arguments.split(", ")) if arguments else ""
    return SqlError(f"function {name.lower()}({types}) does not exist", hint=hint, position=running.place(name))


def _type(duckdb: str) -> str:
    if duckdb.endswith("_LITERAL"):
        return {"INTEGER_LITERAL": "integer", "STRING_LITERAL": '"unknown"'}.get(duckdb, duckdb.lower())
    return from_duckdb(duckdb).name


def _ambiguous(match: re.Match[str], running: RunningStatement) -> SqlError:
    return SqlError(f'column reference "{match[1]}" is ambiguous', position=running.place(match[1]))


def _grouped(match: re.Match[str], running: RunningStatement) -> SqlError:
    table = running.relations[0].rpartition(".")[2] if len(running.relations) == 1 else ""
    name = f"{table}.{match[1]}" if table else match[1]
    return SqlError(
        f'column "{name}" must appear in the GROUP BY clause or be used in an aggregate function',
        position=running.place(match[1]),
    )


_INVALID = {
    "INT8": "integer",
    "INT16": "integer",
    "INT32": "integer",
    "INT64": "bigint",
    "INT128": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "BOOL": "boolean",
}


def _invalid(match: re.Match[str], running: RunningStatement) -> SqlError:
    value, kind = match[1], match[2]
    number = kind.startswith("DECIMAL") or kind.startswith("INT") or kind in ("FLOAT", "DOUBLE")
    name = "numeric" if kind.startswith("DECIMAL") else _INVALID.get(kind, kind.lower())
    return SqlError(f'invalid input syntax for {"" if number and name != "numeric" else "type "}{name}: "{value}"')


_BYTES = {"INT8": 2, "INT16": 2, "INT32": 4, "INT64": 8}


def _out_of_range(match: re.Match[str], running: RunningStatement) -> SqlError:
    size = _BYTES.get(match[2], 0)
    return SqlError(f"Value out of range for {size} bytes." if size else "Numeric data overflow (result precision)")


def _too_long(match: re.Match[str], running: RunningStatement) -> SqlError:
    kind = "character" if match[2] == "rtrim(" else "character varying"
    return SqlError(f"value too long for type {kind}({match[3]})")


def _not_null(match: re.Match[str], running: RunningStatement) -> SqlError:
    column = match[1].rpartition(".")[2]
    return SqlError(f"Cannot insert a NULL value into column {column}")


def _exists(kind: str) -> Rule:
    return lambda match, running: SqlError(f'{kind} "{match[1].rpartition(".")[2]}" already exists')


def _schema(match: re.Match[str], running: RunningStatement) -> SqlError:
    return SqlError(f'schema "{match[1]}" does not exist')


def _conflict(match: re.Match[str], running: RunningStatement) -> SqlError:
    return TransactionConflict("could not complete because of conflict with concurrent transaction")


def _syntax(match: re.Match[str], running: RunningStatement) -> SqlError:
    return SqlError(f'syntax error at or near "{match[1].lower()}"', position=running.place(match[1]))


def _memory(match: re.Match[str], running: RunningStatement) -> SqlError:
    return SqlError("Out Of Memory", detail=match[0].splitlines()[0])


_CHECK = r'CHECK constraint failed on table "?([^"]*?)"? with expression CHECK\(\(strlen\((rtrim\()?.*?<= (\d+)\)\)'

_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern, re.DOTALL), rule)
    for pattern, rule in (
        (r"INTERRUPT|Interrupted", lambda match, running: cancelled(running.query_id)),
        (r"Current transaction is aborted", lambda match, running: TransactionAborted()),
        (r"Conflict on|write-write conflict|Cannot commit.*conflict|another transaction has", _conflict),
        (r'Table with name "?[^"]*?"? does not exist because schema "?([^"\s]+)"? does not exist', _schema),
        (r'(?:Table|View|Sequence) with name "?(.+?)"? does not exist', _relation),
        (r'Schema with name "?([^"\s]+)"? does not exist', _schema),
        (r'Schema with name "?([^"\s]+)"? already exists', _exists("schema")),
        (r'(?:Table|View) with name "?([^"\s]+)"? already exists', _exists("relation")),
        (r'Column with name "?([^"\s]+)"? already exists', _exists("column")),
        (r"Existing object (\S+) is of type", _exists("relation")),
        (r'Table "([^"]+)" does not have a column with name "([^"]+)"', _target_column),
        (r"Referenced update column (\S+) not found in table", _updated_column),
        (r'Table "[^"]+" does not have a column named "([^"]+)"', _column),
        (r'Values list "[^"]*" does not have a column named "([^"]+)"', _column),
        (r'Referenced column "([^"]+)"', _column),
        (r'Referenced table "([^"]+)" not found', _said('missing FROM-clause entry for table "{0}"')),
        (r'Ambiguous reference to column name "([^"]+)"', _ambiguous),
        (r'column "([^"]+)" must appear in the GROUP BY', _grouped),
        (r"(?:Scalar |Aggregate |Table |Macro )?Function with name \"?([^\"\s]+)\"? does not exist", _function),
        (r"No function matches the given name and argument types '([^(']+)\(([^']*)\)'", _signature),
        (r'best candidate function for the function call "([^("]+)\(([^"]*)\)"', _signature),
        (r"GROUP BY clause cannot contain aggregates", _said("aggregates not allowed in GROUP BY clause")),
        (r"WHERE clause cannot contain aggregates", _said("aggregates not allowed in WHERE clause")),
        (r"has \d+ columns but \d+ values were supplied", _said("INSERT has more expressions than target columns")),
        (
            r"Column name/value mismatch for insert.*expected (\d+) columns but (\d+)",
            _said("INSERT has a different number of expressions ({1}) and target columns ({0})"),
        ),
        (
            r"Set operations can only apply to expressions with the same number of result columns",
            _said("each UNION query must have the same number of columns"),
        ),
        (r"More than one row returned by a subquery", _said("Single-row subquery returns more than one row.")),
        (
            r"cannot affect the same target row more than once",
            _said("Found multiple matches to update the same tuple."),
        ),
        (r"Division by zero", _said("Divide by zero")),
        (_CHECK, _too_long),
        (r"NOT NULL constraint failed: (\S+)", _not_null),
        (r"Could not convert string '(.*?)' to (\w+)", _invalid),
        (r"Could not convert string \"(.*?)\" to (\w+(?:\(\d+,\d+\))?)", _invalid),
        (
            r'(?:invalid|date|timestamp) (date|timestamp|time) field format: "(.*?)"',
            _said('invalid input syntax for type {0}: "{1}"'),
        ),
        (
            r'(date|timestamp|time) field value out of range: "(.*?)"',
            _said('date/time field value out of range: "{1}"'),
        ),
        (
            r"with value (.+?) can't be cast because the value is out of range for the destination type (\w+)",
            _out_of_range,
        ),
        (r"Overflow in (?:addition|subtraction|multiplication|negation) of (\w+)()", _said("Numeric data overflow")),
        (r"Casting value \"(.+?)\" to type DECIMAL", _said("Numeric data overflow (result precision)")),
        (r"Could not cast value .*? to DECIMAL", _said("Numeric data overflow (result precision)")),
        (r"Out of Memory Error: .*", _memory),
        (r'syntax error at or near "([^"]*)"', _syntax),
        (r"syntax error at end of input", _said("syntax error at end of input")),
        (
            r"[Cc]annot drop entry \"(\w+)\" because there are entries that depend",
            _said("cannot drop {0} because other objects depend on it"),
        ),
    )
)
