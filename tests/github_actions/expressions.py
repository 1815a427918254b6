"""`${{ … }}` by GitHub's rules, but strict: a name that a context does not have is an error, not an empty string.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>-?\d+(?:\.\d+)?)(?![\w])
    |(?P<text>'(?:[^']|'')*')
    |(?P<name>[A-Za-z_][\w-]*)
    |(?P<operator>==|!=|<=|>=|&&|\|\||[!<>()\[\].,*]))""",
    re.VERBOSE,
)
_EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_BINARY = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))
_LITERALS = {"true": True, "false": False, "null": None}


class ExpressionError(Exception):
    """An expression that GitHub, or this evaluator, does not understand; `str()` quotes it."""


class Loose(dict[str, Any]):
    """An object in which a missing name is null: the webhook's payload, which differs by event."""


@dataclass(frozen=True)
class Literal:
    value: Any


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Member:
    """`of.key`, `of['key']` and, with a key of "*", `of.*`."""

    of: Node
    key: Node


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Operation:
    operator: str
    operands: tuple[Node, ...]


Node = Literal | Name | Member | Call | Operation
STAR = Literal("*")


def parse(text: str) -> Node:
    """The tree of what stands between `${{` and `}}`. Errors: ExpressionError."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._tokens())
        self.at = 0

    def _tokens(self) -> Iterator[tuple[str, str]]:
        at = 0
        while self.text[at:].strip():
            match = _TOKEN.match(self.text, at)
            if not match:
                raise self.error(f"at {self.text[at:].strip()[:20]!r}")
            yield str(match.lastgroup), match[str(match.lastgroup)]
            at = match.end()

    def error(self, reason: str) -> ExpressionError:
        return ExpressionError(f"{self.text.strip()!r}: {reason}")

    def whole(self) -> Node:
        node = self.binary(0)
        if self.at < len(self.tokens):
            raise self.error(f"unexpected {self.tokens[self.at][1]!r}")
        return node

    def accept(self, *operators: str) -> str | None:
        if self.at < len(self.tokens):
            kind, text = self.tokens[self.at]
            if kind == "operator" and text in operators:
                self.at += 1
                return text
        return None

    def expect(self, operator: str) -> None:
        if not self.accept(operator):
            raise self.error(f"{operator!r} is missing")

    def take(self, *kinds: str) -> tuple[str, str]:
        if self.at >= len(self.tokens) or self.tokens[self.at][0] not in kinds:
            raise self.error(f"a {' or '.join(kinds)} is missing")
        self.at += 1
        return self.tokens[self.at - 1]

    def binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self.unary()
        node = self.binary(level + 1)
        while operator := self.accept(*_BINARY[level]):
            node = Operation(operator, (node, self.binary(level + 1)))
        return node

    def unary(self) -> Node:
        return Operation("!", (self.unary(),)) if self.accept("!") else self.postfix(self.primary())

    def primary(self) -> Node:
        if self.accept("("):
            node = self.binary(0)
            self.expect(")")
            return node
        kind, text = self.take("number", "text", "name")
        if kind == "number":
            return Literal(float(text) if "." in text else int(text))
        if kind == "text":
            return Literal(text[1:-1].replace("''", "'"))
        if text in _LITERALS:
            return Literal(_LITERALS[text])
        if not self.accept("("):
            return Name(text)
        arguments: list[Node] = []
        while not self.accept(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.binary(0))
        return Call(text.lower(), tuple(arguments))

    def postfix(self, node: Node) -> Node:
        while operator := self.accept(".", "["):
            if operator == "[":
                node = Member(node, self.binary(0))
                self.expect("]")
            else:
                node = Member(node, STAR if self.accept("*") else Literal(self.take("name")[1]))
        return node


def walk(node: Node) -> Iterator[Node]:
    """A node and all that is in it."""
    yield node
    parts = {Member: ("of", "key"), Call: ("arguments",), Operation: ("operands",)}.get(type(node), ())
    for part in parts:
        value = getattr(node, part)
        for one in value if isinstance(value, tuple) else (value,):
            yield from walk(one)


def embedded(value: Any) -> Iterator[Node]:
    """Every expression in a piece of a workflow: text, or lists and mappings of it."""
    if isinstance(value, str):
        if value.count("${{") != len(_EMBEDDED.findall(value)):
            raise ExpressionError(f"{value!r}: an expression is not closed")
        for text in _EMBEDDED.findall(value):
            yield parse(text)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from embedded(one)
    elif isinstance(value, list):
        for one in value:
            yield from embedded(one)


def condition(value: str | bool) -> Node:
    """What an `if:` says; the braces may be left out. Without a status function it means `success() && (…)`."""
    text = str(value).lower() if isinstance(value, bool) else value.strip()
    whole = _EMBEDDED.fullmatch(text)
    if not whole and "${{" in text:
        raise ExpressionError(f"{text!r}: text beside the braces makes a condition always true")
    node = parse(whole[1] if whole else text)
    if any(isinstance(one, Call) and one.function in STATUS for one in walk(node)):
        return node
    return Operation("&&", (Call("success", ()), node))


STATUS = ("success", "always", "failure", "cancelled")


@dataclass(frozen=True)
class Evaluator:
    """Contexts by name, and the status functions of the place where the expression stands."""

    contexts: Mapping[str, Any]
    status: Mapping[str, bool]

    def fill(self, value: Any) -> Any:
        """A piece of a workflow with its expressions evaluated; text that is one expression keeps the value's type."""
        if isinstance(value, Mapping):
            return {key: self.fill(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if not isinstance(value, str):
            return value
        list(embedded(value))
        whole = _EMBEDDED.fullmatch(value.strip())
        if whole and value.count("${{") == 1:
            return self.evaluate(parse(whole[1]))
        return _EMBEDDED.sub(lambda match: text_of(self.evaluate(parse(match[1]))), value)

    def evaluate(self, node: Node) -> Any:  # noqa: PLR0911
        match node:
            case Literal(value):
                return value
            case Name(name):
                if name not in self.contexts:
                    raise ExpressionError(f"there is no context {name!r} here; there are {sorted(self.contexts)}")
                return self.contexts[name]
            case Member(of, key):
                return self._member(self.evaluate(of), STAR.value if key is STAR else self.evaluate(key), key is STAR)
            case Call(function, arguments):
                return self._call(function, [self.evaluate(one) for one in arguments])
            case Operation("!", (operand,)):
                return not truth(self.evaluate(operand))
            case Operation("&&" | "||" as operator, (left, right)):
                first = self.evaluate(left)
                return self.evaluate(right) if truth(first) == (operator == "&&") else first
            case Operation(operator, (left, right)):
                return _compare(operator, self.evaluate(left), self.evaluate(right))
        raise AssertionError(node)

    def _member(self, value: Any, key: Any, star: bool) -> Any:
        if isinstance(value, Filtered):
            return Filtered(one[key] for one in value if isinstance(one, Mapping) and key in one)
        if star:
            return Filtered(value.values() if isinstance(value, Mapping) else value or ())
        if isinstance(value, Mapping):
            if key not in value and not isinstance(value, Loose):
                raise ExpressionError(f"there is no {key!r} here; there are {sorted(value)}")
            found = value.get(key)
            return Loose(found) if isinstance(value, Loose) and isinstance(found, dict) else found
        if isinstance(value, list) and isinstance(key, int):
            return value[key] if key < len(value) else None
        if value is None:
            return None
        raise ExpressionError(f"{value!r} has no {key!r}")

    def _call(self, function: str, arguments: list[Any]) -> Any:
        if function in STATUS and not arguments:
            return self.status[function]
        if (function, len(arguments)) in FUNCTIONS:
            return FUNCTIONS[function, len(arguments)](*arguments)
        if function == "format" and arguments:
            return _format(*arguments)
        raise ExpressionError(f"there is no function {function} of {len(arguments)} arguments")


class Filtered(list[Any]):
    """What `.*` gives: a further name is looked up in each of its items."""


def truth(value: Any) -> bool:
    return value not in (None, False, 0, "") or isinstance(value, (dict, list))


def text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, str):
        return value
    raise ExpressionError(f"{value!r} would become the word Object or Array; use toJSON")


def _number(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value) if value.strip() else 0.0
        except ValueError:
            return math.nan
    return math.nan


def _compare(operator: str, left: Any, right: Any) -> bool:
    one: Any
    other: Any
    if isinstance(left, str) and isinstance(right, str):
        one, other = left.casefold(), right.casefold()
    elif isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return (left is right) if operator == "==" else (left is not right)
    elif type(left) is type(right):
        one, other = left or 0, right or 0
    else:
        one, other = _number(left), _number(right)
    results = {"==": one == other, "!=": one != other, "<": one < other, "<=": one <= other}
    return bool({**results, ">": one > other, ">=": one >= other}[operator])


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(_compare("==", one, what) for one in where)
    return text_of(what).casefold() in text_of(where).casefold()


def _format(pattern: str, *values: Any) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if not match[1] or int(match[1]) >= len(values):
            raise ExpressionError(f"format({pattern!r}): {match[0]} stands for nothing")
        return text_of(values[int(match[1])])

    return re.sub(r"\{\{|\}\}|\{(\d+)\}|[{}]", replaced, pattern)


def _from_json(text: Any) -> Any:
    try:
        return json.loads(text_of(text))
    except ValueError as error:
        raise ExpressionError(f"fromJSON({text!r}): {error}") from error


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("contains", 2): _contains,
    ("startswith", 2): lambda text, start: text_of(text).casefold().startswith(text_of(start).casefold()),
    ("endswith", 2): lambda text, end: text_of(text).casefold().endswith(text_of(end).casefold()),
    ("join", 1): lambda items: ",".join(text_of(one) for one in items),
    ("join", 2): lambda items, between: text_of(between).join(text_of(one) for one in items),
    ("tojson", 1): lambda value: json.dumps(value, indent=2),
    ("fromjson", 1): _from_json,
}
