"""Schedules: off until they are switched on, by pipeline; fired by hand or by themselves, they start a month once."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from laptop import Laptop, deployed
from orchestration import pipelines
from orchestration.generate import yellow_month
from orchestration.pipelines import Month
from orchestration.trips.source import serve

pytestmark = pytest.mark.timeout(300)

NAMES = sorted(f"{name}{check}" for name in pipelines.find_scheduled() for check in ("", "-overdue"))


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """One of its own, whose schedules are switched on in the course of the tests."""
    with deployed(tmp_path_factory) as machine:
        yield machine


def eventually(what: Callable[[], Any], *, seconds: float = 60) -> Any:
    """What it gives as soon as that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} stayed {what()!r}")


def executions(laptop: Laptop, pipeline: str) -> list[str]:
    machine = laptop.outputs("pipelines")["".join(word.capitalize() for word in pipeline.split("-"))]
    found = laptop.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return sorted(one["name"] for one in found)


def states_of_schedules(laptop: Laptop) -> dict[str, str]:
    found = laptop.client("scheduler").list_schedules(NamePrefix="elt-local-")["Schedules"]
    return {one["Name"]: one["State"] for one in found}


def test_they_are_off_by_default(laptop: Laptop) -> None:
    assert states_of_schedules(laptop) == {f"elt-local-{name}": "DISABLED" for name in NAMES}
    alarms = laptop.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert not [one for one in alarms if one["AlarmName"].endswith("-overdue")], "nothing can be overdue"


@pytest.fixture(scope="module")
def month() -> Month:
    """The one that a monthly schedule looks for today."""
    today = datetime.datetime.now(datetime.UTC)
    count = today.year * 12 + today.month - 1 - 2
    return Month(count // 12, count % 12 + 1)


def fired(laptop: Laptop, schedule: str) -> dict[str, Any]:
    """What the function said of it."""
    (line,) = laptop.elt_json("local", "fire", schedule)["log"]
    assert line.pop("event") == "triggered"
    return dict(line)


def test_a_month_is_started_once_as_soon_as_it_is_published(laptop: Laptop, month: Month, tmp_path: Path) -> None:
    name = f"yellow-{month}"
    arn = f"arn:aws:states:us-east-1:123456789012:execution:elt-local-yellow-trips:{name}"
    with serve(tmp_path) as url:
        laptop.set_parameters(TripsSourceUrl=url)
        address = url.format(dataset="yellow", year=month.year, month=f"{month.number:02}")
        waits = {"name": name, "started": False, "reason": f"not published yet: {address} answered HTTP 404"}
        assert [fired(laptop, "yellow-trips") for _ in range(2)] == [waits, waits]
        assert executions(laptop, "yellow-trips") == []
        yellow_month(tmp_path, month=month, rows=100)
        assert fired(laptop, "yellow-trips") == {"name": name, "started": True, "execution": arn}
        assert laptop.finished(arn)["status"] == "SUCCEEDED"
        assert fired(laptop, "yellow-trips") == {
            "name": name,
            "started": False,
            "execution": arn,
            "reason": f"already loaded by {name}",
        }
    assert executions(laptop, "yellow-trips") == [name]
    assert laptop.mails() == []
    laptop.set_parameters(TripsSourceUrl=None)


def test_a_source_in_s3_is_asked_as_the_function_and_a_month_that_failed_is_left_to_a_person(
    laptop: Laptop, month: Month
) -> None:
    s3, name = laptop.client("s3"), f"green-{month}"
    s3.create_bucket(Bucket="mirror")
    laptop.set_parameters(TripsSourceUrl="s3://mirror/{dataset}/{year}-{month}.parquet")
    assert fired(laptop, "green-trips")["reason"] == (
        f"not published yet: s3://mirror/green/{month}.parquet answered HTTP 404"
    )
    s3.put_object(Bucket="mirror", Key=f"green/{month}.parquet", Body=b"<html>" * 1000)
    started = fired(laptop, "green-trips")
    ended = laptop.finished(started["execution"])
    assert ended["status"] == "FAILED"
    assert "NotParquet" in ended["cause"], "the job may read it, too"
    assert fired(laptop, "green-trips") == {
        "name": name,
        "started": False,
        "execution": started["execution"],
        "reason": f"failed on {ended['startDate'].astimezone(datetime.UTC):%Y-%m-%d} as {name}: "
        f"run it again with elt run green-trips --month {month} --env local",
    }
    assert [mail["Subject"] for mail in laptop.mails()] == [f"[local] green-trips {month} failed at IngestRaw"]
    laptop.set_parameters(TripsSourceUrl=None)


def test_a_source_that_does_not_answer_fails_the_call(laptop: Laptop) -> None:
    laptop.set_parameters(TripsSourceUrl="http://127.0.0.1:9/{dataset}/{year}-{month}.parquet")
    target = laptop.client("scheduler").get_schedule(Name="elt-local-green-trips")["Target"]
    event = json.loads(target["Input"]) | {"year": 2015, "month": 1}  # one that nobody has tried
    answer = laptop.client("lambda").invoke(FunctionName="elt-local-trigger", Payload=json.dumps(event))
    told = json.loads(answer["Payload"].read())
    assert (answer["FunctionError"], told["errorType"]) == ("Unhandled", "SourceError")
    assert told["errorMessage"].startswith("http://127.0.0.1:9/green/2015-01.parquet did not answer: ")
    laptop.set_parameters(TripsSourceUrl=None)


def test_no_such_schedule(laptop: Laptop) -> None:
    done = laptop.elt("local", "fire", "blue-trips")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (f"elt: there is no schedule 'blue-trips'; there are: {', '.join(NAMES)}\n")


def test_an_event_that_nobody_can_handle_is_kept_and_told_of(laptop: Laptop) -> None:
    functions = laptop.client("lambda")
    functions.put_function_event_invoke_config(FunctionName="elt-local-trigger", MaximumRetryAttempts=0)
    event = {"dataset": "blue", "state_machine": "arn", "lag_months": "two"}
    functions.invoke(FunctionName="elt-local-trigger", InvocationType="Event", Payload=json.dumps(event))
    sqs = laptop.client("sqs")
    queue = sqs.get_queue_url(QueueName="elt-local-undelivered")["QueueUrl"]
    (message,) = eventually(
        lambda: sqs.receive_message(
            QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=1, VisibilityTimeout=0
        ).get("Messages")
    )
    assert json.loads(message["Body"]) == event
    assert "lag_months must be a whole number" in message["MessageAttributes"]["ErrorMessage"]["StringValue"]
    mail = eventually(lambda: [one for one in laptop.alarms() if '"elt-local-undelivered"' in one["Subject"]])[0]
    assert mail["Subject"] == 'ALARM: "elt-local-undelivered" in us-east-1'
    assert "elt-local-undelivered with the reason" in " ".join(mail.get_content().split())
    sqs.purge_queue(QueueUrl=queue)


def schedule_soon(laptop: Laptop, name: str, **target: Any) -> None:
    """One like the pipeline's, seconds from now: one whose moment is over when it is made would never fire."""
    scheduler = laptop.client("scheduler")
    deployed = scheduler.get_schedule(Name="elt-local-yellow-trips")["Target"]
    due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=3)
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=deployed | target,
    )


def test_a_target_that_refuses_is_given_up_after_the_retry_policy(laptop: Laptop) -> None:
    missing = "arn:aws:lambda:us-east-1:123456789012:function:elt-local-missing"
    schedule_soon(laptop, "to-nobody", Arn=missing)
    sqs = laptop.client("sqs")
    queue = sqs.get_queue_url(QueueName="elt-local-undelivered")["QueueUrl"]
    (message,) = eventually(
        lambda: sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=1).get("Messages")
    )
    event = json.loads(message["Body"])
    assert (event["pipeline"], event["dataset"], event["lag_months"]) == ("yellow-trips", "yellow", 2)
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["TARGET_ARN"] == missing
    assert attributes["SCHEDULE_ARN"].endswith(":schedule/default/to-nobody")
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_a_month_that_is_overdue_is_an_alarm_until_it_is_there(laptop: Laptop) -> None:
    laptop.set_parameters(YellowTripsSchedule="ENABLED", ReviewsSchedule="ENABLED")
    on = {name: "ENABLED" if name.startswith(("yellow", "reviews")) else "DISABLED" for name in NAMES}
    assert states_of_schedules(laptop) == {f"elt-local-{name}": state for name, state in on.items()}
    (checked,) = laptop.elt_json("local", "fire", "yellow-trips-overdue")["log"]
    assert checked == {"event": "checked", "pipeline": "yellow-trips", "overdue": True, "running_ms": 0}

    def alarms() -> dict[str, str]:
        found = laptop.client("cloudwatch").describe_alarms(AlarmNamePrefix="elt-local-")["MetricAlarms"]
        return {one["AlarmName"]: one["StateValue"] for one in found if one["AlarmName"].endswith("-overdue")}

    eventually(lambda: alarms()["elt-local-yellow-trips-overdue"] == "ALARM")
    assert alarms() == {
        "elt-local-reviews-overdue": "INSUFFICIENT_DATA",
        "elt-local-yellow-trips-overdue": "ALARM",
    }
    mails = eventually(lambda: [one for one in laptop.alarms() if "-overdue" in one["Subject"]])
    assert [mail["Subject"] for mail in mails] == ['ALARM: "elt-local-yellow-trips-overdue" in us-east-1']
    assert "elt run yellow-trips --month YYYY-MM --env local" in " ".join(mails[0].get_content().split())


def test_an_enabled_schedule_fires_by_itself(laptop: Laptop) -> None:
    machine = laptop.outputs("pipelines")["GreenTripsLive"]
    schedule_soon(
        laptop, "soon", Input=json.dumps({"state_machine": machine, "dataset": "green", "year": 2015, "month": 3})
    )
    assert eventually(lambda: "green-2015-03" in executions(laptop, "green-trips"))
