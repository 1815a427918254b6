"""Schedules through the API: refused when they could never fire, fired when they are due and by hand."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import pytest

QUEUE = "arn:aws:sqs:us-east-1:123456789012:fired"

#: The server with a clock that ticks, and retries that follow, quickly.
QUICK = textwrap.dedent(
    """
    import local_cloud.services.scheduler.ticker as ticker, local_cloud.attempts as attempts
    from local_cloud.server import serve
    from local_cloud.settings import Settings
    ticker.TICK_S, attempts.FIRST_DELAY_S = 0.05, 0.01
    serve(Settings.create())
    """
)


@pytest.fixture(scope="module")
def cloud(new_cloud):
    running = new_cloud(command=("-c", QUICK))
    running.start()
    yield running
    running.stop()


@dataclass
class Scheduler:
    """One cloud's schedules, a role for them, and queues to see what they do."""

    cloud: Any
    clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.role = self.cloud.role("scheduler")

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.cloud.client(service)
        return self.clients[service]

    @property
    def api(self) -> Any:
        return self.client("scheduler")

    def queue(self, name: str) -> str:
        self.client("sqs").create_queue(QueueName=name)
        return f"arn:aws:sqs:us-east-1:123456789012:{name}"

    def messages(self, name: str, seconds: int = 0) -> list[Any]:
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = sqs.receive_message(
            QueueUrl=url, WaitTimeSeconds=seconds, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return found.get("Messages", [])

    def message(self, name: str) -> Any:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if found := self.messages(name, 1):
                return found[0]
        raise AssertionError(f"nothing came to {name}")

    def create(self, name: str, expression: str, arn: str, *, target: Any = None, **settings: Any) -> None:
        self.api.create_schedule(
            Name=name,
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": self.role, **(target or {})},
            **settings,
        )

    def fire(self, **request: str) -> tuple[int, Any]:
        """POST to the local cloud's own path."""
        return post(self.cloud, json.dumps(request).encode())


def post(cloud: Any, body: bytes, content_type: str = "application/json") -> tuple[int, Any]:
    request = urllib.request.Request(
        f"{cloud.endpoint}/_local-cloud/scheduler/fire", data=body, headers={"Content-Type": content_type}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture(scope="module")
def scheduler(cloud):
    return Scheduler(cloud)


def in_seconds(seconds: float) -> str:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return f"at({moment:%Y-%m-%dT%H:%M:%S})"


def test_a_one_time_schedule_fires_when_it_is_due_and_can_be_gone_then(scheduler):
    arn = scheduler.queue("once")
    due = in_seconds(3)
    scheduler.create(
        "once", due, arn, target={"Input": "<aws.scheduler.scheduled-time>"}, ActionAfterCompletion="DELETE"
    )
    scheduler.create("kept", due, arn, target={"Input": "kept"})
    bodies = set()
    while bodies != {f"{due[3:-1]}Z", "kept"}:
        bodies |= {message["Body"] for message in scheduler.messages("once", 1)}
    while "once" in [s["Name"] for s in scheduler.api.list_schedules()["Schedules"]]:
        time.sleep(0.02)
    assert scheduler.api.get_schedule(Name="kept")["State"] == "ENABLED"


def test_a_rate_fires_as_soon_as_it_is_made_unless_it_is_disabled(scheduler):
    scheduler.create("off", "rate(1 hour)", scheduler.queue("off"), State="DISABLED")
    scheduler.create("on", "rate(1 hour)", scheduler.queue("on"), target={"Input": "{}"})
    assert scheduler.message("on")["Body"] == "{}"
    assert scheduler.messages("on") == []
    assert scheduler.messages("off") == []
    schedule = scheduler.api.get_schedule(Name="off")
    update = {key: schedule[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.api.update_schedule(**update)
    scheduler.message("off")
    assert scheduler.api.get_schedule(Name="off")["State"] == "ENABLED"


def test_start_and_end_are_kept(scheduler):
    arn = scheduler.queue("window")
    now = datetime.datetime.now(datetime.UTC)
    scheduler.create(
        "later", "rate(1 hour)", arn, StartDate=now + datetime.timedelta(hours=1), target={"Input": "later"}
    )
    scheduler.create("over", "rate(1 hour)", arn, EndDate=now - datetime.timedelta(hours=1), target={"Input": "over"})
    scheduler.create("now", "rate(1 hour)", arn, target={"Input": "now"})
    assert scheduler.message("window")["Body"] == "now"
    assert scheduler.messages("window") == []


def test_a_schedule_fired_by_hand_says_what_it_did(scheduler):
    arn = scheduler.queue("by-hand")
    scheduler.create(
        "by-hand",
        "cron(0 6 15 * ? *)",
        arn,
        State="DISABLED",
        target={
            "Input": json.dumps(
                {
                    "arn": "<aws.scheduler.schedule-arn>",
                    "time": "<aws.scheduler.scheduled-time>",
                    "id": "<aws.scheduler.execution-id>",
                    "attempt": "<aws.scheduler.attempt-number>",
                }
            )
        },
    )
    status, answer = scheduler.fire(name="by-hand", time="2024-11-15T06:00:00+01:00")
    assert status == 200
    schedule = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/by-hand"
    assert (answer["schedule"], answer["target"]) == (schedule, arn)
    assert "MessageId" in answer["answer"]
    assert json.loads(scheduler.message("by-hand")["Body"]) == {
        "arn": schedule,
        "time": "2024-11-15T05:00:00Z",
        "id": answer["executionId"],
        "attempt": "1",
    }


def test_without_an_input_the_event_is_schedulers_own(scheduler):
    scheduler.create("own", "rate(1 day)", scheduler.queue("own"), State="DISABLED")
    scheduler.fire(name="own", time="2024-11-15T06:00:00")
    event = json.loads(scheduler.message("own")["Body"])
    assert len(event.pop("id")) == 36
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "2024-11-15T06:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/own"],
        "detail": "{}",
    }


def test_a_group_has_schedules_of_its_own(scheduler):
    scheduler.api.create_schedule_group(Name="reports")
    scheduler.create("mine", "rate(1 day)", scheduler.queue("group"), State="DISABLED", GroupName="reports")
    assert scheduler.fire(name="mine")[0] == 409
    assert scheduler.fire(name="mine", group="reports")[0] == 200
    with pytest.raises(scheduler.api.exceptions.ResourceNotFoundException):
        scheduler.create("mine", "rate(1 day)", QUEUE, GroupName="nowhere")


def test_topics_functions_and_any_operation_can_be_targets(scheduler):
    sns, sqs = scheduler.client("sns"), scheduler.client("sqs")
    arn = scheduler.queue("seen")
    url = sqs.get_queue_url(QueueName="seen")["QueueUrl"]
    topic = sns.create_topic(Name="fired")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    universal = "arn:aws:scheduler:::aws-sdk:"
    targets = {
        "topic": (topic, "by topic"),
        "send": (f"{universal}sqs:sendMessage", json.dumps({"QueueUrl": url, "MessageBody": "by operation"})),
        "job": (f"{universal}glue:createDatabase", json.dumps({"DatabaseInput": {"Name": "made_by_schedule"}})),
    }
    for name, (target, text) in targets.items():
        scheduler.create(name, "rate(1 day)", target, State="DISABLED", target={"Input": text})
        status, answer = scheduler.fire(name=name)
        assert status == 200, answer
    bodies = set()
    while bodies != {"by topic", "by operation"}:
        bodies |= {message["Body"] for message in scheduler.messages("seen", 1)}
    assert scheduler.client("glue").get_database(Name="made_by_schedule")["Database"]["Name"] == "made_by_schedule"


def test_a_function_is_invoked_with_the_input(scheduler, tmp_path):
    import io
    import zipfile

    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(
            "app.py", f"def main(event, context): open({str(tmp_path / 'got')!r}, 'w').write(event['month'])"
        )
    function = scheduler.client("lambda").create_function(
        FunctionName="fired",
        Role=scheduler.role,
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Handler="app.main",
        Code={"ZipFile": body.getvalue()},
    )
    scheduler.create(
        "function",
        "rate(1 day)",
        function["FunctionArn"],
        State="DISABLED",
        target={"Input": '{"month": "<aws.scheduler.scheduled-time>"}'},
    )
    assert scheduler.fire(name="function", time="2024-09-01T00:00:00Z")[0] == 200
    deadline = time.monotonic() + 60
    while not (tmp_path / "got").exists() or not (tmp_path / "got").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (tmp_path / "got").read_text() == "2024-09-01T00:00:00Z"


def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(scheduler):
    dead = scheduler.queue("dead")
    scheduler.create(
        "undeliverable",
        "rate(1 day)",
        "arn:aws:sqs:us-east-1:123456789012:nowhere",
        target={"Input": "payload", "DeadLetterConfig": {"Arn": dead}, "RetryPolicy": {"MaximumRetryAttempts": 3}},
    )
    message = scheduler.message("dead")
    said = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert message["Body"] == "payload"
    assert said.pop("ERROR_CODE").endswith("NonExistentQueue")
    assert len(said.pop("EXECUTION_ID")) == 16
    assert said.pop("SCHEDULED_TIME").endswith("Z")
    assert said.pop("ERROR_MESSAGE")
    assert said == {
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "0",
        "SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/undeliverable",
        "TARGET_ARN": "arn:aws:sqs:us-east-1:123456789012:nowhere",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ScheduleExpression": "cron(0 6 15 * *)"}, "Invalid Schedule Expression cron"),
        ({"ScheduleExpressionTimezone": "Mars/Phobos"}, "Invalid Schedule Expression Timezone Mars/Phobos"),
        (
            {"Target": {"Arn": "arn:aws:kinesis:us-east-1:123456789012:stream/s", "RoleArn": "r" * 20}},
            "does not deliver to",
        ),
    ],
)
def test_a_schedule_that_could_never_fire_is_refused(scheduler, change, message):
    schedule = {
        "Name": "refused",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": QUEUE, "RoleArn": scheduler.role},
    }
    with pytest.raises(scheduler.api.exceptions.ValidationException, match=message):
        scheduler.api.create_schedule(**{**schedule, **change})
    scheduler.api.create_schedule(**{**schedule, "State": "DISABLED"})
    with pytest.raises(scheduler.api.exceptions.ValidationException, match=message):
        scheduler.api.update_schedule(**{**schedule, **change})
    scheduler.api.delete_schedule(Name="refused")


def test_an_update_replaces_what_is_to_be_done_after_completion(scheduler):
    scheduler.create("update", "rate(1 day)", QUEUE, State="DISABLED", ActionAfterCompletion="DELETE")
    schedule = scheduler.api.get_schedule(Name="update")
    update = {key: schedule[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State")}
    scheduler.api.update_schedule(**update)
    assert scheduler.api.get_schedule(Name="update")["ActionAfterCompletion"] == "NONE"
    scheduler.api.update_schedule(**update, ActionAfterCompletion="DELETE")
    assert scheduler.api.get_schedule(Name="update")["ActionAfterCompletion"] == "DELETE"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (b'{"name": "nowhere"}', "application/json", 409, "Schedule nowhere does not exist."),
        (b'{"name": "nowhere", "group": "g"}', "application/json", 409, "Schedule group g does not exist."),
        (b'{"name": "by-hand", "time": "soon"}', "application/json", 400, "give {"),
        (b"{}", "application/json", 400, "give {"),
        (b"[1]", "application/json", 400, "give {"),
        (b"no json", "application/json", 400, "give {"),
        (b'{"name": "by-hand"}', "text/plain", 405, "Content-Type: application/json"),
    ],
)
def test_what_cannot_be_fired_is_one_line(cloud, body, content_type, status, message):
    answered, said = post(cloud, body, content_type)
    assert answered == status
    assert message in said["error"]


def test_a_target_that_refuses_is_told_to_who_fired(scheduler):
    scheduler.create("refuses", "rate(1 day)", "arn:aws:scheduler:::aws-sdk:glue:getDatabase", State="DISABLED")
    status, answer = scheduler.fire(name="refuses")
    assert status == 409
    assert answer["error"].startswith("arn:aws:scheduler:::aws-sdk:glue:getDatabase refused: ")


def test_the_aws_command_makes_and_shows_a_schedule(cloud, scheduler):
    done = cloud.aws(
        *("scheduler", "create-schedule", "--name", "by-command", "--schedule-expression", "rate(1 day)"),
        *("--flexible-time-window", '{"Mode":"OFF"}', "--state", "DISABLED"),
        *("--target", json.dumps({"Arn": QUEUE, "RoleArn": scheduler.role})),
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(cloud.aws("scheduler", "get-schedule", "--name", "by-command").stdout)
    assert (shown["ScheduleExpressionTimezone"], shown["State"]) == ("UTC", "DISABLED")


def test_the_command_fires_a_schedule(cloud, scheduler):
    scheduler.create("commanded", "rate(1 day)", scheduler.queue("commanded"), State="DISABLED")
    fired = run(cloud, "fire", "commanded", "--time", "2024-11-15T06:00:00Z")
    assert (fired.returncode, fired.stderr) == (0, "")
    said = json.loads(fired.stdout)
    assert said["schedule"] == "arn:aws:scheduler:us-east-1:123456789012:schedule/default/commanded"
    event = json.loads(scheduler.message("commanded")["Body"])
    assert event["time"] == "2024-11-15T06:00:00Z"


def test_the_command_says_what_it_cannot_fire(cloud, scheduler, tmp_path):
    missing = run(cloud, "fire", "nowhere")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "Error: Schedule nowhere does not exist.\n"
    idle = run(cloud, "fire", "any", "--state", str(tmp_path))
    assert idle.returncode == 1
    assert idle.stderr == f"Error: No local cloud runs on {tmp_path}. Start it: local-cloud up\n"


def run(cloud: Any, *arguments: str) -> Any:
    """The `local-cloud` command."""
    return subprocess.run(["local-cloud", *arguments], env=cloud.env, capture_output=True, text=True)


def test_schedules_survive_a_restart_and_go_on_firing(new_cloud):
    cloud = new_cloud(command=("-c", QUICK))
    cloud.start()
    scheduler = Scheduler(cloud)
    arn = scheduler.queue("again")
    scheduler.create("again", "at(2199-01-01T00:00:00)", arn, target={"Input": "after the restart"})
    before = scheduler.api.get_schedule(Name="again")
    cloud.stop(9)
    cloud.start()
    schedule = scheduler.api.get_schedule(Name="again")
    for answer in (before, schedule):
        del answer["ResponseMetadata"]
    assert schedule == before
    update = {key: schedule[key] for key in ("Name", "FlexibleTimeWindow", "Target")}
    scheduler.api.update_schedule(**update, ScheduleExpression="rate(1 hour)")
    assert scheduler.message("again")["Body"] == "after the restart"
    cloud.stop()
