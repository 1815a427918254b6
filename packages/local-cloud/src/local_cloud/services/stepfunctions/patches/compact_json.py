"""JSON in history and causes has spaces and `\\uXXXX` where AWS has none.

`asl/utils/encoding.py:to_json_str` leaves both to Python's defaults. AWS writes `{"name":"Zoë"}`.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def apply() -> None:
    from moto.stepfunctions.parser.asl.utils import encoding

    def to_json_str(obj: Any, separators: tuple[str, str] | None = None) -> str:
        return json.dumps(obj, cls=encoding._DateTimeEncoder, separators=separators or (",", ":"), ensure_ascii=False)

    assert "moto.stepfunctions.parser.asl.component.state.state" not in sys.modules, "others have copied the name"
    encoding.to_json_str = to_json_str
