"""CREATE TABLE and ALTER TABLE with Redshift's attributes. What they say of storage is `keys`.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import keys
from local_cloud.services.redshift.sql.columns import Column
from local_cloud.services.redshift.sql.keys import UNSAID, Keys
from local_cloud.services.redshift.sql.lexer import Kind
from local_cloud.services.redshift.sql.reader import Reader
from local_cloud.services.redshift.sql.types import SPELLINGS, RedshiftType, parse_type

#: A name with its qualifiers.
Name = tuple[str, ...]

_ATTRIBUTES = ("DEFAULT", "IDENTITY", "GENERATED", "ENCODE", "DISTKEY", "SORTKEY", "COLLATE", "NOT", "NULL")
_CONSTRAINTS = ("UNIQUE", "PRIMARY", "REFERENCES", "CONSTRAINT", "FOREIGN")


@dataclass(frozen=True)
class CreateTable:
    """Exactly one of `columns`, `like` and `query` is given (`query` with optional `column_names` and `keys`)."""

    name: Name
    temporary: bool = False
    if_not_exists: bool = False
    columns: tuple[Column, ...] = ()
    like: Name = ()
    like_defaults: bool = False
    query: str = ""
    column_names: tuple[str, ...] = ()
    keys: Keys = UNSAID


@dataclass(frozen=True)
class AlterTable:
    """`action` is one of add, drop, rename, rename_column, type, append, keys, attributes (nothing to do)."""

    name: Name
    action: str
    column: Column | None = None
    target: str = ""
    new_name: str = ""
    type: RedshiftType | None = None
    source: Name = ()
    keys: Keys = UNSAID


def create_table(reader: Reader) -> CreateTable:
    """Read from after CREATE."""
    temporary = bool(reader.accept_any("LOCAL TEMPORARY", "LOCAL TEMP", "TEMPORARY", "TEMP"))
    reader.expect("TABLE")
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    temporary = temporary or name[-1].startswith("#")
    columns: list[Column] = []
    names: tuple[str, ...] = ()
    like: Name = ()
    like_defaults = False
    if reader.at("(", "LIKE"):
        reader.expect("(", "LIKE")
        like = reader.name()
        like_defaults = reader.accept("INCLUDING", "DEFAULTS")
        reader.accept("EXCLUDING", "DEFAULTS")
        reader.expect(")")
    elif reader.at("("):
        names = _ctas_names(reader)
        if not names:
            columns = _columns(reader)
    attributes = _table_attributes(reader)
    if not columns and not like:
        reader.expect("AS")
        query = reader.rest()
        if not query:
            raise reader.error()
        return CreateTable(name, temporary, if_not_exists, query=_unwrapped(query), column_names=names, keys=attributes)
    reader.end()
    if like and attributes != UNSAID:
        raise SqlError("CREATE TABLE LIKE takes distribution style and sort keys from the parent table")
    return CreateTable(
        name,
        temporary,
        if_not_exists,
        columns=tuple(keys.apply(columns, attributes)),
        like=like,
        like_defaults=like_defaults,
    )


def _unwrapped(query: str) -> str:
    """`( SELECT … )` without its parentheses."""
    inner = Reader(query)
    if inner.at("("):
        text = inner.parenthesised()
        if inner.at_end:
            return text.strip()
    return query


def _ctas_names(reader: Reader) -> tuple[str, ...]:
    """The names of CREATE TABLE t (a, b) … AS …; empty, with nothing taken, when definitions follow."""
    start = reader.index
    try:
        names = reader.identifiers()
    except SqlError:
        names = ()
    if not names:
        reader.index = start
    return names


def _columns(reader: Reader) -> list[Column]:
    columns: list[Column] = []
    reader.expect("(")
    while True:
        if reader.peek() and reader.accept_any(*_CONSTRAINTS):
            reader.text_until()
        else:
            columns.append(column(reader))
        if reader.accept(")"):
            break
        reader.expect(",")
    if sum(column.sortkey for column in columns) > 1:
        raise SqlError("only one column can be marked SORTKEY; name several in SORTKEY ( … )")
    return columns


def column(reader: Reader) -> Column:
    """One column definition."""
    name = reader.identifier()
    kind = data_type(reader)
    values: dict[str, Any] = {}
    while (token := reader.peek()) is not None and token.text not in (",", ")"):
        word = reader.accept_any(*_COLUMN_ATTRIBUTES)
        if not word:
            raise reader.error()
        values |= _COLUMN_ATTRIBUTES[word](reader)
    return Column(name, kind, **values)


def _references(reader: Reader) -> dict[str, Any]:
    reader.name()
    if reader.at("("):
        reader.parenthesised()
    return {}


def _collate(reader: Reader) -> dict[str, Any]:
    reader.identifier()
    return {}


#: What may follow a column's type, with what it tells of the column.
_COLUMN_ATTRIBUTES: dict[str, Callable[[Reader], dict[str, Any]]] = {
    "DEFAULT": lambda reader: {"default": reader.text_until(*_ATTRIBUTES, *_CONSTRAINTS)},
    "GENERATED ALWAYS AS IDENTITY": lambda reader: {"identity": _identity(reader)},
    "GENERATED BY DEFAULT AS IDENTITY": lambda reader: {"identity": _identity(reader), "by_default": True},
    "IDENTITY": lambda reader: {"identity": _identity(reader)},
    "ENCODE": lambda reader: {"encode": keys.encoding(reader)},
    "DISTKEY": lambda reader: {"distkey": True},
    "SORTKEY": lambda reader: {"sortkey": 1},
    "NOT NULL": lambda reader: {"not_null": True},
    "PRIMARY KEY": lambda reader: {"not_null": True},
    "NULL": lambda reader: {},
    "UNIQUE": lambda reader: {},
    "COLLATE": _collate,
    "REFERENCES": _references,
}


def _identity(reader: Reader) -> tuple[int, int]:
    reader.expect("(")
    seed = reader.integer()
    reader.expect(",")
    step = reader.integer()
    reader.expect(")")
    return seed, step


def data_type(reader: Reader) -> RedshiftType:
    """A type as it is written in a definition or a cast."""
    start = reader.peek()
    words = [reader.identifier()]
    while (token := reader.peek()) is not None and token.kind is Kind.WORD:
        longer = " ".join([*words, token.value])
        if not any(s == longer or s.startswith(longer + " ") for s in SPELLINGS):
            break
        words.append(reader.identifier())
    text = " ".join(words)
    if reader.at("("):
        text += "(" + reader.parenthesised() + ")"
        if words[0] in ("timestamp", "time") and reader.accept_any("WITHOUT TIME ZONE", "WITH TIME ZONE"):
            text = words[0]
    kind = parse_type(text)
    if kind is None:
        raise SqlError(f'type "{text}" does not exist', position=start.start + 1 if start else 0)
    limit = {"character": 4096, "character varying": 65535}.get(kind.name, 0)
    if limit and not 1 <= kind.length <= limit:
        raise SqlError(
            f"length for type {'char' if kind.name == 'character' else 'varchar'} "
            + ("must be at least 1" if kind.length < 1 else f"cannot exceed {limit}")
        )
    if kind.name == "numeric" and not (1 <= kind.precision <= 38 and 0 <= kind.scale <= min(37, kind.precision)):
        raise SqlError(f"DECIMAL precision {kind.precision} must be between 1 and 38")
    return kind


def _table_attributes(reader: Reader) -> Keys:
    found: dict[str, Any] = {}
    while not reader.at_end and not reader.at("AS"):
        if reader.accept("BACKUP"):
            if not reader.accept_any("YES", "NO"):
                raise reader.error()
        elif reader.accept("ON"):
            reader.expect("COMMIT")
            reader.rest()
        else:
            said = keys.attribute(reader)
            if said.keys() & found.keys():
                raise SqlError("conflicting or redundant options")
            found |= said
    return Keys(**found)


def alter_table(reader: Reader) -> AlterTable:
    """Read from after ALTER TABLE."""
    name = reader.name()
    words = reader.accept_any(*_ALTERATIONS)
    if not words:
        raise reader.error()
    return _ALTERATIONS[words](reader, name)


def _without_effect(reader: Reader, name: Name) -> AlterTable:
    reader.rest()
    return AlterTable(name, "attributes")


def _add(reader: Reader, name: Name) -> AlterTable:
    added = column(reader)
    if added.distkey or added.sortkey:
        raise SqlError("ALTER TABLE ADD COLUMN takes no DISTKEY or SORTKEY")
    return AlterTable(name, "add", column=added)


def _drop(reader: Reader, name: Name) -> AlterTable:
    target = reader.identifier()
    reader.accept_any("CASCADE", "RESTRICT")
    return AlterTable(name, "drop", target=target)


def _rename_column(reader: Reader, name: Name) -> AlterTable:
    target = reader.identifier()
    reader.expect("TO")
    return AlterTable(name, "rename_column", target=target, new_name=reader.identifier())


def _alter(reader: Reader, name: Name) -> AlterTable:
    word = reader.peek(2) if reader.at("COLUMN") else None
    if word is None or word.upper != "TYPE":
        return AlterTable(name, "keys", keys=keys.changes(reader))
    reader.expect("COLUMN")
    target = reader.identifier()
    reader.expect("TYPE")
    return AlterTable(name, "type", target=target, type=data_type(reader))


#: What may follow the table's name; the longer form of two comes first.
_ALTERATIONS: dict[str, Callable[[Reader, Name], AlterTable]] = {
    **dict.fromkeys(
        (
            "ADD CONSTRAINT",
            "ADD FOREIGN",
            "ADD PRIMARY",
            "ADD UNIQUE",
            "DROP CONSTRAINT",
            "OWNER TO",
        ),
        _without_effect,
    ),
    "ADD COLUMN": _add,
    "ADD": _add,
    "ALTER": _alter,
    "APPEND FROM": lambda reader, name: AlterTable(name, "append", source=reader.name()),
    "DROP COLUMN": _drop,
    "DROP": _drop,
    "RENAME TO": lambda reader, name: AlterTable(name, "rename", new_name=reader.identifier()),
    "RENAME COLUMN": _rename_column,
    "RENAME": _rename_column,
}
