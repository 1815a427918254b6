"""More executions than a Glue job has slots: none fails for it, and one that waits in vain says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from laptop import Laptop, until
from local_cloud.services.stepfunctions.language.jsonata_engine import evaluate
from orchestration import pipelines
from orchestration.pipelines import asl
from slots import (
    EVENTS_OF_A_RETURN,
    EVENTS_OF_AN_ATTEMPT,
    NO_SLOT,
    THROTTLED,
    delays,
    jobs,
    pause_before_return,
    retrier,
    simulate,
    waiting_budget,
)

DEFINITIONS: dict[str, dict[str, Any]] = {
    file.parent.name: json.loads(asl.read(file)) for file in asl.find(Path(pipelines.__file__).parent).values()
}
TRIPS = DEFINITIONS["trips"]
WITH_JOBS = {name: definition for name, definition in DEFINITIONS.items() if jobs(definition)}
#: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LONGEST_HISTORY = 25_000
each_with_jobs = pytest.mark.parametrize("definition", WITH_JOBS.values(), ids=WITH_JOBS)


def test_every_job_is_retried_alike() -> None:
    states = [state for definition in WITH_JOBS.values() for state in jobs(definition).values()]
    assert len(states) == 6
    assert [state["Retry"] for state in states] == [states[0]["Retry"]] * len(states)
    assert [[(one["ErrorEquals"], one["Next"]) for one in state["Catch"]] for state in states] == [
        [(["States.ALL"], "MayWaitForSlot")]
    ] * len(states)


@each_with_jobs
def test_an_execution_that_waits_for_slots_ends_before_its_timeout_and_so_mails(definition: dict[str, Any]) -> None:
    """Waiting ends by the execution's age; the jobs still to come each have a last try, however the jitter falls."""
    longest = waiting_budget(definition)
    for state in jobs(definition).values():
        longest += sum(sum(delays(retry)) for retry in state["Retry"])
        longest += pause_before_return(definition) + state["TimeoutSeconds"]
    assert longest < definition["TimeoutSeconds"] - 600


@each_with_jobs
def test_an_execution_returns_to_the_job_it_waited_for(definition: dict[str, Any]) -> None:
    back = definition["States"]["ReturnToJob"]
    for name, state in jobs(definition).items():
        (caught,) = state["Catch"]
        assert caught["Assign"] == {"failed_at": "{% $states.context.State.Name %}"}
        condition = "{% $failed_at = '" + name + "' %}"
        chosen = [one["Next"] for one in back["Choices"] if one["Condition"] == condition]
        assert (chosen or [back["Default"]]) == [name]


@each_with_jobs
@pytest.mark.parametrize("error", [NO_SLOT, THROTTLED])
def test_the_history_of_waiting_to_the_end_fits(definition: dict[str, Any], error: str) -> None:
    """By the mean of the jitter, which so many pauses come close to."""
    pauses = delays(retrier(next(iter(jobs(definition).values())), error))
    seconds = (sum(pauses) + pause_before_return(definition)) / 2
    events = (len(pauses) + 1) * EVENTS_OF_AN_ATTEMPT + EVENTS_OF_A_RETURN
    assert waiting_budget(definition) / seconds * events < 0.8 * LONGEST_HISTORY


def test_the_history_of_a_run_of_reviews_that_waits_for_others_fits() -> None:
    """Each look: five states entered and left, and the three events of two tasks."""
    reviews = DEFINITIONS["reviews"]
    looks = reviews["TimeoutSeconds"] / reviews["States"]["LetOthersEnd"]["Seconds"]
    assert looks * 16 < 0.8 * LONGEST_HISTORY


@pytest.mark.parametrize(
    ("executions", "job_seconds", "within"),
    [(16, 10, 600), (40, 60, 900), (60, 300, 3_600), (500, 60, 5_400), (500, 300, 24_000)],
)
def test_of_many_months_at_once_none_is_lost(executions: int, job_seconds: int, within: float) -> None:
    outcomes = simulate(TRIPS, [0.0] * executions, job_seconds=job_seconds, seed=1)
    assert [one for one in outcomes if one.lost] == []
    assert max(one.ended for one in outcomes) < within < TRIPS["TimeoutSeconds"]
    assert max(one.waited for one in outcomes) < waiting_budget(TRIPS)
    assert max(one.events for one in outcomes) < 0.8 * LONGEST_HISTORY


def test_a_scheduled_run_amid_five_hundred_months_is_not_starved_nor_are_they() -> None:
    scheduled = 1800.0
    *months, run = simulate(TRIPS, [0.0] * 500 + [scheduled], job_seconds=60, seed=1)
    assert not run.lost
    assert run.ended - run.began < 3_600
    assert max(one.ended for one in months) < 5_400


def test_what_waits_in_vain_is_given_up_and_not_run_into_the_timeout() -> None:
    outcomes = simulate(TRIPS, [0.0] * 9, job_seconds=10 * TRIPS["TimeoutSeconds"], seed=1)
    (lost,) = [one for one in outcomes if one.lost]
    assert waiting_budget(TRIPS) < lost.ended < TRIPS["TimeoutSeconds"]
    assert lost.events < 0.8 * LONGEST_HISTORY


NO_SLOT_CAUSE = "Concurrent runs exceeded for j (Service: AWSGlue; Error Code: ConcurrentRunsExceededException)"
RATE = "Rate exceeded (Service: AWSGlue; Status Code: 400; Error Code: ThrottlingException; Proxy: null)"
DENIED = "User: x is not authorized (Service: AWSGlue; Status Code: 400; Error Code: AccessDeniedException)"


@each_with_jobs
@pytest.mark.parametrize(
    ("failure", "waits"),
    [
        ({"Error": NO_SLOT, "Cause": NO_SLOT_CAUSE}, True),
        ({"Error": "Glue.ResourceNumberLimitExceededException", "Cause": "Max concurrent runs of the account"}, True),
        ({"Error": THROTTLED, "Cause": RATE}, True),
        ({"Error": THROTTLED, "Cause": DENIED}, False),
        ({"Error": THROTTLED}, False),
        ({"Error": "States.TaskFailed", "Cause": '{"ErrorMessage": "ThrottledError: ThrottlingException"}'}, False),
        ({"Error": "States.Timeout"}, False),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_worth_waiting_for(definition: dict[str, Any], failure: dict[str, str], waits: bool) -> None:
    (choice,) = definition["States"]["MayWaitForSlot"]["Choices"]
    late = int(waiting_budget(definition)) // 3600 + 1
    for hour, expected in ((0, waits), (late, False)):
        context = {
            "Execution": {"StartTime": "2026-11-05T06:00:00.000Z"},
            "State": {"EnteredTime": f"2026-11-{5 + (6 + hour) // 24:02}T{(6 + hour) % 24:02}:00:00.000Z"},
        }
        states = {"input": failure, "context": context}
        assert evaluate(choice["Condition"].strip("{%}"), {"states": states}) is expected


# --- the machine itself, with one slot and short pauses ------------------------------------------------------------


@pytest.fixture(scope="module")
def narrow_job(laptop: Laptop) -> Iterator[str]:
    """A job with one slot, whose runs last a moment; `--hold` holds the slot until it is stopped."""
    glue, name = laptop.client("glue"), "one-at-a-time"
    job = glue.get_job(JobName="elt-local-ingest-raw")["Job"]
    bucket = laptop.outputs("artifacts")["ArtifactBucket"]
    script = "import sys, time\nif '--hold' in sys.argv: time.sleep(300)\n"
    laptop.client("s3").put_object(Bucket=bucket, Key="glue-ingest/test/moment.py", Body=script.encode())
    command = job["Command"] | {"ScriptLocation": f"s3://{bucket}/glue-ingest/test/moment.py"}
    glue.create_job(Name=name, Role=job["Role"], Command=command, MaxCapacity=0.0625)
    role, account = laptop.client("iam"), laptop.client("sts").get_caller_identity()["Account"]
    job_arn = f"arn:aws:glue:us-east-1:{account}:job/{name}"
    actions = ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": job_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role.put_role_policy(RoleName="elt-local-trips", PolicyName="narrow", PolicyDocument=policy)
    yield name
    role.delete_role_policy(RoleName="elt-local-trips", PolicyName="narrow")
    glue.delete_job(JobName=name)


def narrowed(definition: dict[str, Any], job: str) -> None:
    """Its first and last state run the narrow job, with pauses of seconds."""
    for state in jobs(definition).values():
        state["Arguments"] = {"JobName": job}
        state["Retry"][0] |= {"IntervalSeconds": 1, "MaxDelaySeconds": 1, "MaxAttempts": 2}
    definition["States"]["IngestRaw"]["Next"] = "LoadRedshift"
    definition["States"]["WaitForSlot"]["Seconds"] = 1
    for name in ("MeasureRaw", "ChooseEngine", "TransformTrips"):
        del definition["States"][name]
    definition["States"]["ReturnToJob"]["Choices"].pop()


def entered(laptop: Laptop, execution: str) -> list[str]:
    pages = laptop.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=execution)
    events = [event for page in pages for event in page["events"]]
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]


def test_more_executions_than_slots_all_succeed(laptop: Laptop, narrow_job: str) -> None:
    states, glue = laptop.client("stepfunctions"), laptop.client("glue")
    holder = glue.start_job_run(JobName=narrow_job, Arguments={"--hold": "yes"})["JobRunId"]
    with laptop.machine_with(lambda definition: narrowed(definition, narrow_job)) as machine:
        arns = [
            states.start_execution(stateMachineArn=machine, input=f'{{"year": "2001", "month": "0{month}"}}')[
                "executionArn"
            ]
            for month in range(1, 6)
        ]
        try:
            for arn in arns:
                until(lambda arn=arn: "WaitForSlot" in entered(laptop, arn), what=f"wait for a slot in {arn}")
        finally:
            glue.batch_stop_job_run(JobName=narrow_job, JobRunIds=[holder])
        ended = [laptop.finished(arn) for arn in arns]
        assert [(one["status"], one.get("cause")) for one in ended] == [("SUCCEEDED", None)] * 5


def test_a_wait_in_vain_is_mailed_as_one_line_that_names_the_slots(laptop: Laptop, narrow_job: str) -> None:
    def impatient(definition: dict[str, Any]) -> None:
        narrowed(definition, narrow_job)
        (choice,) = definition["States"]["MayWaitForSlot"]["Choices"]
        choice["Condition"] = choice["Condition"].replace(str(int(waiting_budget(TRIPS) * 1000)), "0")

    glue, before = laptop.client("glue"), len(laptop.mails())
    holder = glue.start_job_run(JobName=narrow_job, Arguments={"--hold": "yes"})["JobRunId"]
    try:
        with laptop.machine_with(impatient) as machine:
            started = laptop.client("stepfunctions").start_execution(
                stateMachineArn=machine, input='{"year": "2001", "month": "09"}'
            )
            ended = laptop.finished(started["executionArn"])
    finally:
        glue.batch_stop_job_run(JobName=narrow_job, JobRunIds=[holder])
    told = "no slot became free in the 0 hours since this run began: Concurrent runs exceeded for one-at-a-time ("
    assert ended["error"] == NO_SLOT
    assert ended["cause"].startswith(f"IngestRaw: {told}")
    (mail,) = laptop.mails()[before:]
    assert mail["Subject"] == "[local] yellow-trips 2001-09 failed at IngestRaw"
    assert f"\nCause:     {told}" in mail.get_content().replace("\r\n", "\n")
