"""Pages of a list. A token names the last item given, so that items arriving later shift nothing."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .errors import InvalidToken

T = TypeVar("T")
_DEFAULT_SIZE = 100


def page(
    items: Sequence[T], *, key: Callable[[T], Any], size: int | None, token: str | None
) -> tuple[list[T], str | None]:
    """One page and the token of the next, or None at the end.

    `items` are in the order they are shown. `key` gives each a value that is unique and can be written as JSON.
    A size of 0 or none means 100, as on AWS. Raises InvalidToken for a token that no page gave.
    """
    count = size or _DEFAULT_SIZE
    start = 0
    if token:
        last = _decode(token)
        start = next((index for index, item in enumerate(items, 1) if key(item) == last), len(items))
    chosen = list(items[start : start + count])
    more = start + count < len(items)
    return chosen, _encode(key(chosen[-1])) if more else None


def _encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _decode(token: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError) as error:
        raise InvalidToken from error
