"""Redshift's grammar as sqlglot reads it, with functions kept apart that sqlglot would merge too early."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ParseError, SqlglotError, TokenError

from local_cloud.services.redshift.errors import NotSupported, SqlSyntaxError

# What sqlglot has to say about a construct goes into the statement's error, never beside it.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


def _kept(name: str) -> Callable[[list[Any]], exp.Anonymous]:
    return lambda args: exp.Anonymous(this=name, expressions=args)


#: Functions that `functions` or the macros of the warehouse define.
KEPT = (
    "add_months",
    "getdate",
    "initcap",
    "months_between",
    "strtol",
    "trunc",
    "nvl2",
    "convert_timezone",
    "regexp_count",
    "regexp_instr",
    "to_hex",
    "from_hex",
    "sha2",
    "concat",
    "timeofday",
)


class _Parser(Redshift.Parser):  # type: ignore[valid-type, misc]
    FUNCTIONS: ClassVar = {**Redshift.Parser.FUNCTIONS, **{name.upper(): _kept(name) for name in KEPT}}
    NO_PAREN_FUNCTION_PARSERS: ClassVar = {
        **Redshift.Parser.NO_PAREN_FUNCTION_PARSERS,
        "SYSDATE": lambda self: exp.Anonymous(this="sysdate"),
    }

    def _parse_string_as_identifier(self) -> exp.Identifier | None:
        # A string never is a table's or a column's name.
        return None

    def _parse_value(self, values: bool = True) -> exp.Tuple | None:
        # MERGE … WHEN NOT MATCHED THEN INSERT VALUES (…): no list of columns before VALUES.
        if not values and self._curr and self._curr.text.upper() == "VALUES":
            return None
        value: exp.Tuple | None = super()._parse_value(values=values)
        return value


class RedshiftSql(Redshift):
    #: Of https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html, what sqlglot does not know yet.
    TIME_MAPPING = {  # noqa: RUF012 - as the base class has it
        **Redshift.TIME_MAPPING,
        "Mon": "%b",
        "mon": "%b",
        "Month": "%B",
        "month": "%B",
        "Day": "%A",
        "Dy": "%a",
        "AM": "%p",
        "PM": "%p",
        "HH12": "%I",
        "US": "%f",
        "MS": "%g",
        "IW": "%V",
    }

    Parser = _Parser


class _Generator(DuckDB.Generator):  # type: ignore[valid-type, misc]
    TYPE_MAPPING: ClassVar = {
        **DuckDB.Generator.TYPE_MAPPING,
        exp.DataType.Type.SUPER: "JSON",
        exp.DataType.Type.BPCHAR: "TEXT",
    }


class WarehouseSql(DuckDB):
    """DuckDB's grammar as the generator writes it."""

    Generator = _Generator


def read(sql: str) -> exp.Expr:
    """One query or DML statement as a tree. SqlSyntaxError, with its place, where it cannot be read."""
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=RedshiftSql) if tree is not None]
    except ParseError as error:
        raise _syntax_error(sql, error) from None
    except TokenError as error:
        raise SqlSyntaxError(f"syntax error: {str(error).splitlines()[0]}", position=1) from None
    except (SqlglotError, RecursionError) as error:
        raise NotSupported(f"the local warehouse cannot read this statement: {error}") from None
    if len(trees) != 1:
        raise SqlSyntaxError("cannot insert multiple commands into a prepared statement")
    tree = trees[0]
    if isinstance(tree, exp.Command):
        raise SqlSyntaxError(f'syntax error at or near "{sql.split(None, 1)[0]}"', position=1)
    return tree


def _syntax_error(sql: str, error: ParseError) -> SqlSyntaxError:
    found = error.errors[0] if error.errors else {}
    word = str(found.get("highlight") or "")
    line, column = int(found.get("line") or 1), int(found.get("col") or 1)
    begin = sum(len(text) for text in sql.splitlines(keepends=True)[: line - 1])
    end = begin + column
    if end >= len(sql.rstrip()) and "Expected" not in str(found.get("description", "")) and not word:
        return SqlSyntaxError("syntax error at end of input", position=len(sql) + 1)
    place = sql.rfind(word, begin, end) if word else end - 1
    return SqlSyntaxError(f'syntax error at or near "{word}"', position=max(place, 0) + 1)


def render(tree: exp.Expr) -> str:
    """The tree as DuckDB SQL, every identifier quoted."""
    try:
        return tree.sql(dialect=WarehouseSql, identify=True, comments=False)
    except SqlglotError as error:
        raise NotSupported(f"the local warehouse cannot run this statement: {error}") from None


def fold_case(tree: exp.Expr) -> exp.Expr:
    """Redshift folds names to lower case, quoted or not (enable_case_sensitive_identifier is off)."""
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("this", identifier.name.lower())
    return tree
