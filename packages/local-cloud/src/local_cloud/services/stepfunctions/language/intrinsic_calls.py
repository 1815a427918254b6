"""The text of an intrinsic function call, `States.Format('{}', $.a)`, as a tree of calls.

Escapes: https://states-language.net/#appendix-b.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass
from functools import lru_cache

from .intrinsics import FUNCTIONS, QuotedText
from .json_values import Json
from .paths import is_path

_NAME = re.compile(r"States\.\w+(?=\s*\()")
_QUOTED = re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORDS = {"null": None, "true": True, "false": False}
_PATH = re.compile(r"\$(?:\[(?:'[^']*'|\"[^\"]*\"|[^\[\]'\"]|\[[^\]]*\])*\]|[^\s,()\[\]])*")
_PIECE = re.compile(r"\\(?P<escaped>.)|(?P<place>\{\})|(?P<brace>[{}])|(?P<plain>[^\\{}]+)", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}


class IntrinsicSyntaxError(ValueError):
    """The text of an intrinsic function is not one."""


@dataclass(frozen=True)
class Literal:
    value: Json


@dataclass(frozen=True)
class PathArgument:
    path: str


@dataclass(frozen=True)
class Call:
    """One call; `name` is one of `FUNCTIONS`."""

    name: str
    arguments: tuple[Literal | PathArgument | Call, ...]


@lru_cache(maxsize=1024)
def parse_call(text: str) -> Call:
    """Parse a call, given without JSON's escapes. Raises IntrinsicSyntaxError."""
    parser = _Parser(text)
    call = parser.call()
    parser.skip_space()
    if parser.place < len(text):
        raise parser.error(f"'{text[parser.place :]}' is one too many")
    return call


def is_function(text: Json) -> bool:
    """Whether this is a call of an intrinsic function."""
    if not isinstance(text, str) or not text.startswith("States."):
        return False
    try:
        parse_call(text)
    except IntrinsicSyntaxError:
        return False
    return True


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def error(self, reason: str) -> IntrinsicSyntaxError:
        return IntrinsicSyntaxError(f"'{self.text}' is not an intrinsic function: {reason} at column {self.place + 1}")

    def call(self) -> Call:
        name = self.take(_NAME)
        if name not in FUNCTIONS:
            raise self.error(f"there is no function '{name or ''}'")
        self.expect("(")
        arguments: list[Literal | PathArgument | Call] = []
        if not self.comes(")"):
            arguments.append(self.argument())
            while self.comes(","):
                self.place += 1
                arguments.append(self.argument())
        self.expect(")")
        try:
            inspect.signature(FUNCTIONS[name]).bind(*arguments)
        except TypeError:
            raise self.error(f"{len(arguments)} arguments are not what {name} takes") from None
        return Call(name, tuple(arguments))

    def argument(self) -> Literal | PathArgument | Call:
        self.skip_space()
        if self.text.startswith("States.", self.place):
            return self.call()
        if (path := self.take(_PATH)) is not None:
            if not is_path(path):
                raise self.error(f"'{path}' is not a path")
            return PathArgument(path)
        if (quoted := self.take(_QUOTED)) is not None:
            return Literal(self.quoted_text(quoted[1:-1]))
        if (number := self.take(_NUMBER)) is not None:
            return Literal(json.loads(number))
        for word, value in _WORDS.items():
            if self.take(re.compile(rf"{word}\b")) is not None:
                return Literal(value)
        raise self.error("an argument is missing")

    def quoted_text(self, text: str) -> QuotedText:
        pieces = [""]
        for match in _PIECE.finditer(text):
            if match["place"]:
                pieces.append("")
                continue
            escaped = match["escaped"]
            pieces[-1] += _CONTROL.get(escaped, escaped) if escaped else match[0]
        quoted = QuotedText("{}".join(pieces))
        quoted.pieces = pieces
        return quoted

    def take(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self.text, self.place)
        if match:
            self.place = match.end()
        return match[0] if match else None

    def comes(self, character: str) -> bool:
        self.skip_space()
        return self.text.startswith(character, self.place)

    def expect(self, character: str) -> None:
        if not self.comes(character):
            raise self.error(f"'{character}' is missing")
        self.place += 1

    def skip_space(self) -> None:
        while self.place < len(self.text) and self.text[self.place].isspace():
            self.place += 1
