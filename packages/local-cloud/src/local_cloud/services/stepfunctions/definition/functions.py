"""From the text of an intrinsic function to what the interpreter evaluates."""

from __future__ import annotations

from typing import Any

from .. import patches


def parse_function(text: str) -> Any:
    """An intrinsic function's evaluable component; raises ValueError where the text is not one."""
    patches.apply()
    from ..patches.intrinsic_text import parse_function

    return parse_function(text)
