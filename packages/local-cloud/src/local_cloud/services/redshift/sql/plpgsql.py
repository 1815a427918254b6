"""The PL/pgSQL of stored procedures, read into a tree.

What is here: DECLARE, assignments, SQL statements, SELECT INTO, EXECUTE, IF, LOOP, WHILE, FOR over numbers and
queries, EXIT, CONTINUE, RAISE, RETURN, COMMIT, ROLLBACK, CALL, GET DIAGNOSTICS, EXCEPTION WHEN OTHERS. Cursors and
labels are refused by name.
https://docs.aws.amazon.com/redshift/latest/dg/c_PLpgSQL-structure.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local_cloud.services.redshift.errors import NotSupported
from local_cloud.services.redshift.sql.lexer import Kind, tokenize
from local_cloud.services.redshift.sql.reader import Reader
from local_cloud.services.redshift.sql.tables import data_type


@dataclass(frozen=True)
class Declaration:
    """`type` is the long name, or `record`. `default` is an expression, empty for NULL."""

    name: str
    type: str
    default: str = ""
    constant: bool = False


@dataclass(frozen=True)
class Block:
    """`handler` is what EXCEPTION WHEN OTHERS runs; None where the block has none."""

    declarations: tuple[Declaration, ...]
    body: tuple[Node, ...]
    handler: tuple[Node, ...] | None = None


@dataclass(frozen=True)
class Assign:
    target: str
    expression: str


@dataclass(frozen=True)
class Sql:
    """A statement of SQL; `into` are the variables that take its first row."""

    text: str
    into: tuple[str, ...] = ()


@dataclass(frozen=True)
class Execute:
    expression: str
    into: tuple[str, ...] = ()


@dataclass(frozen=True)
class If:
    """Branches of (condition, body), the ELSE body last."""

    branches: tuple[tuple[str, tuple[Node, ...]], ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True)
class While:
    """`condition` is empty for a bare LOOP."""

    condition: str
    body: tuple[Node, ...]


@dataclass(frozen=True)
class ForRange:
    variable: str
    first: str
    last: str
    step: str
    reverse: bool
    body: tuple[Node, ...]


@dataclass(frozen=True)
class ForQuery:
    variable: str
    query: str
    body: tuple[Node, ...]


@dataclass(frozen=True)
class Leave:
    """EXIT or CONTINUE."""

    kind: str
    condition: str


@dataclass(frozen=True)
class Raise:
    level: str
    message: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Return:
    pass


@dataclass(frozen=True)
class Finish:
    """COMMIT or ROLLBACK."""

    kind: str


@dataclass(frozen=True)
class RowCount:
    target: str


Node = Block | Assign | Sql | Execute | If | While | ForRange | ForQuery | Leave | Raise | Return | Finish | RowCount


class _Body(Reader):
    """A procedure's body. Its statements end with `;`, so those stay."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = tokenize(sql)
        self.index = 0

    def text_to(self, *stops: str) -> str:
        """The text up to one of the words or `;`, outside parentheses; the stop is not taken."""
        start = self.peek()
        if start is None:
            raise self.error()
        end, depth = start.start, 0
        while (token := self.peek()) is not None:
            if depth == 0 and (token.text == ";" or token.upper in stops):
                break
            if token.kind is Kind.SYMBOL:
                depth += {"(": 1, ")": -1}.get(token.text, 0)
            end = token.end
            self.index += 1
        return self.sql[start.start : end]


def parse_body(text: str) -> Block:
    """The outermost block. SqlSyntaxError or NotSupported where it cannot be read."""
    reader = _Body(text)
    if reader.accept("<", "<"):
        raise NotSupported("labels in procedures are not supported by the local warehouse")
    block = _block(reader)
    reader.accept(";")
    reader.end()
    return block


def _block(reader: _Body) -> Block:
    declarations: list[Declaration] = []
    if reader.accept("DECLARE"):
        while not reader.at("BEGIN"):
            declarations.append(_declaration(reader))
    reader.expect("BEGIN")
    body = _statements(reader, "END", "EXCEPTION")
    handler = None
    if reader.accept("EXCEPTION"):
        # https://docs.aws.amazon.com/redshift/latest/dg/stored-procedure-trapping-errors.html
        reader.expect("WHEN", "OTHERS", "THEN")
        handler = _statements(reader, "END")
    reader.expect("END")
    return Block(tuple(declarations), body, handler)


def _declaration(reader: _Body) -> Declaration:
    name = reader.identifier()
    constant = reader.accept("CONSTANT")
    if reader.at("CURSOR") or reader.at("REFCURSOR") or reader.at("ALIAS"):
        raise NotSupported("cursors and aliases in procedures are not supported by the local warehouse")
    kind = "record" if reader.accept("RECORD") else str(data_type(reader))
    reader.accept("NOT", "NULL")
    default = ""
    if reader.accept(":=") or reader.accept("=") or reader.accept("DEFAULT"):
        default = reader.text_to()
    reader.expect(";")
    return Declaration(name, kind, default, constant)


def _statements(reader: _Body, *stops: str) -> tuple[Node, ...]:
    nodes: list[Node] = []
    while not any(reader.at(stop) for stop in stops):
        if reader.at_end:
            raise reader.error()
        node = _statement(reader)
        if node is not None:
            nodes.append(node)
    return tuple(nodes)


def _statement(reader: _Body) -> Node | None:
    if reader.accept(";") or reader.accept("NULL", ";"):
        return None
    word = reader.accept_any(*_STATEMENTS)
    if word:
        node = _STATEMENTS[word](reader)
    elif reader.at("DECLARE") or reader.at("BEGIN"):
        node = _block(reader)
    elif _is_assignment(reader):
        target = reader.identifier()
        reader.next()
        node = Assign(target, reader.text_to())
    else:
        node = _sql(reader)
    reader.expect(";")
    return node


def _while(reader: _Body) -> While:
    condition = reader.text_to("LOOP")
    reader.expect("LOOP")
    return While(condition, _loop(reader))


def _leave(kind: str) -> Callable[[_Body], Leave]:
    return lambda reader: Leave(kind, reader.text_to() if reader.accept("WHEN") else "")


def _return(reader: _Body) -> Return:
    if not reader.at(";"):
        raise NotSupported("RETURN with a value is not supported in procedures")
    return Return()


def _execute(reader: _Body) -> Execute:
    expression = reader.text_to("INTO")
    return Execute(expression, _into(reader) if reader.accept("INTO") else ())


def _diagnostics(reader: _Body) -> RowCount:
    target = reader.identifier()
    if not (reader.accept(":=") or reader.accept("=")):
        raise reader.error()
    reader.expect("ROW_COUNT")
    return RowCount(target)


def _is_assignment(reader: _Body) -> bool:
    first, second = reader.peek(), reader.peek(1)
    return first is not None and first.kind is Kind.WORD and second is not None and second.text in (":=", "=")


def _into(reader: _Body) -> tuple[str, ...]:
    names = [reader.identifier()]
    while reader.accept(","):
        names.append(reader.identifier())
    return tuple(names)


def _sql(reader: _Body) -> Sql:
    """`SELECT a INTO x FROM t` has its INTO taken out: in a procedure it names variables."""
    if reader.accept("PERFORM"):
        return Sql("SELECT " + reader.text_to())
    if reader.at("OPEN") or reader.at("FETCH") or reader.at("CLOSE"):
        raise NotSupported("cursors in procedures are not supported by the local warehouse")
    selects = reader.at("SELECT") or reader.at("WITH")
    head = reader.text_to(*(("INTO",) if selects else ()))
    if not reader.at("INTO"):
        return Sql(head)
    reader.expect("INTO")
    into = _into(reader)
    return Sql(f"{head} {reader.text_to()}" if not reader.at(";") else head, into)


def _if(reader: _Body) -> If:
    branches = []
    condition = reader.text_to("THEN")
    reader.expect("THEN")
    branches.append((condition, _statements(reader, "ELSIF", "ELSEIF", "ELSE", "END")))
    while reader.accept_any("ELSIF", "ELSEIF"):
        condition = reader.text_to("THEN")
        reader.expect("THEN")
        branches.append((condition, _statements(reader, "ELSIF", "ELSEIF", "ELSE", "END")))
    otherwise = _statements(reader, "END") if reader.accept("ELSE") else ()
    reader.expect("END", "IF")
    return If(tuple(branches), otherwise)


def _loop(reader: _Body) -> tuple[Node, ...]:
    """Read from after LOOP."""
    body = _statements(reader, "END")
    reader.expect("END", "LOOP")
    return body


def _for(reader: _Body) -> ForRange | ForQuery:
    variable = reader.identifier()
    reader.expect("IN")
    reverse = reader.accept("REVERSE")
    if reader.at("SELECT") or reader.at("WITH"):
        query = reader.text_to("LOOP")
        reader.expect("LOOP")
        return ForQuery(variable, query, _loop(reader))
    if reader.at("EXECUTE"):
        raise NotSupported("FOR … IN EXECUTE in procedures is not supported by the local warehouse")
    bounds = reader.text_to("LOOP", "BY")
    step = reader.text_to("LOOP") if reader.accept("BY") else "1"
    reader.expect("LOOP")
    first, separator, last = bounds.partition("..")
    if not separator:
        raise reader.error()
    return ForRange(variable, first, last, step, reverse, _loop(reader))


def _raise(reader: _Body) -> Raise:
    level = reader.accept_any("INFO", "NOTICE", "WARNING", "LOG", "DEBUG", "EXCEPTION") or "EXCEPTION"
    message = reader.string()
    arguments = []
    while reader.accept(","):
        start = reader.index
        depth = 0
        while (token := reader.peek()) is not None:
            if depth == 0 and token.text in (",", ";"):
                break
            if token.kind is Kind.SYMBOL:
                depth += {"(": 1, ")": -1}.get(token.text, 0)
            reader.index += 1
        arguments.append(reader.sql[reader.tokens[start].start : reader.tokens[reader.index - 1].end])
    return Raise(level, message, tuple(arguments))


_STATEMENTS: dict[str, Callable[[_Body], Node]] = {
    "IF": _if,
    "WHILE": _while,
    "LOOP": lambda reader: While("", _loop(reader)),
    "FOR": _for,
    "EXIT": _leave("EXIT"),
    "CONTINUE": _leave("CONTINUE"),
    "RAISE": _raise,
    "RETURN": _return,
    "COMMIT": lambda reader: Finish("COMMIT"),
    "ROLLBACK": lambda reader: Finish("ROLLBACK"),
    "EXECUTE": _execute,
    "GET DIAGNOSTICS": _diagnostics,
}
