"""`$$.State` has a time in Python's form, and no RetryCount but in Tasks.

`asl/component/state/state.py:_eval_body` fills it. The form of AWS, `2019-03-26T20:14:13.192Z`, and the fields:
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state import state

from ..model import now
from ..times import iso


def apply() -> None:
    def state_data(EnteredTime: str, Name: str) -> dict[str, Any]:
        return {"EnteredTime": iso(now()), "Name": Name, "RetryCount": 0}

    state.StateData = state_data
