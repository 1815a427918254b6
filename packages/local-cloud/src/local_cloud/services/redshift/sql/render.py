"""The tree of a statement, its types known, as DuckDB SQL: the one place where Redshift's meaning becomes DuckDB's."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError

from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql import blanks, kinds, navigation, operators, patterns, zones
from local_cloud.services.redshift.sql.annotate import SERIES, arguments_of, call_of, type_of
from local_cloud.services.redshift.sql.functions import FUNCTIONS, dates
from local_cloud.services.redshift.sql.functions.table import NO_MOMENT, Call, Function, Pieces, no_operator, no_such
from local_cloud.services.redshift.sql.kinds import Kind, Type
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.moment import Moment

_SELECT = DuckDB.Generator.TRANSFORMS[exp.Select]
_SPECIAL_DAYS = {"today": 0, "tomorrow": 1, "yesterday": -1}


def render(tree: exp.Expr, moment: Moment = NO_MOMENT, *, stored: bool = False) -> str:
    """The tree as DuckDB SQL, every identifier quoted. `stored`: times stay calls, as a column's default needs them."""
    generator = _Generator(dialect=DuckDB(), identify=True, comments=False)
    generator.moment, generator.stored = moment, stored
    try:
        return str(generator.generate(tree))
    except SqlglotError as error:
        raise NotSupported(f"the local warehouse cannot run this statement: {error}") from None


class _Generator(DuckDB.Generator):  # type: ignore[valid-type, misc]
    moment: Moment
    stored: bool
    #: Columns of text, as table and name, by which the SELECTs around a node group their rows.
    grouped_texts: frozenset[tuple[str, str]] = frozenset()

    def sql(self, expression: Any, key: str | None = None, comment: bool = True) -> str:
        written = str(super().sql(expression, key, comment))
        if key is None and isinstance(expression, exp.Expr) and expression._meta:
            if expression.meta.get(blanks.COMPARED):
                return self._marked(expression, written)
            if names := expression.meta.get(blanks.COLUMNS):
                replaced = ", ".join(f"redshift_compared({quoted(name)}) AS {quoted(name)}" for name in set(names))
                return f"(SELECT * REPLACE ({replaced}) FROM {written}) AS {quoted(expression.alias_or_name)}"
        return written

    @staticmethod
    def _marked(node: exp.Expr, written: str) -> str:
        """A text by which rows differ; a column keeps its name."""
        trimmed = f"redshift_compared({written})"
        shown = isinstance(node, exp.Column) and isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
        return f"{trimmed} AS {quoted(node.name)}" if shown else trimmed

    def call(self, node: exp.Anonymous, over: str = "") -> str:
        """A function's row, with its arguments; `over` is an OVER clause for its aggregates."""
        name = node.name.lower()
        if name in self.moment.session and not node.expressions:
            return self._session_value(name)
        if self.stored and name in ("getdate", "sysdate"):
            return f"{name}()"
        row = FUNCTIONS.get(name)
        if row is None:
            if name != SERIES:
                raise no_such(name, call_of(node).types)
            series = str(self.func(name, *node.expressions))
            return series if isinstance(node.parent, exp.Table) else f"unnest({series})"
        call = self._call(node, row)
        if not row.aggregate:
            return row.render(call)
        pieces: Any = row.sql(call) if callable(row.sql) else None
        assert isinstance(pieces, Pieces)
        return pieces.finish([piece + over for piece in pieces.aggregates])

    def _session_value(self, name: str) -> str:
        value = self.moment.session[name]
        return "NULL" if value is None else str(value) if isinstance(value, int) else _quoted(value)

    def _call(self, node: exp.Anonymous, row: Function) -> Call:
        call = call_of(node)
        if len(call) < row.fewest or (row.most is not None and len(call) > row.most):
            raise no_such(call.name, call.types)
        arguments = arguments_of(node)
        distinct = any(isinstance(argument, exp.Distinct) for argument in node.expressions)
        result = row.result(call)
        written = [self._argument(argument, row.parameter(i), result) for i, argument in enumerate(arguments)]
        if distinct and written:
            blanks = type_of(arguments[0]).this in kinds.TEXTS and call.name.endswith("count")
            written[0] = f"DISTINCT {_unblanked(arguments[0], written[0]) if blanks else written[0]}"
        order, ordered = self._order(node)
        nulls = " IGNORE NULLS" if _ignores_nulls(node) else ""
        return dataclasses.replace(
            call, arguments=written, moment=self.moment, distinct=distinct, order=order, ordered=ordered, nulls=nulls
        )

    def _order(self, node: exp.Anonymous) -> tuple[str, list[tuple[str, bool]]]:
        group = node.parent
        if not isinstance(group, exp.WithinGroup) or not isinstance(group.expression, exp.Order):
            return "", []
        items = [(self.sql(item, "this"), bool(item.args.get("desc"))) for item in group.expression.expressions]
        return self.sql(group.expression), items

    def _argument(self, node: exp.Expr, parameter: str, result: Kind) -> str:  # noqa: PLR0911 - a table of parameters
        """An argument as its parameter wants it: texts read by Redshift's rules."""
        if isinstance(node, exp.IgnoreNulls):
            node = node.this
        kind, written = type_of(node), self.sql(node)
        if isinstance(node, exp.Star) or parameter in ("any", "literal", "part"):
            return written
        if parameter == "text":
            return operators.to_text(written, kind)
        is_text = kind.this in kinds.TEXTS
        if parameter == "value":
            return (
                self.as_type(node, result)
                if is_text and kinds.is_known(result) and result.this not in kinds.TEXTS
                else written
            )
        if parameter == "int" and is_text:
            return f"CAST(redshift_integer({written}) AS BIGINT)"
        if parameter == "float":
            return operators.cast(written, kind, kinds.kind("double precision"))
        if parameter == "number" and is_text:
            return f"CAST(redshift_numeric({written}) AS DOUBLE)"
        if parameter == "number" and kind.this in kinds.SUPERS:
            return f"redshift_super_number({written})"
        if parameter == "date" and kind.this is not Type.DATE:
            return self.as_type(node, kinds.kind("date"))
        if (parameter == "stamp" and kind.this not in kinds.STAMPS) or (parameter == "when" and is_text):
            return self.as_type(node, kinds.kind("timestamp"))
        return written

    def as_type(self, node: exp.Expr, target: Kind) -> str:
        """A node cast to a type; `today` and `now` are the statement's."""
        if isinstance(node, exp.Literal) and node.is_string and target.this in kinds.STAMPS | {Type.DATE}:
            moment = self._special(node.name.strip().lower())
            if moment:
                return f"CAST({moment} AS {operators.duckdb_type(target)})"
        if isinstance(node, exp.Literal) and node.is_string and _is_plain(node.name, target):
            return f"CAST({self.sql(node)} AS {operators.duckdb_type(target)})"
        return operators.cast(self.sql(node), type_of(node), target)

    def _special(self, word: str) -> str:
        if word == "now":
            return dates.stamp(self.moment.transaction)
        if word not in _SPECIAL_DAYS:
            return ""
        midnight = self.moment.transaction.replace(hour=0, minute=0, second=0, microsecond=0)
        return f"({dates.stamp(midnight)} + INTERVAL '{_SPECIAL_DAYS[word]} days')"

    # Nodes

    def select(self, node: exp.Select) -> str:
        """A SELECT whose groups leave trailing blanks out of account, as its comparisons do."""
        keys = self.grouped_texts
        self.grouped_texts = keys | _text_keys(node)
        try:
            return str(_SELECT(self, node))
        finally:
            self.grouped_texts = keys

    def column(self, node: exp.Column) -> str:
        written = str(super().column_sql(node))
        grouped = (node.table, node.name) in self.grouped_texts and type_of(node).this in kinds.TEXTS
        return self._marked(node, written) if grouped and not node.meta.get(blanks.COMPARED) else written

    def cast(self, node: exp.Cast) -> str:
        kind, source = node.to, type_of(node.this)
        if kind.this is Type.DECIMAL and not kind.expressions:
            kind = kinds.decimal(18, 0)
        if kind.this in kinds.TEXTS:
            text = operators.to_text(self.sql(node, "this"), source)
            length = length_of(kind)
            if kind.this is Type.BPCHAR and not kind.expressions:
                return f"CAST({text} AS VARCHAR)"
            return f"{'redshift_char' if kind.this in kinds.PADDED else 'redshift_truncate'}({text}, {length})"
        return self.as_type(node.this, kind)

    def try_cast(self, node: exp.TryCast) -> str:
        return f"TRY({self.cast(node)})"

    def division(self, node: exp.Div) -> str:
        left, right = type_of(node.this), type_of(node.expression)
        exact = (
            operators.divide(self.sql(node, "this"), left, self.sql(node, "expression"), right)
            if _numbers(left, right)
            else None
        )
        return exact or self.arithmetic(node)

    def arithmetic(self, node: exp.Binary) -> str:
        left, right = type_of(node.this), type_of(node.expression)
        symbol = _SYMBOLS[type(node)]
        if left.this in kinds.SUPERS or right.this in kinds.SUPERS:
            sides = [
                f"redshift_super_number({self.sql(side)})"
                if type_of(side).this in kinds.SUPERS
                else f"CAST({self.sql(side)} AS DOUBLE)"
                for side in (node.this, node.expression)
            ]
            return f"redshift_number_super({sides[0]} {symbol} {sides[1]})"
        written = [self._operand(node.this, right), self._operand(node.expression, left)]
        if isinstance(node, (exp.Add, exp.Sub)):
            if left.this in kinds.STAMPS and right.this in kinds.INTEGERS:
                written[1] = f"to_days(CAST({written[1]} AS INTEGER))"
            elif right.this in kinds.STAMPS and left.this in kinds.INTEGERS:
                written[0] = f"to_days(CAST({written[0]} AS INTEGER))"
        return f"{written[0]} {symbol} {written[1]}"

    def _operand(self, node: exp.Expr, other: Kind) -> str:
        """`id + '5'`: the text beside a number is a number of the same type."""
        if (
            isinstance(node, exp.Literal)
            and node.is_string
            and (other.this in kinds.NUMBERS or other.this in kinds.MOMENTS)
        ):
            return self.as_type(
                node, kinds.kind("interval") if other.this in kinds.MOMENTS and not _looks_dated(node.name) else other
            )
        return self.sql(node)

    def comparison(self, node: exp.Binary) -> str:
        left, right = node.this, node.expression
        symbol = _COMPARISONS[type(node)]
        is_assignment = isinstance(node.parent, exp.Update) and node.arg_key == "expressions"
        if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
            return f"{self._compared_row(left, right)} {symbol} {self._compared_row(right, left)}"
        if is_assignment or isinstance(right, (exp.Any, exp.All, exp.Tuple)) or isinstance(left, exp.Tuple):
            return f"{self.sql(left)} {symbol} {self.sql(right)}"
        return f"{self._compared(left, right)} {symbol} {self._compared(right, left)}"

    def _compared_row(self, row: exp.Tuple, other: exp.Tuple) -> str:
        pairs = zip(row.expressions, other.expressions, strict=False)
        return f"({', '.join(self._compared(item, beside) for item, beside in pairs)})"

    def _compared(self, node: exp.Expr, other: exp.Expr | None) -> str:  # noqa: PLR0911 - a table of pairs
        """One side of a comparison: a text's trailing blanks count for nothing, a text beside a date is one."""
        kind, beside = type_of(node), type_of(other)
        written = self.sql(node)
        if beside.this in kinds.SUPERS and kind.this not in kinds.SUPERS:
            return f"CAST({written} AS DOUBLE)" if kind.this in kinds.NUMBERS else written
        if kind.this in kinds.SUPERS and kinds.is_known(beside) and beside.this not in kinds.SUPERS:
            if beside.this in kinds.NUMBERS:
                return f"redshift_super_number({written})"
            if beside.this in kinds.TEXTS:
                return f"redshift_super_text({written})"
            return operators.cast(written, kind, beside)
        if kind.this in kinds.SUPERS:
            return f"CAST({written} AS VARCHAR)"
        if kind.this in kinds.TEXTS:
            if beside.this in kinds.TEXTS:
                return _unblanked(node, written)
            if kinds.is_known(beside) and isinstance(node, exp.Literal):
                return self.as_type(
                    node,
                    kinds.kind("double precision") if beside.this in kinds.NUMBERS and "." in node.name else beside,
                )
            if beside.this in kinds.STAMPS | {Type.DATE} | kinds.TIMES:
                return self.as_type(node, beside)
        return written

    def case(self, node: exp.Case) -> str:
        """`CASE a WHEN b` compares as `a = b` does."""
        subject = node.this
        if subject is None or type_of(subject).this not in kinds.TEXTS | kinds.SUPERS:
            return str(super().case_sql(node))
        whens = [
            f"WHEN {self._compared(subject, branch.this)} = {self._compared(branch.this, subject)}"
            f" THEN {self.sql(branch, 'true')}"
            for branch in node.args["ifs"]
        ]
        default = node.args.get("default")
        return f"CASE {' '.join(whens)}{f' ELSE {self.sql(default)}' if default is not None else ''} END"

    def between(self, node: exp.Between) -> str:
        value, low, high = node.this, node.args["low"], node.args["high"]
        return f"{self._compared(value, low)} BETWEEN {self._compared(low, value)} AND {self._compared(high, value)}"

    def membership(self, node: exp.In) -> str:
        value = node.this
        if isinstance(value, exp.Tuple) and node.expressions and isinstance(node.expressions[0], exp.Tuple):
            rows = ", ".join(self._compared_row(row, value) for row in node.expressions)
            return f"{self._compared_row(value, node.expressions[0])} IN ({rows})"
        if node.args.get("query") or not node.expressions or isinstance(value, exp.Tuple):
            query = node.args.get("query")
            if query is not None and type_of(value).this in kinds.TEXTS:
                held = f"SELECT redshift_compared(c) FROM {self.sql(query)} AS held(c)"
                return f"{_unblanked(value, self.sql(value))} IN ({held})"
            return str(super().in_sql(node))
        first = node.expressions[0]
        return (
            f"{self._compared(value, first)} IN ({', '.join(self._compared(item, value) for item in node.expressions)})"
        )

    def concatenation(self, node: exp.DPipe) -> str:
        sides = []
        for side in (node.this, node.expression):
            kind = type_of(side)
            if kind.this is Type.BOOLEAN:
                raise no_operator("text || boolean")
            sides.append(self.sql(side) if kind.this in kinds.BYTES else operators.to_text(self.sql(side), kind))
        return " || ".join(sides)

    def extracted(self, node: exp.Extract) -> str:
        part = dates.part_of(node.name)
        value = node.expression
        kind = type_of(value)
        if part.startswith("timezone"):
            return "0"
        if kind.this in kinds.TEXTS:
            return dates.extract(part, self.as_type(value, kinds.kind("timestamp")), kinds.kind("timestamp"))
        return dates.extract(part, self.sql(value), kind)

    def zoned(self, node: exp.AtTimeZone) -> str:
        zone = node.args["zone"]
        literal = zone.name if isinstance(zone, exp.Literal) else None
        kind, written = type_of(node.this), self.sql(node, "this")
        if kind.this in kinds.TEXTS:
            kind, written = kinds.kind("timestamp"), self.as_type(node.this, kinds.kind("timestamp"))
        return zones.at(written, kind, self.sql(zone), literal)

    def windowed(self, node: exp.Window) -> str:
        inner: exp.Expr = node.this
        while isinstance(inner, (exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)):
            inner = inner.this
        if not isinstance(inner, exp.Anonymous):
            return str(super().window_sql(node))
        empty = node.copy()
        empty.set("this", exp.Var(this=""))
        return self.call(inner, " " + super().window_sql(empty).strip())

    def grouped(self, node: exp.WithinGroup) -> str:
        return self.sql(node, "this")

    def null_treatment(self, node: exp.Expr) -> str:
        return self.sql(node, "this")

    def bracketed(self, node: exp.Bracket) -> str:
        if type_of(node.this).this not in kinds.SUPERS or len(node.expressions) != 1:
            raise SqlError("navigation by [ ] needs a SUPER value")
        index = node.expressions[0]
        value = self.sql(node, "this")
        if isinstance(index, exp.Literal) and index.is_string:
            return _member(value, index.name)
        return (
            f"json_extract({value}, '$[' || {self.sql(index)} || ']')"
            if not isinstance(index, exp.Literal)
            else f"json_extract({value}, '$[{index.name}]')"
        )

    def dotted(self, node: exp.Dot) -> str:
        if type_of(node.this).this in kinds.SUPERS and not isinstance(node.expression, (exp.Star, exp.Anonymous)):
            return _member(self.sql(node, "this"), node.expression.name)
        return str(super().dot_sql(node))

    def like(self, node: exp.Binary) -> str:
        pattern = node.expression
        word = "ILIKE" if isinstance(node, exp.ILike) else "LIKE"
        if isinstance(pattern, (exp.Any, exp.All)):
            raise SqlError(f"{word} ANY and {word} ALL are not supported", position=0)
        value = operators.to_text(self.sql(node, "this"), type_of(node.this))
        escape = "" if isinstance(node.parent, exp.Escape) else " ESCAPE '\\'"
        return f"{value} {word} {operators.to_text(self.sql(pattern), type_of(pattern))}{escape}"

    def similar(self, node: exp.SimilarTo) -> str:
        pattern = node.expression
        if not isinstance(pattern, exp.Literal):
            raise NotSupported("SIMILAR TO needs a literal pattern in the local warehouse")
        return f"regexp_full_match({self.sql(node, 'this')}, {_quoted(patterns.similar(pattern.name))})"

    def named_value(self, node: exp.Expr) -> str:
        name = _NAMED[type(node)]
        if name in self.moment.session:
            return self._session_value(name)
        raise NotSupported(f"{name.upper()} is not supported here by the local warehouse")

    def current_date(self, node: exp.CurrentDate) -> str:
        if self.stored:
            return "CAST(getdate() AS DATE)"
        return f"CAST('{self.moment.statement.date().isoformat()}' AS DATE)"

    def current_timestamp(self, node: exp.CurrentTimestamp) -> str:
        return f"CAST({dates.stamp(self.moment.transaction)} AS TIMESTAMPTZ)"

    def interval(self, node: exp.Interval) -> str:
        unit = node.args.get("unit")
        written = f"{node.this.name if node.this is not None else ''} {unit.name if unit is not None else ''}"
        return f"INTERVAL '{patterns.interval(written.strip())}'"

    def literal_node(self, node: exp.Literal) -> str:
        if not node.is_string and node.type is not None and type_of(node).this is Type.DECIMAL and "." not in node.name:
            return f"CAST('{node.name}' AS {operators.duckdb_type(type_of(node))})"
        return str(super().literal_sql(node))

    def negation(self, node: exp.Neg) -> str:
        if type_of(node.this).this in kinds.SUPERS:
            return f"redshift_number_super(-redshift_super_number({self.sql(node, 'this')}))"
        return str(super().neg_sql(node))

    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        **DuckDB.Generator.TRANSFORMS,
        exp.Select: lambda self, node: self.select(node),
        exp.Column: lambda self, node: self.column(node),
        exp.Anonymous: lambda self, node: self.call(node),
        exp.Cast: lambda self, node: self.cast(node),
        exp.TryCast: lambda self, node: self.try_cast(node),
        exp.Div: lambda self, node: self.division(node),
        **{operator: (lambda self, node: self.arithmetic(node)) for operator in (exp.Add, exp.Sub, exp.Mul, exp.Mod)},
        **{
            operator: (lambda self, node: self.comparison(node))
            for operator in (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
        },
        exp.Case: lambda self, node: self.case(node),
        exp.Between: lambda self, node: self.between(node),
        exp.In: lambda self, node: self.membership(node),
        exp.DPipe: lambda self, node: self.concatenation(node),
        exp.Extract: lambda self, node: self.extracted(node),
        exp.AtTimeZone: lambda self, node: self.zoned(node),
        exp.Window: lambda self, node: self.windowed(node),
        exp.WithinGroup: lambda self, node: self.grouped(node),
        exp.IgnoreNulls: lambda self, node: self.null_treatment(node),
        exp.RespectNulls: lambda self, node: self.null_treatment(node),
        exp.Bracket: lambda self, node: self.bracketed(node),
        exp.Dot: lambda self, node: self.dotted(node),
        exp.Like: lambda self, node: self.like(node),
        exp.ILike: lambda self, node: self.like(node),
        exp.SimilarTo: lambda self, node: self.similar(node),
        exp.CurrentDate: lambda self, node: self.current_date(node),
        exp.CurrentTimestamp: lambda self, node: self.current_timestamp(node),
        exp.Interval: lambda self, node: self.interval(node),
        exp.Literal: lambda self, node: self.literal_node(node),
        exp.Neg: lambda self, node: self.negation(node),
        navigation.Elements: lambda self, node: f"unnest(redshift_elements({self.sql(node, 'this')}))",
        navigation.Places: lambda self, node: f"unnest(range(len(redshift_elements({self.sql(node, 'this')}))))",
        navigation.Names: lambda self, node: f"unnest(redshift_names({self.sql(node, 'this')}))",
        navigation.Values: lambda self, node: f"unnest(redshift_values({self.sql(node, 'this')}))",
        **{
            kind: (lambda self, node: self.named_value(node))
            for kind in (
                exp.CurrentUser,
                exp.SessionUser,
                exp.CurrentSchema,
                exp.CurrentDatabase,
                exp.CurrentUserId,
                exp.CurrentVersion,
            )
        },
    }


_NAMED: dict[type[exp.Expr], str] = {
    exp.CurrentUser: "current_user",
    exp.SessionUser: "session_user",
    exp.CurrentSchema: "current_schema",
    exp.CurrentDatabase: "current_database",
    exp.CurrentUserId: "current_user_id",
    exp.CurrentVersion: "version",
}
_SYMBOLS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}


#: Literals that DuckDB reads as Redshift does, without a macro's help.
_PLAIN = {
    **dict.fromkeys(kinds.INTEGERS, re.compile(r"[+-]?\d{1,18}")),
    **dict.fromkeys({Type.DECIMAL, *kinds.FLOATS}, re.compile(r"[+-]?\d+(\.\d+)?")),
    Type.DATE: re.compile(r"\d{4}-\d{2}-\d{2}"),
    **dict.fromkeys(
        (Type.TIMESTAMP, Type.DATETIME, Type.TIMESTAMPNTZ),
        re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}(\.\d{1,6})?)?"),
    ),
}


def _is_plain(text: str, target: Kind) -> bool:
    pattern = _PLAIN.get(target.this)
    return pattern is not None and pattern.fullmatch(text) is not None


def _text_keys(select: exp.Select) -> frozenset[tuple[str, str]]:
    """The columns of text that a SELECT groups by."""
    group = select.args.get("group")
    keys = [blanks.by_place(key, select) for key in group.expressions] if group is not None else []
    return frozenset(
        (key.table, key.name) for key in keys if isinstance(key, exp.Column) and type_of(key).this in kinds.TEXTS
    )


def length_of(kind: exp.DataType) -> int:
    """The n of VARCHAR(n)."""
    if not kind.expressions:
        return {Type.CHAR: 1, Type.NCHAR: 1}.get(kind.this, 256)
    written = kind.expressions[0].name
    return int(written) if written.isdigit() else 65535


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _member(value: str, name: str) -> str:
    path = "$." + '"' + name.replace('"', '\\"') + '"'
    return f"json_extract({value}, {_quoted(path)})"


def _numbers(left: Kind, right: Kind) -> bool:
    return left.this in kinds.NUMBERS and right.this in kinds.NUMBERS


def _looks_dated(text: str) -> bool:
    return "-" in text or "/" in text


def _unblanked(node: exp.Expr, written: str) -> str:
    if isinstance(node, exp.Literal):
        return _quoted(node.name.rstrip(" "))
    return f"redshift_compared({written})"


def _ignores_nulls(node: exp.Anonymous) -> bool:
    return isinstance(node.parent, exp.IgnoreNulls) or any(
        isinstance(each, exp.IgnoreNulls) for each in node.expressions
    )
