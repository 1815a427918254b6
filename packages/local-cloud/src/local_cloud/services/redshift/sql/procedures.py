"""CREATE PROCEDURE, DROP PROCEDURE and CALL.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_PROCEDURE.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local_cloud.services.redshift.errors import NotSupported
from local_cloud.services.redshift.sql.lexer import Kind
from local_cloud.services.redshift.sql.reader import Reader
from local_cloud.services.redshift.sql.tables import Name, data_type


@dataclass(frozen=True)
class Argument:
    """`mode` is IN, OUT or INOUT; `type` the type's long name."""

    name: str
    mode: str
    type: str


@dataclass(frozen=True)
class CreateProcedure:
    name: Name
    replace: bool
    arguments: tuple[Argument, ...]
    body: str
    nonatomic: bool = False


@dataclass(frozen=True)
class DropProcedure:
    name: Name
    if_exists: bool


@dataclass(frozen=True)
class Call:
    """`arguments` are SQL expressions."""

    name: Name
    arguments: tuple[str, ...]


def create(*, replace: bool) -> Callable[[Reader], CreateProcedure]:
    """Read from after CREATE [OR REPLACE] PROCEDURE."""

    def read(reader: Reader) -> CreateProcedure:
        name = reader.name()
        arguments = _arguments(reader)
        nonatomic = reader.accept("NONATOMIC")
        reader.expect("AS")
        body = reader.string()
        while not reader.at_end:
            if reader.accept("LANGUAGE"):
                language = reader.identifier()
                if language != "plpgsql":
                    raise NotSupported(f'language "{language}" does not exist')
            elif reader.accept("SET"):
                reader.rest()
            elif not reader.accept_any("SECURITY INVOKER", "SECURITY DEFINER"):
                raise reader.error()
        return CreateProcedure(name, replace, arguments, body, nonatomic)

    return read


def _arguments(reader: Reader) -> tuple[Argument, ...]:
    arguments: list[Argument] = []
    reader.expect("(")
    while not reader.accept(")"):
        if arguments:
            reader.expect(",")
        mode = reader.accept_any("INOUT", "IN", "OUT") or "IN"
        name = _argument_name(reader)
        mode = reader.accept_any("INOUT", "IN", "OUT") or mode
        arguments.append(Argument(name, mode, str(data_type(reader))))
    return tuple(arguments)


def _argument_name(reader: Reader) -> str:
    """Names are optional: `p(int)` has an unnamed argument."""
    following = reader.peek(1)
    if following is not None and following.text in (",", ")", "("):
        return ""
    return reader.identifier()


def drop(reader: Reader) -> DropProcedure:
    """Read from after DROP PROCEDURE. The argument types are not needed: names are not overloaded here."""
    if_exists = reader.accept("IF", "EXISTS")
    name = reader.name()
    if reader.at("("):
        reader.parenthesised()
    return DropProcedure(name, if_exists)


def call(reader: Reader) -> Call:
    """Read from after CALL."""
    name = reader.name()
    arguments: list[str] = []
    reader.expect("(")
    while not reader.accept(")"):
        if arguments:
            reader.expect(",")
        token = reader.peek()
        if token is not None and token.kind is Kind.SYMBOL and token.text == ",":
            raise reader.error()
        arguments.append(reader.text_until())
    return Call(name, tuple(arguments))
