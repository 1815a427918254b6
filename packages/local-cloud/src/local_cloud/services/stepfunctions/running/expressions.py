"""Values of paths, functions, JSONata and templates in the scope of a state."""

from __future__ import annotations

import copy
import re
from typing import Any

from ..definition.expressions import JSONATA_TEXT
from ..patches.failing_states import failure
from ..patches.json_paths import extract_json
from .jsonata_engine import QueryError
from .jsonata_engine import evaluate as evaluate_jsonata

_VARIABLE = re.compile(r"\$(?P<name>[A-Za-z_]\w*)(?P<path>[.\[].*)?", re.DOTALL)
_STATES = ("input", "context", "result", "errorOutput")


def value_of(env: Any, text: str) -> Any:
    """What a JSONPath state's `name.$` holds: a path on the input, context or a variable, or a function's result.

    The input is the top of `env.stack`. Raises NoSuchJsonPathError.
    """
    if text.startswith("States."):
        from ..definition.compile import parse_function

        parse_function(text).eval(env)
        return env.stack.pop()
    if text.startswith("$$"):
        return copy.deepcopy(extract_json(text[1:], env.states.context_object.context_object_data))
    if _VARIABLE.fullmatch(text):
        return variable_value(env, text)
    return copy.deepcopy(extract_json(text, env.stack[-1]))


def variable_value(env: Any, text: str) -> Any:
    """`$name` or `$name.path[0]`. Raises NoSuchVariable and NoSuchJsonPathError."""
    match = _VARIABLE.fullmatch(text)
    assert match, text
    value = env.variable_store.get(match["name"])
    return copy.deepcopy(extract_json("$" + (match["path"] or ""), value))


def jsonata_value(env: Any, expression: str) -> Any:
    """What a JSONata expression, without its `{% %}`, comes to; fails the state as States.QueryEvaluationError."""
    store, states = env.variable_store, env.states._states_data
    bindings = {**store._outer_scope, **store._inner_scope}
    bindings["states"] = {name: states[name] for name in _STATES if states.get(name) is not None or name == "input"}
    try:
        return evaluate_jsonata(expression, bindings)
    except QueryError as error:
        raise query_failure(env, str(error)) from None


def query_failure(env: Any, cause: str) -> Any:
    """States.QueryEvaluationError, with the event AWS writes for it."""
    error = "States.QueryEvaluationError"
    context = env.event_history_context
    place = f"An error occurred while executing the state '{env.next_state_name}' (entered at the event id"
    raised = failure(env, error, cause)
    env.event_manager.add_event(
        context,
        "EvaluationFailed",
        {
            "evaluationFailedEventDetails": {
                "error": error,
                "cause": f"{place} #{context.source_event_id}). {cause}",
                "state": env.next_state_name,
            }
        },
    )
    return raised


def template_value(env: Any, template: Any, *, jsonata: bool) -> Any:
    """A payload template, filled in."""
    if isinstance(template, list):
        return [template_value(env, item, jsonata=jsonata) for item in template]
    if isinstance(template, dict):
        filled = {}
        for key, item in template.items():
            if not jsonata and key.endswith(".$"):
                filled[key.removesuffix(".$")] = value_of(env, item)
            else:
                filled[key] = template_value(env, item, jsonata=jsonata)
        return filled
    if jsonata and isinstance(template, str) and (match := JSONATA_TEXT.fullmatch(template)):
        return jsonata_value(env, match["expression"].strip())
    return template
