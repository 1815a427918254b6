"""Redshift's grammar as sqlglot reads it. A call stays a name with arguments: `functions` knows what it means."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.tokenizer_core import TokenType

from local_cloud.services.redshift.errors import NotSupported, SqlSyntaxError
from local_cloud.services.redshift.sql import grammar, navigation

# What sqlglot has to say about a construct goes into the statement's error, never beside it.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


def _call(name: str, *arguments: Any) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[argument for argument in arguments if argument is not None])


#: Functions whose first argument is a date part, written as a word or as a text.
_OF_PARTS = ("dateadd", "date_add", "datediff", "date_diff", "date_part", "pgdate_part", "date_trunc")

#: The functions that have a grammar of their own. Every other call is a name with arguments: `functions` knows them.
_OWN_GRAMMAR = ("CAST", "CONVERT", "EXTRACT", "TRY_CAST")


class _Parser(Redshift.Parser):  # type: ignore[valid-type, misc]
    SUPPORTS_IMPLICIT_UNNEST = False
    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar = {
        **{name: Redshift.Parser.FUNCTION_PARSERS[name] for name in _OWN_GRAMMAR},
        "POSITION": lambda self: self._position(),
        "SUBSTRING": lambda self: self._substring(),
        "TRIM": lambda self: self._trim(),
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar = {
        "ANY": Redshift.Parser.NO_PAREN_FUNCTION_PARSERS["ANY"],
        "CASE": Redshift.Parser.NO_PAREN_FUNCTION_PARSERS["CASE"],
        "APPROXIMATE": lambda self: self._approximate(),
        "SYSDATE": lambda self: _call("sysdate"),
    }

    def _parse_table_parts(self, *arguments: Any, **named: Any) -> exp.Table:
        table: exp.Table = super()._parse_table_parts(*arguments, **named)
        if self._curr and self._curr.token_type is TokenType.L_BRACKET:
            path = self._parse_column_ops(table.to_column())
            table = exp.Table(this=exp.to_identifier("path"))
            table.meta[navigation.PATH] = path
            table.set("alias", self._parse_table_alias())
            self._parse_place(table)
        return table

    def _parse_table(self, *arguments: Any, **named: Any) -> exp.Expr | None:
        if self._match_text_seq("UNPIVOT"):
            table = exp.Table(this=exp.to_identifier("path"))
            table.meta[navigation.PATH], table.meta[navigation.UNPIVOT] = self._parse_column(), True
            table.set("alias", self._parse_table_alias())
            self._parse_place(table)
            return table
        table = super()._parse_table(*arguments, **named)
        if isinstance(table, exp.AtIndex):  # `path AS alias AT place`, as sqlglot reads it.
            alias, place = table.this.alias_or_name, table.expression.name
            path = table.this.unalias()
            table = exp.Table(this=exp.to_identifier("path"), alias=exp.TableAlias(this=exp.to_identifier(alias)))
            table.meta[navigation.PATH], table.meta[navigation.AT] = path, place.lower()
        return table

    def _parse_place(self, table: exp.Table) -> None:
        if self._match_text_seq("AT"):
            table.meta[navigation.AT] = self._parse_id_var().name.lower()

    def _position(self) -> exp.Expr:
        found = self._parse_position()
        return _call("position", found.args.get("substr"), found.this)

    def _substring(self) -> exp.Expr:
        found = self._parse_substring()
        return _call("substring", found.this, found.args.get("start"), found.args.get("length"))

    def _trim(self) -> exp.Expr:
        found = self._parse_trim()
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(found.args.get("position") or ""), "btrim")
        return _call(name, found.this, found.expression)

    def _approximate(self) -> exp.Expr | None:
        call = self._parse_function()
        inner = call.this if isinstance(call, exp.WithinGroup) else call
        if not isinstance(inner, exp.Anonymous):
            self.raise_error("Expected an aggregate")
        inner.set("this", f"approximate_{inner.name.lower()}")
        return call  # type: ignore[no-any-return]

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
    Parser = _Parser


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
    for call in tree.find_all(exp.Anonymous):
        if call.name.lower() in _OF_PARTS and call.expressions and isinstance(call.expressions[0], exp.Column):
            call.expressions[0].replace(exp.Literal.string(call.expressions[0].name))
    for update in tree.find_all(exp.Update):
        for assignment in update.expressions:
            value = assignment.expression
            if isinstance(value, exp.Column) and value.sql().upper() == "DEFAULT":
                value.replace(exp.Var(this="DEFAULT"))
    grammar.check(tree, sql)
    navigation.rewrite(tree)
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


def fold_case(tree: exp.Expr) -> exp.Expr:
    """Redshift folds names to lower case, quoted or not (enable_case_sensitive_identifier is off)."""
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("this", identifier.name.lower())
    return tree
