"""Fail: the end of a machine, with an error."""

from __future__ import annotations

from ...language.errors import RUNTIME, StateError
from ...language.json_values import Json
from ...language.tree import Fail, Template
from ..flow import effective_input
from ..scope import Done, Scope
from ..values import field_value, fill


def run_fail(scope: Scope, state: Fail) -> Done:
    """Raises StateError, always."""
    data = effective_input(scope)
    error = _text(scope, state.error, state.error_path, "ErrorPath", data)
    raise StateError(error, _text(scope, state.cause, state.cause_path, "CausePath", data))


def _text(scope: Scope, template: Template | None, path: str, field: str, data: Json) -> str | None:
    if template is not None:
        text = fill(scope, template, data, kind="string")
    elif path:
        text = field_value(scope, field, path, data)
    else:
        return None
    if not isinstance(text, str):
        raise scope.failure(RUNTIME, f"The {field} parameter does not reference a string: {path} == {text}")
    return text
