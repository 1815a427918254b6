"""Fail: the end of a machine, with an error."""

from __future__ import annotations

from ...language.errors import RUNTIME, StateError
from ...language.tree import Fail, Template
from ..scope import Done, Scope
from ..values import field_value, fill


def run_fail(scope: Scope, state: Fail) -> Done:
    """Raises StateError, always."""
    error = _text(scope, state.error, state.error_path, "ErrorPath")
    raise StateError(error, _text(scope, state.cause, state.cause_path, "CausePath"))


def _text(scope: Scope, template: Template | None, path: str, field: str) -> str | None:
    if template is not None:
        text = fill(scope, template, scope.input, kind="string")
    elif path:
        text = field_value(scope, field, path, scope.input)
    else:
        return None
    if not isinstance(text, str):
        raise scope.failure(RUNTIME, f"The {field} parameter does not reference a string: {path} == {text}")
    return text
