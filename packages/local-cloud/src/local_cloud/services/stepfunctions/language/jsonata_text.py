"""JSONata expressions in a definition: `{% … %}`."""

from __future__ import annotations

import json
import re
from typing import Any

from .json_values import Json

_JSONATA = re.compile(r"\{%(?P<expression>.*)%\}", re.DOTALL)


def expression_of(value: Json) -> str | None:
    """What stands between `{%` and `%}`, where a value is nothing else."""
    match = isinstance(value, str) and _JSONATA.fullmatch(value)
    return match["expression"].strip() if match else None


def message_of(error: Any) -> str:
    """The message of a JSONata error with its values in quotes, as the JavaScript library has it."""
    from jsonata.jexception import JException

    template = JException.error_codes.get(error.error, "{{{message}}}")
    if "{{{" in template:
        return str(error)
    values = iter([error.current, error.expected, error.extra])
    return re.sub(r"\{\{\w+\}\}", lambda _: json.dumps(next(values), ensure_ascii=False, default=str), template)
