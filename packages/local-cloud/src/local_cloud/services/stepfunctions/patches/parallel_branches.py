"""When a branch fails, the others go on writing history, and their outputs are lost to a redrive.

`asl/component/state/exec/state_parallel/branches_decl.py`: the other branches are stopped without the events AWS
writes for them (`TaskStateAborted`, …), and what they still do is added to the history of an execution that has gone
on. Also, `state_parallel.py` evaluates Arguments before the loop of attempts, where a Catch does not see them fail.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import BranchesDecl
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.state_parallel import StateParallel

from ..running.scopes import Scope, ScopeFailed, abort, open_scope, outcome, run_side_by_side
from .failing_states import failure_of


def apply() -> None:
    def _eval_body(self: Any, env: Any) -> None:
        input = env.stack.pop()
        name = env.next_state_name
        scopes: list[Scope] = []
        paths = [(*env.event_history_context.path, (name, index)) for index in range(len(self.programs))]
        for index in range(len(self.programs)):
            scope = open_scope(env, (name, index))
            scope.states.reset(input_value=input)
            scopes.append(scope)

        def run(index: int) -> Any:
            if paths[index] in env.progress.done:
                return env.progress.done.pop(paths[index])
            self.programs[index].eval(scopes[index])
            output = outcome(scopes[index])
            env.run.child_done(paths[index], output)
            return output

        try:
            outputs = run_side_by_side(env, len(scopes), at_once=len(scopes), run=run)
        except ScopeFailed as error:
            abort(scopes)
            raise failure_of(env, error.details) from None
        finally:
            for scope in scopes:
                env.close_frame(scope)
        env.stack.append(outputs)

    execute = StateParallel._eval_execution

    def _eval_execution(self: Any, env: Any) -> None:
        if self.parargs:
            self.parargs.eval(env=env)
        execute(self, env)

    BranchesDecl._eval_body = _eval_body
    StateParallel._eval_execution = _eval_execution
