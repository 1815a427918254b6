"""The intrinsic functions of JSONPath states.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html. A wrong argument is
States.IntrinsicFailure (https://states-language.net/#appendix-a).
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import uuid
from collections.abc import Callable

from .json_values import Json, compact

_LONGEST_TEXT = 10_000
_LONGEST_RANGE = 1000
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class FunctionError(ValueError):
    """An argument that the function cannot use."""


class QuotedText(str):
    """A text between quotes; `pieces` is what stands around its places, which are `{}`."""

    pieces: list[str]


def _format(template: Json, *values: Json) -> str:
    parts = template.pieces if isinstance(template, QuotedText) else _text(template).split("{}")
    if len(parts) - 1 != len(values):
        raise FunctionError(f"the template has {len(parts) - 1} places for {len(values)} values")
    texts = [*map(_shown, values), ""]
    return "".join(part + text for part, text in zip(parts, texts, strict=True))


def _shown(value: Json) -> str:
    """As AWS, written in Java, shows values in Format: `{a=1, b=[x]}`."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={_shown(item)}' for key, item in value.items())}}}"
    return json.dumps(value)


def _array_get_item(array: Json, index: Json) -> Json:
    items, place = _array(array), _whole(index)
    if not 0 <= place < len(items):
        raise FunctionError(f"the index {place} is out of bounds for an array of {len(items)}")
    return items[place]


def _array_partition(array: Json, size: Json) -> list[Json]:
    items, step = _array(array), _whole(size)
    if step < 1:
        raise FunctionError(f"the size of the parts must be 1 or more, not {step}")
    return [items[start : start + step] for start in range(0, len(items), step)]


def _array_range(first: Json, last: Json, step: Json) -> list[int]:
    by = _whole(step)
    if by == 0:
        raise FunctionError("the step must not be 0")
    start, end = _whole(first), _whole(last)
    numbers = range(start, end + (1 if by > 0 else -1), by)
    if len(numbers) > _LONGEST_RANGE:
        raise FunctionError(f"the array would have {len(numbers)} items, more than {_LONGEST_RANGE}")
    return list(numbers)


def _array_unique(array: Json) -> list[Json]:
    seen: dict[str, Json] = {}
    for item in _array(array):
        seen.setdefault(json.dumps(item, sort_keys=True), item)
    return list(seen.values())


def _string_to_json(text: Json) -> Json:
    if text is None or not _text(text).strip():
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise FunctionError(f"the text is not JSON: {error}") from error


def _json_merge(one: Json, other: Json, deep: Json) -> dict[str, Json]:
    if deep is not False:
        raise FunctionError("the third argument must be false: there is only a shallow merge")
    for each in (one, other):
        if not isinstance(each, dict):
            raise FunctionError(f"expected a JSON object, got {json.dumps(each)}")
    return {**one, **other}


def _hash(data: Json, algorithm: Json) -> str:
    if algorithm not in _HASHES:
        raise FunctionError(f"'{algorithm}' is none of {', '.join(_HASHES)}")
    return hashlib.new(_HASHES[algorithm], _short(data).encode(), usedforsecurity=False).hexdigest()


def _base64_decode(text: Json) -> str:
    try:
        return base64.b64decode(_short(text), validate=True).decode()
    except ValueError as error:
        raise FunctionError(f"the text is not Base64 of UTF-8: {error}") from error


def _math_random(start: Json, end: Json, seed: Json = None) -> int:
    low, high = _whole(start), _whole(end)
    if low >= high:
        raise FunctionError(f"the start {low} must be less than the end {high}")
    # A number for a workflow, the same for the same seed: nothing secret.
    return random.Random(seed).randrange(low, high)  # noqa: S311


def _string_split(text: Json, splitters: Json) -> list[str]:
    if not _text(splitters):
        return [_text(text)]
    return [part for part in re.split(f"[{re.escape(splitters)}]", _text(text)) if part]


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise FunctionError(f"expected an array, got {json.dumps(value)}")
    return value


def _whole(value: Json) -> int:
    """A number, rounded half up as Java does."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FunctionError(f"expected a number, got {json.dumps(value)}")
    return int(value // 1 + (value % 1 >= 0.5))


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise FunctionError(f"expected a string, got {json.dumps(value)}")
    return value


def _short(value: Json) -> str:
    if len(_text(value)) > _LONGEST_TEXT:
        raise FunctionError(f"the text has {len(value)} characters, more than {_LONGEST_TEXT}")
    return str(value)


FUNCTIONS: dict[str, Callable[..., Json]] = {
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
    "States.JsonToString": compact,
    "States.MathAdd": lambda one, other: _whole(one) + _whole(other),
    "States.MathRandom": _math_random,
    "States.StringSplit": _string_split,
    "States.StringToJson": _string_to_json,
    "States.UUID": lambda: str(uuid.uuid4()),
}
