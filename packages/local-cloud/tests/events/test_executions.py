"""The events of executions: one for each change of status, of standard machines alone."""

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config

STATES = {"source": ["aws.states"]}
WAIT = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
FAIL = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Mine", "Cause": "why"}}}
PASS = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}


def machine(cloud, name: str, definition: dict[str, Any], **more: Any) -> str:
    created = cloud.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=cloud.role("machine"), **more
    )
    return str(created["stateMachineArn"])


def details(bus, url: str, count: int) -> list[dict[str, Any]]:
    """Those of so many events, in the order of the changes; and that no more come."""
    found: list[dict[str, Any]] = []
    while len(found) < count and (new := bus.received(url)):
        found += new
    found += bus.received(url, seconds=1)
    events = sorted(
        (json.loads(one["Body"]) for one in found), key=lambda event: event["detail"]["status"] != "RUNNING"
    )
    assert {event["detail-type"] for event in events} == {"Step Functions Execution Status Change"}
    assert all(event["resources"] == [event["detail"]["executionArn"]] for event in events)
    return [event["detail"] for event in events]


@pytest.mark.parametrize(
    ("name", "definition", "stop", "ends"),
    [
        ("passes", PASS, False, {"status": "SUCCEEDED", "output": '{"a":1}', "error": None, "cause": None}),
        ("fails", FAIL, False, {"status": "FAILED", "output": None, "error": "Mine", "cause": "why"}),
        ("stopped", WAIT, True, {"status": "ABORTED", "output": None, "error": "E", "cause": "C"}),
        (
            "late",
            WAIT | {"TimeoutSeconds": 1},
            False,
            {"status": "TIMED_OUT", "output": None, "error": None, "cause": None},
        ),
    ],
)
def test_each_change_of_status_is_an_event(
    bus, name: str, definition: dict[str, Any], stop: bool, ends: dict[str, Any]
) -> None:
    states = bus.cloud.client("stepfunctions")
    arn = machine(bus.cloud, name, definition)
    url, target = bus.queue(name, rule=name)
    bus.rule(name, STATES | {"detail": {"stateMachineArn": [arn]}}, Arn=target)
    started = states.start_execution(stateMachineArn=arn, name="x", input='{"a":1}')
    if stop:
        states.stop_execution(executionArn=started["executionArn"], error="E", cause="C")
    running, ended = details(bus, url, 2)
    same = {
        "executionArn": started["executionArn"],
        "stateMachineArn": arn,
        "name": "x",
        "input": '{"a":1}',
        "inputDetails": {"included": True},
        "startDate": round(started["startDate"].timestamp() * 1000),
        "redriveCount": 0,
    }
    assert {**running, **same, "status": "RUNNING", "stopDate": None} == running
    assert {**ended, **same, **ends} == ended
    assert ended["stopDate"] >= ended["startDate"]


def test_a_log_group_gets_them_too_and_one_that_is_not_there_harms_no_execution(bus) -> None:
    states, logs = bus.cloud.client("stepfunctions"), bus.cloud.client("logs")
    arn = machine(bus.cloud, "logged", PASS)
    for group in ("not-there", "there"):
        pattern = STATES | {"detail": {"stateMachineArn": [arn], "status": ["SUCCEEDED"]}}
        bus.rule(f"logged-{group}", pattern, Arn=f"arn:aws:logs:us-east-1:123456789012:log-group:{group}")
    logs.create_log_group(logGroupName="there")
    ended = states.start_execution(stateMachineArn=arn, name="x")["executionArn"]
    for _ in range(100):
        events = logs.filter_log_events(logGroupName="there")["events"]
        if events:
            break
        time.sleep(0.1)
    assert states.describe_execution(executionArn=ended)["status"] == "SUCCEEDED"
    (event,) = events
    assert json.loads(event["message"])["detail"]["executionArn"] == ended


def test_express_machines_send_none(bus) -> None:
    arn = machine(bus.cloud, "express", PASS, type="EXPRESS")
    url, target = bus.queue("express", rule="express")
    bus.rule("express", STATES | {"detail": {"stateMachineArn": [arn]}}, Arn=target)
    local = Config(inject_host_prefix=False)
    answer = bus.cloud.client("stepfunctions", config=local).start_sync_execution(stateMachineArn=arn)
    assert answer["status"] == "SUCCEEDED"
    assert bus.received(url, seconds=1) == []


def test_what_a_kill_interrupted_is_told_at_the_next_start(new_bus: Callable[[], Any]) -> None:
    bus = new_bus()
    cloud = bus.cloud
    arn = machine(cloud, "killed", WAIT)
    url, target = bus.queue("killed", rule="killed")
    bus.rule("killed", STATES | {"detail": {"stateMachineArn": [arn], "status": ["ABORTED"]}}, Arn=target)
    cloud.client("stepfunctions").start_execution(stateMachineArn=arn)
    cloud.stop(signal.SIGKILL)
    cloud.start()
    (ended,) = details(bus, url, 1)
    assert (ended["status"], ended["error"]) == ("ABORTED", "LocalCloud.Interrupted")
    cloud.stop()
