"""State that grows with runs, deployments and log lines is appended to: what is there is not written again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from local_cloud.services import sqs

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
COMMAND = {"Name": "pythonshell", "PythonVersion": "3.9", "ScriptLocation": "s3://code/missing.py"}


@pytest.fixture
def cloud(new_cloud):
    running = new_cloud()
    running.start()
    yield running
    running.stop()


def definition(number: int) -> str:
    """Of a machine, in 50 kB."""
    states = {"P": {"Type": "Pass", "End": True}}
    return json.dumps({"Comment": f"{number} {'x' * 50_000}", "StartAt": "P", "States": states})


def make(cloud) -> str:
    """What is used again and again; the ARN of a role."""
    role = cloud.role("actor")
    cloud.client("logs").create_log_group(logGroupName="group")
    cloud.client("stepfunctions").create_state_machine(name="m", definition=definition(0), roleArn=role)
    many = {"MaxConcurrentRuns": 100}
    cloud.client("glue").create_job(Name="job", Role=role, Command=COMMAND, ExecutionProperty=many)
    return role


def use(cloud, role, numbers) -> list[dict[str, str]]:
    """For each number a session, a stream, a data point, a version, an execution and a job run; the sessions' keys."""
    machines, sessions = cloud.client("stepfunctions"), []
    for number in numbers:
        assumed = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName=f"session-{number}")
        sessions.append(assumed["Credentials"])
        cloud.client("logs").create_log_stream(logGroupName="group", logStreamName=f"stream-{number:02d}")
        cloud.client("cloudwatch").put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": number}])
        machines.update_state_machine(stateMachineArn=MACHINE, definition=definition(number), publish=True)
        machines.start_execution(stateMachineArn=MACHINE, name=f"execution-{number:02d}")
        cloud.client("glue").start_job_run(JobName="job", Arguments={"--number": f"{number:02d}"})
    return sessions


def found(cloud) -> dict[str, list[str]]:
    """What `use` made, as it is listed."""
    machines = cloud.client("stepfunctions")
    streams = cloud.client("logs").describe_log_streams(logGroupName="group")["logStreams"]
    metrics = cloud.client("cloudwatch").get_metric_data(
        StartTime=0,
        EndTime=2**32,
        MetricDataQueries=[
            {
                "Id": "q",
                "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 2**32, "Stat": "SampleCount"},
            }
        ],
    )["MetricDataResults"]
    versions = machines.list_state_machine_versions(stateMachineArn=MACHINE)["stateMachineVersions"]
    executions = machines.list_executions(stateMachineArn=MACHINE)["executions"]
    runs = cloud.client("glue").get_job_runs(JobName="job")["JobRuns"]
    return {
        "streams": [stream["logStreamName"].removeprefix("stream-") for stream in streams],
        "points": metrics[0]["Values"],
        "versions": [int(version["stateMachineVersionArn"].rpartition(":")[2]) for version in versions],
        "executions": sorted(execution["name"].removeprefix("execution-") for execution in executions),
        "runs": [run["Arguments"]["--number"] for run in runs],
    }


def state_files(cloud) -> dict[str, bytes]:
    """The files that are written whole: name → content."""
    return {file.name: file.read_bytes() for file in (cloud.state_dir / "control-plane").glob("*.state")}


def test_what_is_used_again_and_again_rewrites_no_file_and_survives_a_kill(cloud):
    role = make(cloud)
    use(cloud, role, range(1, 3))
    before = state_files(cloud)
    *_, session = use(cloud, role, range(3, 13))
    assert state_files(cloud) == before

    cloud.stop(signal.SIGKILL)
    cloud.start()
    numbers = [f"{number:02d}" for number in range(1, 13)]
    assert found(cloud) == {
        "streams": numbers,
        "points": [12.0],
        "versions": [*range(12, 0, -1)],
        "executions": numbers,
        "runs": numbers[::-1],
    }
    described = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=f"{MACHINE}:7")
    assert described["definition"] == definition(7)
    arn = cloud.with_keys("sts", session).get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::123456789012:assumed-role/actor/session-12"


def test_what_is_deleted_stays_deleted_over_a_restart(cloud):
    role = make(cloud)
    use(cloud, role, [1, 2])
    cloud.client("logs").delete_log_stream(logGroupName="group", logStreamName="stream-01")
    cloud.client("stepfunctions").delete_state_machine_version(stateMachineVersionArn=f"{MACHINE}:1")
    cloud.client("glue").delete_job(JobName="job")
    cloud.stop(signal.SIGKILL)
    cloud.start()
    cloud.client("glue").create_job(Name="job", Role=role, Command=COMMAND)
    there = found(cloud)
    assert (there["streams"], there["versions"], there["runs"]) == (["02"], [2], [])

    cloud.client("stepfunctions").delete_state_machine(stateMachineArn=MACHINE)
    cloud.client("logs").delete_log_group(logGroupName="group")
    cloud.stop(signal.SIGKILL)
    cloud.start()
    assert cloud.client("stepfunctions").list_state_machines()["stateMachines"] == []
    cloud.client("logs").create_log_group(logGroupName="group")
    assert cloud.client("logs").describe_log_streams(logGroupName="group")["logStreams"] == []


#: Writes the state as versions did that kept all of it in one file a service.
EARLIER = """
import sys
from pathlib import Path
from moto.cloudwatch.models import cloudwatch_backends
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.sts.models import sts_backends
from local_cloud.persistence import Persistence
from local_cloud.services.glue.runs import SUCCEEDED, Run
from local_cloud.services.stepfunctions.model import Activity, Machine, Revision, Version

account, arn, definition = "123456789012", sys.argv[2], sys.argv[3]
persistence = Persistence(Path(sys.argv[1]) / "control-plane")
persistence.load()
role = iam_backends[account]["aws"].create_role("actor", "{}", "/", None, "", [], "3600")
logs = logs_backends[account]["us-east-1"]
logs.create_log_group("group", {})
for number in (1, 2):
    sts_backends[account]["aws"].assume_role("us-east-1", f"session-{number}", role.arn, None, 3600, None)
    logs.create_log_stream("group", f"stream-0{number}")
    cloudwatch_backends[account]["us-east-1"].put_metric_data("n", [{"MetricName": "m", "Value": number}])
revision = Revision(definition, role.arn, {"level": "OFF"}, {"enabled": False}, {}, 1.0)
machine = Machine(arn, "m", "STANDARD", 1.0, revision, latest_number=1)
machine.versions[1] = Version(f"{arn}:1", 1, revision, 1.0)
runs = [
    Run(id=f"jr_{n}", job_name="job", attempt=0, arguments={"--number": n}, timeout_minutes=1, details={})
    for n in ("02", "01")
]
runs[1].enter(SUCCEEDED)
job = "arn:aws:glue:us-east-1:123456789012:job/job"
persistence.register("glue-runs", save=lambda: {job: [vars(run) for run in runs]}, restore=None)
persistence.register("stepfunctions", save=lambda: {"machines": [machine], "activities": []}, restore=None)
for name in ("iam", "logs", "sts", "cloudwatch", "glue-runs", "stepfunctions"):
    persistence.save(name)
session = sts_backends[account]["aws"].assumed_roles[0]
print(session.access_key_id, session.secret_access_key, session.session_token)
"""


def test_state_that_an_earlier_version_kept_in_one_file_a_service_is_taken_over_once(new_cloud):
    cloud = new_cloud()
    written = [sys.executable, "-c", textwrap.dedent(EARLIER), str(cloud.state_dir), MACHINE, definition(1)]
    told = subprocess.run(written, env=cloud.env, check=True, capture_output=True, text=True).stdout.split()
    session = dict(zip(("AccessKeyId", "SecretAccessKey", "SessionToken"), told, strict=True))
    try:
        for _ in range(2):
            cloud.start()
            if "job" not in cloud.client("glue").list_jobs()["JobNames"]:
                cloud.client("glue").create_job(Name="job", Role="actor", Command=COMMAND)
            assert found(cloud) == {
                "streams": ["01", "02"],
                "points": [2.0],
                "versions": [1],
                "executions": [],
                "runs": ["02", "01"],
            }
            states = [run["JobRunState"] for run in cloud.client("glue").get_job_runs(JobName="job")["JobRuns"]]
            assert states == ["FAILED", "SUCCEEDED"]  # what was alive ended with the server
            caller = cloud.with_keys("sts", session).get_caller_identity()["Arn"]
            assert caller == "arn:aws:sts::123456789012:assumed-role/actor/session-1"
            assert {"glue-runs.state", "stepfunctions.state"}.isdisjoint(state_files(cloud))
            cloud.stop(signal.SIGKILL)
    finally:
        cloud.stop()


def test_a_queue_forgets_the_handles_of_messages_deleted_long_ago():
    few, many = (SimpleNamespace(deleted_messages={str(number) for number in range(n)}) for n in (1000, 1001))
    assert sqs.forget_deleted([few]) is False
    assert sqs.forget_deleted([few, many]) is True
    assert (len(few.deleted_messages), many.deleted_messages) == (1000, set())
