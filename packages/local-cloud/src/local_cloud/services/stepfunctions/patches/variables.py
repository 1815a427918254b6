"""Variables in paths are evaluated as JSONata; history shows assigned texts without escapes; errors name no variable.

`asl/component/common/string/string_expression.py:StringVariableSample` reads `$month.parts[*].key` of a JSONPath state
with the JSONata engine, whose arrays of one element are that element; `asl/eval/variable_store.py` puts texts between
quotes as they are; errors in Assign name a class of moto's in place of the field.
"""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.parser.asl.component.common.assign.assign_template_binding import (
    AssignTemplateBindingStringExpressionSimple,
)
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

    def _field_name(self: Any) -> str:
        return f"{self.identifier}.$"

    AssignTemplateBindingStringExpressionSimple._field_name = _field_name
    StringVariableSample._eval_body = _eval_body
    VariableStore.get_assigned_variables = get_assigned_variables
