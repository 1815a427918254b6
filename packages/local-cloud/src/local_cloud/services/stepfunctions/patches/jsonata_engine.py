"""There is no JSONata engine.

`asl/jsonata/jsonata.py` wants a Java library that moto does not bring, and writes `$states` and variables into the
expression's text, where a quote in the data ends a string. `running.jsonata_engine` evaluates with bound values.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata


def apply() -> None:
    from ..running.expressions import jsonata_value

    def _eval_body(self: Any, env: Any) -> None:
        env.stack.append(jsonata_value(env, self.expression))

    StringJSONata._eval_body = _eval_body
