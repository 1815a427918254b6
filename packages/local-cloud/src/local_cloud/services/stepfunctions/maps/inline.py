"""An inline Map: its iterations are part of the execution that the state is in."""

from __future__ import annotations

from typing import Any

from ..patches.failing_states import failure_of
from ..running.scopes import Scope, ScopeFailed, abort, open_scope, outcome, run_side_by_side


def run_inline(env: Any, name: str, settings: Any, program: Any, items: Any, *, at_once: int) -> list[Any]:
    """The outputs of all iterations, in the items' order. The first failure fails the state and stops the rest."""
    scopes: dict[int, Scope] = {}

    def run(index: int) -> Any:
        step = (name, index)
        path = (*env.event_history_context.path, step)
        if path in env.progress.done:
            return env.progress.done.pop(path)
        scope = scopes[index] = open_scope(env, step)
        _event(scope, "Started", name, index, update_source=True)
        scope.states.context_object.context_object_data["Map"] = {"Item": {"Index": index, "Value": items[index]}}
        try:
            if path not in env.progress.at:
                scope.states.reset(input_value=settings.item_input(env, scope, items[index]))
            program.eval(scope)
            output = outcome(scope)
        except ScopeFailed as error:
            if error.details.get("error") != "States.Runtime":  # which ends the execution without more ado
                _event(scope, "Failed", name, index)
            raise
        finally:
            if not scope.is_running():
                env.close_frame(scope)
        _event(scope, "Succeeded", name, index)
        env.event_history_context.source_event_id = scope.event_history_context.last_published_event_id
        env.run.child_done(path, output)
        return output

    try:
        outputs = run_side_by_side(env, len(items), at_once=at_once, run=run)
    except ScopeFailed as error:
        index_of = {id(scope): index for index, scope in scopes.items()}
        abort(list(scopes.values()), event=lambda scope: _event(scope, "Aborted", name, index_of[id(scope)]))
        raise failure_of(env, error.details) from None
    env.event_manager.add_event(env.event_history_context, "MapStateSucceeded", update_source_event_id=False)
    return outputs


def _event(scope: Scope, what: str, name: str, index: int, *, update_source: bool = False) -> None:
    scope.event_manager.add_event(
        scope.event_history_context,
        f"MapIteration{what}",
        {f"mapIteration{what}EventDetails": {"name": name, "index": index}},
        update_source_event_id=update_source,
    )
