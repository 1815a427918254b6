"""A machine, a branch or an item processor: state after state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..language import tree
from ..language.errors import StateError
from ..language.json_values import Json
from .history import HistoryFull
from .life import Stopped
from .scope import Done, Scope
from .states.choice import run_choice
from .states.fail import run_fail
from .states.map_ import run_map
from .states.parallel import run_parallel
from .states.pass_ import run_pass
from .states.succeed import run_succeed
from .states.task import run_task
from .states.wait import run_wait

STATES: dict[type[tree.State], Callable[[Scope, Any], Done]] = {
    tree.Choice: run_choice,
    tree.Fail: run_fail,
    tree.Map: run_map,
    tree.Parallel: run_parallel,
    tree.Pass: run_pass,
    tree.Succeed: run_succeed,
    tree.Task: run_task,
    tree.Wait: run_wait,
}
"""Each takes the scope and the state of its type."""


def run_machine(machine: tree.Machine, scope: Scope, value: Json) -> Json:
    """Run a machine to its output. Raises StateError, Stopped and HistoryFull."""
    name, value = scope.resume(machine, value)
    while True:
        scope.life.check()
        state = machine.states[name]
        scope.enter(state, value)
        try:
            done = STATES[type(state)](scope, state)
        except (StateError, Stopped, HistoryFull):
            raise
        except Exception as error:
            raise scope.unexpected(error) from error
        scope.life.check()
        scope.leave(done)
        if done.next is None:
            return done.output
        name, value = done.next, done.output
