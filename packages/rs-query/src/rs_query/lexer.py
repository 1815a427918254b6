"""Redshift's lexical rules, in one pass: what is quoted, what is a comment, where `;` and `:name` count.

Redshift lexes as PostgreSQL 8.0 did, before standard_conforming_strings: a backslash escapes inside `'…'`
(https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions-posix.html doubles it for that
reason), comments nest, `$tag$…$tag$` quotes, identifiers may hold `$`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

STRING, QUOTED, DOLLAR, COMMENT, SEMICOLON, VALUE, IDENTIFIER = range(7)
"""Kinds of token: `'…'`, `"…"`, `$$…$$`, a comment, `;`, `:name`, `:"name"`."""

#: What Redshift skips between tokens. No other Unicode space is one: NBSP is a letter to it.
SPACE = " \t\r\n\f"

_SPECIAL = re.compile(r"""['";$:]|--|/\*""")
_STRING_END = re.compile(r"['\\]")
_LINE_END = re.compile(r"[\r\n]")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_DOLLAR_TAG = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$")
_NAME_REST = re.compile(r"[A-Za-z0-9_$\x80-\U0010ffff]*")
_PARAMETER = re.compile(r"""[A-Za-z_][A-Za-z0-9_]*|"[A-Za-z_][A-Za-z0-9_]*\"""")
#: A `:` right after one of these belongs to what precedes it: a cast, a slice, `a:b`.
_GLUE = re.compile(r"""[A-Za-z0-9_$\x80-\U0010ffff:'")\]]""")
_WORD = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
#: What stands in a skeleton for a token whose inside doesn't matter.
_BLANK = {STRING: "''", QUOTED: '""', DOLLAR: "''", COMMENT: " "}


class Unterminated(Exception):
    """Something that begins at `position` has no end."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(f"unterminated {what}")
        self.position = position


def tokens(text: str) -> Iterator[tuple[int, int, int]]:
    """(kind, start, end) of every token that is quoted, a comment, a `;` or a parameter, in order.

    Raises Unterminated. Linear in `len(text)`, whatever it holds.
    """
    search = _SPECIAL.search
    position = 0
    while True:
        found = search(text, position)
        if found is None:
            return
        start = found.start()
        first = text[start]
        if first == ";":
            position = start + 1
            yield SEMICOLON, start, position
        elif first == "'":
            position = _string_end(text, start)
            yield STRING, start, position
        elif first == "-":
            line_end = _LINE_END.search(text, start)
            position = line_end.start() if line_end else len(text)
            yield COMMENT, start, position
        elif first == '"':
            position = _quoted_end(text, start)
            yield QUOTED, start, position
        elif first == ":":
            kind, end = _parameter(text, start)
            if kind is not None:
                yield kind, start, end
            position = end
        elif first == "/":
            position = _comment_end(text, start)
            yield COMMENT, start, position
        else:
            tag = _DOLLAR_TAG.match(text, start)
            if _in_name(text, start, position):
                rest = _NAME_REST.match(text, start)
                position = rest.end() if rest else start + 1
            elif tag is None:
                position = start + 1
            else:
                position = text.find(tag.group(), tag.end()) + len(tag.group())
                if position < tag.end():
                    raise Unterminated(f"{tag.group()} body", start)
                yield DOLLAR, start, position


def skeleton(text: str) -> str:
    """One statement's words in upper case with single spaces, its literals, names in quotes and comments blanked."""
    pieces: list[str] = []
    position = 0
    for kind, start, end in tokens(text):
        if kind in _BLANK:
            pieces += (text[position:start], _BLANK[kind])
            position = end
    pieces.append(text[position:])
    return " ".join("".join(pieces).upper().split())


def first_word(text: str) -> str:
    """The first word of a statement, in upper case, past comments and opening parentheses."""
    position = 0
    for kind, start, end in tokens(text):
        if word := _WORD.search(text, position, start):
            return word.group().upper()
        if kind != COMMENT:
            return ""
        position = end
    word = _WORD.search(text, position)
    return word.group().upper() if word else ""


def _string_end(text: str, start: int) -> int:
    position = start + 1
    while True:
        edge = _STRING_END.search(text, position)
        if edge is None:
            raise Unterminated("string", start)
        position = edge.end()
        if edge.group() == "\\" or text[position : position + 1] == "'":
            position += 1
        else:
            return position


def _quoted_end(text: str, start: int) -> int:
    position = start + 1
    while True:
        position = text.find('"', position) + 1
        if position == 0:
            raise Unterminated("quoted identifier", start)
        if text[position : position + 1] != '"':
            return position
        position += 1


def _comment_end(text: str, start: int) -> int:
    depth, position = 1, start + 2
    while depth:
        edge = _COMMENT_EDGE.search(text, position)
        if edge is None:
            raise Unterminated("comment", start)
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
    return position


def _parameter(text: str, start: int) -> tuple[int | None, int]:
    """The kind of parameter at the `:` at `start`, if it is one, and where to go on."""
    name = _PARAMETER.match(text, start + 1)
    if name is None or (start and _GLUE.match(text, start - 1)):
        return None, start + 1
    if text[start + 1] == '"':
        return IDENTIFIER, name.end()
    if start and text[start - 1] == ".":  # `t.:name` could only be a name, and that form is `t.:"name"`
        return None, name.end()
    rest = _NAME_REST.match(text, name.end())
    if rest is not None and rest.end() > name.end():
        return None, rest.end()
    return VALUE, name.end()


def _in_name(text: str, dollar: int, since: int) -> bool:
    """Whether the `$` at `dollar` is part of an identifier; looks back no further than `since`."""
    begin = dollar
    while begin > since and _NAME_REST.fullmatch(text, begin - 1, begin):
        begin -= 1
    return bool(text[begin:dollar].lstrip("0123456789"))
