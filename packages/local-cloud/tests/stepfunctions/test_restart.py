"""What survives the end of the cloud: a stop in good order, and a kill -9."""

from __future__ import annotations

import json
import signal

import pytest

ROLE = "arn:aws:iam::123456789012:role/machine"


@pytest.fixture
def restarted(new_cloud, sfn_of):
    """A cloud of the test's own, and how to end it and start it again."""
    cloud = new_cloud()
    cloud.start()
    yield sfn_of(cloud), lambda signum: (cloud.stop(signum), cloud.start())
    cloud.stop()


def without_metadata(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_everything_that_was_answered_is_there_again(restarted, signum):
    sfn, restart = restarted
    definition = sfn.chain({"Type": "Pass", "Parameters": {"b.$": "$.a"}}, {"Type": "Wait", "Seconds": 0})
    created = sfn.api.create_state_machine(
        name="kept", definition=json.dumps(definition), roleArn=ROLE, publish=True, tags=[{"key": "k", "value": "v"}]
    )
    machine, version = created["stateMachineArn"], created["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = sfn.api.create_state_machine_alias(name="live", routingConfiguration=routes)["stateMachineAliasArn"]
    activity = sfn.api.create_activity(name="kept")["activityArn"]
    succeeded = sfn.wait(sfn.start(alias, {"a": "ü"}, name="succeeded"))
    failed = sfn.run(sfn.one({"Type": "Fail", "Error": "E", "Cause": "c"}))
    mapped = sfn.run(
        sfn.one(
            {
                "Type": "Map",
                "Label": "L",
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "I",
                    "States": {"I": {"Type": "Pass", "End": True}},
                },
            }
        ),
        [1, 2],
    )
    map_run = mapped.details("MapRunStarted")[0]["mapRunArn"]

    def state():
        return [
            without_metadata(answer)
            for answer in (
                sfn.api.describe_state_machine(stateMachineArn=machine),
                sfn.api.describe_state_machine(stateMachineArn=version),
                sfn.api.describe_state_machine_alias(stateMachineAliasArn=alias),
                sfn.api.describe_activity(activityArn=activity),
                sfn.api.list_tags_for_resource(resourceArn=machine),
                sfn.api.list_state_machines(),
                sfn.api.list_executions(stateMachineArn=machine),
                sfn.api.describe_execution(executionArn=succeeded.arn),
                sfn.api.describe_execution(executionArn=failed.arn),
                sfn.api.get_execution_history(executionArn=succeeded.arn),
                sfn.api.get_execution_history(executionArn=failed.arn),
                sfn.api.describe_state_machine_for_execution(executionArn=succeeded.arn),
                sfn.api.describe_map_run(mapRunArn=map_run),
                sfn.api.list_executions(mapRunArn=map_run),
            )
        ]

    before = state()
    restart(signum)
    assert state() == before
    assert sfn.refused("start_execution", stateMachineArn=machine, name="succeeded")[0] == "ExecutionAlreadyExists"
    assert sfn.wait(sfn.start(alias, {"a": 1})).output == {"b": 1}


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_what_ran_is_aborted_and_can_be_redriven(restarted, signum):
    sfn, restart = restarted
    branch = {"StartAt": "W", "States": {"W": {"Type": "Wait", "SecondsPath": "$.s", "End": True}}}
    definition = sfn.chain(
        {"Type": "Pass", "Assign": {"kept": 1}},
        {"Type": "Parallel", "Branches": [branch], "ResultPath": None},
        {"Type": "Pass", "Parameters": {"kept.$": "$kept"}},
    )
    machine = sfn.machine(definition)
    execution = sfn.start(machine, {"s": 2}, name="ran")
    sfn.until_event(execution, "WaitStateEntered")
    restart(signum)
    outcome = sfn.wait(execution)
    cause = (
        "The local cloud stopped while this execution ran. Go on from the state it was in with"
        f" `aws stepfunctions redrive-execution --execution-arn {execution}`, or start it again."
    )
    assert (outcome.status, outcome.result) == ("ABORTED", ("LocalCloud.Interrupted", cause))
    assert outcome.types == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ParallelStateEntered",
        "ParallelStateStarted",
        "WaitStateEntered",
        "ExecutionAborted",
    ]
    assert [event["id"] for event in outcome.events] == list(range(1, 8))
    assert sfn.api.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"] == []
    sfn.api.redrive_execution(executionArn=execution)
    assert sfn.wait(execution).output == {"kept": 1}


def test_a_torn_line_of_a_journal_is_no_end_of_the_world(restarted):
    """A kill -9 can leave half a line, and a full disk half of the first."""
    sfn, restart = restarted
    execution = sfn.start(sfn.machine(sfn.one({"Type": "Wait", "Seconds": 3600})), name="torn")
    sfn.until_event(execution, "WaitStateEntered")
    sfn.cloud.stop(signal.SIGKILL)
    (journal,) = sfn.cloud.state_dir.rglob("executions/*.jsonl")
    with journal.open("ab") as file:
        file.write(b'{"event": {"id": 3, "ty')
    journal.with_name("000000000000001-broken.jsonl").write_bytes(b'{"start": {"arn"')
    restart(signal.SIGTERM)
    outcome = sfn.wait(execution)
    assert (outcome.status, outcome.types) == ("ABORTED", ["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"])
    (kept,) = sfn.cloud.state_dir.glob("control-plane/executions/*.jsonl")
    (broken,) = sfn.cloud.state_dir.glob("set-aside/*/control-plane/executions/*.jsonl")
    assert (kept.name, broken.name) == (journal.name, "000000000000001-broken.jsonl"), "what cannot be read is kept"


def test_journals_go_with_their_machine(restarted):
    sfn, _ = restarted
    machine = sfn.machine(sfn.one({"Type": "Pass"}))
    for _ in range(3):
        sfn.wait(sfn.start(machine))
    assert len(list(sfn.cloud.state_dir.rglob("executions/*.jsonl"))) == 3
    sfn.api.delete_state_machine(stateMachineArn=machine)
    assert list(sfn.cloud.state_dir.rglob("executions/*.jsonl")) == []
