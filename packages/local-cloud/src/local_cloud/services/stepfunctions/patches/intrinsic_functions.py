"""Intrinsic functions that differ from AWS's, and errors in them that no Retry or Catch can name.

Under `asl/component/intrinsic/function/statesfunction`: Format hands its template to Python's `str.format`; MathRandom
includes its end; ArrayUnique fails on objects; ArrayGetItem counts from the end; Base64 and Hash know ASCII only;
JsonMerge checks one argument twice; StringSplit without a splitter cuts everywhere. A wrong argument ends the
execution as States.Runtime, where https://states-language.net/#appendix-a has States.IntrinsicFailure; a path that
names nothing does so on AWS too. Causes name the whole expression, as on AWS (seen there by the tests of
https://github.com/floci-io/floci). Functions:
https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from .intrinsic_text import plain_braces
from .json_paths import extract_json

_LONGEST_TEXT = 10_000
_LONGEST_RANGE = 1000
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class FunctionError(ValueError):
    """An argument that the function cannot use."""


def apply() -> None:
    from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringIntrinsicFunction
    from moto.stepfunctions.parser.asl.component.intrinsic.argument.argument import (
        ArgumentContextPath,
        ArgumentJsonPath,
    )
    from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.states_function import (
        StatesFunction,
    )

    def eval(self: Any, env: Any) -> None:
        name = f"States.{self.name.function_type._name_}"
        self.argument_list.eval(env=env)
        arguments = env.stack.pop()
        if name != "States.Format":
            arguments = [plain_braces(argument) for argument in arguments]
        env.stack.append(FUNCTIONS[name](*arguments))

    StatesFunction.eval = eval
    StringIntrinsicFunction._eval_body = lambda self, env: call(env, self.literal_value, self.function)
    ArgumentJsonPath._eval_argument = lambda self, env: extract_json(self.json_path, env.stack[-1], strict=True)
    ArgumentContextPath._eval_argument = lambda self, env: extract_json(
        self.json_path, env.states.context_object.context_object_data, strict=True
    )


def call(env: Any, text: str, function: Any) -> None:
    """Leave on the stack what a function, parsed from `text`, comes to."""
    from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

    from .failing_states import failure

    prefix = f"The function '{text}' had the following error:"
    try:
        function.eval(env)
    except FunctionError as error:
        raise failure(env, "States.IntrinsicFailure", f"{prefix} {error}") from None
    except NoSuchJsonPathError as error:
        input = json.dumps(env.stack[-1], separators=(",", ":"), ensure_ascii=False)
        reason = f"The JsonPath argument for the field '{error.json_path}' could not be found in the input '{input}'"
        raise failure(env, "States.Runtime", f"{prefix} {reason}") from None


def _format(template: Any, *values: Any) -> str:
    parts = _text(template).split("{}")
    if len(parts) - 1 != len(values):
        raise FunctionError(f"the template has {len(parts) - 1} places for {len(values)} values")
    texts = [*(plain_braces(_shown(value)) for value in values), ""]
    return "".join(plain_braces(part) + text for part, text in zip(parts, texts, strict=True))


def _shown(value: Any) -> str:
    """As AWS, written in Java, shows values in Format: `{a=1, b=[x]}`."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={_shown(item)}' for key, item in value.items())}}}"
    return json.dumps(value)


def _array_get_item(array: Any, index: Any) -> Any:
    items, place = _array(array), _whole(index)
    if not 0 <= place < len(items):
        raise FunctionError(f"the index {place} is out of bounds for an array of {len(items)}")
    return items[place]


def _array_partition(array: Any, size: Any) -> list[Any]:
    items, step = _array(array), _whole(size)
    if step < 1:
        raise FunctionError(f"the size of the parts must be 1 or more, not {step}")
    return [items[start : start + step] for start in range(0, len(items), step)]


def _array_range(first: Any, last: Any, step: Any) -> list[int]:
    by = _whole(step)
    if by == 0:
        raise FunctionError("the step must not be 0")
    start, end = _whole(first), _whole(last)
    numbers = range(start, end + (1 if by > 0 else -1), by)
    if len(numbers) > _LONGEST_RANGE:
        raise FunctionError(f"the array would have {len(numbers)} items, more than {_LONGEST_RANGE}")
    return list(numbers)


def _array_unique(array: Any) -> list[Any]:
    seen: dict[str, Any] = {}
    for item in _array(array):
        seen.setdefault(json.dumps(item, sort_keys=True), item)
    return list(seen.values())


def _string_to_json(text: Any) -> Any:
    if text is None or not _text(text).strip():
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise FunctionError(f"the text is not JSON: {error}") from error


def _json_merge(one: Any, other: Any, deep: Any) -> dict[str, Any]:
    if deep is not False:
        raise FunctionError("the third argument must be false: there is only a shallow merge")
    for each in (one, other):
        if not isinstance(each, dict):
            raise FunctionError(f"expected a JSON object, got {json.dumps(each)}")
    return {**one, **other}


def _hash(data: Any, algorithm: Any) -> str:
    if algorithm not in _HASHES:
        raise FunctionError(f"'{algorithm}' is none of {', '.join(_HASHES)}")
    return hashlib.new(_HASHES[algorithm], _short(data).encode(), usedforsecurity=False).hexdigest()


def _base64_decode(text: Any) -> str:
    try:
        return base64.b64decode(_short(text), validate=True).decode()
    except ValueError as error:
        raise FunctionError(f"the text is not Base64 of UTF-8: {error}") from error


def _math_random(start: Any, end: Any, seed: Any = None) -> int:
    low, high = _whole(start), _whole(end)
    if low >= high:
        raise FunctionError(f"the start {low} must be less than the end {high}")
    # A number for a workflow, the same for the same seed: nothing secret.
    return random.Random(seed).randrange(low, high)  # noqa: S311


def _string_split(text: Any, splitters: Any) -> list[str]:
    if not _text(splitters):
        return [_text(text)]
    return [part for part in re.split(f"[{re.escape(splitters)}]", _text(text)) if part]


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise FunctionError(f"expected an array, got {json.dumps(value)}")
    return value


def _whole(value: Any) -> int:
    """A number, rounded half up as Java does."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FunctionError(f"expected a number, got {json.dumps(value)}")
    return int(value // 1 + (value % 1 >= 0.5))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise FunctionError(f"expected a string, got {json.dumps(value)}")
    return value


def _short(value: Any) -> str:
    if len(_text(value)) > _LONGEST_TEXT:
        raise FunctionError(f"the text has {len(value)} characters, more than {_LONGEST_TEXT}")
    return str(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Array": lambda *values: list(values),
    "States.ArrayContains": lambda array, value: value in _array(array),
    "States.ArrayGetItem": _array_get_item,
    "States.ArrayLength": lambda array: len(_array(array)),
    "States.ArrayPartition": _array_partition,
    "States.ArrayRange": _array_range,
    "States.ArrayUnique": _array_unique,
    "States.Base64Decode": _base64_decode,
    "States.Base64Encode": lambda text: base64.b64encode(_short(text).encode()).decode(),
    "States.Format": _format,
    "States.Hash": _hash,
    "States.JsonMerge": _json_merge,
    "States.JsonToString": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "States.MathAdd": lambda one, other: _whole(one) + _whole(other),
    "States.MathRandom": _math_random,
    "States.StringSplit": _string_split,
    "States.StringToJson": _string_to_json,
    "States.UUID": lambda: str(uuid.uuid4()),
}
