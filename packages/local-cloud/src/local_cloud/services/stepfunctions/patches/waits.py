"""A Timestamp is compared with the local clock's hour, and Wait states sleep through the wrong fractions.

`asl/component/state/wait/wait_function`: `timestamp.py` subtracts a naive local time from a UTC one, knows no offsets
and cuts fractions off; `wait_function.py` waits in whole seconds and begins again when it is woken. A Timestamp is a
moment of the wall's clock, which may be set, and goes on while the machine sleeps: it is looked at again and again.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from ..times import parse_timestamp

#: How often the clock is looked at, in seconds.
LOOK_S = 1.0


def apply() -> None:
    def _wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        if wait_seconds > 0:
            env.program_state_event.wait(wait_seconds)

    def _get_wait_seconds(self: Any, env: Any) -> float:
        self.string.eval(env=env)
        text = env.stack.pop()
        moment = parse_timestamp(text)
        if moment is None:
            from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException

            raise FailureEventException(self._create_failure_event(env, text))
        return (moment - datetime.datetime.now(tz=datetime.UTC)).total_seconds()

    def _wait_until(self: Any, env: Any, wait_seconds: float) -> None:
        moment = time.time() + wait_seconds
        while (left := moment - time.time()) > 0 and not env.program_state_event.wait(min(left, LOOK_S)):
            pass

    WaitFunction._wait_interval = _wait_interval
    Timestamp._wait_interval = _wait_until
    Timestamp._from_timestamp_string = staticmethod(parse_timestamp)
    Timestamp._get_wait_seconds = _get_wait_seconds
