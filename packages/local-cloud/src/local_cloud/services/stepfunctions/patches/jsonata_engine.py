"""There is no JSONata engine, and results of a wrong type are used as they come.

`asl/jsonata/jsonata.py` wants a Java library that moto does not bring, and writes `$states` and variables into the
expression's text, where a quote in the data ends a string. `running.jsonata_engine` evaluates with bound values.
Fields that need a number, a boolean, a text or an array fail with States.QueryEvaluationError on anything else.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.common.timeouts.heartbeat import HeartbeatSecondsJSONata
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSecondsJSONata
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison import ConditionStringJSONata
from moto.stepfunctions.parser.asl.component.state.exec.state_map.items.items import ItemsJSONata
from moto.stepfunctions.parser.asl.component.state.fail.cause_decl import Cause
from moto.stepfunctions.parser.asl.component.state.fail.error_decl import Error
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.seconds import SecondsJSONata


def apply() -> None:
    from ..running.expressions import jsonata_value

    def _eval_body(self: Any, env: Any) -> None:
        env.stack.append(jsonata_value(env, self.expression))

    def condition(self: Any, env: Any) -> None:
        env.stack.append(jsonata_value(env, self.string_jsonata.expression, kind="boolean"))

    def items(self: Any, env: Any) -> None:
        env.stack.append(jsonata_value(env, self.string_jsonata.expression, kind="array"))

    def wait_seconds(self: Any, env: Any) -> Any:
        return jsonata_value(env, self.string_jsonata.expression, kind="number", least=0)

    def limit_seconds(self: Any, env: Any) -> Any:
        return jsonata_value(env, self.string_jsonata.expression, kind="number", least=1)

    def text(self: Any, env: Any) -> None:
        if isinstance(self.string_expression, StringJSONata):
            env.stack.append(jsonata_value(env, self.string_expression.expression, kind="string"))
        else:
            self.string_expression.eval(env=env)

    StringJSONata._eval_body = _eval_body
    ConditionStringJSONata._eval_body = condition
    ItemsJSONata._eval_body = items
    SecondsJSONata._get_wait_seconds = wait_seconds
    TimeoutSecondsJSONata._eval_seconds = limit_seconds
    HeartbeatSecondsJSONata._eval_seconds = limit_seconds
    Cause._eval_body = Error._eval_body = text
