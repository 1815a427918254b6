"""Data through a state: the order of its fields.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html (JSONPath) and
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html (JSONata).
"""

from __future__ import annotations

from collections.abc import Mapping

from ..language.errors import StateError
from ..language.json_values import Json
from ..language.paths import NoSuchPlace, put
from ..language.tree import Catcher, State, Template, WithResult
from .scope import Done, Scope
from .values import fill, filtered


def effective_input(scope: Scope) -> Json:
    """What `$` means in the state's fields: its input past InputPath. Raises StateError."""
    state = scope.state
    if state.is_jsonata:
        return scope.input
    data = filtered(scope, state.input_path, scope.input)
    scope.note("afterInputPath", data)
    return data


def arguments(scope: Scope, state: WithResult, data: Json) -> Json:
    """The state's Parameters or Arguments, else `data`. Raises StateError."""
    filled = data if state.parameters is None else fill(scope, state.parameters, data)
    if not state.is_jsonata or state.parameters is not None:
        scope.note("afterArguments" if state.is_jsonata else "afterParameters", filled)
    return filled


def finish(scope: Scope, state: WithResult, result: Json) -> Done:
    """End a state with its result. Raises StateError."""
    scope.note("result", result)
    if state.is_jsonata:
        extra = {"result": result}
        assigned = _assigned(scope, state.assign, result, extra)
        return Done(_output(scope, state.output, result, extra), state.next, assigned)
    assigned = _assigned(scope, state.assign, result)
    selected = result if state.result_selector is None else fill(scope, state.result_selector, result)
    placed = _placed(scope, state.result_path, selected)
    scope.note("afterResultSelector", selected)
    scope.note("afterResultPath", placed)
    try:
        output = filtered(scope, state.output_path, placed)
    except StateError as error:
        error.is_final = True  # no Retry and no Catch takes it, not even by its name (recorded, see `..errors`)
        raise
    return Done(output, state.next, assigned)


def pass_on(
    scope: Scope,
    state: State,
    data: Json,
    *,
    next: str | None,
    assign: Template | None,
    output: Template | None,
) -> Done:
    """End a state that has no result of its own: Wait, Succeed, Choice. Raises StateError."""
    assigned = _assigned(scope, assign, data)
    if state.is_jsonata:
        return Done(_output(scope, output, scope.input), next, assigned)
    return Done(filtered(scope, state.output_path, data), next, assigned)


def caught(scope: Scope, catcher: Catcher, error: StateError) -> Done:
    """End a state at one of its catchers. Raises StateError."""
    output = error.output
    extra = {"errorOutput": output}
    assigned = _assigned(scope, catcher.assign, output, extra)
    if scope.state.is_jsonata:
        return Done(_output(scope, catcher.output, output, extra), catcher.next, assigned)
    return Done(_placed(scope, catcher.result_path, output), catcher.next, assigned)


def _assigned(
    scope: Scope, assign: Template | None, data: Json, extra: Mapping[str, Json] | None = None
) -> Mapping[str, Json]:
    values: dict[str, Json] = fill(scope, assign, data, extra=extra or {}) if assign else {}
    return values


def _output(scope: Scope, output: Template | None, default: Json, extra: Mapping[str, Json] | None = None) -> Json:
    return default if output is None else fill(scope, output, default, extra=extra or {})


def _placed(scope: Scope, path: str | None, value: Json) -> Json:
    """The state's input with a value where its ResultPath says."""
    if path is None:
        return scope.input
    try:
        return put(path, scope.input, value)
    except NoSuchPlace as error:
        raise StateError("States.ResultPathMatchFailure", str(error)) from None
