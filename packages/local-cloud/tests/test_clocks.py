"""The wall's clock jumps, forward while a laptop sleeps, back when it is set; the monotonic clock does neither."""

from __future__ import annotations

import datetime
import io
import json
import re
import shutil
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_cloud.services.glue import runs
from local_cloud.services.scheduler.ticker import next_due

SOURCE = Path(__file__).with_name("moving_clock.c")
HOUR, DAY = 3600, 86400


@dataclass
class Clock:
    """The wall's clock of a server. Aware datetimes in UTC."""

    file: Path
    moved: int = 0

    @property
    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.moved)

    def move(self, seconds: float) -> None:
        self.moved += round(seconds)
        with self.file.open("r+b") as file:  # never shorter, not for a moment: it is mapped into memory
            file.write(struct.pack("<q", self.moved))

    def set(self, moment: datetime.datetime) -> None:
        self.move((moment - self.now).total_seconds())


@dataclass
class Machine:
    """A cloud with a clock that can be moved."""

    cloud: Any
    clock: Clock

    def client(self, service: str) -> Any:
        return self.cloud.client(service)


@pytest.fixture(scope="module")
def machine(new_cloud: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    compiler = shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("moving a clock takes LD_PRELOAD (Linux) and a C compiler")
    folder = tmp_path_factory.mktemp("clock")
    library, clock = folder / "moving_clock.so", Clock(folder / "moved_by")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE)], check=True)
    clock.file.write_bytes(bytes(8))
    running = new_cloud(settings={"LD_PRELOAD": str(library), "MOVED_BY": str(clock.file)})
    running.start()
    running.role("worker")
    yield Machine(running, clock)
    running.stop()


ROLE = "arn:aws:iam::123456789012:role/worker"
UNTIL_MORNING = """
import boto3, time
s3 = boto3.client("s3")
s3.put_object(Bucket="night", Key="begun", Body=b"")
while not s3.list_objects_v2(Bucket="night", Prefix="morning")["KeyCount"]:
    time.sleep(0.1)
"""
WHO = "import boto3\ndef main(event, context): return boto3.client('sts').get_caller_identity()['Account']"


@pytest.fixture(scope="module")
def start(machine: Machine) -> Callable[[dict[str, Any]], str]:
    """Starts an execution of one state; its ARN. The same state is the same machine's."""
    states = machine.client("stepfunctions")
    machines: dict[str, str] = {}

    def start(state: dict[str, Any]) -> str:
        definition = json.dumps({"StartAt": "Only", "States": {"Only": {**state, "End": True}}})
        if definition not in machines:
            name = f"machine-{len(machines)}"
            created = states.create_state_machine(name=name, roleArn=ROLE, definition=definition)
            machines[definition] = created["stateMachineArn"]
        return str(states.start_execution(stateMachineArn=machines[definition])["executionArn"])

    return start


@pytest.fixture(scope="module")
def end(machine: Machine) -> Callable[[str], dict[str, Any]]:
    """Waits for an execution's end and describes it."""
    states = machine.client("stepfunctions")

    def end(execution: str) -> dict[str, Any]:
        for _ in range(1200):
            found: dict[str, Any] = states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.05)
        raise AssertionError(f"{execution} still runs")

    return end


def message(machine: Machine, queue: str) -> str:
    """The text of the next message."""
    sqs = machine.client("sqs")
    for _ in range(30):
        for found in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=found["ReceiptHandle"])
            return str(found["Body"])
    raise AssertionError("no message came")


def test_roles_that_were_in_use_work_on_after_a_night(
    machine: Machine,
    start: Callable[[dict[str, Any]], str],
    end: Callable[[str], dict[str, Any]],
) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", WHO)
    machine.client("lambda").create_function(
        FunctionName="who", Runtime="python3.11", Role=ROLE, Handler="app.main", Code={"ZipFile": code.getvalue()}
    )
    call = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "who"}}
    kept = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues", "Parameters": {}}
    assert [end(start(state))["status"] for state in (call, kept)] == ["SUCCEEDED"] * 2
    machine.clock.move(13 * HOUR)
    outcomes = [end(start(state)) for state in (call, kept)]
    assert [(one["status"], one.get("cause")) for one in outcomes] == [("SUCCEEDED", None)] * 2
    assert json.loads(outcomes[0]["output"])["Payload"] == "123456789012"


def test_a_job_that_runs_through_the_night_keeps_its_role(machine: Machine) -> None:
    s3, glue = machine.client("s3"), machine.client("glue")
    s3.create_bucket(Bucket="night")
    s3.put_object(Bucket="night", Key="job.py", Body=UNTIL_MORNING.encode())
    glue.create_job(
        Name="night",
        Role="worker",
        Command={"Name": "pythonshell", "PythonVersion": "3.9", "ScriptLocation": "s3://night/job.py"},
    )
    run = glue.start_job_run(JobName="night")["JobRunId"]

    def until(done: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 120
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    until(lambda: s3.list_objects_v2(Bucket="night", Prefix="begun")["KeyCount"])
    machine.clock.move(13 * HOUR)
    s3.put_object(Bucket="night", Key="morning", Body=b"")
    until(lambda: glue.get_job_run(JobName="night", RunId=run)["JobRun"]["JobRunState"] not in ("STARTING", "RUNNING"))
    ended = glue.get_job_run(JobName="night", RunId=run)["JobRun"]
    assert (ended["JobRunState"], ended.get("ErrorMessage")) == ("SUCCEEDED", None)


def test_keys_that_ended_in_the_night_are_refused_as_expired(machine: Machine) -> None:
    """In each protocol's own words: JSON, query, REST with JSON, S3's."""
    keys = machine.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]
    calls = {"stepfunctions": "list_state_machines", "sns": "list_topics", "lambda": "list_functions"}
    clients = {service: machine.cloud.with_keys(service, keys) for service in (*calls, "s3")}
    clients["s3"].list_buckets()
    machine.clock.move(2 * HOUR)
    codes = {}
    for service, operation in {**calls, "s3": "list_buckets"}.items():
        with pytest.raises(ClientError) as caught:
            getattr(clients[service], operation)()
        codes[service] = caught.value.response["Error"]["Code"]
    assert codes == {
        "stepfunctions": "ExpiredTokenException",
        "sns": "ExpiredToken",
        "lambda": "ExpiredTokenException",
        "s3": "ExpiredToken",
    }


def test_a_daily_schedule_fires_the_next_time_after_the_clock_is_set_back_a_day(machine: Machine) -> None:
    queue = machine.client("sqs").create_queue(QueueName="fired")["QueueUrl"]
    machine.client("scheduler").create_schedule(
        Name="daily",
        ScheduleExpression="cron(0 6 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:sqs:us-east-1:123456789012:fired",
            "RoleArn": ROLE,
            "Input": "<aws.scheduler.scheduled-time>",
        },
    )
    six = machine.clock.now.replace(hour=6, minute=0, second=0, microsecond=0)
    next_time = six if six > machine.clock.now else six + datetime.timedelta(days=1)
    for due in (next_time, next_time - datetime.timedelta(days=1)):
        machine.clock.set(due - datetime.timedelta(seconds=4))  # time to look at the clock first
        assert message(machine, queue) == f"{due:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("expression", ["rate(1 hour)", "cron(0 * * * ? *)"])
def test_a_schedule_made_before_the_clock_was_set_back_is_due_within_its_period(expression: str) -> None:
    now = datetime.datetime(2026, 11, 5, 6, 30, tzinfo=datetime.UTC)
    schedule = SimpleNamespace(
        state="ENABLED",
        schedule_expression=expression,
        schedule_expression_timezone="UTC",
        last_modified_date=(now + datetime.timedelta(days=1)).timestamp(),
        start_date=None,
        end_date=None,
    )
    due = next_due(schedule, now)  # type: ignore[arg-type]
    assert due is not None
    assert now < due <= now + datetime.timedelta(hours=1)


def test_a_wait_for_a_moment_ends_with_it_though_the_machine_slept(
    machine: Machine, start: Callable[[dict[str, Any]], str], end: Callable[[str], dict[str, Any]]
) -> None:
    moment = machine.clock.now + datetime.timedelta(hours=1)
    execution = start({"Type": "Wait", "Timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}"})
    time.sleep(0.5)
    assert machine.client("stepfunctions").describe_execution(executionArn=execution)["status"] == "RUNNING"
    machine.clock.move(HOUR)
    assert end(execution)["status"] == "SUCCEEDED"


def test_an_execution_during_which_the_clock_is_set_back_took_no_negative_time(
    machine: Machine, start: Callable[[dict[str, Any]], str], end: Callable[[str], dict[str, Any]]
) -> None:
    execution = start({"Type": "Wait", "Seconds": 2})
    machine.clock.move(-DAY)
    ended = end(execution)
    history = machine.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    moments = [event["timestamp"] for event in history]
    assert [event["type"] for event in history] == [
        "ExecutionStarted",
        "WaitStateEntered",
        "WaitStateExited",
        "ExecutionSucceeded",
    ]
    assert moments == sorted(moments)
    assert ended["stopDate"] >= moments[-1]
    assert ended["stopDate"] >= ended["startDate"]


def test_a_job_run_during_which_the_clock_is_set_back_took_no_negative_time(monkeypatch: pytest.MonkeyPatch) -> None:
    began = datetime.datetime(2026, 11, 5, 6, tzinfo=datetime.UTC)
    monkeypatch.setattr(runs, "now", lambda: began)
    run = runs.Run(
        id="jr",
        job_name="job",
        attempt=0,
        arguments={},
        timeout_minutes=60,
        details={},
        started_on=began,
        modified_on=began,
    )
    run.enter(runs.RUNNING)
    monkeypatch.setattr(runs, "now", lambda: began - datetime.timedelta(days=1))
    assert run.as_dict()["ExecutionTime"] == 0
    run.enter(runs.SUCCEEDED)
    told = run.as_dict()
    assert (told["ExecutionTime"], told["CompletedOn"], told["LastModifiedOn"]) == (0, began, began)


def test_a_data_api_session_ends_after_its_time_also_when_the_clock_is_set_back(machine: Machine) -> None:
    machine.client("redshift-serverless").create_namespace(namespaceName="clocks")
    machine.client("redshift-serverless").create_workgroup(workgroupName="clocks", namespaceName="clocks")
    redshift = machine.client("redshift-data")
    begun = redshift.execute_statement(
        WorkgroupName="clocks", Database="dev", Sql="select 1", SessionKeepAliveSeconds=2
    )
    while redshift.describe_statement(Id=begun["Id"])["Status"] != "FINISHED":
        time.sleep(0.05)
    machine.clock.move(-DAY)
    for _ in range(600):
        if redshift.list_sessions(SessionId=begun["SessionId"])["Sessions"][0]["Status"] == "CLOSED":
            break
        time.sleep(0.05)
    with pytest.raises(ClientError, match="Session is not available"):
        redshift.execute_statement(SessionId=begun["SessionId"], Sql="select 1")


@pytest.mark.parametrize(("refusals", "answered"), [(1, True), (2, False)])
def test_a_call_whose_keys_are_refused_as_expired_is_made_again_once_with_new_ones(
    refusals: int, answered: bool
) -> None:
    """By whatever clock they were refused: the keys themselves say that they hold for another hour."""
    from local_cloud import cloud

    given: list[str] = []

    def assume() -> Any:
        given.append(f"KEY{len(given)}")
        ends = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + datetime.timedelta(hours=1)
        return SimpleNamespace(access_key_id=given[-1], secret_access_key="x", session_token="x", expiration=ends)

    seen: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(re.search(r"Credential=(\w+)/", self.headers["Authorization"])[1])
            refused = len(seen) <= refusals
            body = {"__type": "ExpiredTokenException", "message": "expired"} if refused else {"Parameters": []}
            text = json.dumps(body).encode()
            self.send_response(400 if refused else 200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        core = botocore.session.Session()
        core.register_component("credential_provider", cloud._Keys(assume))
        session = boto3.session.Session(botocore_session=core)
        client = session.client(
            "ssm",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )
        client.meta.events.register("needs-retry", cloud._again_with_new_keys(session.get_credentials()))
        if answered:
            assert client.get_parameters(Names=["a"])["Parameters"] == []
        else:
            with pytest.raises(ClientError, match="ExpiredTokenException"):
                client.get_parameters(Names=["a"])
        server.shutdown()
    assert seen == ["KEY0", "KEY1"]
