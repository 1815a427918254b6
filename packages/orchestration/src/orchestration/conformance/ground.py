"""Where probes work: a stack, a bucket and a schema of their own, which are gone afterwards."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from orchestration import environments, objects
from orchestration.errors import EltError
from orchestration.releases.environment.deployment import Deployment

_FOLDER = Path(__file__).parent
WHEEL = "elt_probe-1.0-py3-none-any.whl"
_JOB_SECONDS = 900
_WAIT = {"Delay": 3, "MaxAttempts": 200}
#: On AWS, whose alarms are looked at once a minute, and on an emulator, which looks once a second.
_WATCH_SECONDS, _WATCH_HERE_SECONDS = 180, 4


@dataclass
class Ground:
    """A scratch stack's outputs, and the environment's warehouse, None where nothing is deployed to it.

    `watch_seconds` is how long something is watched that is not to happen; `answers` is what several probes share.
    """

    environment: str
    name: str
    outputs: dict[str, str]
    warehouse: Deployment | None
    watch_seconds: float
    answers: dict[str, Any] = field(default_factory=dict)

    def run_job(self, job: str, **arguments: str) -> dict[str, Any]:
        """Return the run of a job once it has ended. Errors: TimeoutError."""
        glue = boto3.client("glue")
        given = {f"--{name.strip('_')}": value for name, value in arguments.items()}
        run = glue.start_job_run(JobName=job, Arguments=given)["JobRunId"]

        def find_ended() -> dict[str, Any] | None:
            found: dict[str, Any] = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
            return None if found["JobRunState"] in ("STARTING", "RUNNING", "STOPPING", "WAITING") else found

        answer: dict[str, Any] = until(find_ended, seconds=_JOB_SECONDS, what=f"{job} {run} has not ended")
        return answer

    def answer_of(self, job: str, name: str) -> dict[str, Any]:
        """Return what a job's run writes about itself; it is run once for all probes that ask. Errors: EltError."""
        if name not in self.answers:
            run = self.run_job(job, probe="answer", as_=name)
            if run["JobRunState"] != "SUCCEEDED":
                raise EltError(f"{job} ended {run['JobRunState']}: {run.get('ErrorMessage', 'no message')}")
            body = boto3.client("s3").get_object(Bucket=self.outputs["Bucket"], Key=f"answers/{name}.json")["Body"]
            self.answers[name] = json.loads(body.read())
        answer: dict[str, Any] = self.answers[name]
        return answer


def until(ask: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """Return what `ask` returns once that is not None. Errors: TimeoutError."""
    end = time.monotonic() + seconds
    pause = 0.2
    while (answer := ask()) is None:
        if time.monotonic() > end:
            raise TimeoutError(f"{what} after {seconds:.0f} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 10)
    return answer


@contextmanager
def prepare(environment: str, warehouse: Deployment | None) -> Iterator[Ground]:
    """Make the stack, put the job's script and wheel into its bucket, and in the end delete all of it."""
    name = f"elt-{environment}-conformance-{uuid.uuid4().hex[:6]}"
    cloudformation = boto3.client("cloudformation")
    outputs: dict[str, str] = {}
    try:
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=(_FOLDER / "stack.yaml").read_text(encoding="utf-8"),
            Parameters=[{"ParameterKey": "Name", "ParameterValue": name}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "project", "Value": "elt"}, {"Key": "environment", "Value": environment}],
        )
        try:
            cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=_WAIT)
        except WaiterError as error:
            raise EltError(f"the scratch stack {name} could not be made: {_first_failure(name) or error}") from error
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        outputs |= {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        s3 = boto3.client("s3")
        s3.put_object(Bucket=outputs["Bucket"], Key="probe.py", Body=(_FOLDER / "probe.py").read_bytes())
        s3.put_object(Bucket=outputs["Bucket"], Key=WHEEL, Body=wheel())
        watch = _WATCH_SECONDS if environments.endpoint() is None else _WATCH_HERE_SECONDS
        yield Ground(environment, name, outputs, warehouse, watch)
    finally:
        _clean_up(name)


def _first_failure(name: str) -> str:
    """Return the resource that failed first, and why; "" where none did."""
    events = boto3.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED")]
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason', '')}" if failed else ""


def _clean_up(name: str) -> None:
    """Delete what was made. Errors: EltError, which says what is left, and why."""
    cloudformation = boto3.client("cloudformation")
    reasons: list[str] = []
    try:
        for resource in cloudformation.describe_stack_resources(StackName=name)["StackResources"]:
            if resource["ResourceType"] == "AWS::S3::Bucket" and resource.get("PhysicalResourceId"):
                objects.delete_under(boto3.client("s3"), resource["PhysicalResourceId"])
    except (ClientError, EltError) as error:
        reasons.append(str(error))
    cloudformation.delete_stack(StackName=name)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=_WAIT)
    except WaiterError as error:
        why = "; ".join([*reasons, str(error)])
        raise EltError(
            f"the scratch stack {name} is still there ({why}): aws cloudformation delete-stack --stack-name {name}"
        ) from error


def wheel() -> bytes:
    """Return a wheel of one module, elt_probe, with nothing it asks for."""
    folder = WHEEL.split("-py3", maxsplit=1)[0] + ".dist-info"
    files = {
        "elt_probe.py": b'VERSION = "1.0"\n',
        f"{folder}/METADATA": b"Metadata-Version: 2.1\nName: elt-probe\nVersion: 1.0\n",
        f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: elt\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b'=').decode()},{len(body)}\n"
        for name, body in files.items()
    ]
    files[f"{folder}/RECORD"] = "".join([*record, f"{folder}/RECORD,,\n"]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return buffer.getvalue()
