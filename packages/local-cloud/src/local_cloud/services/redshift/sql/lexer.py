"""Redshift's lexical rules: strings, identifiers, comments, dollar quotes, parameters.

`'…'` ends at a quote that is neither doubled nor escaped by a backslash; `"…"` doubles its quotes; `--` runs to
the end of the line; `/* */` nests; `$$…$$` and `$tag$…$tag$` hold anything; `#name` is a temporary table;
`:name` is a parameter of the Data API unless it is glued to what precedes it (`a::int`, `x:y`).
https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from local_cloud.services.redshift.errors import SqlSyntaxError


class Kind(Enum):
    WORD = "word"
    QUOTED = "quoted identifier"
    STRING = "string"
    DOLLAR = "dollar-quoted string"
    NUMBER = "number"
    PARAMETER = "parameter"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `start` and `end` are offsets into the text it came from."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind is Kind.WORD else self.text

    @property
    def value(self) -> str:
        """What the token stands for: a string's content, an identifier folded to lower case."""
        if self.kind is Kind.STRING:
            return _ESCAPE.sub(_unescape, self.text[1:-1])
        if self.kind is Kind.QUOTED:
            return self.text[1:-1].replace('""', '"').lower()
        if self.kind is Kind.DOLLAR:
            tag = self.text.index("$", 1) + 1
            return self.text[tag:-tag]
        if self.kind is Kind.PARAMETER:
            return self.text[1:]
        return self.text.lower() if self.kind is Kind.WORD else self.text


_ESCAPE = re.compile(r"''|\\(.)", re.DOTALL)
_NAMED_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def _unescape(match: re.Match[str]) -> str:
    escaped = match[1]
    return "'" if escaped is None else _NAMED_ESCAPES.get(escaped, escaped)


_WORD_START = r"A-Za-z_\u0080-\U0010ffff"
_TOKEN = re.compile(
    rf"""
    (?P<space>[\s\ufeff]++|--[^\n]*+)
  | (?P<comment>/\*)
  | (?P<string>'(?:[^'\\]++|''|\\.)*+(?P<string_end>')?)
  | (?P<quoted>"(?:[^"]++|"")*+(?P<quoted_end>")?)
  | (?P<dollar>\$(?:[{_WORD_START}][{_WORD_START}0-9]*)?\$)
  | (?P<word>\#?[{_WORD_START}][{_WORD_START}0-9$]*)
  | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<parameter>(?<![{_WORD_START}0-9$:'"\])]):[A-Za-z0-9_]+)
  | (?P<symbol>::|:=|\|\||<=|>=|<>|!=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def tokenize(sql: str) -> list[Token]:
    """All tokens of `sql`, without space and comments. SqlSyntaxError where something is not ended."""
    tokens: list[Token] = []
    position, size = 0, len(sql)
    while position < size:
        match = _TOKEN.match(sql, position)
        assert match, "the pattern's last branch takes any character"
        kind, start, end = match.lastgroup, position, match.end()
        if kind in ("string", "quoted"):
            if match[f"{kind}_end"] is None:
                raise _unterminated("quoted string" if kind == "string" else "quoted identifier", sql, start)
        elif kind == "comment":
            end = _comment_end(sql, start)
        elif kind == "dollar":
            closing = sql.find(match[0], end)
            if closing < 0:
                raise _unterminated("dollar-quoted string", sql, start)
            end = closing + len(match[0])
        if kind not in ("space", "comment"):
            tokens.append(Token(_KINDS[kind or ""], sql[start:end], start, end))
        position = end
    return tokens


_KINDS = {
    "word": Kind.WORD,
    "quoted": Kind.QUOTED,
    "string": Kind.STRING,
    "dollar": Kind.DOLLAR,
    "number": Kind.NUMBER,
    "parameter": Kind.PARAMETER,
    "symbol": Kind.SYMBOL,
}


def _comment_end(sql: str, start: int) -> int:
    depth, position = 1, start + 2
    while depth:
        edge = _COMMENT_EDGE.search(sql, position)
        if edge is None:
            raise _unterminated("/* comment", sql, start)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


def _unterminated(what: str, sql: str, start: int) -> SqlSyntaxError:
    return SqlSyntaxError(f'unterminated {what} at or near "{sql[start : start + 60]}"', position=start + 1)


def split(sql: str) -> list[str]:
    """The statements of a text, each without its `;`. Empty ones and bare comments are dropped."""
    statements, begin = [], None
    end = 0
    for token in tokenize(sql):
        if token.text == ";" and token.kind is Kind.SYMBOL:
            if begin is not None:
                statements.append(sql[begin:end])
            begin = None
            continue
        if begin is None:
            begin = token.start
        end = token.end
    if begin is not None:
        statements.append(sql[begin:end])
    return statements


def literal(value: str) -> str:
    """A string literal that holds `value` and nothing else, whatever is in it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def quoted(name: str) -> str:
    """An identifier that is `name` and nothing else (DuckDB's and Redshift's rule)."""
    return '"' + name.replace('"', '""') + '"'
