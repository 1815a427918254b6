"""Values of paths, functions, JSONata and templates in the scope of a state."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from ..definition.expressions import field_of
from ..definition.jsonata import expression_of
from ..patches.failing_states import failure_of, said_where
from ..patches.json_paths import extract_json
from .jsonata_engine import QueryError
from .jsonata_engine import evaluate as evaluate_jsonata

_VARIABLE = re.compile(r"\$(?P<name>[A-Za-z_]\w*)(?P<path>[.\[].*)?", re.DOTALL)
_STATES_FIELD = re.compile(r"\$states\b(?:\s*\.\s*(\w+))?")
_STATES = ("input", "context", "result", "errorOutput")


def value_of(env: Any, text: str, *, strict: bool = False) -> Any:
    """What a JSONPath state's `name.$` holds: a path on the input, context or a variable, or a function's result.

    The input is the top of `env.stack`. Raises NoSuchJsonPathError (see `extract_json` for `strict`).
    """
    if text.startswith("States."):
        from ..definition.functions import parse_function
        from ..patches.intrinsic_functions import call

        call(env, text, parse_function(text))
        return env.stack.pop()
    if text.startswith("$$"):
        return copy.deepcopy(extract_json(text[1:], env.states.context_object.context_object_data, strict=strict))
    if _VARIABLE.fullmatch(text):
        return variable_value(env, text, strict=strict)
    return copy.deepcopy(extract_json(text, env.stack[-1], strict=strict))


def variable_value(env: Any, text: str, *, strict: bool = False) -> Any:
    """`$name` or `$name.path[0]`. Raises NoSuchVariable and NoSuchJsonPathError."""
    match = _VARIABLE.fullmatch(text)
    assert match, text
    value = env.variable_store.get(match["name"])
    return copy.deepcopy(extract_json("$" + (match["path"] or ""), value, strict=strict))


def jsonata_value(env: Any, expression: str, *, kind: str = "", least: float | None = None) -> Any:
    """What a JSONata expression, without its `{% %}`, comes to.

    `kind` is the JSON type it must have, `least` the smallest number it may be. Fails the state as
    States.QueryEvaluationError.
    """
    store, states = env.variable_store, env.states._states_data
    variables = {**store._outer_scope, **store._inner_scope}
    bindings = {name: value for name, value in variables.items() if name in expression}
    read = {match[1] for match in _STATES_FIELD.finditer(expression)}
    bindings["states"] = {
        name: states[name]
        for name in _STATES
        # What is not read need not be brought into JSONata's form, which takes time for large inputs.
        if (name in read or None in read) and (states.get(name) is not None or name == "input")
    }
    try:
        value = evaluate_jsonata(expression, bindings)
        _check_kind(value, kind, least)
    except QueryError as error:
        raise _query_failure(env, expression, str(error)) from None
    return value


def _check_kind(value: Any, kind: str, least: float | None) -> None:
    if kind and (found := _kind(value)) != kind:
        shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        raise QueryError(
            f" returned an unexpected result type. Expected '{kind}', but was '{found}' for value: {shown}"
        )
    if least is not None and value < least:
        raise QueryError(f" returned {value}, which is less than {least:g}.")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return kinds.get(type(value), "null")


def _query_failure(env: Any, expression: str, what: str) -> Any:
    """States.QueryEvaluationError, with the event AWS writes for it."""
    error, state = "States.QueryEvaluationError", env.next_state_name
    field = field_of(expression, env.run.start.revision.definition, state)
    cause = said_where(
        f"The JSONata expression '{expression}' specified for the field '{field}'{what}",
        error,
        state=state,
        entered=env.event_history_context.entered_id,
    )
    raised = failure_of(env, {"error": error, "cause": cause})
    details = {"error": error, "cause": cause, "location": field, "state": state}
    env.event_manager.add_event(
        env.event_history_context, "EvaluationFailed", {"evaluationFailedEventDetails": details}
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
    if jsonata and (expression := expression_of(template)) is not None:
        return jsonata_value(env, expression)
    return template
