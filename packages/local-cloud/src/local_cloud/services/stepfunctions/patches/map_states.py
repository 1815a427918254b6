"""Map states: failures, limits and results.

Under `asl/component/state/exec/state_map`: a distributed Map swallows every failure and gives null in its place
(ToleratedFailureCount and …Percentage "have no effect"); an integer ToleratedFailurePercentage does not parse;
ResultWriter writes no results; there is no ItemBatcher and no JSONL; iterations are one level of recursion each, so
one worker ends after about a thousand items; an inline Map starts a thread per item and goes on with the others when
one fails. What a Map does is in `maps` and `running.scopes`; this hangs it in.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap

from ..maps.distributed import run_distributed
from ..maps.inline import run_inline
from .failing_states import failure


def apply() -> None:
    def _eval_execution(self: Any, env: Any) -> None:
        settings = self.settings
        at_once = settings.at_once(env)
        items = None
        if not (settings.distributed and settings.reader):
            items = _items(self, env)
        started = {"mapStateStartedEventDetails": {"length": len(items or ())}}
        env.event_manager.add_event(env.event_history_context, "MapStateStarted", started)
        program = self.iteration_component._get_iteration_program()
        run = run_distributed if settings.distributed else run_inline
        env.stack.append(run(env, self.name, settings, program, items, at_once=at_once))

    StateMap._eval_execution = _eval_execution


def _items(state: Any, env: Any) -> list[Any]:
    source = state.items_path or state.items
    if source:
        source.eval(env=env)
        items = env.stack.pop()
    else:
        items = env.stack[-1]
    if isinstance(items, list):
        return items
    if state.settings.distributed and isinstance(items, dict):
        return [{"Key": key, "Value": value} for key, value in items.items()]
    path = source.string_sampler.literal_value if source else "$"
    raise failure(env, "States.Runtime", f'Reference path "{path}" must point to array.')
