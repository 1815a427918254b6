"""Job definitions: kept whole as the API got them, checked against what AWS allows and this machine can run."""

from __future__ import annotations

import datetime
from typing import Any

from moto.glue.exceptions import GlueClientError

from local_cloud.services.glue import spark
from local_cloud.services.glue.arguments import RunArguments
from local_cloud.services.glue.preparation import PYTHON_SHELL, SPARK, JobSpec

LONGEST_TIMEOUT = 10080

#: Fields of a run that StartJobRun may set and else are the job's. Timeout and Arguments have rules of their own.
_RUN_FIELDS = (
    "AllocatedCapacity",
    "MaxCapacity",
    "WorkerType",
    "NumberOfWorkers",
    "SecurityConfiguration",
    "NotificationProperty",
    "ExecutionClass",
)

_LOG_GROUPS = {PYTHON_SHELL: "/aws-glue/python-jobs", SPARK: "/aws-glue/jobs"}


class InvalidInput(GlueClientError):  # type: ignore[misc]
    """InvalidInputException."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidInputException", message)


class Job:
    """One definition. moto's backend lists, tags and deletes it like its own."""

    def __init__(self, definition: dict[str, Any], *, arn: str) -> None:
        self.name: str = definition["Name"]
        self.arn = arn
        self.created_on = self.modified_on = datetime.datetime.now(datetime.UTC)
        self.definition = _checked(definition)

    def replace(self, update: dict[str, Any]) -> None:
        """UpdateJob: the new definition as a whole; what it does not name goes back to its default.

        Only GlueVersion stays when it is not given (JobUpdate, in the Glue API reference).
        """
        kept = {"Name": self.name, "GlueVersion": self.definition.get("GlueVersion")}
        self.definition = _checked({**kept, **update})
        self.modified_on = datetime.datetime.now(datetime.UTC)

    def get_name(self) -> str:
        return self.name

    def as_dict(self) -> dict[str, Any]:
        """The API's Job."""
        return {**self.definition, "CreatedOn": self.created_on, "LastModifiedOn": self.modified_on}

    @property
    def kind(self) -> str:
        return str(self.definition["Command"]["Name"])

    @property
    def max_concurrent_runs(self) -> int:
        return int(self.definition["ExecutionProperty"]["MaxConcurrentRuns"])

    @property
    def max_retries(self) -> int:
        return int(self.definition["MaxRetries"])

    @property
    def timeout_minutes(self) -> int:
        return int(self.definition["Timeout"])

    def run_details(self, request: dict[str, Any]) -> dict[str, Any]:
        """The fields of a JobRun that its start settles."""
        details = {name: request.get(name) or self.definition.get(name) for name in _RUN_FIELDS}
        if self.kind == SPARK:  # of a run only: GetJob gives an execution class where the definition has one
            details["ExecutionClass"] = details["ExecutionClass"] or "STANDARD"
        details |= {"GlueVersion": self.definition.get("GlueVersion"), "LogGroupName": _LOG_GROUPS[self.kind]}
        return {name: value for name, value in details.items() if value is not None}

    def spec(self, run_arguments: dict[str, str], *, account_id: str) -> JobSpec:
        """What a run needs of the job as it is now. InvalidInput for a job that this machine has no engine for."""
        command, role = self.definition["Command"], self.definition["Role"]
        version = self.definition.get("GlueVersion") or ""
        if self.kind not in _LOG_GROUPS:
            raise InvalidInput(f"{self.name} is a {self.kind} job: the local cloud runs {' and '.join(_LOG_GROUPS)}")
        if self.kind == SPARK and version not in spark.PYTHON_OF_GLUE:
            known = ", ".join(spark.PYTHON_OF_GLUE)
            raise InvalidInput(f"{self.name} has GlueVersion {version or 'unset'}: the local cloud runs {known}")
        return JobSpec(
            name=self.name,
            arn=self.arn,
            kind=self.kind,
            python_version=command.get("PythonVersion", "3"),
            glue_version=version,
            role_arn=role if role.startswith("arn:") else f"arn:aws:iam::{account_id}:role/{role}",
            arguments=RunArguments.merge(
                command["ScriptLocation"],
                defaults=self.definition.get("DefaultArguments") or {},
                run=run_arguments,
                fixed=self.definition.get("NonOverridableArguments") or {},
            ),
        )


def _checked(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition with AWS's defaults. InvalidInput for what AWS refuses."""
    name = definition["Name"]
    command = definition.get("Command") or {}
    kind = command.get("Name")
    if not definition.get("Role") or not kind or not command.get("ScriptLocation"):
        raise InvalidInput(f"Job {name} needs a Role and a Command with a Name and a ScriptLocation")
    if kind == PYTHON_SHELL and (definition.get("WorkerType") or definition.get("NumberOfWorkers")):
        raise InvalidInput(f"Worker Type is not supported for Job Command {kind}")
    if definition.get("MaxCapacity") and (definition.get("WorkerType") or definition.get("NumberOfWorkers")):
        raise InvalidInput("Please do not set Max Capacity if using Worker Type and Number of Workers")
    checked = {
        "MaxRetries": 0,
        "Timeout": _default_timeout(definition.get("GlueVersion")),
        "DefaultArguments": {},
        **({"MaxCapacity": 0.0625} if kind == PYTHON_SHELL else {}),
        **{name: value for name, value in definition.items() if value is not None},
    }
    checked["ExecutionProperty"] = {"MaxConcurrentRuns": 1, **(definition.get("ExecutionProperty") or {})}
    check_timeout(checked["Timeout"])
    return checked


def check_timeout(minutes: int) -> None:
    if not 1 <= minutes <= LONGEST_TIMEOUT:
        raise InvalidInput(f"Timeout must be between 1 and {LONGEST_TIMEOUT} minutes, not {minutes}")


def _default_timeout(glue_version: str | None) -> int:
    """In minutes: 480 from Glue 5.0 on, 2,880 before."""
    return 480 if glue_version and glue_version.split(".")[0] >= "5" else 2880
