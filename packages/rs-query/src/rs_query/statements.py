"""A SQL script as the statements it holds, each with its place in the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rs_query.errors import LexicalError, one_line
from rs_query.lexer import COMMENT, IDENTIFIER, SEMICOLON, SPACE, VALUE, Unterminated, tokens

_BOM = "\ufeff"


@dataclass(frozen=True)
class Placeholder:
    """A `:name` (or, as `identifier`, `:"name"`) of a statement; `start` and `end` are offsets in its text."""

    name: str
    start: int
    end: int
    identifier: bool


@dataclass(frozen=True)
class Statement:
    """One statement of a script: `text` is exactly `source[start:end]`, without its `;`.

    `index`, `line` and `column` count from 1, in characters; a BOM has no column. `name` is the script's.
    """

    index: int
    line: int
    column: int
    start: int
    end: int
    text: str
    name: str = "<sql>"
    placeholders: tuple[Placeholder, ...] = field(default=(), repr=False)

    @property
    def where(self) -> str:
        """`file:line:column`, as an editor jumps to it."""
        return f"{self.name}:{self.line}:{self.column}"

    @property
    def first_words(self) -> str:
        """The beginning of the statement, on one line, to recognise it by."""
        return one_line(self.text[:200], 60)

    def place(self, offset: int) -> str:
        """`file:line:column` of the character at `offset` in the text."""
        before = self.text[:offset]
        newlines = before.count("\n")
        column = offset - before.rfind("\n") if newlines else self.column + offset
        return f"{self.name}:{self.line + newlines}:{column}"


def split(text: str, name: str = "<sql>") -> list[Statement]:
    """The statements of `text`, in order; pieces of nothing but comments and space are dropped.

    Raises LexicalError (`name:line:column: unterminated …`).
    """
    return list(iter_statements(text, name))


def iter_statements(text: str, name: str = "<sql>") -> Iterator[Statement]:
    """As `split`, one at a time; time is linear in the text."""
    lines = _Lines(text)
    index = 0
    placeholders: list[Placeholder] = []
    begin = end = -1  # of the statement: its first and past its last significant character
    position = 1 if text.startswith(_BOM) else 0
    try:
        for kind, start, stop in tokens(text):
            if start > position:
                between = text[position:start].rstrip(SPACE)
                if between:
                    if begin < 0:
                        begin = position + len(between) - len(between.lstrip(SPACE))
                    end = position + len(between)
            position = stop
            if kind == SEMICOLON:
                if begin >= 0:
                    index += 1
                    yield _statement(text, name, index, lines, begin, end, placeholders)
                    begin, placeholders = -1, []
            elif kind != COMMENT:
                if begin < 0:
                    begin = start
                end = stop
                if kind in (VALUE, IDENTIFIER):
                    quoted = kind == IDENTIFIER
                    inner = text[start + 1 + quoted : stop - quoted]
                    placeholders.append(Placeholder(inner, start - begin, stop - begin, quoted))
    except Unterminated as error:
        line, column = lines.place(error.position, whole=True)
        raise LexicalError(str(error), name=name, line=line, column=column) from None
    rest = text[position:].rstrip(SPACE)
    if rest:
        if begin < 0:
            begin = position + len(rest) - len(rest.lstrip(SPACE))
        end = position + len(rest)
    if begin >= 0:
        yield _statement(text, name, index + 1, lines, begin, end, placeholders)


def _statement(
    text: str, name: str, index: int, lines: _Lines, begin: int, end: int, placeholders: list[Placeholder]
) -> Statement:
    line, column = lines.place(begin)
    return Statement(index, line, column, begin, end, text[begin:end], name, tuple(placeholders))


class _Lines:
    """Line and column of growing positions, each character of the text looked at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.line, self.line_start, self.seen = 1, 1 if text.startswith(_BOM) else 0, 0

    def place(self, position: int, *, whole: bool = False) -> tuple[int, int]:
        """Line and column from 1. `whole` starts over, for a position before the last one asked for."""
        if whole:
            self.__init__(self.text)  # type: ignore[misc]
        newlines = self.text.count("\n", self.seen, position)
        if newlines:
            self.line += newlines
            self.line_start = self.text.rfind("\n", self.seen, position) + 1
        self.seen = position
        return self.line, position - self.line_start + 1
