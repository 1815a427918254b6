"""Schedules: off until they are switched on, fired by hand or by themselves, once a month however often."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from laptop import Laptop, deployed

pytestmark = pytest.mark.timeout(300)

NAMES = ["green-trips", "green-trips-overdue", "reviews", "reviews-overdue", "yellow-trips", "yellow-trips-overdue"]


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """One of its own, whose schedules are switched on in the course of the tests."""
    with deployed(tmp_path_factory.mktemp("laptop") / "elt") as machine:
        yield machine


def eventually(what: Callable[[], Any], *, seconds: float = 30) -> Any:
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


def test_firing_twice_starts_once(laptop: Laptop) -> None:
    fired = [laptop.elt_json("local", "fire", "yellow-trips") for _ in range(2)]
    today = datetime.datetime.now(datetime.UTC)
    months = today.year * 12 + today.month - 1 - 2
    name = f"yellow-{months // 12}-{months % 12 + 1:02}"
    arn = f"arn:aws:states:us-east-1:123456789012:execution:elt-local-yellow-trips:{name}"
    assert [one["log"] for one in fired] == [
        [{"event": "triggered", "name": name, "execution": arn, "started": started}] for started in (True, False)
    ]
    assert executions(laptop, "yellow-trips") == [name]
    laptop.client("stepfunctions").stop_execution(executionArn=arn)


def test_no_such_schedule(laptop: Laptop) -> None:
    done = laptop.elt("local", "fire", "blue-trips")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "elt: there is no schedule 'blue-trips'; there are: green-trips, green-trips-overdue, reviews, "
        "reviews-overdue, yellow-trips, yellow-trips-overdue\n"
    )


def test_an_event_that_nobody_can_handle_is_kept_and_told_of(laptop: Laptop) -> None:
    functions = laptop.client("lambda")
    functions.put_function_event_invoke_config(FunctionName="elt-local-trigger", MaximumRetryAttempts=0)
    event = {"dataset": "blue", "lag_months": 2}
    functions.invoke(FunctionName="elt-local-trigger", InvocationType="Event", Payload=json.dumps(event))
    sqs = laptop.client("sqs")
    queue = sqs.get_queue_url(QueueName="elt-local-undelivered")["QueueUrl"]
    (message,) = eventually(
        lambda: sqs.receive_message(
            QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=1, VisibilityTimeout=0
        ).get("Messages")
    )
    assert json.loads(message["Body"]) == event
    assert "dataset is 'blue'" in message["MessageAttributes"]["ErrorMessage"]["StringValue"]
    mail = eventually(lambda: [one for one in laptop.alarms() if '"elt-local-undelivered"' in one["Subject"]])[0]
    assert mail["Subject"] == 'ALARM: "elt-local-undelivered" in us-east-1'
    assert "elt-local-undelivered with the reason" in " ".join(mail.get_content().split())
    sqs.purge_queue(QueueUrl=queue)


def schedule_soon(laptop: Laptop, name: str, **target: Any) -> None:
    """One like the pipeline's, a second from now."""
    scheduler = laptop.client("scheduler")
    deployed = scheduler.get_schedule(Name="elt-local-yellow-trips")["Target"]
    due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
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
    assert json.loads(message["Body"]) == {"dataset": "yellow", "lag_months": 2}
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["TARGET_ARN"] == missing
    assert attributes["SCHEDULE_ARN"].endswith(":schedule/default/to-nobody")
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def switch_on(laptop: Laptop) -> None:
    """By the stack's parameter alone, as `schedules = true` does it."""
    cloudformation = laptop.client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName="elt-local-pipelines")["Stacks"]
    parameters = [
        {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
        if one["ParameterKey"] != "ScheduleState"
        else {"ParameterKey": "ScheduleState", "ParameterValue": "ENABLED"}
        for one in stack["Parameters"]
    ]
    cloudformation.update_stack(
        StackName="elt-local-pipelines",
        UsePreviousTemplate=True,
        Parameters=parameters,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName="elt-local-pipelines", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )


def test_a_month_that_is_overdue_is_an_alarm_until_it_is_there(laptop: Laptop) -> None:
    switch_on(laptop)
    assert states_of_schedules(laptop) == {f"elt-local-{name}": "ENABLED" for name in NAMES}
    (checked,) = laptop.elt_json("local", "fire", "yellow-trips-overdue")["log"]
    assert checked == {"event": "checked", "pipeline": "yellow-trips", "overdue": True, "running_ms": 0}

    def alarms() -> dict[str, str]:
        found = laptop.client("cloudwatch").describe_alarms(AlarmNamePrefix="elt-local-")["MetricAlarms"]
        return {one["AlarmName"]: one["StateValue"] for one in found if one["AlarmName"].endswith("-overdue")}

    eventually(lambda: alarms()["elt-local-yellow-trips-overdue"] == "ALARM")
    assert alarms() == {
        "elt-local-green-trips-overdue": "INSUFFICIENT_DATA",
        "elt-local-reviews-overdue": "INSUFFICIENT_DATA",
        "elt-local-yellow-trips-overdue": "ALARM",
    }
    mails = eventually(lambda: [one for one in laptop.alarms() if "-overdue" in one["Subject"]])
    assert [mail["Subject"] for mail in mails] == ['ALARM: "elt-local-yellow-trips-overdue" in us-east-1']
    assert "elt run yellow-trips --month YYYY-MM --env local" in " ".join(mails[0].get_content().split())


def test_an_enabled_schedule_fires_by_itself(laptop: Laptop) -> None:
    schedule_soon(laptop, "soon", Input=json.dumps({"dataset": "green", "year": 2015, "month": 3}))
    assert eventually(lambda: executions(laptop, "green-trips")) == ["green-2015-03"]
