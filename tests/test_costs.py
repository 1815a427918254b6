"""What the page on the first deployment says of costs: counted in the templates, priced by rates.toml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomllib

import orchestration
from laptop import ROOT
from orchestration import pipelines, stacks
from orchestration.pipelines import asl
from test_contracts import template

PAGE = (ROOT / "docs" / "first-deployment.md").read_text(encoding="utf-8")
PACKAGE = Path(orchestration.__file__).parent
RATES = tomllib.loads((PACKAGE / "backfill" / "rates.toml").read_text(encoding="utf-8"))

#: Types that cost by the month or hour while nothing runs, and are counted; every other type in the stacks is not among
#: those that do (S3 and Redshift storage aside, which hold what was loaded).
COUNTED = {"AWS::CloudWatch::Alarm", "AWS::RedshiftServerless::Namespace"}
FREE_WHILE_IDLE = {
    "AWS::CloudFormation::Stack",
    "AWS::Events::Rule",
    "AWS::Glue::Database",
    "AWS::Glue::Job",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::RedshiftServerless::Workgroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
    "AWS::StepFunctions::StateMachineAlias",
    "AWS::StepFunctions::StateMachineVersion",
}


def resources() -> list[dict[str, Any]]:
    """All of an environment's stacks but QuickSight, which is charged by the user and off unless it is asked for."""
    found = [template(stack)["Resources"] for stack in (stacks.data_stack("test"), stacks.pipelines_stack("test"))]
    every = [one for each in found for one in each.values()]
    return [one for one in every if not one["Type"].startswith("AWS::QuickSight::")]


def metrics_of(alarm: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Namespace, name and dimensions of each metric that an alarm reads."""
    given = alarm["Properties"]
    if "MetricName" in given:
        yield given["Namespace"], given["MetricName"], json.dumps(given.get("Dimensions"), default=str)
    for one in given.get("Metrics", []):
        if "MetricStat" in one:
            metric = one["MetricStat"]["Metric"]
            yield metric["Namespace"], metric["MetricName"], json.dumps(metric.get("Dimensions"), default=str)


def idle(environments: int, *, schedules: bool) -> list[float]:
    """Alarm metrics, custom metrics, secrets, dollars a month, and dollars with the free tier.

    Custom metrics come from the hourly checks, and an alarm with a condition is there with the schedules alone.
    """
    alarms = [one for one in resources() if one["Type"] == "AWS::CloudWatch::Alarm"]
    read = [metric for one in alarms if schedules or "Condition" not in one for metric in metrics_of(one)]
    custom = {metric for metric in read if not metric[0].startswith("AWS/")} if schedules else set()
    secrets = sum(one["Properties"].get("ManageAdminPassword", False) for one in resources())
    counts = [environments * count for count in (len(read), len(custom), secrets)]
    free = [RATES["cloudwatch"]["free_alarm_metrics"], RATES["cloudwatch"]["free_custom_metrics"], 0]
    prices = [RATES["cloudwatch"]["alarm_metric"], RATES["cloudwatch"]["custom_metric"]]
    prices.append(RATES["secrets_manager"]["secret"])
    full = sum(count * price for count, price in zip(counts, prices, strict=True))
    less = sum(max(0, count - off) * price for count, off, price in zip(counts, free, prices, strict=True))
    return [*counts, full, less]


def test_nothing_in_the_stacks_idles_uncounted() -> None:
    assert {one["Type"] for one in resources()} - COUNTED <= FREE_WHILE_IDLE


def test_what_the_hourly_checks_measure_is_what_alarms_read() -> None:
    """Else there would be custom metrics that are charged and not counted."""
    read = {
        metric[1]
        for one in resources()
        if one["Type"] == "AWS::CloudWatch::Alarm"
        for metric in metrics_of(one)
        if not metric[0].startswith("AWS/")
    }
    overdue = (ROOT / "packages" / "trigger" / "src" / "trigger" / "overdue.py").read_text(encoding="utf-8")
    assert {part.split('"')[1] for part in overdue.split('"MetricName": ')[1:]} == read


@pytest.mark.parametrize("environments", [1, 2])
@pytest.mark.parametrize("schedules", [False, True])
def test_the_page_has_what_idling_costs(environments: int, schedules: bool) -> None:
    alarms, custom, secrets, full, less = idle(environments, schedules=schedules)
    row = (
        f"| {environments} | {'on' if schedules else 'off'} | {alarms:.0f} | {custom:.0f} | {secrets:.0f} "
        f"| ${full:.2f} | ${less:.2f} |"
    )
    assert row in PAGE.splitlines()


def dpu_of(stack: dict[str, Any], name: str) -> float:
    """The DPUs of a job; a G.1X worker is one."""
    given = next(one["Properties"] for key, one in stack["Resources"].items() if key == name)
    return float(given["MaxCapacity"] if "MaxCapacity" in given else given["NumberOfWorkers"])


def glue(*capacities: float) -> float:
    """Dollars for runs that take no longer than what is billed at least."""
    rates = RATES["glue"]
    return sum(capacities) * rates["minimum_seconds"] / 3600 * float(rates["dpu_hour"])


def test_the_page_has_what_runs_and_deployments_cost() -> None:
    """Redshift by the minute: a run wakes it once, or, where its statements lie apart, up to three times."""
    stack = template(stacks.pipelines_stack("test"))
    ingest, transform, query = (dpu_of(stack, name) for name in ("IngestRaw", "TransformTrips", "RsQuery"))
    machine = json.loads(asl.read(pipelines.load("reviews").definition))
    queries = [one for one in machine["States"].values() if one.get("Resource", "").endswith("glue:startJobRun.sync")]
    scratch = template(stacks.Stack("scratch", (PACKAGE / "conformance" / "stack.yaml",)))
    (workgroup,) = (one for one in resources() if one["Type"] == "AWS::RedshiftServerless::Workgroup")
    rpu = RATES["redshift"]
    minute = workgroup["Properties"]["BaseCapacity"] * rpu["minimum_seconds"] / 3600 * rpu["rpu_hour"]
    woken = f"${minute:.2f} to ${3 * minute:.2f}"
    probes = glue(*[dpu_of(scratch, "Shell")] * 3, dpu_of(scratch, "Spark"))
    for row in (
        f"| a month of trips, or a smoke run | ${glue(ingest, transform, query):.3f} | {woken} |",
        f"| a day of reviews that has a delivery | ${glue(*[query] * len(queries)):.3f} | {woken} |",
        "| `elt deploy`, `elt promote`, `elt rollback` | none "
        f"| none; ${minute:.2f} the first time, and where grants or a dataset's columns change |",
        f"| `elt conformance` | ${probes:.3f} | {woken} |",
    ):
        assert row in PAGE.splitlines()
