"""Variables in paths are evaluated as JSONata; history shows assigned texts without escapes; errors name no variable.

`asl/component/common/string/string_expression.py:StringVariableSample` reads `$month.parts[*].key` of a JSONPath state
with the JSONata engine, whose arrays of one element are that element; `asl/eval/variable_store.py` puts texts between
quotes as they are; errors in Assign name a class of moto's in place of the field. `asl/common/assign/assign_decl.py`
assigns at once, so that a state's Output sees its own Assign; all fields of a state see variables as they were when it
was entered (https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html, "Evaluation order").
"""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.parser.asl.component.common.assign.assign_template_binding import (
    AssignTemplateBindingStringExpressionSimple,
)
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringVariableSample
from moto.stepfunctions.parser.asl.eval.variable_store import (
    IllegalOuterScopeWrite,
    NoSuchVariable,
    VariableStore,
)

from .failing_states import failure


def apply() -> None:
    from ..running.expressions import variable_value

    def _eval_body(self: Any, env: Any) -> None:
        try:
            env.stack.append(variable_value(env, self.expression))
        except NoSuchVariable as error:
            cause = f"The variable '{error.variable_identifier}' is not assigned"
            raise failure(env, "States.Runtime", cause) from None

    init = VariableStore.__init__

    def __init__(self: Any) -> None:
        init(self)
        self._assigned = {}

    def set(self: Any, variable_identifier: str, variable_value: Any) -> None:
        if variable_identifier in self._outer_scope:
            raise IllegalOuterScopeWrite(variable_identifier, variable_value)
        self._assigned[variable_identifier] = variable_value

    def get_assigned_variables(self: Any) -> dict[str, str]:
        """Called when the state is left: from now on they are there."""
        self._inner_scope.update(self._assigned)
        shown = {
            name: json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            for name, value in sorted(self._assigned.items())
        }
        self._assigned.clear()
        return shown

    def drop_assigned(self: Any) -> None:
        """What an attempt assigned before it failed."""
        self._assigned.clear()

    def _field_name(self: Any) -> str:
        return f"{self.identifier}.$"

    AssignTemplateBindingStringExpressionSimple._field_name = _field_name
    StringVariableSample._eval_body = _eval_body
    VariableStore.__init__ = __init__
    VariableStore.set = set
    VariableStore.get_assigned_variables = get_assigned_variables
    VariableStore.drop_assigned = drop_assigned
