"""Parallel: branches, side by side."""

from __future__ import annotations

from functools import partial

from ...language.errors import StateError
from ...language.json_values import Json
from ...language.tree import Parallel
from ..attempts import attempt
from ..flow import arguments, effective_input
from ..scope import Done, Scope
from ..side_by_side import abort, run_side_by_side


def run_parallel(scope: Scope, state: Parallel) -> Done:
    data = effective_input(scope)
    return attempt(scope, state, partial(_run_branches, state=state, data=data))


def _run_branches(scope: Scope, *, state: Parallel, data: Json) -> Json:
    """One attempt. Raises StateError and Stopped."""
    value = arguments(scope, state, data)
    if scope.trial and scope.trial.mock:
        return scope.trial.mock()
    scope.record("ParallelStateStarted")
    execution = scope.execution
    branches = [scope.branch((state.name, index)) for index in range(len(state.branches))]

    def run(index: int) -> Json:
        branch = branches[index]
        path = branch.cursor.path
        if path in execution.progress.done:
            return execution.progress.done.pop(path)
        try:
            output = execution.evaluate(state.branches[index], branch, value)
        finally:
            branch.life.stop()
        execution.child_done(path, output)
        return output

    try:
        outputs = run_side_by_side(scope.life, len(branches), at_once=len(branches), run=run)
    except StateError:
        abort(branches)
        raise
    finally:
        for branch in branches:
            scope.close(branch)
    scope.record("ParallelStateSucceeded", is_followed=False)
    return outputs
