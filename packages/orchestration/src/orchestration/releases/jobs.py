"""A Glue job's definition, read and written whole: UpdateJob sets what it is not given back to its default.

https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateJob.html
"""

from __future__ import annotations

from typing import Any


def read(glue: Any, name: str) -> dict[str, Any]:
    """All that can be set of a job, as UpdateJob takes it."""
    settable = glue.meta.service_model.shape_for("JobUpdate").members
    return _consistent({key: value for key, value in glue.get_job(JobName=name)["Job"].items() if key in settable})


def write(glue: Any, name: str, definition: dict[str, Any]) -> None:
    """Make the job what `definition`, from `read`, says; nothing else of it changes."""
    glue.update_job(JobName=name, JobUpdate=_consistent(definition))


def _consistent(definition: dict[str, Any]) -> dict[str, Any]:
    """Without what GetJob tells and UpdateJob refuses beside the rest.

    AllocatedCapacity is MaxCapacity's old name, and MaxCapacity is only returned where workers are set. CloudFormation,
    too, sets one or the other. https://docs.aws.amazon.com/glue/latest/webapi/API_JobUpdate.html
    """
    dropped = {"AllocatedCapacity"}
    if definition.get("WorkerType") or definition.get("NumberOfWorkers"):
        dropped.add("MaxCapacity")
    return {key: value for key, value in definition.items() if key not in dropped}
