"""Stored procedures: kept as they were written, run by walking their tree.

A procedure runs in the transaction of its CALL, and fails as a whole.
https://docs.aws.amazon.com/redshift/latest/dg/stored-procedure-create.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from local_cloud.services.redshift.engine.context import Context, ControlContext
from local_cloud.services.redshift.engine.statement import ResultColumn, Rows, RunningStatement, Sink
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import SqlError, StatementCancelled
from local_cloud.services.redshift.sql import plpgsql
from local_cloud.services.redshift.sql.lexer import Kind, literal, tokenize
from local_cloud.services.redshift.sql.parser import parse
from local_cloud.services.redshift.sql.procedures import Call, CreateProcedure, DropProcedure
from local_cloud.services.redshift.sql.tables import Name
from local_cloud.services.redshift.sql.types import parse_type

#: https://docs.aws.amazon.com/redshift/latest/dg/stored-procedure-constraints.html
MAX_DEPTH = 16
MAX_ITERATIONS = 1_000_000


def _schema(context: Context, name: Name) -> str:
    return name[-2] if len(name) > 1 else context.settings.search_path[0]


def create(context: Context, statement: CreateProcedure, running: RunningStatement) -> int:
    plpgsql.parse_body(statement.body)
    schema, name = _schema(context, statement.name), statement.name[-1]
    if _find(context, statement.name) is not None and not statement.replace:
        raise SqlError(f'function "{name}" already exists with same argument types')
    context.query(f"INSERT OR REPLACE INTO {INTERNAL}.procedures VALUES (?, ?, ?)", [schema, name, running.sql])
    return 0


def drop(context: Context, statement: DropProcedure, running: RunningStatement) -> int:
    if _find(context, statement.name) is None:
        if statement.if_exists:
            return 0
        raise SqlError(f"procedure {statement.name[-1]} does not exist")
    context.query(
        f"DELETE FROM {INTERNAL}.procedures WHERE schema = ? AND name = ?",
        [_schema(context, statement.name), statement.name[-1]],
    )
    return 0


def _find(context: Context, name: Name) -> CreateProcedure | None:
    rows = context.lookup(
        f"SELECT definition FROM {INTERNAL}.procedures WHERE schema = ? AND name = ?",
        [_schema(context, name), name[-1]],
    )
    if not rows:
        return None
    statement = parse(rows[0][0])
    assert isinstance(statement, CreateProcedure)
    return statement


def call(context: ControlContext, statement: Call, running: RunningStatement) -> int:
    """Run the procedure. Its INOUT and OUT arguments come back as one row."""
    procedure = _find(context, statement.name)
    if procedure is None:
        raise SqlError(
            f"procedure {'.'.join(statement.name)}({', '.join(['unknown'] * len(statement.arguments))}) does not exist"
        )
    inputs = [argument for argument in procedure.arguments if argument.mode != "OUT"]
    if len(inputs) != len(statement.arguments):
        raise SqlError(
            f"procedure {'.'.join(statement.name)}({', '.join(['unknown'] * len(statement.arguments))}) does not exist",
            hint="No procedure matches the given name and argument types. You may need to add explicit type casts.",
        )
    depth = context.call_depth + 1
    if depth > MAX_DEPTH:
        raise SqlError(f"stored procedure nested too deep, the limit is {MAX_DEPTH}")
    run = _Run(context, running.run)
    values = iter(statement.arguments)
    for number, argument in enumerate(procedure.arguments, 1):
        given = "" if argument.mode == "OUT" else next(values)
        value = run.evaluate(given, argument.type) if given else None
        run.declare(argument.name or f"${number}", argument.type, value=value)
    context.call_depth = depth
    try:
        run.block(plpgsql.parse_body(procedure.body))
    except _Return:
        pass
    finally:
        context.call_depth = depth - 1
    outputs = [argument.name for argument in procedure.arguments if argument.mode != "IN"]
    if not outputs:
        return 0
    kinds = {argument.name: parse_type(argument.type) for argument in procedure.arguments}
    running.sink.begin([ResultColumn(name, kind) for name in outputs if (kind := kinds[name]) is not None])
    running.sink.add([tuple(run.values[name] for name in outputs)])
    return 1


class _Return(Exception):
    pass


class _Leave(Exception):
    def __init__(self, kind: str) -> None:
        self.kind = kind


class _Run:
    """One execution: the variables and what the last statement did. `execute` runs one statement of it."""

    def __init__(self, context: ControlContext, execute: Callable[[str, Sink], int]) -> None:
        self.context = context
        self.execute = execute
        self.types: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self.constants: set[str] = set()
        self.row_count = 0

    def declare(self, name: str, kind: str, *, value: Any) -> None:
        self.types[name] = kind
        self.values[name] = value

    def block(self, block: plpgsql.Block) -> None:
        for declaration in block.declarations:
            value = self.evaluate(declaration.default, declaration.type) if declaration.default else None
            self.declare(declaration.name, declaration.type, value=value)
            if declaration.constant:
                self.constants.add(declaration.name)
        try:
            self.body(block.body)
        except StatementCancelled:
            raise
        except SqlError as error:
            if block.handler is not None:
                self.handle(error, block.handler)
            raise

    def handle(self, error: SqlError, handler: Sequence[plpgsql.Node]) -> None:
        """EXCEPTION WHEN OTHERS: what the procedure did is rolled back, the handler's work is kept.

        The error goes on to the caller, as in Redshift's atomic procedures.
        """
        if self.context.in_transaction:
            return
        self.context.rollback()
        self.declare("sqlerrm", "character varying(65535)", value=error.message)
        self.declare("sqlstate", "character varying(5)", value="XX000")
        self.body(handler)
        self.context.commit()

    def body(self, nodes: Sequence[plpgsql.Node]) -> None:
        for node in nodes:
            self.context.check()
            self.step(node)

    def step(self, node: plpgsql.Node) -> None:
        match node:
            case plpgsql.Block():
                self.block(node)
            case plpgsql.Assign(target, expression):
                self.assign(target, self.evaluate(expression, self.types.get(target, "")))
            case plpgsql.Sql(text, into):
                self.sql(self.substitute(text), into)
            case plpgsql.Execute(expression, into):
                self.sql(str(self.evaluate(expression)), into)
            case plpgsql.Raise(level, message, arguments):
                self.raise_(level, message, arguments=arguments)
            case plpgsql.Finish(kind):
                self.finish(kind)
            case plpgsql.RowCount(target):
                self.assign(target, self.row_count)
            case _:
                self.control(node)

    def control(self, node: plpgsql.Node) -> None:
        """Branches, loops and the ways out of them."""
        match node:
            case plpgsql.If(branches, otherwise):
                chosen = next((body for condition, body in branches if self.is_true(condition)), otherwise)
                self.body(chosen)
            case plpgsql.While(condition, body):
                self.loop(lambda: not condition or self.is_true(condition), body)
            case plpgsql.ForRange():
                self.for_range(node)
            case plpgsql.ForQuery(variable, query, body):
                self.for_query(variable, query, body=body)
            case plpgsql.Leave(kind, condition):
                if not condition or self.is_true(condition):
                    raise _Leave(kind)
            case plpgsql.Return():
                raise _Return

    def assign(self, target: str, value: Any) -> None:
        if target not in self.types:
            raise SqlError(f'"{target}" is not a known variable')
        if target in self.constants:
            raise SqlError(f'"{target}" is declared CONSTANT')
        self.values[target] = value

    def sql(self, text: str, into: Sequence[str] = ()) -> None:
        sink = Rows(1)
        self.row_count = self.execute(text, sink)
        if not into:
            return
        row = sink.rows[0] if sink.rows else (None,) * len(sink.columns)
        if len(into) == 1 and self.types.get(into[0]) == "record":
            self.assign(into[0], {column.name: value for column, value in zip(sink.columns, row, strict=True)})
            return
        if len(row) != len(into):
            raise SqlError(f"SELECT INTO names {len(into)} variables for {len(row)} columns")
        for name, value in zip(into, row, strict=True):
            self.assign(name, value)

    def finish(self, kind: str) -> None:
        if self.context.in_transaction:
            raise SqlError("invalid transaction termination")
        if kind == "COMMIT":
            self.context.commit()
        else:
            self.context.rollback()

    def loop(self, proceed: Any, body: Sequence[plpgsql.Node]) -> None:
        for _ in range(MAX_ITERATIONS):
            if not proceed():
                return
            try:
                self.body(body)
            except _Leave as leave:
                if leave.kind == "EXIT":
                    return
        raise SqlError(f"a loop ran more than {MAX_ITERATIONS} times")

    def for_range(self, node: plpgsql.ForRange) -> None:
        first, last, step = (int(self.evaluate(bound, "integer")) for bound in (node.first, node.last, node.step))
        numbers = range(first, last - 1, -step) if node.reverse else range(first, last + 1, step)
        for number in numbers:
            self.declare(node.variable, "integer", value=number)
            try:
                self.body(node.body)
            except _Leave as leave:
                if leave.kind == "EXIT":
                    return

    def for_query(self, variable: str, query: str, *, body: Sequence[plpgsql.Node]) -> None:
        sink = Rows(MAX_ITERATIONS)
        self.execute(self.substitute(query), sink)
        names = [column.name for column in sink.columns]
        for row in sink.rows:
            if self.types.get(variable, "record") == "record":
                self.declare(variable, "record", value=dict(zip(names, row, strict=True)))
            else:
                self.values[variable] = row[0]
            try:
                self.body(body)
            except _Leave as leave:
                if leave.kind == "EXIT":
                    return

    def raise_(self, level: str, message: str, *, arguments: Sequence[str]) -> None:
        values = iter([self.evaluate(argument) for argument in arguments])

        def fill(match: re.Match[str]) -> str:
            if match[0] == "%%":
                return "%"
            value = next(values, "%")
            return "<NULL>" if value is None else str(value)

        text = re.sub("%%?", fill, message)
        if level == "EXCEPTION":
            raise SqlError(text)
        self.context.notices.append(f"{level}: {text}")

    def is_true(self, condition: str) -> bool:
        return bool(self.evaluate(condition))

    def evaluate(self, expression: str, kind: str = "") -> Any:
        """The value of an expression, as the type of the variable it goes to."""
        sink = Rows(1)
        value = self.substitute(expression)
        if kind and kind != "record":
            value = f"CAST({value} AS {kind})"
        self.execute(f"SELECT {value}", sink)
        return sink.rows[0][0] if sink.rows else None

    def substitute(self, sql: str) -> str:
        """The text with every variable replaced by its value; names after a dot or before a parenthesis stay."""
        out, position = [], 0
        tokens = tokenize(sql)
        for index, token in enumerate(tokens):
            if token.start < position or token.kind not in (Kind.WORD, Kind.QUOTED) or token.value not in self.types:
                continue
            before = tokens[index - 1].text if index else ""
            after = tokens[index + 1].text if index + 1 < len(tokens) else ""
            if before in (".", "AS", "as") or after == "(":
                continue
            end, value, kind = token.end, self.values[token.value], self.types[token.value]
            if kind == "record":
                if after != "." or index + 2 >= len(tokens):
                    continue
                field = tokens[index + 2]
                if not isinstance(value, dict) or field.value not in value:
                    raise SqlError(f'record "{token.value}" has no field "{field.value}"')
                end, value, kind = field.end, value[field.value], ""
            elif after == ".":
                continue
            out.append(sql[position : token.start] + _rendered(value, kind))
            position = end
        return "".join([*out, sql[position:]])


def _rendered(value: Any, kind: str) -> str:
    if value is None:
        return f"CAST(NULL AS {kind})" if kind else "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, Decimal)) and not kind.startswith("character"):
        return f"({value})" if value < 0 else str(value)
    text = literal(str(value))
    return f"CAST({text} AS {kind})" if kind and not kind.startswith("character") else text
