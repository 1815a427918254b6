"""Every caught error floods the server's log.

`asl/component/eval_component.py` logs, at level ERROR and once per level of nesting, the text of the whole component
tree under a failing state, also where a Catch expects the failure. The execution's history tells it better.
"""

from __future__ import annotations

import logging
from typing import Any


def apply() -> None:
    from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent

    def ignore(self: Any, *args: Any, **kwargs: Any) -> None:
        """The history has it."""

    EvalComponent._log_failure_event_exception = ignore
    EvalComponent._log_exception = ignore
    logging.getLogger("moto.stepfunctions.parser").setLevel(logging.ERROR)
