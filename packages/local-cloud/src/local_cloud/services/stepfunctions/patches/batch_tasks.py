"""The class for tasks of AWS Batch is imported with all of moto's EC2: over a second, more than the rest together.

`…/state_task/service/state_task_service_factory.py` wants the name and nothing else; `service_tasks` runs every task by
a class of its own.
"""

from __future__ import annotations

import sys
from types import ModuleType

_MODULE = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_batch"


def apply() -> None:
    if _MODULE not in sys.modules:
        placeholder = ModuleType(_MODULE)
        placeholder.__dict__["StateTaskServiceBatch"] = object
        sys.modules[_MODULE] = placeholder
