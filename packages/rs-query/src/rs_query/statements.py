"""A SQL script as the statements it holds, each with its place in the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from rs_query.errors import LexicalError, one_line
from rs_query.expectations import Expectation, Malformed, parse
from rs_query.lexer import BACKSLASH, COMMENT, IDENTIFIER, SEMICOLON, SPACE, VALUE, Unterminated, outline, tokens

_BOM = "\ufeff"


@dataclass(frozen=True)
class Placeholder:
    """A `:name` (or, as `identifier`, `:"name"`) of a statement; `start` and `end` are offsets in its text."""

    name: str
    start: int
    end: int
    identifier: bool

    @property
    def kind(self) -> str:
        """`identifier` or `value`."""
        return "identifier" if self.identifier else "value"


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
    expectation: Expectation | None = field(default=None, repr=False)
    """What its result has to be, by the comment before it."""

    @property
    def where(self) -> str:
        """`file:line:column`, as an editor jumps to it."""
        return f"{self.name}:{self.line}:{self.column}"

    @property
    def first_words(self) -> str:
        """The beginning of the statement, on one line, to recognise it by; what it quotes is left out.

        A literal can be a password, and this goes into errors and logs.
        """
        return one_line(outline(self.text), 60)

    @property
    def what(self) -> str:
        """Place, index and first words: how errors name it."""
        return f"{self.where}: statement {self.index} ({self.first_words})"

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of the character at `offset` in the text."""
        before = self.text[:offset]
        newlines = before.count("\n")
        column = offset - before.rfind("\n") if newlines else self.column + offset
        return self.line + newlines, column

    def where_is(self, place: Placeholder) -> str:
        """`file:line:column` of a parameter."""
        line, column = self.place(place.start)
        return f"{self.name}:{line}:{column}"


def split(text: str, name: str = "<sql>") -> list[Statement]:
    """List the statements of `text`, in order; pieces of nothing but comments and space are dropped.

    Raises LexicalError (`name:line:column: …`) for what is unterminated, a command of psql's, and an expectation that
    is none or stands before no statement.
    """
    return list(iter_statements(text, name))


def iter_statements(text: str, name: str = "<sql>") -> Iterator[Statement]:
    """Yield what `split` lists, one at a time; time is linear in the text."""
    lines = _Lines(text)
    position = lines.line_start
    index, begin, end = 1, -1, -1  # begin and end of the statement's significant characters so far
    placeholders: list[Placeholder] = []
    expected = _Expected(text, name)
    try:
        for kind, start, stop in chain(tokens(text), [(SEMICOLON, len(text), len(text))]):
            before = text[position:start].rstrip(SPACE)
            if before:
                end = position + len(before)
                begin = begin if begin >= 0 else end - len(before.lstrip(SPACE))
            position = stop
            if kind == SEMICOLON:
                if begin >= 0:
                    line, column = lines.place(begin)
                    places = tuple(placeholders)
                    yield Statement(index, line, column, begin, end, text[begin:end], name, places, expected.take())
                    index, begin, placeholders = index + 1, -1, []
            elif kind == BACKSLASH:
                raise _at(text, start, _no_sql(text, start, stop), name)
            elif kind == COMMENT:
                expected.look(start, stop, within=begin >= 0)
            else:
                begin, end = begin if begin >= 0 else start, stop
                if kind in (VALUE, IDENTIFIER):
                    quotes = 1 if kind == IDENTIFIER else 0
                    inner = text[start + 1 + quotes : stop - quotes]
                    placeholders.append(Placeholder(inner, start - begin, stop - begin, identifier=bool(quotes)))
    except Unterminated as error:
        raise _at(text, error.position, str(error), name) from None
    expected.finish()


class _Expected:
    """The expectation that the next statement has, of the comments before it. Raises LexicalError where it has none."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.found: tuple[int, Expectation] | None = None

    def look(self, start: int, stop: int, *, within: bool) -> None:
        """Look at a comment; `within` is whether a statement has begun before it."""
        try:
            expectation = parse(self.text[start:stop])
        except Malformed as error:
            raise self._error(start, f"an @expect that is none: {error}") from None
        if expectation is None:
            return
        if within:
            raise self._error(start, "an @expect within a statement; it stands before the statement")
        if self.found:
            raise self._error(start, "a second @expect for one statement")
        self.found = start, expectation

    def take(self) -> Expectation | None:
        taken, self.found = self.found, None
        return taken and taken[1]

    def finish(self) -> None:
        if self.found:
            raise self._error(self.found[0], "there is no statement after this @expect")

    def _error(self, position: int, message: str) -> LexicalError:
        return _at(self.text, position, message, self.name)


def _no_sql(text: str, start: int, stop: int) -> str:
    """Return what to say of a backslash: at the beginning of a line it is a command to psql or RSQL."""
    line = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    if text[line:start].strip(SPACE):
        return "a backslash outside of a string is no SQL"
    return f"{text[start:stop]} is a command of psql or RSQL, not SQL: take the line out"


def _at(text: str, position: int, message: str, name: str) -> LexicalError:
    line, column = _Lines(text).place(position)
    return LexicalError(message, name=name, line=line, column=column)


class _Lines:
    """Line and column of growing positions, each character of the text looked at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.line, self.line_start, self.seen = 1, int(text.startswith(_BOM)), 0

    def place(self, position: int) -> tuple[int, int]:
        """Line and column, from 1, of a position not before the last one asked for."""
        newlines = self.text.count("\n", self.seen, position)
        if newlines:
            self.line += newlines
            self.line_start = self.text.rfind("\n", self.seen, position) + 1
        self.seen = position
        return self.line, position - self.line_start + 1
