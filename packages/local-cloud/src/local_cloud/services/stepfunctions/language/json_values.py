"""JSON values, and their text as AWS writes it."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""None, a boolean, a number, a text, a list or a dictionary of such. Never changed in place: values are shared."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode
"""Made once: `json.dumps` makes an encoder for each call that has options."""


def compact(value: Json) -> str:
    """Write a value as AWS does: without spaces and with characters unescaped, `{"name":"Zoë"}`."""
    return _encode(value)
