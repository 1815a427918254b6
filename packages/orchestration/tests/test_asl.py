"""State machines in YAML: what becomes of them, and what is refused, with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration.errors import InvalidDefinition
from orchestration.pipelines import asl

BLOCKS = """\
caught: &caught {ErrorEquals: [States.ALL], Next: Failed}
catch: [*caught]
"""
WRITTEN = """\
# A comment is for whoever reads the file.
StartAt: Count
States:
  Count:
    Type: Task
    TimeoutSeconds: 60
    Arguments:
      --month: "09"
      Condition: >-
        {% $contains($cause, /^\\s*$/)
        ? 'none' : $cause %}
    Retry: &retry
      - {ErrorEquals: [Glue.ThrottlingException], BackoffRate: 1.5}
    Catch: *catch
    Next: CountAgain
  CountAgain: {Type: Task, Retry: *retry, Catch: *catch, End: true}
  Failed: {Type: Fail}
"""


def definition(folder: Path, text: str, *, name: str = "state_machine.asl.yaml", blocks: str = BLOCKS) -> Path:
    file = folder / "pipelines" / "counts" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent.parent / "blocks.yaml").write_text(blocks)
    file.write_text(text)
    return file


def test_what_is_published_is_plain_json_with_every_alias_written_out(tmp_path: Path) -> None:
    retry = [{"ErrorEquals": ["Glue.ThrottlingException"], "BackoffRate": 1.5}]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]
    assert json.loads(asl.read(definition(tmp_path, WRITTEN))) == {
        "StartAt": "Count",
        "States": {
            "Count": {
                "Type": "Task",
                "TimeoutSeconds": 60,
                "Arguments": {
                    "--month": "09",
                    "Condition": "{% $contains($cause, /^\\s*$/) ? 'none' : $cause %}",
                },
                "Retry": retry,
                "Catch": catch,
                "Next": "CountAgain",
            },
            "CountAgain": {"Type": "Task", "Retry": retry, "Catch": catch, "End": True},
            "Failed": {"Type": "Fail"},
        },
    }


def test_a_definition_in_json_is_published_byte_by_byte(tmp_path: Path) -> None:
    text = '{"StartAt":"A",\n "States": {"A": {"Type": "Succeed"}}}'
    file = definition(tmp_path, text, name="state_machine.asl.json")
    assert asl.read(file) == text
    assert asl.find(tmp_path / "pipelines") == {"counts/state_machine.asl.json": file}


def test_a_definition_is_published_as_json_whatever_it_is_written_in(tmp_path: Path) -> None:
    file = definition(tmp_path, WRITTEN)
    assert asl.find(tmp_path / "pipelines") == {"counts/state_machine.asl.json": file}
    definition(tmp_path, "{}", name="state_machine.asl.json")
    with pytest.raises(InvalidDefinition, match=r"state_machine.asl.json is there as state_machine.asl.yaml too: keep"):
        asl.find(tmp_path / "pipelines")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("States:\n  A: [\n", "3: while parsing a flow node, expected the node content, but found '<stream end>'"),
        (
            "States:\n\tA: 1\n",
            "2: while scanning for the next token, found character '\\t' that cannot start any token",
        ),
        ("States: {A: *lost}\n", "1: found undefined alias 'lost'"),
        ("States: {}\n---\nStates: {}\n", "2: expected a single document in the stream, but found another document"),
        ("States: {}\nStates: {}\n", "2: 'States' is there twice, first in line 1"),
        ("States:\n  A: {Next: B,\n      Next: C}\n", "3: 'Next' is there twice, first in line 2"),
        ("States:\n  A: yes\n", "2: yes is a bool to YAML: write what JSON has, a text in quotes"),
        ("States:\n  on: {}\n", "2: on is a bool to YAML: write what JSON has, a text in quotes"),
        ("States:\n  A: 2024-09-01\n", "2: 2024-09-01 is a timestamp to YAML: write what JSON has, a text in quotes"),
        ("States:\n  A: [1, 010]\n", "2: 010 is a int to YAML: write what JSON has, a text in quotes"),
        ("States:\n  A: 12:30\n", "2: 12:30 is a int to YAML: write what JSON has, a text in quotes"),
        ("States:\n  A: 1e3\n", "2: 1e3 is a number to JSON: write what JSON has, a text in quotes"),
        ("States:\n  A:\n  B: 1\n", "2: no value is a null to YAML: write what JSON has, a text in quotes"),
        ("States:\n  1: {}\n", "2: a key that is no text: put it in quotes"),
        ("States:\n  A: !Ref B\n", "2: the tag !Ref is nothing that JSON has: leave it out"),
        ("States:\n  A: !!set {B}\n", "2: the tag set is nothing that JSON has: leave it out"),
        ("States:\n  A: &a [*a]\n", "2: a block that holds itself"),
        ("States:\n  A: {<<: {B: 1}}\n", "2: the tag merge is nothing that JSON has: leave it out"),
        (
            "States: {}\nx-retry: &retry []\n",
            "2: 'x-retry' is no field of a state machine, and would be in its JSON: anchor a block where it is first "
            "used, or put it into blocks.yaml",
        ),
        ("StartAt: A\n", "1: no state machine: there are no States"),
        ("- States\n", "1: no state machine: there are no States"),
        ("", "1: no state machine: there are no States"),
    ],
)
def test_what_yaml_reads_otherwise_than_it_looks_is_refused_with_its_line(
    text: str, problem: str, tmp_path: Path
) -> None:
    file = definition(tmp_path, text)
    with pytest.raises(InvalidDefinition) as refused:
        asl.read(file)
    assert str(refused.value) == f"{file}:{problem}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"States": {}\n', "2: not JSON: Expecting ',' delimiter"),
        ("[]", "1: no state machine: there are no States"),
    ],
)
def test_a_broken_json_is_refused_with_its_line(text: str, problem: str, tmp_path: Path) -> None:
    file = definition(tmp_path, text, name="state_machine.asl.json")
    with pytest.raises(InvalidDefinition) as refused:
        asl.read(file)
    assert str(refused.value) == f"{file}:{problem}"


def test_a_fault_in_a_shared_block_is_reported_where_the_block_is(tmp_path: Path) -> None:
    file = definition(tmp_path, WRITTEN, blocks="catch:\n  - {ErrorEquals: [States.ALL], Next: no}\n")
    with pytest.raises(InvalidDefinition) as refused:
        asl.read(file)
    blocks = tmp_path / "pipelines" / "blocks.yaml"
    assert str(refused.value) == f"{blocks}:2: no is a bool to YAML: write what JSON has, a text in quotes"
