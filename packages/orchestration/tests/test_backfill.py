"""Backfills: which months, at what cost, and how what is read of one is told."""

from __future__ import annotations

import datetime
import io
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from orchestration import environments, pipelines
from orchestration.backfill import cost, plan, progress, tables
from orchestration.backfill.execution import OVERTAKEN, Backfill, MonthRun, Reader
from orchestration.backfill.request import Request
from orchestration.cli.backfill_outcome import describe_overtaken
from orchestration.errors import UsageError
from orchestration.pipelines import Month, MonthlyPipeline, asl

YELLOW = pipelines.load_monthly("yellow-trips")
TODAY = datetime.date(2026, 11, 21)
MONTHS = st.builds(Month, st.integers(2000, 2099), st.integers(1, 12))


# ---- plan


@given(MONTHS, MONTHS)
def test_months_between_are_all_there_are(first: Month, last: Month) -> None:
    found = plan.months_between(first, last)
    assert found == sorted(set(found)) == [month for month in found if first <= month <= last]
    assert len(found) == max(0, (last.year - first.year) * 12 + last.number - first.number + 1)


@pytest.mark.parametrize(
    ("today", "newest"),
    [("2026-11-21", "2026-09"), ("2026-03-01", "2026-01"), ("2026-02-28", "2025-12"), ("2026-01-31", "2025-11")],
)
def test_the_newest_month_that_is_published(today: str, newest: str) -> None:
    assert str(plan.newest_published(datetime.date.fromisoformat(today))) == newest


@pytest.mark.parametrize("force", [False, True])
def test_what_is_decided_for_each_month(force: bool) -> None:
    loaded = {Month(2026, 8): 7, Month(2026, 10): 5}
    planned = plan.plan(Month(2026, 7), Month(2026, 11), loaded=loaded, today=TODAY, force=force)
    assert [one.as_json() for one in planned.months] == [
        {"month": "2026-07", "decision": "missing", "rows": None},
        {"month": "2026-08", "decision": "loaded", "rows": 7},
        {"month": "2026-09", "decision": "missing", "rows": None},
        {"month": "2026-10", "decision": "loaded", "rows": 5},
        {"month": "2026-11", "decision": "unpublished", "rows": None},
    ]
    assert [str(month) for month in planned.to_run] == (
        ["2026-07", "2026-08", "2026-09", "2026-10"] if force else ["2026-07", "2026-09"]
    )


def test_a_range_before_the_first_month_names_it() -> None:
    plan.check_range(YELLOW, Month(2009, 1), Month(2009, 1))
    with pytest.raises(UsageError, match=r"^yellow-trips begins with 2009-01; --from 2008-12 is before that$"):
        plan.check_range(YELLOW, Month(2008, 12), Month(2010, 1))


class Manifests:
    """S3 with manifests by month."""

    class exceptions:
        NoSuchKey = ClientError

    def __init__(self, loads: Mapping[str, Mapping[str, Any]]) -> None:
        self.loads = loads

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        month = "-".join(Key.split("/")[1:3])
        if month not in self.loads:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(json.dumps({"load": self.loads[month]}).encode())}


def loaded(rows: Mapping[str, int], audit: list[tuple[str, str]], manifests: Mapping[str, Any]) -> dict[str, int]:
    """By a warehouse with these rows and audited loads by month."""

    def query(sql: str) -> list[tuple[Any, ...]]:
        if "svv_tables" in sql:
            return [(1,)] if rows else []
        if "load_audit" in sql:
            assert sql == "SELECT source_month, load_id FROM public.load_audit WHERE dataset = 'yellow'"
            return [(f"{month}-01", load) for month, load in audit]
        return [(f"{month}-01", count) for month, count in rows.items()]

    found = plan.find_loaded_months(
        YELLOW,
        plan.months_between(Month(2024, 1), Month(2024, 2)),
        s3=Manifests(manifests),
        processed_bucket="processed",
        query=query,
    )
    return {str(month): count for month, count in found.items()}


MANIFEST = {"2024-01": {"load_id": "b", "rows_kept": 10}}
AUDIT = [("2024-01", "a"), ("2024-01", "b")]


@pytest.mark.parametrize(
    ("rows", "audit", "manifests", "found"),
    [
        ({}, [], {}, {}),
        ({}, [], MANIFEST, {}),
        ({"2024-01": 10}, AUDIT, MANIFEST, {"2024-01": 10}),
        ({"2024-01": 9}, AUDIT, MANIFEST, {}),
        ({"2024-01": 10}, AUDIT[:1], MANIFEST, {}),
        ({"2024-01": 10}, [("2024-02", "b")], MANIFEST, {}),
        ({"2024-01": 10}, AUDIT, {}, {}),
        ({"2023-12": 10}, AUDIT, MANIFEST, {}),
        ({"2024-01": 0}, [("2024-01", "z")], {"2024-01": {"load_id": "z", "rows_kept": 0}}, {"2024-01": 0}),
    ],
    ids=["nothing", "no table", "as it should be", "other count", "newer transform", "other month", "no manifest",
         "out of range", "an empty month"],
)  # fmt: skip
def test_loaded_is_what_audit_table_and_manifest_agree_on(
    rows: Mapping[str, int], audit: list[tuple[str, str]], manifests: Mapping[str, Any], found: dict[str, int]
) -> None:
    assert loaded(rows, audit, manifests) == found


# ---- cost


RATES = cost.Rates(
    region="here", dpu_hour=1.0, dpu_minimum=60, rpu_hour=2.0, rpu_minimum=60, assumed=(), sources=("a page",)
)


@pytest.mark.parametrize(
    ("seconds", "dpu_hours", "rpu_hours"), [((10, 59), 2.0, 16.0), ((60, 60), 2.0, 16.0), ((120, 90), 3.5, 24.0)]
)
def test_what_months_cost(seconds: tuple[float, float], dpu_hours: float, rpu_hours: float) -> None:
    """120 months of a job of half a DPU, and of one as large that loads into a warehouse of 8 RPU."""
    jobs = (cost.JobTime("T", 0.5, seconds[0]), cost.JobTime("L", 0.5, seconds[1], uses_warehouse=True))
    found = cost.estimate(120, jobs=jobs, measured=3, rates=RATES, rpu=8)
    assert (found.dpu_hours, found.rpu_hours) == (pytest.approx(dpu_hours), pytest.approx(rpu_hours))
    assert (found.glue, found.redshift) == (pytest.approx(dpu_hours), pytest.approx(2 * rpu_hours))
    assert found.total == pytest.approx(dpu_hours + 2 * rpu_hours)


def test_nothing_costs_nothing() -> None:
    rates = cost.load_rates()
    assert cost.estimate(0, jobs=rates.assumed, measured=0, rates=rates, rpu=8).total == 0


class Past:
    """Step Functions and Glue with a smoke run and two months: one whose transform took 100 s, one 50 s on more DPU."""

    def list_executions(self, **given: Any) -> dict[str, Any]:
        assert given.pop("maxResults") >= 10 * cost.MEASURED, "smoke runs may be many"
        assert given == {"stateMachineArn": "arn:machine", "statusFilter": "SUCCEEDED"}
        names = {
            "arn:smoke": "smoke-20241105T060000-1a2b",
            "arn:newer": "yellow-2024-09",
            "arn:older": "yellow-2024-08-5f",
        }
        return {"executions": [{"executionArn": arn, "name": name} for arn, name in names.items()]}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        return {"status": "SUCCEEDED", "startDate": START, "stopDate": START, "input": "{}"}

    def get_paginator(self, operation: str) -> Past:
        return self

    def paginate(self, *, executionArn: str) -> list[dict[str, Any]]:
        def event(kind: str, **details: Any) -> dict[str, Any]:
            return {"type": kind, "timestamp": START, f"{kind[0].lower()}{kind[1:]}EventDetails": details}

        events = []
        for state in ("TransformTrips", "LoadRedshift"):
            events += [
                {"type": "TaskStateEntered", "timestamp": START, "stateEnteredEventDetails": {"name": state}},
                event("TaskScheduled", parameters=json.dumps({"JobName": state})),
                event("TaskSubmitted", output=json.dumps({"JobRunId": executionArn})),
                {"type": "TaskStateExited", "timestamp": START},
            ]
        return [{"events": events}]

    def get_job_run(self, *, JobName: str, RunId: str) -> dict[str, Any]:
        runs = {
            ("TransformTrips", "arn:newer"): {"WorkerType": "G.1X", "NumberOfWorkers": 2, "ExecutionTime": 50},
            ("TransformTrips", "arn:older"): {"MaxCapacity": 1.0, "ExecutionTime": 100},
            ("LoadRedshift", "arn:newer"): {"MaxCapacity": 0.0625, "ExecutionTime": 10},
            ("LoadRedshift", "arn:older"): {"MaxCapacity": 0.0625, "ExecutionTime": 11},
        }
        return {"JobRun": runs[JobName, RunId]}


def test_times_are_measured_from_what_has_run() -> None:
    past = Past()
    assert cost.measure(past, past, "arn:machine:live", dataset="yellow", rates=cost.load_rates()) == (
        (
            cost.JobTime("TransformTrips", 2.0, 75),
            cost.JobTime("LoadRedshift", 0.0625, 10.5, uses_warehouse=True),
        ),
        2,
    )


def test_what_is_assumed_is_of_states_there_are() -> None:
    states = json.loads(asl.read(YELLOW.definition))["States"]
    assumed = {job.state for job in cost.load_rates().assumed}
    assert assumed == {name for name, state in states.items() if "startJobRun" in state.get("Resource", "")}


# ---- what is read of a backfill


START = datetime.datetime(2024, 11, 5, 6, tzinfo=datetime.UTC)
ARN = "arn:aws:states:us-east-1:123456789012:execution:elt-local-backfill:yellow-backfill-1"
CHILD = "arn:aws:states:us-east-1:123456789012:execution:elt-local-yellow-trips:"


def scheduled(month: str) -> dict[str, Any]:
    year, number = month.split("-")
    parameters = {"Name": f"yellow-{month}-backfill-1", "Input": {"year": year, "month": number}}
    details = {"resourceType": "states", "parameters": json.dumps(parameters)}
    return {"type": "TaskScheduled", "taskScheduledEventDetails": details}


def submitted(month: str) -> dict[str, Any]:
    output = json.dumps({"ExecutionArn": f"{CHILD}yellow-{month}-backfill-1"})
    return {"type": "TaskSubmitted", "taskSubmittedEventDetails": {"resourceType": "states", "output": output}}


def exited(state: str, output: Mapping[str, Any], kind: str = "Task") -> dict[str, Any]:
    return {"type": f"{kind}StateExited", "stateExitedEventDetails": {"name": state, "output": json.dumps(output)}}


def loaded_event(month: str, rows: int) -> dict[str, Any]:
    return exited("ReadManifest", {"month": month, "status": "SUCCEEDED", "rows_kept": rows, "rows_rejected": 1})


def failed_event(month: str) -> dict[str, Any]:
    told = {"month": month, "status": "FAILED", "state": "IngestRaw", "cause": "no [such] file"}
    return exited("MonthFailed", told, "Pass")


class States:
    """Step Functions with one backfill, whose history grows by a second an event."""

    def __init__(self) -> None:
        self.status = "RUNNING"
        self.events: list[dict[str, Any]] = []
        self.read = 0

    def happen(self, *events: dict[str, Any]) -> None:
        for event in events:
            number = len(self.events) + 1
            self.events.append({"id": number, "timestamp": START + datetime.timedelta(seconds=number), **event})

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        months = ["2024-01", "2024-02", "2024-03"]
        answer = {"status": self.status, "startDate": START, "input": json.dumps({"months": months, "rerun": "again"})}
        if executionArn != ARN:
            return {"status": "RUNNING", "startDate": START}
        if self.status != "RUNNING":
            answer["stopDate"] = START + datetime.timedelta(seconds=60)
        return answer

    def get_paginator(self, operation: str) -> States:
        assert operation == "get_execution_history"
        return self

    def paginate(self, *, executionArn: str, **given: Any) -> Any:
        if executionArn != ARN:
            entered = {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "TransformTrips"}}
            return [{"events": [{**entered, "timestamp": START}]}]
        assert given["reverseOrder"]
        pages = [self.events[::-1][at : at + 2] for at in range(0, len(self.events), 2)]
        return ({"events": [self._count(event) for event in page]} for page in pages)

    def _count(self, event: dict[str, Any]) -> dict[str, Any]:
        self.read += 1
        return event


def statuses(backfill: Backfill) -> list[tuple[str, str, int | None, str | None]]:
    return [(month.month, month.status, month.rows, month.state) for month in backfill.months]


def test_a_backfill_is_read_as_it_goes() -> None:
    states = States()
    reader = Reader(states, ARN)
    assert statuses(reader.read()) == [(month, "WAITING", None, None) for month in ("2024-01", "2024-02", "2024-03")]
    states.happen({"type": "ExecutionStarted"}, scheduled("2024-01"), scheduled("2024-02"), submitted("2024-01"))
    assert statuses(reader.read()) == [
        ("2024-01", "RUNNING", None, "TransformTrips"),
        ("2024-02", "RUNNING", None, None),
        ("2024-03", "WAITING", None, None),
    ]
    states.happen(exited("RunMonth", {"Error": "States.TaskFailed"}), failed_event("2024-02"), scheduled("2024-03"))
    states.happen(submitted("2024-03"), loaded_event("2024-01", 7))
    states.read = 0
    third = reader.read()
    assert states.read <= 5 + 2, "what was read before is not read again, but for the page it is on"
    assert statuses(third) == [
        ("2024-01", "SUCCEEDED", 7, None),
        ("2024-02", "FAILED", None, "IngestRaw"),
        ("2024-03", "RUNNING", None, "TransformTrips"),
    ]
    states.status = "ABORTED"
    last = reader.read()
    assert (last.is_final, last.seconds, last.rerun) == (True, 60.0, "again")
    assert statuses(last)[2] == ("2024-03", "STOPPED", None, None)
    assert last.months[0].as_json() == {
        "month": "2024-01",
        "status": "SUCCEEDED",
        "rows": 7,
        "state": None,
        "cause": None,
        "seconds": 7.0,
        "execution": f"{CHILD}yellow-2024-01-backfill-1",
    }


# ---- what is told


def run(month: str, status: str, **given: Any) -> MonthRun:
    return MonthRun(month, status, started=None if status == "WAITING" else START, **given)


ENDED = Backfill(
    arn=ARN,
    status="FAILED",
    seconds=61.4,
    months=(
        run("2024-01", "SUCCEEDED", seconds=20.04, rows=1_234_567),
        run("2024-02", "FAILED", state="IngestRaw", cause="no [such] file"),
        run("2024-03", "STOPPED"),
    ),
)


def test_progress_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    begun = Backfill(ARN, "RUNNING", 1.0, (run("2024-01", "RUNNING"), MonthRun("2024-02"), MonthRun("2024-03")))
    with progress.following() as show:
        show(begun)
        show(begun)
        show(ENDED)
    assert capsys.readouterr().err == (
        "2024-01 started\n"
        "2024-02 started\n"
        "2024-03 started\n"
        "2024-01 loaded, 1,234,567 rows, 20.0 s\n"
        "2024-02 failed at IngestRaw: no [such] file\n"
        "1 of 3 months loaded, 1 failed, 1 stopped, 1,234,567 rows, 61 s\n"
    )


def test_progress_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    begun = Backfill(ARN, "RUNNING", 1.0, (run("2024-01", "RUNNING", state="IngestRaw", seconds=0.5),))
    with progress.following() as show:
        show(begun)
        show(ENDED)
    written = re.split(r"\x1b\[[?\d;]*[A-Za-z]|[\r\n]", capsys.readouterr().err)
    shown = [line.rstrip() for line in written if line.strip()]
    assert "●  2024-01  IngestRaw  0.5 s" in shown
    assert shown.count("2024-01 loaded, 1,234,567 rows, 20.0 s") == 1
    assert shown.count("2024-02 failed at IngestRaw: no [such] file") == 1
    assert shown[-1] == "1 of 3 months loaded, 1 failed, 1 stopped, 1,234,567 rows, 61 s"


def made(first: Month, last: Month, *, force: bool = False) -> plan.Plan:
    return plan.plan(first, last, loaded={Month(2023, 12): 99}, today=datetime.date(2024, 6, 1), force=force)


def test_the_table_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    found = tables.outcomes(ENDED, made(Month(2023, 12), Month(2024, 5)))
    assert [(one.month, one.status) for one in found] == [
        ("2023-12", "SKIPPED"),
        ("2024-01", "SUCCEEDED"),
        ("2024-02", "FAILED"),
        ("2024-03", "STOPPED"),
        ("2024-04", "NOT_PUBLISHED"),
        ("2024-05", "NOT_PUBLISHED"),
    ]
    tables.show_outcomes(found)
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "month         rows",
        "2023-12         99  was loaded already",
        "2024-01  1,234,567  loaded",
        "2024-02          -  failed at IngestRaw: no [such] file",
        "2024-03          -  stopped",
        "2024-04          -  not published yet",
        "2024-05          -  not published yet",
    ]


PLANS = [
    (False, 0, "is loaded, will be skipped", "1 to run, 1 loaded already, 1 not published yet", 1),
    (True, 4, "is loaded, will be loaded again", "2 to run, 1 loaded already, 1 not published yet", 2),
]


@pytest.mark.parametrize(("force", "measured", "told", "summary", "runs"), PLANS)
def test_a_plan_says_what_runs_and_what_it_costs(
    force: bool, measured: int, told: str, summary: str, runs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = plan.Plan(
        (
            plan.PlannedMonth(Month(2024, 3), plan.MISSING),
            plan.PlannedMonth(Month(2024, 4), plan.LOADED, 1_000),
            plan.PlannedMonth(Month(2024, 5), plan.UNPUBLISHED),
        ),
        force,
    )
    jobs = (cost.JobTime("TransformTrips", 1.0, 90.4), cost.JobTime("LoadRedshift", 0.0625, 30, uses_warehouse=True))
    estimate = cost.estimate(len(planned.to_run), jobs=jobs, measured=measured, rates=RATES, rpu=8)
    assert isinstance(YELLOW, MonthlyPipeline)
    tables.show_plan(YELLOW, planned, estimate)
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed[:6] == [
        "month     rows",
        "2024-03      -  will be loaded",
        f"2024-04  1,000  {told}",
        "2024-05      -  is not published yet",
        "",
        f"yellow-trips: {summary}",
    ]
    basis = "the mean of the newest 4 runs" if measured else "assumed, as nothing has run yet"
    assert " ".join(" ".join(printed[6:]).split()) == (
        "On AWS (here) that costs about:"
        f" Glue {runs * 94.15 / 3600:.2f} DPU-hours at $1.0 ${runs * 94.15 / 3600:.2f}"
        f" Redshift {runs * 480 / 3600:.2f} RPU-hours at $2.0 ${runs * 960 / 3600:.2f}"
        f" together ${runs * 94.15 / 3600 + runs * 960 / 3600:.2f}"
        f" An estimate. Seconds a month, {basis}: TransformTrips 90 s at 1 DPU, LoadRedshift 30 s at 0.0625 DPU."
        " A job is billed for at least 60 s; the warehouse (8 RPU) for at least 60 s a load, less where loads run"
        " close together. Prices: a page."
    )


def test_a_month_that_another_run_has_overtaken_is_named_with_its_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    run = MonthRun(
        "2024-01", OVERTAKEN, rows=70, cause="the table holds another load of it: x loaded it from http://b/"
    )
    tables.show_outcomes(tables.outcomes(Backfill("arn:b", "SUCCEEDED", 9.0, (run,)), None))
    shown = "loaded, but the table holds another load of it: x loaded it from http://b/"
    assert shown in capsys.readouterr().out
    request = Request(
        pipelines.load_monthly("yellow-trips"),
        Month(2024, 1),
        Month(2024, 2),
        max_concurrency=2,
        force=False,
        source="http://a/",
        environment=environments.load("local"),
    )
    assert describe_overtaken(request, [run]) == (
        "everything ran, but the table holds another run's rows of 2024-01; load again:\n"
        "elt run yellow-trips --month 2024-01 --source http://a/ --env local"
    )
