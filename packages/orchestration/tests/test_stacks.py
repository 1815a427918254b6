"""A template in several files is one template to CloudFormation."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration import pipelines, stacks
from orchestration.errors import DeployError
from orchestration.stacks import sharing, template

FIRST = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: Two parts.

Parameters:
  Environment: {Type: String}

Resources:
  # Who hears of it.
  Topic:
    Type: AWS::SNS::Topic
"""
SECOND = """\
# What reads the queue.

Parameters:
  Name:
    Type: String

Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Ref Name

Outputs:
  Queue:
    Value: !Ref Queue
"""
JOINED = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: Two parts.

Parameters:
  Environment: {Type: String}

  Name:
    Type: String

Resources:
  # Who hears of it.
  Topic:
    Type: AWS::SNS::Topic

  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Ref Name

Outputs:
  Queue:
    Value: !Ref Queue
"""


def files(folder: Path, *texts: str) -> list[Path]:
    made = [folder / f"{number}.yaml" for number in range(len(texts))]
    for file, text in zip(made, texts, strict=True):
        file.write_text(text)
    return made


def test_joined_section_by_section(tmp_path: Path) -> None:
    parts = files(tmp_path, FIRST, SECOND)
    assert template.join(parts) == JOINED
    assert template.entries(parts, "Parameters") == ["Environment", "Name"]


def test_resources_with_type_and_condition(tmp_path: Path) -> None:
    third = "Resources:\n  Mail:\n    Type: AWS::SNS::Subscription\n    Condition: HasMail\n    Properties: {Type: x}\n"
    assert template.resources(template.join(files(tmp_path, FIRST, SECOND, third))) == [
        ("Topic", "AWS::SNS::Topic", ""),
        ("Queue", "AWS::SQS::Queue", ""),
        ("Mail", "AWS::SNS::Subscription", "HasMail"),
    ]


def test_resources_of_a_loop_are_those_that_it_makes() -> None:
    body = """\
Parameters:
  Trips: {Type: CommaDelimitedList, Default: "Green,Yellow"}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Fn::ForEach::Queues:
    - Trip
    - !Ref Trips
    - ${Trip}Queue:
        Type: AWS::SQS::Queue
        Condition: ${Trip}Wanted
        Properties: {QueueName: !Sub "elt-${Trip}"}
"""
    assert template.resources(body) == [
        ("Topic", "AWS::SNS::Topic", ""),
        ("GreenQueue", "AWS::SQS::Queue", "GreenWanted"),
        ("YellowQueue", "AWS::SQS::Queue", "YellowWanted"),
    ]


def test_what_pipelines_share_is_written_from_their_folders(tmp_path: Path) -> None:
    for name in ("yellow", "fhv"):
        (tmp_path / f"{name}_trips").mkdir()
        (tmp_path / f"{name}_trips" / "pipeline.toml").write_text(
            f'name = "{name}-trips"\ndataset = "{name}"\ntable = "public.{name}_trips"\nperiod = "month"\n'
            'state_machine = "../trips/state_machine.asl.yaml"\nfirst_month = "2015-01"\n'
        )
    schedule = """\
    Type: String
    Description: Whether its schedule fires, and the hourly check if it is overdue or hangs.
    Default: DISABLED
    AllowedValues: [ENABLED, DISABLED]
"""
    assert sharing.write_part(tmp_path) == (
        'Parameters:\n  Trips: {Type: CommaDelimitedList, Default: "FhvTrips,YellowTrips"}\n'
        f"  FhvTripsSchedule:\n{schedule}  YellowTripsSchedule:\n{schedule}"
        "\nMappings:\n  Trips:\n"
        '    All: {Pipelines: "fhv-trips=fhv,yellow-trips=yellow"}\n'
        "    FhvTrips: {Pipeline: fhv-trips, Dataset: fhv, Folder: fhv_trips}\n"
        "    YellowTrips: {Pipeline: yellow-trips, Dataset: yellow, Folder: yellow_trips}\n"
    )
    assert sharing.write_part(tmp_path / "fhv_trips") == ""


def test_an_item_is_written_for_each_dataset_and_what_is_beside_it_once(tmp_path: Path) -> None:
    part = """\
Resources:
  Bucket:
    Properties:
      Rules:
        # Of all.
        - Id: all
        - Id: old-${EachDataset}
          Transitions:
            - {StorageClass: GLACIER_IR, TransitionInDays: 180}
        # What is left.
        - Id: rest
"""
    old = """\
        - Id: old-%s
          Transitions:
            - {StorageClass: GLACIER_IR, TransitionInDays: 180}
"""
    both = old % "fhv" + old % "yellow"
    assert template.join(files(tmp_path, part), datasets=("fhv", "yellow")).lstrip() == part.replace(
        old % "${EachDataset}", both
    )


def test_one_file_stays_as_it_is(tmp_path: Path) -> None:
    assert template.join(files(tmp_path, JOINED)) == JOINED


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    parts = files(tmp_path, FIRST, FIRST)
    with pytest.raises(DeployError) as caught:
        template.join(parts)
    assert str(caught.value) == f"Parameters has Environment twice: in {parts[0]} and in {parts[1]}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Resources:\n    Queue:\n      Type: AWS::SQS::Queue\n", "'Queue:' is no entry of Resources"),
        ("Resources:\n Queue:\n   Type: AWS::SQS::Queue\n", "'Queue:' is no entry of Resources"),
        ("Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n  - Topic\n", "'- Topic' is no entry of Resources"),
        ("Resources:\n  Queue:\n    Type: AWS::SQS::Queue\nHooks:\n  One: {}\n", "'Hooks:' is no entry of Resources"),
        ("Resources:  # two\n  Queue:\n    Type: AWS::SQS::Queue\n", "'Resources:  # two' would be lost"),
        (
            "Transform: AWS::LanguageExtensions\nOutputs:\n  A: {Value: a}\n",
            "'Transform: AWS::LanguageExtensions' would",
        ),
    ],
    ids=["too far in", "not far enough in", "a list", "another section", "a section with more in its line", "a head"],
)
def test_a_line_that_joining_would_lose_is_refused(text: str, line: str, tmp_path: Path) -> None:
    parts = files(tmp_path, FIRST, text)
    with pytest.raises(DeployError) as caught:
        template.join(parts)
    assert str(caught.value).startswith(f"{parts[1]}: {line}")


def test_a_loop_is_an_entry(tmp_path: Path) -> None:
    loop = "Resources:\n  Fn::ForEach::Trips:\n    - Trip\n    - [Yellow, Green]\n"
    assert template.entries(files(tmp_path, FIRST, loop), "Resources") == ["Topic", "Fn::ForEach::Trips"]


def test_every_pipeline_is_in_the_pipelines_stack() -> None:
    folders = {file.parent.name for file in stacks.pipelines_stack("test").files}
    assert {one.definition.parent.name for one in pipelines.all_pipelines()} <= folders
