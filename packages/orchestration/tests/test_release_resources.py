"""A Glue job is written as it was read: over all that botocore's model knows of a job."""

from __future__ import annotations

import datetime
from typing import Any

import boto3
import pytest
from botocore.model import Shape
from botocore.stub import Stubber

from orchestration.releases.environment import resources
from orchestration.releases.environment.drift import Difference, differences

GLUE: Any = boto3.client("glue", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
JOB = GLUE.meta.service_model.shape_for("Job")
SETTABLE = set(GLUE.meta.service_model.shape_for("JobUpdate").members)
#: Returned by GetJob, and refused by UpdateJob beside what says the same.
OLD_NAME = {"AllocatedCapacity"}


def example(shape: Shape, within: tuple[str, ...] = ()) -> Any:
    """A value such as the shape takes, with every member that it has; shapes inside themselves are left out there."""
    inside = (*within, shape.name)
    kind = shape.type_name
    if kind == "structure":
        return {name: example(one, inside) for name, one in shape.members.items() if one.name not in inside}
    if kind == "list":
        return [example(shape.member, inside)] * max(1, shape.metadata.get("min", 0))
    if kind == "map":
        return {example(shape.key): example(shape.value, inside)}
    values = {
        "string": (getattr(shape, "enum", None) or ["text"])[0],
        "integer": shape.metadata.get("min", 3),
        "long": shape.metadata.get("min", 3),
        "double": 2.0,
        "float": 2.0,
        "boolean": True,
        "timestamp": datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC),
    }
    return values[kind]


def written(job: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The JobUpdate that goes out when a job is read, changed and written; botocore's model checks it."""
    sent: dict[str, Any] = {}
    with Stubber(GLUE) as stub:
        stub.add_response("get_job", {"Job": job}, {"JobName": "a-job"})
        stub.add_response("update_job", {"JobName": "a-job"})
        GLUE.meta.events.register_first("provide-client-params.glue.UpdateJob", lambda params, **_: sent.update(params))
        resources.write_job(GLUE, "a-job", resources.read_job(GLUE, "a-job") | change)
        stub.assert_no_pending_responses()
    update: dict[str, Any] = sent["JobUpdate"]
    return update


WITH_WORKERS = {name: example(shape) for name, shape in JOB.members.items()}
WITH_CAPACITY = {name: value for name, value in WITH_WORKERS.items() if name not in ("WorkerType", "NumberOfWorkers")}


@pytest.mark.parametrize(
    ("job", "dropped"),
    [(WITH_WORKERS, OLD_NAME | {"MaxCapacity"}), (WITH_CAPACITY, OLD_NAME)],
    ids=["workers", "capacity"],
)
def test_every_property_stays(job: dict[str, Any], dropped: set[str]) -> None:
    assert set(job) >= SETTABLE - {"WorkerType", "NumberOfWorkers"}
    assert written(job, {}) == {name: value for name, value in job.items() if name in SETTABLE - dropped}


@pytest.mark.parametrize("member", sorted(SETTABLE - OLD_NAME))
def test_one_property_stays(member: str) -> None:
    """Each by itself, visual jobs' nodes as well, beside what every job has."""
    own = {"Role": "role", "Command": {"Name": "glueetl", "ScriptLocation": "s3://bucket/before.py"}}
    job = {"Name": "a-job", **own, member: example(JOB.members[member])}
    command = {"Name": "glueetl", "ScriptLocation": "s3://bucket/after.py"}
    assert written(job, {"Command": command}) == {**own, member: job[member], "Command": command}


def test_what_a_property_became() -> None:
    wanted = {"one": {"Timeout": 60, "Arguments": {"--a": "1", "--b": "2"}}, "gone": {}, "neither": None}
    found = {"one": {"Timeout": 5, "Arguments": {"--a": "1", "--c": "3"}}, "new": {}, "gone": None}
    assert differences(wanted, wanted) == []
    assert differences(wanted, found) == [
        Difference("gone", "", "there", None),
        Difference("new", "", None, "there"),
        Difference("one", "Arguments.--b", "2", None),
        Difference("one", "Arguments.--c", None, "3"),
        Difference("one", "Timeout", 60, 5),
    ]
