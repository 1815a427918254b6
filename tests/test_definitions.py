"""The state machines' definitions: what ships has none of the faults that the checks below find."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from yaml.constructor import SafeConstructor

from definitions import problems
from local_cloud.services.stepfunctions.definition import check
from local_cloud.services.stepfunctions.language.jsonata_engine import evaluate
from orchestration import pipelines
from orchestration.pipelines import asl
from orchestration.scaffold import pipeline

FOLDER = Path(pipelines.__file__).parent
FILES = asl.find(FOLDER).values()
IDS = [file.parent.name for file in FILES]


def definition(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asl.read(file))
    return found


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_what_ships_has_no_problems(file: Path) -> None:
    assert problems(definition(file)) == []


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_step_functions_would_take_it(file: Path) -> None:
    filled = re.sub(r"\$\{\w+\}", "1", asl.read(file))
    assert [str(problem) for problem in check(filled, "STANDARD")] == []


def test_the_one_of_a_new_pipeline_has_no_problems(tmp_path: Path) -> None:
    (text,) = (text for path, text in pipeline.fill("trips-by-zone").items() if path.endswith(".asl.yaml"))
    shutil.copy(FOLDER / "blocks.yaml", tmp_path)
    file = tmp_path / "trips_by_zone" / "state_machine.asl.yaml"
    file.parent.mkdir()
    file.write_bytes(text)
    assert problems(definition(file)) == []


def test_no_retry_and_no_catch_is_written_twice_by_hand() -> None:
    """Equal blocks come from one place in the YAML, by its alias: of all the files together, the shared blocks too."""
    written: dict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
    for file in FILES:
        for kind, block in handlers(asl.compose(file)):
            value = SafeConstructor().construct_document(block)
            written[kind, json.dumps(value, sort_keys=True)].add((block.start_mark.name, block.start_mark.line))
    assert {block: places for block, places in written.items() if len(places) > 1} == {}
    assert len(written) > 10


def handlers(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """Each Retry and Catch of a definition, and each of the entries of one."""
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from handlers(one)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in ("Retry", "Catch"):
                yield from ((key.value, one) for one in (value, *value.value))
            yield from handlers(value)


def test_the_results_of_a_backfill_fit_however_it_ends() -> None:
    """A state's result, and the variables of one Assign together, may have 262,144 bytes.

    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    machine = definition(FOLDER / "backfill" / "state_machine.asl.yaml")
    months = machine["States"]["RunMonths"]
    ends = {name: state.get("Output", "") for name, state in months["ItemProcessor"]["States"].items()}
    name = "elt-prod-yellow-trips:yellow-2024-09-backfill-20261121T060000-1a2b"
    known = {
        "month": "2024-09",
        "execution": f"arn:aws:states:us-east-1:123456789012:execution:{name}",
        "recovered": True,
        "failed_at": "RunMonth",
    }
    load = {"rows_read": 12_345_678, "rows_kept": 12_345_678, "rows_rejected": 123_456}
    run = {"Status": "FAILED", "ExecutionArn": known["execution"], "Cause": "TransformTrips: " + 1000 * "x"}
    manifest = {"result": {"Body": json.dumps({"load": load})}}
    failure = {"input": {"Error": "States.TaskFailed", "Cause": json.dumps(run)}}
    succeeded = evaluate(ends["ReadManifest"].strip("{%}"), known | {"states": manifest})
    failed = evaluate(ends["MonthFailed"].strip("{%}"), known | {"states": failure})
    assert (failed["state"], failed["cause"]) == ("TransformTrips", 300 * "x")
    for month, told in ((succeeded, "800 months that succeed"), (failed, "240 that all fail")):
        assert told in machine["Comment"]
        states = {"states": {"result": [month] * int(told.split()[0])}}
        kept = {name: evaluate(text.strip("{%}"), states) for name, text in months["Assign"].items()}
        assert len(json.dumps(kept)) < 262_144, told


SOUND: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "TimeoutSeconds": 60,
    "StartAt": "Look",
    "States": {
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::glue:startJobRun.sync",
            "TimeoutSeconds": 30,
            "Arguments": {"JobName": "{% ($name := $states.input.job; $exists($name) ? $name : 'the $one') %}"},
            "Retry": [
                {
                    "ErrorEquals": ["Glue.ConcurrentRunsExceededException", "Glue.ThrottlingException"],
                    "BackoffRate": 2,
                    "JitterStrategy": "FULL",
                }
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"why": "{% $states.errorOutput %}"}, "Next": "Bad"}],
            "Assign": {"found": "{% $states.result %}"},
            "Next": "Which",
        },
        "Which": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $found.ok %}", "Next": "Each"}],
            "Default": "Bad",
        },
        "Each": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}},
            "Next": "Good",
        },
        "Good": {"Type": "Succeed", "Output": "{% [$map($found.all, function($v, $i) {$v & $i})] %}"},
        "Bad": {"Type": "Fail", "Cause": "{% $string($why) %}"},
    },
}


def test_a_sound_definition_has_no_problems() -> None:
    assert problems(SOUND) == []


def at(*path: str, **changes: Any) -> Callable[[dict[str, Any]], None]:
    """Set or, by None, take away members of the state that a path leads to."""

    def change(machine: dict[str, Any]) -> None:
        target: Any = machine
        for name in path:
            target = target[name]
        for name, value in changes.items():
            target.pop(name, None)
            if value is not None:
                target[name] = value

    return change


STATES = ("States",)
RETRY = {"BackoffRate": 2, "JitterStrategy": "FULL"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (at(TimeoutSeconds=None), ["the machine has no TimeoutSeconds"]),
        (at(StartAt="Lok"), ["Lok: named, but there is no such state"]),
        (at("States", "Look", Next="Wich"), ["Wich: named, but there is no such state", "Which: nothing leads to it"]),
        (at("States", "Look", Next=None), ["Look: neither Next nor End", "Which: nothing leads to it"]),
        (at("States", "Which", Default=None), ["Which: no Default"]),
        (at("States", Spare={"Type": "Pass", "End": True}), ["Spare: nothing leads to it"]),
        (
            at("States", "Each", "ItemProcessor", "States", "Pass", End=None),
            ["Each/Pass: neither Next nor End"],
        ),
        (at("States", "Look", TimeoutSeconds=None), ["Look: no TimeoutSeconds"]),
        (at("States", "Look", Catch=None), ["Look: its last Catch is not one of States.ALL"]),
        (
            at("States", "Look", Catch=[{"ErrorEquals": ["States.ALL"], "Assign": {"why": "?"}, "Next": "Good"}]),
            ["Look: a Catch that says nowhere what it caught, a missing permission too"],
        ),
        (
            at("States", "Look", Retry=[{"ErrorEquals": ["States.ALL"], **RETRY}]),
            ["Look: a Retry of States.ALL, which waiting does not cure"],
        ),
        (
            at("States", "Look", Retry=[{"ErrorEquals": ["Glue.EntityNotFoundException"], **RETRY}]),
            ["Look: a Retry of Glue.EntityNotFoundException, which waiting does not cure"],
        ),
        (
            at("States", "Look", Retry=[{"ErrorEquals": ["Glue.AWSGlueException"], "Comment": "Throttling.", **RETRY}]),
            ["Look: a Retry of Glue.AWSGlueException, which a missing permission is too, and no Comment on that"],
        ),
        (
            at("States", "Look", Retry=[{"ErrorEquals": ["Glue.ThrottlingException"], "BackoffRate": 2}]),
            ["Look: a Retry without backoff or jitter"],
        ),
        (at("States", "Good", Output="{% $fund.all %}"), ["Good: $fund is never assigned"]),
        (
            at(
                "States", "Look", Catch=[{"ErrorEquals": ["States.ALL"], "Assign": {"failed_at": "Lok"}, "Next": "Bad"}]
            ),
            ["Look: a Catch whose failed_at is not the state's own name"],
        ),
    ],
)
def test_what_is_found(change: Callable[[dict[str, Any]], None], found: list[str]) -> None:
    broken = copy.deepcopy(SOUND)
    change(broken)
    told = problems(broken)
    # One fault can make others: a state that is no longer led to leads nowhere either.
    assert [one for one in told if one in found] == found, told
