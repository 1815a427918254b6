"""A ResultPath is parsed again at every use, reads a hyphen as a minus, and does what it can where it cannot apply.

`asl/component/common/path/result_path.py` hands it to a JSONPath library, which takes milliseconds and, for `$.a` on a
text, gives the text back as if nothing was to be put there. A reference path is names and indices; where one cannot
be applied to the input the error is States.ResultPathMatchFailure (https://states-language.net/#appendix-a).
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.stepfunctions.parser.asl.component.common.path.result_path import ResultPath

from .failing_states import failure

_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\['(?P<quoted>[^']+)'\]|\[(?P<index>\d+)\]")


class NoSuchPlace(ValueError):
    """There is no such place in the input; `str()` is the cause."""


def put(path: str, document: Any, value: Any) -> Any:
    """The document with a value at a reference path. Changes the document; makes objects that are missing.

    Raises NoSuchPlace.
    """
    steps: list[Any] = [_key(match) for match in _STEP.finditer(path)]
    if not steps:
        return value
    node = document
    for step in steps[:-1]:
        _check(node, step)
        if isinstance(step, str):
            node.setdefault(step, {})
        node = node[step]
    _check(node, steps[-1])
    node[steps[-1]] = value
    return document


def apply() -> None:
    def _eval_body(self: Any, env: Any) -> None:
        input = env.states.get_input()
        if self.result_path_src is None:
            env.stack.clear()
            env.stack.append(input)
            return
        try:
            env.stack.append(put(self.result_path_src, input, env.stack.pop()))
        except NoSuchPlace as error:
            raise failure(env, "States.ResultPathMatchFailure", str(error)) from None

    ResultPath._eval_body = _eval_body


def _key(match: re.Match[str]) -> str | int:
    return int(match["index"]) if match["index"] else match["name"] or match["quoted"]


def _check(node: Any, step: str | int) -> None:
    fits = isinstance(node, dict) if isinstance(step, str) else isinstance(node, list) and step < len(node)
    if not fits:
        shown = json.dumps(node, separators=(",", ":"), ensure_ascii=False)
        raise NoSuchPlace(f'Unable to apply step "{step}" to input {shown}')
