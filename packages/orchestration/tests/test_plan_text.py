"""What `elt plan` says: whole outputs."""

from __future__ import annotations

import pytest

from orchestration.stacks import Change
from orchestration.stacks.plan_text import plan_lines, summary

DATA, PIPELINES = "elt-dev-data", "elt-dev-pipelines"
STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:elt-dev-yellow-trips"

CHANGES = [
    Change(
        DATA, "Modify", "RawBucket", "AWS::S3::Bucket", "elt-dev-raw", "True", kept=True, properties=("BucketName",)
    ),
    Change(DATA, "Modify", "Catalog", "AWS::Glue::Database", "elt_dev", "Conditional", properties=("DatabaseInput",)),
    Change(PIPELINES, "Add", "Undelivered", "AWS::SQS::Queue"),
    Change(PIPELINES, "Modify", "IngestRaw", "AWS::Glue::Job", "elt-dev-ingest-raw", properties=("A", "B")),
    Change(PIPELINES, "Modify", "YellowTrips", "AWS::StepFunctions::StateMachine", STATE_MACHINE, "True"),
    Change(PIPELINES, "Modify", "OldRole", "AWS::IAM::Role", "elt-dev-old", "True", properties=("RoleName",)),
    Change(PIPELINES, "Remove", "TriggerLogs", "AWS::Logs::LogGroup", "/aws/lambda/elt-dev-trigger"),
    Change(PIPELINES, "Remove", "Report", "AWS::QuickSight::Dashboard", "Report"),
    Change(PIPELINES, "Remove", "Reports", "AWS::S3::Bucket", "elt-dev-reports", kept=True),
]

PLAN = """\
elt-dev-data
  Replace  bucket RawBucket (elt-dev-raw): BucketName
           ! the old one is KEPT, no longer managed, and the new one begins empty
  Replace  Glue database Catalog (elt_dev): DatabaseInput
           ! PERHAPS LOST with it: its external tables

elt-dev-pipelines
  Add      queue Undelivered
  Change   Glue job IngestRaw (elt-dev-ingest-raw): A, B
  Replace  state machine YellowTrips (elt-dev-yellow-trips)
           ! LOST with it: its executions and their history, those that run included
  Replace  role OldRole (elt-dev-old): RoleName
  Remove   log group TriggerLogs (/aws/lambda/elt-dev-trigger)
           ! LOST with it: all its log lines
  Remove   QuickSight Dashboard Report
  Remove   bucket Reports (elt-dev-reports)
           ! the old one is KEPT, no longer managed

1 to add, 1 to change, 4 to replace, 3 to remove."""


def test_a_plan_has_a_line_for_each_change_and_its_losses() -> None:
    assert "\n".join(plan_lines(CHANGES)) == PLAN


def test_nothing_to_change() -> None:
    assert plan_lines([]) == ["Nothing to change."]


@pytest.mark.parametrize(
    ("changes", "told"), [(CHANGES[2:3] * 2, "2 to add."), (CHANGES[3:5], "1 to change, 1 to replace.")]
)
def test_the_sum_of_it(changes: list[Change], told: str) -> None:
    assert summary(changes) == told
