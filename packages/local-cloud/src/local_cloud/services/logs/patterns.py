"""CloudWatch Logs filter patterns: terms, phrases, regular expressions, and JSON.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable
from typing import Any

Matcher = Callable[[str], bool]


class PatternError(ValueError):
    """A pattern that is not valid, or of a kind that is not served here."""


_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|([^\s"%]+))')
_JSON_TOKEN = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.[\w@#-]+|\[(?:\d+|\*|"[^"]*")\])*)
      | (?P<operator>&&|\|\||!=|<=|>=|=|<|>)
      | (?P<paren>[()])
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | %(?P<regex>[^%]*)%
      | (?P<word>[^\s()&|=<>!"%]+)
    )""",
    re.VERBOSE,
)


def compile_pattern(pattern: str) -> Matcher | None:
    """A judge of messages, None where everything matches. PatternError for what cannot be judged."""
    text = pattern.strip()
    if not text:
        return None
    if text.startswith("{"):
        if not text.endswith("}"):
            raise PatternError("Invalid filter pattern: { without }")
        return _json(text[1:-1])
    if text.startswith("["):
        raise PatternError("Filter patterns for space-delimited events ([a, b, …]) are not served locally.")
    return _terms(text)


def _terms(text: str) -> Matcher:
    """All plain terms, none with a minus; of those with a question mark one is enough."""
    required: list[Matcher] = []
    refused: list[Matcher] = []
    optional: list[Matcher] = []
    kinds = {"": required, "-": refused, "?": optional}
    position = 0
    while position < len(text.rstrip()):
        found = _TERM.match(text, position)
        if not found:
            raise PatternError(f"Invalid filter pattern at character {position + 1}")
        sign, phrase, regex, word = found.groups()
        matcher = _search(regex) if regex is not None else _contains(_unescape(phrase) if phrase is not None else word)
        kinds[sign].append(matcher)
        position = found.end()
    if optional and not required:
        # Beside plain terms CloudWatch ignores the question marks.
        required.append(lambda message: any(matches(message) for matches in optional))
    return lambda message: all(m(message) for m in required) and not any(m(message) for m in refused)


def _contains(term: str) -> Matcher:
    return lambda message: term in message


def _search(regex: str) -> Matcher:
    try:
        return lambda message, found=re.compile(regex): found.search(message) is not None  # type: ignore[misc]
    except re.error as error:
        raise PatternError(f"Invalid regular expression in the filter pattern: {error}") from None


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


_Condition = Callable[[Any], bool]
_MISSING = object()


def _json(text: str) -> Matcher:
    condition = _JsonParser(text).parse()

    def matches(message: str) -> bool:
        try:
            value = json.loads(message)
        except ValueError:
            return False
        return isinstance(value, dict) and condition(value)

    return matches


class _JsonParser:
    """`$.a = "x" && ($.n >= 3 || $.b IS NULL)`."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            found = _JSON_TOKEN.match(text, position)
            if not found or found.lastgroup is None:
                raise PatternError(f"Invalid filter pattern at character {position + 2}")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self._position = 0

    def parse(self) -> _Condition:
        condition = self._any()
        if self._peek() != ("", ""):
            raise PatternError(f"Invalid filter pattern near {self._peek()[1]!r}")
        return condition

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._position] if self._position < len(self._tokens) else ("", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._position += 1
        return token

    def _any(self) -> _Condition:
        parts = [self._all()]
        while self._peek() == ("operator", "||"):
            self._next()
            parts.append(self._all())
        return lambda value: any(part(value) for part in parts)

    def _all(self) -> _Condition:
        parts = [self._one()]
        while self._peek() == ("operator", "&&"):
            self._next()
            parts.append(self._one())
        return lambda value: all(part(value) for part in parts)

    def _one(self) -> _Condition:
        kind, token = self._next()
        if (kind, token) == ("paren", "("):
            condition = self._any()
            if self._next() != ("paren", ")"):
                raise PatternError("Invalid filter pattern: ( without )")
            return condition
        if kind != "selector":
            raise PatternError(f"Invalid filter pattern near {token!r}: a property selector ($.name) is expected")
        select = _selector(token)
        operator = self._next()[1]
        if operator in ("IS", "NOT"):
            return self._state(select, operator)
        compare = _comparison(operator, *self._next())
        return lambda value: any(compare(found) for found in select(value))

    def _state(self, select: Callable[[Any], list[Any]], word: str) -> _Condition:
        state = self._next()[1].upper()
        if (word, state) == ("NOT", "EXISTS"):
            return lambda value: not select(value)
        wanted = {"NULL": None, "TRUE": True, "FALSE": False}
        if word != "IS" or state not in wanted:
            raise PatternError(f"Invalid filter pattern near {word} {state}")
        return lambda value: any(found is wanted[state] for found in select(value))


def _selector(text: str) -> Callable[[Any], list[Any]]:
    """`$.a.b[0]` or `$.a[*]` → the values it finds."""
    steps = [
        name or (quoted if index is None or quoted else index)
        for name, quoted, index in re.findall(r'\.([\w@#-]+)|\["([^"]*)"\]|\[(\d+|\*)\]', text)
    ]
    indexes = [bool(index) for _, _, index in re.findall(r'\.([\w@#-]+)|\["([^"]*)"\]|\[(\d+|\*)\]', text)]

    def select(value: Any) -> list[Any]:
        found = [value]
        for step, is_index in zip(steps, indexes, strict=True):
            found = [inner for outer in found for inner in _step(outer, step, is_index)]
        return found

    return select


def _step(value: Any, step: str, is_index: bool) -> list[Any]:
    if not is_index:
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    if step == "*":
        return value
    return value[int(step) : int(step) + 1]


def _comparison(operator: str, kind: str, operand: str) -> _Condition:
    if kind == "regex":
        search = _search(operand)
        return lambda found: isinstance(found, str) and search(found) == (operator == "=")
    if kind not in ("quoted", "word"):
        raise PatternError(f"Invalid filter pattern near {operator} {operand}")
    text = _unescape(operand)
    number = _number(text) if kind == "word" else None
    if operator in ("=", "!="):
        equal = _equals(text, number)
        return lambda found: equal(found) == (operator == "=")
    if number is None or operator not in ("<", "<=", ">", ">="):
        raise PatternError(f"Invalid filter pattern: {operator} compares numbers")
    holds: dict[str, Callable[[float], bool]] = {
        "<": lambda found: found < number,
        "<=": lambda found: found <= number,
        ">": lambda found: found > number,
        ">=": lambda found: found >= number,
    }
    return lambda found: isinstance(found, (int, float)) and not isinstance(found, bool) and holds[operator](found)


def _equals(text: str, number: float | None) -> _Condition:
    """Numbers by value, text by wildcard (`*`)."""

    def equal(found: Any) -> bool:
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            return number is not None and found == number
        return isinstance(found, str) and fnmatch.fnmatchcase(found, text.replace("[", "[[]").replace("?", "[?]"))

    return equal


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
