"""A Retry sleeps on after the execution was stopped.

`asl/component/common/retry/retrier_decl.py:_eval_body` calls `time.sleep` for the interval, an hour perhaps. It waits
for the end of its scope instead.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.retry.max_attempts_decl import MaxAttemptsOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retrier_decl import RetrierDecl
from moto.stepfunctions.parser.asl.component.common.retry.retrier_outcome import RetrierOutcome


def apply() -> None:
    def _eval_body(self: Any, env: Any) -> None:
        self.error_equals.eval(env)
        if not env.stack.pop():
            env.stack.append(RetrierOutcome.Skipped)
            return
        self.max_attempts.eval(env=env)
        if env.stack.pop() == MaxAttemptsOutcome.EXHAUSTED:
            env.stack.append(RetrierOutcome.Failed)
            return
        for part in (self.interval_seconds, self.backoff_rate, self.max_delay_seconds, self.jitter_strategy):
            part.eval(env=env)
        env.program_state_event.wait(env.stack.pop())
        env.stack.append(RetrierOutcome.Executed)

    RetrierDecl._eval_body = _eval_body
