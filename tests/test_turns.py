"""Runs of reviews, one at a time: the states that give a run its turn, step by step beside each other.

The states are those of the definition, their expressions are evaluated, and the services are stood in for by what AWS
says of them: S3 is consistent and writes on condition, DescribeExecution lags behind.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local_cloud.services.stepfunctions.language.jsonata_engine import evaluate
from orchestration import pipelines
from orchestration.pipelines import asl

_TEXT = asl.read(pipelines.load("reviews").definition)
_DEFINITION = json.loads(re.sub(r"\$\{(\w+)\}", r"\1", _TEXT))
STATES: dict[str, Any] = _DEFINITION["States"]
LONGEST: int = _DEFINITION["TimeoutSeconds"]


class Failed(Exception):
    """A Task's error and cause."""


@dataclass
class World:
    """What the runs share. A tick is a step of one of them; `lag` is by how many DescribeExecution may be late."""

    lag: int = 0
    lose_answers: bool = False
    tick: int = 0
    turn: tuple[str, str, int] | None = None
    started: dict[str, int] = field(default_factory=dict)
    ended: dict[str, tuple[int, str]] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random)

    def call(self, resource: str, given: dict[str, Any]) -> dict[str, Any]:
        action = resource.rpartition("aws-sdk:")[2]
        if action == "s3:listObjectsV2":
            return {"KeyCount": int(given["Bucket"] == "RawBucket" or self.turn is not None)}
        if action == "s3:putObject":
            return self.put(given)
        if action == "sfn:describeExecution":
            return self.describe(given["ExecutionArn"])
        assert action == "s3:getObject"
        assert self.turn, "read only when it was listed, since it is never deleted"
        body, etag, at = self.turn
        return {"Body": body, "ETag": etag, "LastModified": iso(at)}

    def put(self, given: dict[str, Any]) -> dict[str, Any]:
        expected = self.turn[1] if self.turn else None
        if given.get("IfNoneMatch") == "*" if expected is None else given.get("IfMatch") == expected:
            self.turn = (json.dumps(given["Body"]), f'"{self.tick}"', self.tick)
            if not (self.lose_answers and self.chance.random() < 0.5):
                return {}
        raise Failed(
            "S3.S3Exception", "At least one of the pre-conditions (Service: S3, Status Code: 412, Request ID: 1)"
        )

    def describe(self, arn: str) -> dict[str, Any]:
        seen = self.tick - self.chance.randint(0, self.lag)
        if self.started[arn] > seen:
            raise Failed("Sfn.ExecutionDoesNotExistException", "Execution Does Not Exist")
        at, status = self.ended.get(arn, (self.tick + 1, ""))
        return {"Status": status if at <= seen else "RUNNING"}


def iso(tick: int) -> str:
    """A tick is a second."""
    return f"2026-11-30T{6 + tick // 3600:02}:{tick // 60 % 60:02}:{tick % 60:02}.000Z"


def steps(world: World, me: str, *, writes: int = 3, ends: str = "SUCCEEDED") -> Iterator[str]:
    """A run, as the names of the states that it is in, one a step; "writes" while it has its turn."""
    world.started[me] = world.tick
    variables: dict[str, Any] = {}
    name, given = "FindDelivery", {}
    while name != "SchemaSetupJob":
        state, result = STATES[name], {}
        assert name != "DescribeFailure", given
        yield name
        context = {"input": given, "context": {"Execution": {"Id": me}, "State": {"Name": name}}}
        assign, following = state.get("Assign", {}), state.get("Next", state.get("Default"))
        if state["Type"] == "Task":
            try:
                result = world.call(state["Resource"], value(state["Arguments"], variables, {"states": context}))
            except Failed as failure:
                error, cause = failure.args
                caught = next(one for one in state["Catch"] if {error, "States.ALL"} & set(one["ErrorEquals"]))
                given, assign, following = {"Error": error, "Cause": cause}, caught.get("Assign", {}), caught["Next"]
        elif state["Type"] == "Choice":
            chosen = (one for one in state["Choices"] if value(one["Condition"], variables, {"states": context}))
            following = next((one["Next"] for one in chosen), state["Default"])
        bound = {"states": context | {"result": result}}
        now = lambda: 1_000 * world.tick  # noqa: E731
        variables |= {key: value(one, variables, bound, now=now) for key, one in assign.items()}
        name = following
    for _ in range(writes):
        yield "writes"
    world.ended[me] = (world.tick, ends)


def value(
    written: Any, variables: dict[str, Any], bound: dict[str, Any], *, now: Callable[[], int] | None = None
) -> Any:
    """A field of a state. The world's clock stands in for `$millis()`."""
    if isinstance(written, dict):
        return {key: value(one, variables, bound, now=now) for key, one in written.items()}
    if not (isinstance(written, str) and written.startswith("{%")):
        return written
    code = written[2:-2].strip()
    if now:
        code = code.replace("$millis()", f"($toMillis('{iso(0)}') + {now()})")
    return evaluate(code, variables | bound)


def play(world: World, runs: list[Iterator[str]]) -> int:
    """Step the runs in any order until all have ended; the ticks it took. Two of them never write in one tick."""
    where = dict.fromkeys(range(len(runs)), "")
    while where:
        world.tick += 1
        assert world.tick < 3_000, f"somebody waits for ever: {where}"
        number = world.chance.choice(list(where))
        found = next(runs[number], None)
        where = {**where, number: found} if found else {key: one for key, one in where.items() if key != number}
        assert list(where.values()).count("writes") <= 1
    return world.tick


@pytest.mark.parametrize("seed", range(40))
def test_of_several_runs_at_once_one_writes_at_a_time_and_all_end(seed: int) -> None:
    """However late DescribeExecution is, and with answers to a write that are lost."""
    world = World(lag=seed * 2, lose_answers=seed % 2 == 1, chance=random.Random(seed))
    ends = ("SUCCEEDED", "FAILED", "ABORTED")
    play(world, [steps(world, f"arn:{number}", ends=ends[number % 3]) for number in range(4)])
    assert len(world.ended) == 4


def test_a_run_alone_does_not_wait() -> None:
    world = World(lag=100)
    assert "LetOthersEnd" not in list(steps(world, "arn:first"))
    world.tick += 200
    assert "LetOthersEnd" not in list(steps(world, "arn:second"))


def test_a_run_whose_own_write_was_not_answered_goes_on_with_its_turn() -> None:
    world = World(turn=(json.dumps({"execution": "arn:me"}), '"1"', 0))
    assert list(steps(world, "arn:me")) == ["FindDelivery", "FindTurn", "IsThereATurn", "ReadTurn", "IsItsTurn"] + 3 * [
        "writes"
    ]


@pytest.mark.parametrize(("age", "waits"), [(60, True), (LONGEST - 60, True), (LONGEST + 60, False)])
def test_a_holder_that_nobody_knows_is_waited_for_as_long_as_a_run_may_last(age: int, waits: bool) -> None:
    world = World(
        tick=age, turn=(json.dumps({"execution": "arn:forgotten"}), '"1"', 0), started={"arn:forgotten": 10**9}
    )
    seen = []
    for name in steps(world, "arn:me"):
        seen.append(name)
        if name == "LetOthersEnd":
            break
    assert ("LetOthersEnd" in seen) == waits


@pytest.mark.parametrize(
    ("error", "cause", "following"),
    [
        ("S3.S3Exception", "… (Service: S3, Status Code: 412, Request ID: 1)", "LetOthersEnd"),
        ("S3.S3Exception", "… (Service: S3, Status Code: 409, Request ID: 1)", "LetOthersEnd"),
        ("S3.S3Exception", "… (Service: S3, Status Code: 503, Request ID: 1)", "WaitForS3"),
        ("S3.SdkClientException", "Unable to execute HTTP request", "WaitForS3"),
        ("States.Timeout", None, "WaitForS3"),
        ("S3.S3Exception", "Access Denied (Service: S3, Status Code: 403, Request ID: 412)", "DescribeFailure"),
    ],
)
def test_a_turn_that_is_not_written_is_lost_tried_again_or_a_failure(
    error: str, cause: str | None, following: str
) -> None:
    given = {"Error": error, **({"Cause": cause} if cause else {})}
    state = STATES["IsTurnLost"]
    chosen = [one["Next"] for one in state["Choices"] if value(one["Condition"], {}, {"states": {"input": given}})]
    assert (chosen or [state["Default"]])[0] == following
