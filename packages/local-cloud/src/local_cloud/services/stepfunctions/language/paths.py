"""JSONPath: what a path names in a document, and putting a value where a reference path says.

In AWS (Jayway JsonPath) a definite path, of names and single indices, gives the value it names, and any other path a
list, empty where nothing matches: https://github.com/json-path/JsonPath#what-is-returned-when. An index past an
array's end, last in a path, gives null, but is missing to functions (tried on AWS by the tests of
https://github.com/floci-io/floci) and in Choice rules, where IsPresent of `$.list[0]` tells whether a list has items.
Definite paths are steps; python-jsonpath finds what the others match: of 43 paths in the forms of Jayway's
documentation what Jayway finds for 40, with `=~` and `in`, jsonpath-ng for 36. Names are quoted before it parses them,
since a name may hold more for Jayway (`$.list[*].aws:region`); what it has beyond Jayway is refused: keys, unions, the
context of filters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .json_values import Json, compact

Step = str | int

VARIABLE = re.compile(r"\$(?P<name>[A-Za-z_]\w*)(?P<path>[.\[].*)?", re.DOTALL)
"""A path on a variable: `$month` or `$month.parts[0]`."""

_REFERENCE_PATH = re.compile(r"\$(\.[^\s.\[\]*?@()&|,:'\"]+|\['[^']+'\]|\[\d+\])*")
_STEP = re.compile(
    r"\.?\[(?P<index>-?\d+)\]"
    r"|\.?\[(?P<quote>['\"])(?P<quoted>[^'\"\\]*)(?P=quote)\]"
    r"|\.(?P<name>[^\s.\[\]*()?@'\",]+)"
)
_NAME = re.compile(r"(?P<deep>\.(?=\.))?\.(?P<name>[^\s.\[\]*()?@'\"]+)")
_TEXT = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|/(?:\\.|[^/\\])*/""")
_OWN_SYNTAX = re.compile(r"(?<!=)~|[\^#]|(?<!\w)_(?!\w)")


class NoSuchPath(LookupError):
    """A definite path names nothing in `data`."""

    def __init__(self, path: str, data: Json, *, step: int = 0) -> None:
        super().__init__(path)
        self.path = path
        self.data = data
        self._step = step

    @property
    def reason(self) -> str:
        """Why, in Jayway's words: a step in the middle is a missing property."""
        steps = _steps(self.path.removeprefix("$") if self.path.startswith("$$") else self.path) or ()
        names = ["$", *(f"['{step}']" if isinstance(step, str) else f"[{step}]" for step in steps)]
        if self._step < len(steps):
            return f"Missing property in path {''.join(names[: self._step + 1])}"
        return f"No results for path: {''.join(names)}"


class NoSuchPlace(ValueError):
    """A reference path cannot be applied to the document; `str()` is the cause."""


def extract(path: str, data: Json, *, strict: bool = False) -> Json:
    """Get the value that a definite path names, or the list of what another path matches.

    Raises NoSuchPath where a definite path names nothing; with `strict`, also for a last index past the end.
    """
    steps, expression = _compiled(path)
    if steps is None:
        found: list[Json] = expression.findall(data)
        return found
    node = data
    for number, step in enumerate(steps, 1):
        if isinstance(step, str):
            if not isinstance(node, dict) or step not in node:
                raise NoSuchPath(path, data, step=number)
        elif not isinstance(node, list) or not -len(node) <= step < len(node):
            if isinstance(node, list) and number == len(steps) and not strict:
                return None
            raise NoSuchPath(path, data, step=number)
        node = node[step]
    return node


def put(path: str, document: Json, value: Json) -> Json:
    """Copy the document with a value at a reference path; objects that are missing are made.

    Raises NoSuchPlace (States.ResultPathMatchFailure, https://states-language.net/#appendix-a).
    """
    return _put(_steps(path) or (), document, value)


def is_path(text: Json) -> bool:
    """Whether this is a path on the input (`$.a`), the context object (`$$.Execution.Name`) or a variable (`$v.a`)."""
    if not isinstance(text, str) or not text.startswith("$"):
        return False
    if text.startswith("$$"):
        return _has_meaning(text[1:])
    variable = VARIABLE.fullmatch(text)
    return _has_meaning("$" + (variable["path"] or "")) if variable else _has_meaning(text)


def is_reference_path(text: Json) -> bool:
    """Whether this path can name one node only, where a result can be put."""
    return isinstance(text, str) and bool(_REFERENCE_PATH.fullmatch(text))


def _put(steps: tuple[Step, ...], node: Json, value: Json) -> Json:
    if not steps:
        return value
    step, *rest = steps
    fits = isinstance(node, dict) if isinstance(step, str) else isinstance(node, list) and step < len(node)
    if not fits:
        raise NoSuchPlace(f'Unable to apply step "{step}" to input {compact(node)}')
    inner = node.get(step, {}) if isinstance(node, dict) else node[step]
    copy = node.copy()
    copy[step] = _put(tuple(rest), inner, value)
    return copy


def _has_meaning(path: str) -> bool:
    if (steps := _steps(path)) is not None or not path.startswith("$"):
        return steps is not None
    from jsonpath.exceptions import JSONPathError

    try:
        _compiled(path)
    except (JSONPathError, ValueError):
        return False
    return True


@lru_cache(maxsize=1024)
def _compiled(path: str) -> tuple[tuple[Step, ...] | None, Any]:
    """The steps of a definite path, or the expression of any other."""
    steps = _steps(path)
    if steps is not None:
        return steps, None
    from jsonpath import JSONPath, compile

    quoted = _quoted(path)
    expression = compile(quoted)
    if not isinstance(expression, JSONPath) or _OWN_SYNTAX.search(_TEXT.sub("", quoted)):
        raise ValueError(f"'{path}' has what Jayway does not have")
    return None, expression


def _steps(path: str) -> tuple[Step, ...] | None:
    steps: list[Step] = []
    place = 1
    while place < len(path):
        match = _STEP.match(path, place)
        if match is None:
            return None
        steps.append(int(match["index"]) if match["index"] else match["quoted"] or match["name"] or "")
        place = match.end()
    return tuple(steps) if path.startswith("$") else None


def _quoted(path: str) -> str:
    """The path with each plain `.name` as `['name']`; what stands in brackets is left alone."""
    path = re.sub(r"(?<!\.)\.(?=\[)", "", path)  # Jayway takes `$.[0]` for `$[0]`
    parts = re.split(r"(\[(?:'[^']*'|\"[^\"]*\"|[^\[\]]|\[[^\]]*\])*\])", path)
    return "".join(part if part.startswith("[") else _NAME.sub(_in_brackets, part) for part in parts)


def _in_brackets(match: re.Match[str]) -> str:
    return f"{'..' if match['deep'] else ''}['{match['name']}']"
