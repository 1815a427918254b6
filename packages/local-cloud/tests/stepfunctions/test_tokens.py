"""Tasks that wait for somebody: callback tokens and activities."""

from __future__ import annotations

import json
import threading

import pytest

ALL = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]


@pytest.fixture(scope="module")
def queue(sfn):
    return sfn.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]


def callback(queue, **more):
    parameters = {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token", "input.$": "$"}}
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, **more}


def received(sfn, queue):
    (message,) = sfn.until(
        lambda: sfn.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []), bool
    )
    sfn.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return json.loads(message["Body"])


def test_a_task_that_is_called_back(sfn, queue):
    execution = sfn.start(sfn.machine(sfn.one(callback(queue))), {"k": 1})
    message = received(sfn, queue)
    assert message["input"] == {"k": 1}
    sfn.api.send_task_heartbeat(taskToken=message["token"])
    sfn.api.send_task_success(taskToken=message["token"], output='{"done": "ü"}')
    outcome = sfn.wait(execution)
    assert outcome.output == {"done": "ü"}
    assert outcome.types[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


def test_a_task_that_is_called_back_with_a_failure(sfn, queue):
    execution = sfn.start(sfn.machine(sfn.one(callback(queue, Catch=ALL))))
    sfn.api.send_task_failure(taskToken=received(sfn, queue)["token"], error="E", cause="c")
    outcome = sfn.wait(execution)
    assert outcome.output == {"Error": "E", "Cause": "c"}
    assert outcome.details("TaskFailed") == [
        {"resourceType": "sqs", "resource": "sendMessage.waitForTaskToken", "error": "E", "cause": "c"}
    ]


def test_every_attempt_has_a_token_of_its_own(sfn, queue):
    retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    execution = sfn.start(sfn.machine(sfn.one(callback(queue, Retry=retry))))
    first = received(sfn, queue)["token"]
    sfn.api.send_task_failure(taskToken=first, error="Again")
    second = received(sfn, queue)["token"]
    assert first != second
    assert sfn.refused("send_task_success", taskToken=first, output="1")[0] == "TaskTimedOut"
    sfn.api.send_task_success(taskToken=second, output="2")
    assert sfn.wait(execution).output == 2


def test_a_heartbeat_that_does_not_come(sfn, queue):
    catch = [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught"}]
    outcome = sfn.run(sfn.one(callback(queue, HeartbeatSeconds=1, Catch=catch)))
    assert outcome.output == {"Error": "States.Timeout", "Cause": ""}
    assert [details["error"] for details in outcome.details("TaskTimedOut")] == ["States.Timeout"]
    token = received(sfn, queue)["token"]
    for operation in ("send_task_heartbeat", "send_task_failure"):
        assert sfn.refused(operation, taskToken=token) == (
            "TaskTimedOut",
            "Task Timed Out: 'Provided task does not exist anymore'",
        )


def test_heartbeats_keep_a_task_alive(sfn, queue):
    execution = sfn.start(sfn.machine(sfn.one(callback(queue, HeartbeatSeconds=2))))
    token = received(sfn, queue)["token"]
    stop = threading.Event()
    for _ in range(8):  # longer than two heartbeats may be apart
        stop.wait(0.4)
        sfn.api.send_task_heartbeat(taskToken=token)
    sfn.api.send_task_success(taskToken=token, output="{}")
    assert sfn.wait(execution).status == "SUCCEEDED"


def test_answers_that_are_refused(sfn, queue):
    execution = sfn.start(sfn.machine(sfn.one(callback(queue))))
    token = received(sfn, queue)["token"]
    assert sfn.refused("send_task_success", taskToken=token, output="{")[0] == "InvalidOutput"
    assert sfn.refused("send_task_success", taskToken="nonsense", output="{}") == (
        "InvalidToken",
        "Invalid Token: 'Invalid token'",
    )
    sfn.api.stop_execution(executionArn=execution)
    assert sfn.refused("send_task_success", taskToken=token, output="{}")[0] == "TaskTimedOut"


def test_an_activity_that_is_deleted(sfn):
    activity = sfn.api.create_activity(name="gone")["activityArn"]
    machine = sfn.machine(sfn.one({"Type": "Task", "Resource": activity, "Catch": ALL}))
    sfn.api.delete_activity(activityArn=activity)
    place = "An error occurred while executing the state 'S' (entered at the event id #2)."
    outcome = sfn.wait(sfn.start(machine))
    assert outcome.result == ("States.Runtime", f"{place} The activity {activity} does not exist.")
    assert outcome.types == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


def test_a_worker_takes_an_activitys_tasks(sfn):
    activity = sfn.api.create_activity(name="work")["activityArn"]
    assert sfn.api.create_activity(name="work")["activityArn"] == activity
    state = {"Type": "Task", "Resource": activity, "Parameters": {"n.$": "$.n"}, "TimeoutSeconds": 600}
    machine = sfn.machine(sfn.one(state | {"Catch": ALL}))
    executions = [sfn.start(machine, {"n": n}) for n in (1, 2)]
    tasks = [sfn.api.get_activity_task(activityArn=activity, workerName="me") for _ in executions]
    by_number = {json.loads(task["input"])["n"]: task["taskToken"] for task in tasks}
    sfn.api.send_task_success(taskToken=by_number[1], output='{"ok": true}')
    sfn.api.send_task_failure(taskToken=by_number[2], error="E", cause="c")
    first, second = (sfn.wait(execution) for execution in executions)
    assert first.output == {"ok": True}
    assert first.types[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]
    assert first.details("ActivityScheduled") == [
        {"resource": activity, "input": '{"n":1}', "inputDetails": {"truncated": False}, "timeoutInSeconds": 600}
    ]
    assert first.details("ActivityStarted") == [{"workerName": "me"}]
    assert second.output == {"Error": "E", "Cause": "c"}
    assert second.details("ActivityFailed") == [{"error": "E", "cause": "c"}]


def test_an_activitys_time_runs_from_when_a_worker_takes_it(sfn):
    activity = sfn.api.create_activity(name="timed")["activityArn"]
    machine = sfn.machine(sfn.one({"Type": "Task", "Resource": activity, "TimeoutSeconds": 1, "Catch": ALL}))
    execution = sfn.start(machine)
    scheduled = sfn.until_event(execution, "ActivityScheduled")["timestamp"]
    threading.Event().wait(1.5)
    assert sfn.api.get_activity_task(activityArn=activity)["taskToken"]
    outcome = sfn.wait(execution)
    assert outcome.output == {"Error": "States.Timeout", "Cause": ""}
    timed_out = next(event for event in outcome.events if event["type"] == "ActivityTimedOut")
    assert (timed_out["timestamp"] - scheduled).total_seconds() > 2.4


def test_an_activitys_task_that_nobody_wants_is_not_given_out(sfn):
    activity = sfn.api.create_activity(name="dropped")["activityArn"]
    machine = sfn.machine(sfn.one({"Type": "Task", "Resource": activity}))
    dropped = sfn.start(machine, {"n": 1})
    sfn.until_event(dropped, "ActivityScheduled")
    sfn.api.stop_execution(executionArn=dropped)
    wanted = sfn.start(machine, {"n": 2})
    task = sfn.until(lambda: sfn.api.get_activity_task(activityArn=activity), lambda task: "taskToken" in task)
    assert json.loads(task["input"]) == {"n": 2}
    sfn.api.send_task_success(taskToken=task["taskToken"], output="{}")
    assert sfn.wait(wanted).status == "SUCCEEDED"


def test_activities(sfn):
    activity = sfn.api.create_activity(name="listed", tags=[{"key": "a", "value": "b"}])["activityArn"]
    assert activity == "arn:aws:states:us-east-1:123456789012:activity:listed"
    assert sfn.api.describe_activity(activityArn=activity)["name"] == "listed"
    assert activity in [each["activityArn"] for each in sfn.api.list_activities()["activities"]]
    assert sfn.api.list_tags_for_resource(resourceArn=activity)["tags"] == [{"key": "a", "value": "b"}]
    sfn.api.delete_activity(activityArn=activity)
    for operation in ("describe_activity", "get_activity_task"):
        assert sfn.refused(operation, activityArn=activity) == (
            "ActivityDoesNotExist",
            f"Activity Does Not Exist: '{activity}'",
        )


def test_a_failure_without_error_and_cause_is_null_to_its_catcher(sfn, queue):
    around = {"Type": "Parallel", "Branches": [{"StartAt": "In", "States": {"In": callback(queue, End=True)}}]}
    for state in (callback(queue, Catch=ALL), around | {"Catch": ALL}):
        execution = sfn.start(sfn.machine(sfn.one(state)))
        sfn.api.send_task_failure(taskToken=received(sfn, queue)["token"])
        assert sfn.wait(execution).output == {"Error": None, "Cause": None}
