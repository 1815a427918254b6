"""Redshift's lexical rules, in one pass: what is quoted, what is a comment, where `;` and `:name` count.

Redshift lexes as PostgreSQL 8.0 did, before standard_conforming_strings: a backslash escapes inside `'…'`
(https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions-posix.html doubles it for that
reason), comments nest, `$tag$…$tag$` quotes, identifiers may hold `$`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Optional

STRING, QUOTED, DOLLAR, COMMENT, SEMICOLON, VALUE, IDENTIFIER, BACKSLASH = range(8)
"""Kinds of token: `'…'`, `"…"`, `$$…$$`, a comment, `;`, `:name`, `:"name"`, `\\word` outside of these."""

#: What Redshift skips between tokens. No other Unicode space is one: NBSP is a letter to it.
SPACE = " \t\r\n\f"

_SPECIAL = re.compile(r"""['";$:\\]|--|/\*""")
_STRING_EDGE = re.compile(r"['\\]")
_LINE_END = re.compile(r"[\r\n]")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_LETTERS = r"A-Za-z0-9_$\x80-\U0010ffff"
_NAME_REST = re.compile(rf"[{_LETTERS}]*")
_WORD = re.compile(rf"(?![0-9$])[{_LETTERS}]+")
_DOLLAR_TAG = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$")
_PARAMETER = re.compile(r"""[A-Za-z_][A-Za-z0-9_]*|"[A-Za-z_][A-Za-z0-9_]*\"""")
#: A `:` right after one of these belongs to what precedes it: a cast, a slice, `a:b`.
_GLUE = re.compile(rf"""[{_LETTERS}:'")\]]""")

_Lexed = tuple[Optional[int], int]
"""Kind (None: nothing of interest) and end of what begins at a special character."""


class Unterminated(Exception):
    """Something that begins at `position` has no end."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


def tokens(text: str) -> Iterator[tuple[int, int, int]]:
    """(kind, start, end) of every token that is quoted, a comment, a `;` or a parameter, in order.

    Raises Unterminated. Linear in `len(text)`, whatever it holds.
    """
    search = _SPECIAL.search
    position = 0
    while found := search(text, position):
        start = found.start()
        kind, position = _LEXERS[text[start]](text, start, position)
        if kind is not None:
            yield kind, start, position


def outline(text: str) -> str:
    """Return the text without what its literals and comments hold: `'…'` for each literal, a space for a comment."""
    return _replace(text, {STRING: "'…'", DOLLAR: "'…'", COMMENT: " "})


def skeleton(text: str) -> str:
    """Return a statement's words in upper case, its literals, quoted names and comments blanked."""
    return " ".join(_replace(text, {STRING: "''", DOLLAR: "''", QUOTED: '""', COMMENT: " "}).upper().split())


def _replace(text: str, replacements: dict[int, str]) -> str:
    pieces: list[str] = []
    position = 0
    for kind, start, end in tokens(text):
        if kind in replacements:
            pieces += (text[position:start], replacements[kind])
            position = end
    pieces.append(text[position:])
    return "".join(pieces)


def first_word(text: str) -> str:
    """Return the first word of a statement, in upper case, past comments and opening parentheses."""
    position = 0
    for kind, start, end in tokens(text):
        if word := _WORD.search(text, position, start):
            return word.group().upper()
        if kind != COMMENT:
            return ""
        position = end
    word = _WORD.search(text, position)
    return word.group().upper() if word else ""


def _semicolon(text: str, start: int, since: int) -> _Lexed:
    return SEMICOLON, start + 1


def _line_comment(text: str, start: int, since: int) -> _Lexed:
    end = _LINE_END.search(text, start)
    return COMMENT, end.start() if end else len(text)


def _comment(text: str, start: int, since: int) -> _Lexed:
    depth, position = 1, start + 2
    while depth:
        edge = _COMMENT_EDGE.search(text, position)
        if edge is None:
            raise Unterminated("unterminated comment", start)
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
    return COMMENT, position


def _string(text: str, start: int, since: int) -> _Lexed:
    position = start + 1
    while edge := _STRING_EDGE.search(text, position):
        position = edge.end()
        if edge.group() == "\\" or text[position : position + 1] == "'":
            position += 1
        else:
            return STRING, position
    raise Unterminated("unterminated string", start)


def _name_in_quotes(text: str, start: int, since: int) -> _Lexed:
    position = start + 1
    while position := text.find('"', position) + 1:
        if text[position : position + 1] != '"':
            return QUOTED, position
        position += 1
    raise Unterminated("unterminated quoted identifier", start)


def _dollar(text: str, start: int, since: int) -> _Lexed:
    """Return a dollar body, unless the `$` is part of a name; looks back no further than `since`."""
    begin = start
    while begin > since and _NAME_REST.fullmatch(text, begin - 1, begin):
        begin -= 1
    if text[begin:start].lstrip("0123456789"):
        rest = _NAME_REST.match(text, start)
        return None, rest.end() if rest else start + 1
    tag = _DOLLAR_TAG.match(text, start)
    if tag is None:  # `$1`
        return None, start + 1
    end = text.find(tag.group(), tag.end())
    if end < 0:
        raise Unterminated(f"unterminated {tag.group()} body", start)
    return DOLLAR, end + len(tag.group())


def _parameter(text: str, start: int, since: int) -> _Lexed:
    name = _PARAMETER.match(text, start + 1)
    if name is None or (start and _GLUE.match(text, start - 1)):
        return None, start + 1
    if text[start + 1] == '"':
        return IDENTIFIER, name.end()
    rest = _NAME_REST.match(text, name.end())
    if rest is not None and rest.end() > name.end():  # `:naïve`, `:a$`: no name of a parameter
        return None, rest.end()
    if start and text[start - 1] == ".":  # `t.:name` could only be a name, and that form is `t.:"name"`
        return None, name.end()
    return VALUE, name.end()


def _backslash(text: str, start: int, since: int) -> _Lexed:
    word = _NAME_REST.match(text, start + 1)
    return BACKSLASH, max(word.end() if word else 0, start + 1)


_LEXERS: dict[str, Callable[[str, int, int], _Lexed]] = {
    ";": _semicolon,
    "'": _string,
    '"': _name_in_quotes,
    "-": _line_comment,
    "/": _comment,
    ":": _parameter,
    "$": _dollar,
    "\\": _backslash,
}
