"""A path is a value or a list by its matches, not by its form; a name with a hyphen is a subtraction.

`asl/utils/json_path.py:extract_json` answers `$.a[0].b` with a list, `$.a[*]` over one element with a bare value, and
parses the path again each time. In AWS (Jayway JsonPath) a definite path, of names and single indices, gives the value
it names, and any other path a list, empty where nothing matches:
https://github.com/json-path/JsonPath#what-is-returned-when. An index past an array's end, last in a path, gives null,
but is missing to functions (tried on AWS by the tests of https://github.com/floci-io/floci) and in Choice rules, where
IsPresent of `$.list[0]` tells whether a list has items. Names are quoted before parsing, so that `$.detail-type` and
`$.where` mean what they say.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Any

_NAME = re.compile(r"(?P<deep>\.(?=\.))?\.(?P<name>[^\s.\[\]*()?@'\"]+)")


def apply() -> None:
    from moto.stepfunctions.parser.asl.utils import json_path

    assert "moto.stepfunctions.parser.asl.parse.preprocessor" not in sys.modules, "others have copied the name"
    json_path.extract_json = extract_json


def extract_json(path: str, data: Any, *, strict: bool = False) -> Any:
    """The value a definite path names, or the list of what another path matches.

    Raises NoSuchJsonPathError where a definite path names nothing; with `strict`, also for a last index past the end.
    """
    from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

    expression, definite = _compiled(path)
    values = [match.value for match in expression.find(data)]
    if not definite:
        return values
    if values:
        return values[0]
    if strict or not _is_past_the_end(expression, data):
        raise NoSuchJsonPathError(json_path=path, data=data)
    return None


@lru_cache(maxsize=1024)
def _compiled(path: str) -> tuple[Any, bool]:
    from jsonpath_ng.ext import parse

    expression = parse(quoted(path))
    return expression, _is_definite(expression)


def quoted(path: str) -> str:
    """The path with each plain `.name` as `['name']`; what stands in brackets is left alone."""
    path = re.sub(r"(?<!\.)\.(?=\[)", "", path)  # Jayway takes `$.[0]` for `$[0]`
    parts = re.split(r"(\[(?:'[^']*'|\"[^\"]*\"|[^\[\]]|\[[^\]]*\])*\])", path)
    return "".join(part if part.startswith("[") else _NAME.sub(_in_brackets, part) for part in parts)


def _is_past_the_end(expression: Any, data: Any) -> bool:
    from jsonpath_ng.jsonpath import Child, Index

    if not isinstance(expression, Child) or not isinstance(expression.right, Index):
        return False
    return any(isinstance(match.value, list) for match in expression.left.find(data))


def _in_brackets(match: re.Match[str]) -> str:
    return f"{'..' if match['deep'] else ''}['{match['name']}']"


def _is_definite(expression: Any) -> bool:
    from jsonpath_ng.jsonpath import Child, Fields, Index, Root, This

    match expression:
        case Root() | This():
            return True
        case Child():
            return _is_definite(expression.left) and _is_definite(expression.right)
        case Fields():
            return len(expression.fields) == 1 and expression.fields != ("*",)
        case Index():
            return len(expression.indices) == 1
    return False
