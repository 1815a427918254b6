"""RedriveExecution: going on from the state that did not succeed."""

from __future__ import annotations

import json

import pytest

ONE_TRY = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "ResultSelector": {"sent": True}}


@pytest.fixture
def queue(sfn, request):
    """A queue that is not there yet, and how to make it."""
    name = f"late-{abs(hash(request.node.name))}"
    url = f"{sfn.cloud.endpoint}/123456789012/{name}"
    return url, lambda: sfn.client("sqs").create_queue(QueueName=name)


def send(url, body="$.n", **more):
    return ONE_TRY | {"Parameters": {"QueueUrl": url, "MessageBody.$": f"States.Format('{{}}', {body})"}} | more


def redriven(sfn, execution):
    date = sfn.api.redrive_execution(executionArn=execution)["redriveDate"]
    outcome = sfn.wait(execution)
    described = sfn.describe(execution)
    assert described["redriveDate"] == date
    return outcome, described


def test_a_task_that_failed_is_done_again_and_nothing_before_it(sfn, queue):
    url, create = queue
    definition = sfn.chain(
        {"Type": "Pass", "Assign": {"kept": "v"}, "Parameters": {"n": 1, "at.$": "$$.State.EnteredTime"}},
        send(url, ResultPath="$.result"),
        {"Type": "Pass", "Parameters": {"at.$": "$.at", "kept.$": "$kept", "again.$": "$$.Execution.RedriveCount"}},
    )
    failed = sfn.run(definition)
    assert failed.status == "FAILED"
    assert sfn.describe(failed.arn)["redriveStatus"] == "REDRIVABLE"
    create()
    outcome, described = redriven(sfn, failed.arn)
    assert outcome.status == "SUCCEEDED", outcome.cause
    first = next(event for event in failed.events if event["type"] == "PassStateExited")
    assert outcome.output["at"] in first["stateExitedEventDetails"]["output"]
    assert (outcome.output["kept"], outcome.output["again"]) == ("v", 1)
    assert outcome.types[len(failed.types) :] == [
        "ExecutionRedriven",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert [event["id"] for event in outcome.events] == list(range(1, len(outcome.events) + 1))
    assert outcome.details("ExecutionRedriven") == [{"redriveCount": 1}]
    assert (described["redriveCount"], described["redriveStatus"]) == (1, "NOT_REDRIVABLE")
    assert "error" not in described
    machine = described["stateMachineArn"]
    names = {"REDRIVEN": 1, "NOT_REDRIVEN": 0}
    for filter, count in names.items():
        assert len(sfn.api.list_executions(stateMachineArn=machine, redriveFilter=filter)["executions"]) == count


def test_branches_that_succeeded_are_not_done_again(sfn, queue):
    url, create = queue
    good = {"StartAt": "G", "States": {"G": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "End": True}}}
    steps = {"B": {"Type": "Wait", "Seconds": 1, "Next": "T"}, "T": send(url, End=True)}
    failed = sfn.run(sfn.one({"Type": "Parallel", "Branches": [good, {"StartAt": "B", "States": steps}]}), {"n": 1})
    assert failed.status == "FAILED"
    create()
    outcome, _ = redriven(sfn, failed.arn)
    first = next(event for event in failed.events if event["type"] == "PassStateExited")
    assert outcome.output[1] == {"sent": True}
    assert outcome.output[0]["id"] in first["stateExitedEventDetails"]["output"]
    after = outcome.types[len(failed.types) :]
    assert "PassStateEntered" not in after
    assert "WaitStateEntered" not in after


def test_iterations_that_succeeded_are_not_done_again(sfn, queue):
    url, create = queue
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 2, "Next": "T"}], "Default": "P"}
    states = {"C": choice, "T": send(url, End=True), "P": {"Type": "Pass", "End": True}}
    state = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": {"StartAt": "C", "States": states}}
    failed = sfn.run(sfn.one(state), [{"n": n} for n in (1, 2, 3)])
    assert failed.status == "FAILED"
    create()
    outcome, _ = redriven(sfn, failed.arn)
    assert outcome.output == [{"n": 1}, {"sent": True}, {"n": 3}]
    started = [details["index"] for details in outcome.details("MapIterationStarted")]
    assert started == [0, 1, 1, 2]


def test_children_that_succeeded_are_not_done_again(sfn, queue):
    url, create = queue
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 2, "Next": "T"}], "Default": "P"}
    made = {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "End": True}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "C",
        "States": {"C": choice, "T": send(url, End=True), "P": made},
    }
    state = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": processor}
    failed = sfn.run(sfn.one(state), [{"n": n} for n in (1, 2, 3)])
    assert failed.error == "States.ExceedToleratedFailureThreshold"
    (run,) = sfn.api.list_map_runs(executionArn=failed.arn)["mapRuns"]
    first = sfn.api.list_executions(mapRunArn=run["mapRunArn"], statusFilter="SUCCEEDED")["executions"][0]
    create()
    outcome, _ = redriven(sfn, failed.arn)
    assert outcome.output[0] == json.loads(sfn.describe(first["executionArn"])["output"])
    assert outcome.output[1] == {"sent": True}
    assert len(sfn.api.list_map_runs(executionArn=failed.arn)["mapRuns"]) == 2


def test_a_stopped_wait_starts_anew(sfn):
    definition = sfn.chain({"Type": "Pass", "Result": {"s": 1}}, {"Type": "Wait", "Seconds": 3600})
    execution = sfn.start(sfn.machine(definition))
    sfn.until_event(execution, "WaitStateEntered")
    sfn.api.stop_execution(executionArn=execution, error="E")
    sfn.wait(execution)
    sfn.api.redrive_execution(executionArn=execution)
    assert sfn.describe(execution)["status"] == "RUNNING"
    entered = [event["type"] for event in sfn.until(
        lambda: sfn.history(execution), lambda events: events[-1]["type"] == "WaitStateEntered"
    )]  # fmt: skip
    assert entered[-2:] == ["ExecutionRedriven", "WaitStateEntered"]
    sfn.api.stop_execution(executionArn=execution)
    outcome = sfn.wait(execution)
    assert (outcome.status, outcome.error) == ("ABORTED", None)


def test_a_time_out_can_be_redriven_with_a_time_of_its_own(sfn):
    definition = sfn.one({"Type": "Wait", "Seconds": 2}, TimeoutSeconds=1)
    execution = sfn.start(sfn.machine(definition))
    assert sfn.wait(execution).status == "TIMED_OUT"
    outcome, described = redriven(sfn, execution)
    assert (outcome.status, described["redriveCount"]) == ("TIMED_OUT", 1)
    assert outcome.types.count("ExecutionTimedOut") == 2


def test_what_cannot_be_redriven(sfn):
    succeeded = sfn.run(sfn.one({"Type": "Pass"})).arn
    assert sfn.refused("redrive_execution", executionArn=succeeded) == (
        "ExecutionNotRedrivable",
        "Execution is SUCCEEDED and cannot be redriven",
    )
    running = sfn.start(sfn.machine(sfn.one({"Type": "Wait", "Seconds": 3600})))
    assert sfn.refused("redrive_execution", executionArn=running)[0] == "ExecutionNotRedrivable"
    sfn.api.stop_execution(executionArn=running)
