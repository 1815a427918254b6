"""JSONata, by jsonata-python, with the functions Step Functions adds.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html: `$states` and variables are bound, not
written into the text; there is no `$` outside of expressions and no `$eval`; `$partition`, `$range`, `$hash`,
`$random` with a seed, `$uuid` and `$parse` are added; an expression that comes to nothing is an error. What the added
functions make of odd arguments, and the words of errors, were seen on AWS by the authors of
https://github.com/floci-io/floci (docs/services/step-functions.md).
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import uuid
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException
from jsonata.utils import Utils

from .jsonata_text import message_of

_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class QueryError(ValueError):
    """An expression that fails, or comes to nothing; `str()` goes on after "The JSONata expression …"."""


def evaluate(expression: str, bindings: dict[str, Any]) -> Any:
    """The JSON value of an expression, given without its `{% %}`. `bindings` are JSON values by name.

    Raises QueryError.
    """
    names = {name: _with_nulls(value) for name, value in bindings.items()}
    try:
        result = _compiled(expression).evaluate(None, {**_FUNCTIONS, **names})
    except Exception as error:  # jsonata raises whatever its functions come to
        reason = f". {error.error}: {message_of(error)}" if isinstance(error, JException) else f": {error}"
        raise QueryError(f" threw an error during evaluation{reason}") from error
    if result is None:
        raise QueryError(" returned nothing (undefined).")
    return _as_json(result)


def parse(expression: str) -> Any:
    """The tree of an expression that is one."""
    return _compiled(expression).ast


def function_names() -> Collection[str]:
    return {*Jsonata.static_frame.bindings, *_FUNCTIONS}


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    compiled = Jsonata(expression)
    compiled.set_output_convert_nulls(False)
    return compiled


def _with_nulls(value: Any) -> Any:
    """JSON null as jsonata marks it: its None is `undefined`."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: _with_nulls(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    return value


def _as_json(value: Any) -> Any:
    if value is Utils.NULL_VALUE:
        return None
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, (str, int, float)) or value is None:
        return value
    raise QueryError(" returned an unsupported result type.")


def _partition(array: Any, size: Any = None) -> Any:
    """Without a size the whole array is one part; of an empty array or with the size 0 it is undefined."""
    items = array if isinstance(array, list) else [array]
    step = len(items) if size is None else int(size)
    if step < 0:
        raise JException("D3137", 0, "Second argument must be zero or greater")
    return [items[start : start + step] for start in range(0, len(items), step)] if items and step else None


def _range(first: Any, last: Any, step: Any = None) -> Any:
    """Undefined without a step, or with one that leads away; one number alone is no array."""
    by = int(step or 0)
    numbers = list(range(int(first), int(last) + (1 if by > 0 else -1), by)) if by else []
    return numbers if len(numbers) > 1 else numbers[0] if numbers else None


def _hash(text: Any, algorithm: Any = None) -> Any:
    """Undefined without an algorithm."""
    if algorithm is None:
        return None
    if algorithm not in _HASHES:
        raise JException("D3137", 0, f"'{algorithm}' is none of {', '.join(_HASHES)}")
    return hashlib.new(_HASHES[algorithm], str(text).encode(), usedforsecurity=False).hexdigest()


def _random(seed: Any = None) -> float:
    # A number for a workflow, the same for the same seed: nothing secret.
    return random.Random(seed).random()  # noqa: S311


def _parse(text: Any) -> Any:
    try:
        return _with_nulls(json.loads(text))
    except ValueError as error:
        raise JException("D3137", 0, f"the text is not JSON: {error}") from error


def _no_eval(*_: Any) -> Any:
    raise JException("T1006", 0, "$eval is not supported; $parse reads JSON text")


_FUNCTIONS = {
    name: Jsonata.JLambda(function)
    for name, function in {
        "partition": _partition,
        "range": _range,
        "hash": _hash,
        "random": _random,
        "uuid": lambda: str(uuid.uuid4()),
        "parse": _parse,
        "eval": _no_eval,
    }.items()
}
