"""JSONata, by jsonata-python, with the functions Step Functions adds.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html: `$states` and variables are bound, not
written into the text; there is no `$` outside of expressions and no `$eval`; `$partition`, `$range`, `$hash`,
`$random` with a seed, `$uuid` and `$parse` are added; an expression that comes to nothing is an error.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from functools import lru_cache
from typing import Any

from jsonata import Jsonata
from jsonata.utils import Utils

_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class QueryError(ValueError):
    """An expression that fails, or comes to nothing."""


def evaluate(expression: str, bindings: dict[str, Any]) -> Any:
    """The JSON value of an expression, given without its `{% %}`. `bindings` are JSON values by name.

    Raises QueryError.
    """
    names = {name: _with_nulls(value) for name, value in bindings.items()}
    try:
        result = _compiled(expression).evaluate(None, {**_FUNCTIONS, **names})
    except Exception as error:  # jsonata raises whatever its functions come to
        raise QueryError(f"The JSONata expression '{expression}' threw an error during evaluation. {error}") from error
    if result is None:
        raise QueryError(f"The JSONata expression '{expression}' returned nothing (undefined).")
    return _as_json(result, expression)


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


def _as_json(value: Any, expression: str) -> Any:
    if value is Utils.NULL_VALUE:
        return None
    if isinstance(value, dict):
        return {key: _as_json(item, expression) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item, expression) for item in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    raise QueryError(f"The JSONata expression '{expression}' returned an unsupported result type.")


def _partition(array: Any, size: Any) -> list[Any]:
    items = array if isinstance(array, list) else [array]
    return [items[start : start + int(size)] for start in range(0, len(items), int(size))]


def _range(first: Any, last: Any, step: Any) -> list[int]:
    return list(range(int(first), int(last) + (1 if step > 0 else -1), int(step)))


def _hash(text: Any, algorithm: Any = "SHA-256") -> str:
    return hashlib.new(_HASHES[algorithm], str(text).encode(), usedforsecurity=False).hexdigest()


def _random(seed: Any = None) -> float:
    # A number for a workflow, the same for the same seed: nothing secret.
    return random.Random(seed).random()  # noqa: S311


def _parse(text: Any) -> Any:
    return _with_nulls(json.loads(text))


def _no_eval(*_: Any) -> Any:
    raise ValueError("$eval is not supported; use $parse to read JSON text")


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
