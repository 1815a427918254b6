"""Pass: an output made of the input."""

from __future__ import annotations

from ...language.tree import Pass
from ..flow import arguments, effective_input, finish
from ..scope import Done, Scope


def run_pass(scope: Scope, state: Pass) -> Done:
    result = arguments(scope, state, effective_input(scope))
    if state.result is not None:
        result = state.result.value
    return finish(scope, state, result)
