"""Variables in paths are evaluated as JSONata; history shows assigned texts without escapes.

`asl/component/common/string/string_expression.py:StringVariableSample` reads `$month.parts[*].key` of a JSONPath state
with the JSONata engine, whose arrays of one element are that element; `asl/eval/variable_store.py` puts texts between
quotes as they are.
"""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringVariableSample
from moto.stepfunctions.parser.asl.eval.variable_store import NoSuchVariable, VariableStore

from .failing_states import failure


def apply() -> None:
    from ..running.expressions import variable_value

    def _eval_body(self: Any, env: Any) -> None:
        try:
            env.stack.append(variable_value(env, self.expression))
        except NoSuchVariable as error:
            cause = f"The variable '{error.variable_identifier}' is not assigned"
            raise failure(env, "States.Runtime", cause) from None

    def get_assigned_variables(self: Any) -> dict[str, str]:
        return {
            name: json.dumps(self.get(name), separators=(",", ":"), ensure_ascii=False)
            for name in sorted(self._declaration_tracing)
        }

    StringVariableSample._eval_body = _eval_body
    VariableStore.get_assigned_variables = get_assigned_variables
