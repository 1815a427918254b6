"""The page of an execution: what happened is on it, and nothing that was said becomes markup."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from chromium import Browser
from letters import each_width, every_font

from orchestration import report
from orchestration.cli.report import console

T0 = datetime.datetime(2024, 11, 5, 6, 0, tzinfo=datetime.UTC)
ARN = "arn:aws:states:us-east-1:123456789012:execution:elt-dev-yellow-trips:yellow-2024-09-a1"
REJECTED = {"fare_amount_not_positive": 50, "trip_distance_not_positive": 252, "pickup_missing": 0}
TRAP = "</pre></script><script>alert(1)</script><img src=x onerror=alert(1)> & \"'"


class Cloud:
    """Step Functions and CloudWatch Logs with one execution in them: the calls that a report makes, as AWS answers."""

    class exceptions:
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self, *, cause: str = "") -> None:
        self.cause = cause
        load_fails = "TaskFailed" if cause else "TaskSucceeded"
        self.events = [
            *self.task(0, "TransformTrips", 6, "jr_1", "TaskSucceeded"),
            *self.task(6, "LoadRedshift", 3, "jr_2", load_fails),
            self.event(
                9, "FailStateEntered" if cause else "SucceedStateEntered", stateEnteredEventDetails={"name": "End"}
            ),
        ]
        self.logs = {
            ("jr_1", "/aws-glue/python-jobs/output"): [
                {
                    "event": "drift",
                    "level": "warning",
                    "month": "2024-09",
                    "column": "cbd_congestion_fee",
                    "change": "new_column",
                    "type": "double",
                },
                {"event": "not_removed", "level": "warning", "month": "2024-09", "error": "SlowDown"},
                {"event": "judged", "dataset": "yellow", "rows": 20000, "kept": 19698, "rejected": REJECTED},
            ],
            ("jr_2", "/aws-glue/python-jobs/output"): [
                {"event": "statement", "status": "failed" if cause else "finished", "index": 6, "rows": 19698},
            ],
            ("jr_2", "/aws-glue/python-jobs/error"): ["Traceback (most recent call last):", f"  {TRAP}"],
        }

    def event(self, second: float, kind: str, **details: Any) -> dict[str, Any]:
        return {"timestamp": T0 + datetime.timedelta(seconds=second), "type": kind, **details}

    def task(self, second: float, name: str, seconds: float, run: str, end: str) -> list[dict[str, Any]]:
        return [
            self.event(second, "TaskStateEntered", stateEnteredEventDetails={"name": name}),
            self.event(second, "TaskScheduled", taskScheduledEventDetails={"parameters": '{"JobName": "j"}'}),
            self.event(second, "TaskSubmitted", taskSubmittedEventDetails={"output": json.dumps({"JobRunId": run})}),
            self.event(second + seconds, end),
            self.event(second + seconds, "TaskStateExited"),
        ]

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        failure = {"status": "FAILED", "error": "States.TaskFailed", "cause": self.cause}
        given = {"year": "2024", "month": "09", "rerun": "elt run yellow-trips --month 2024-09", "source_url": TRAP}
        return {
            "status": "SUCCEEDED",
            "startDate": T0,
            "stopDate": T0 + datetime.timedelta(seconds=9),
            "input": json.dumps(given),
        } | (failure if self.cause else {})

    def get_paginator(self, operation: str) -> Any:
        self.operation = operation
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        if self.operation == "get_execution_history":
            yield {"events": self.events}
            return
        lines = self.logs.get((request["logStreamNamePrefix"], request["logGroupName"]))
        if lines is None:
            raise self.exceptions.ResourceNotFoundException
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        at = int(T0.timestamp() * 1000) + 1234
        yield {"events": [{"timestamp": at, "message": text, "eventId": text} for text in texts]}


class Page(HTMLParser):
    """The text of each table's rows and of each element with text of its own; every tag has to be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.texts: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "link"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "tr" in self.open:
            self.rows[-1][-1] += data
        if self.open and self.open[-1] != "style" and data.strip():
            self.texts.append((self.open[-1], data.strip()))


def write(cloud: Cloud, path: Path, **options: Any) -> Page:
    report.write(cloud, cloud, ARN, path, **options)
    return Page(path.read_text(encoding="utf-8"))


def test_a_run_that_succeeded(tmp_path: Path) -> None:
    page = write(Cloud(), tmp_path / "page.html", link=console("us-east-1", ARN))
    assert ("h1", "yellow-2024-09-a1") in page.texts
    assert ("p", "yellow-trips on dev, 2024-09, started 2024-11-05 06:00:00 UTC, took 9.0 s") in page.texts
    assert ("span", "SUCCEEDED") in page.texts
    assert page.rows[:4] == [
        ["State", "when", "began", "took", "ended"],
        ["TransformTrips", "", "+0.0 s", "6.0 s", "succeeded"],
        ["LoadRedshift", "", "+6.0 s", "3.0 s", "succeeded"],
        ["End", "", "+9.0 s", "0.0 s", "succeeded"],
    ]
    assert [text for tag, text in page.texts if tag == "dd"] == ["20,000", "19,698", "98.49%", "302", "1.51%"]
    assert page.rows[4:8] == [
        ["Rejected by", "rows", "of those read"],
        ["trip_distance_not_positive", "252", "1.26%"],
        ["fare_amount_not_positive", "50", "0.25%"],
        ["pickup_missing", "0", "0.00%"],
    ]
    assert page.rows[8:11] == [
        [
            "the column cbd_congestion_fee (double) is new, and is not loaded: add it to the dataset, or to `also` of "
            "its era (docs/adding-a-dataset.md)"
        ],
        ["State", "event", "details"],
        ["TransformTrips", "not_removed", "error SlowDown "],
    ]
    assert ["06:00:01.234", "statement", "status finished index 6 rows 19,698 "] in page.rows
    assert ["month", "09"] in page.rows
    assert ("a", "Open in the console") in page.texts


def test_a_run_that_failed(tmp_path: Path) -> None:
    page = write(Cloud(cause="LoadRedshift: CopyError: a file is missing"), tmp_path / "page.html")
    assert ("span", "FAILED") in page.texts
    assert ("h2", "States.TaskFailed in LoadRedshift") in page.texts
    assert ("pre", "LoadRedshift: CopyError: a file is missing") in page.texts
    assert ("code", "elt run yellow-trips --month 2024-09") in page.texts
    assert ["LoadRedshift", "", "+6.0 s", "3.0 s", "failed"] in page.rows
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.count("<details open>") == 1, "what the failed job said is not hidden"


def test_what_was_said_is_never_markup(tmp_path: Path) -> None:
    page = write(Cloud(cause=TRAP), tmp_path / "page.html")
    assert ("pre", TRAP) in page.texts
    assert ("pre", f"Traceback (most recent call last):\n  {TRAP}") in page.texts
    assert ["source_url", TRAP] in page.rows
    assert not page.tags & {"script", "img"}


def test_a_talkative_job_is_cut_in_its_middle(tmp_path: Path) -> None:
    cloud = Cloud()
    cloud.logs["jr_2", "/aws-glue/python-jobs/error"] = [f"line {number}" for number in range(5000)]
    page = write(cloud, tmp_path / "page.html")
    [text] = [text for tag, text in page.texts if tag == "pre"]
    lines = text.split("\n")
    assert len(lines) == 1000  # one of the first 200 is the job's one event
    assert lines[198:201] == ["line 198", "… 4,001 lines left out; elt logs yellow-2024-09-a1 has them …", "line 4200"]
    assert ("span", "5,001 lines, jr_2") in page.texts


@every_font
def test_fits_every_screen_in_every_font(browser: Browser, tmp_path: Path, letters: str) -> None:
    path = tmp_path / "page.html"
    write(Cloud(cause=TRAP + "x" * 400), path)
    with browser.tab(path.as_uri()) as tab:
        tab.click("details:not([open]) summary")
        for _ in each_width(tab, letters):
            pass
        assert (tab.complaints, tab.requests) == ([], [path.as_uri()])


@pytest.mark.parametrize("dark", [False, True])
def test_light_or_dark_as_the_system_is_and_light_on_paper(browser: Browser, tmp_path: Path, dark: bool) -> None:
    path = tmp_path / "page.html"
    write(Cloud(), path)
    paper = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]) > 128"
    with browser.tab(path.as_uri(), dark=dark) as tab:
        assert tab.js(paper) is not dark
        tab.scheme(dark=dark, medium="print")
        assert tab.js(paper) is True


@pytest.mark.parametrize(
    ("machine", "shown"),
    [
        ("elt-prod-reviews", "reviews on prod, 2024-09, "),
        ("elt-dev-two-green-trips", "green-trips on dev-two, 2024-09, "),
        ("elt-dev-backfill", "2024-09, "),
        ("elt--reviews", "2024-09, "),
        ("reviews", "2024-09, "),
    ],
)
def test_names_pipeline_and_environment_of_machines_that_elt_deployed(tmp_path: Path, machine: str, shown: str) -> None:
    arn = f"arn:aws:states:us-east-1:123456789012:execution:{machine}:a1"
    report.write(Cloud(), Cloud(), arn, tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert ("p", f"{shown}started 2024-11-05 06:00:00 UTC, took 9.0 s") in page.texts


def test_the_time_of_an_event_is_on_one_line(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    cloud = Cloud()
    cloud.logs["jr_2", "/aws-glue/python-jobs/output"].append({"event": "x" * 200, "text": "y" * 4000})
    write(cloud, path)
    lines = """[...document.querySelectorAll('.events td:first-child')].map((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return range.getClientRects().length;
    })"""
    with browser.tab(path.as_uri()) as tab:
        tab.js("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        assert set(tab.js(lines)) == {1}


def test_where_the_console_shows_it() -> None:
    assert console("eu-west-1", "arn:aws:states:x") == (
        "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn:aws:states:x"
    )
