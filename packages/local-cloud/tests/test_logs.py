"""CloudWatch Logs by boto3 and the `aws` command."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.services.logs.patterns import PatternError, compile_pattern

GROUP = "/aws-glue/jobs/output"


@pytest.fixture(scope="module")
def now() -> int:
    return int(time.time() * 1000) - 60_000


@pytest.fixture(scope="module")
def logs(cloud: Any, now: int) -> Iterator[Any]:
    """Two streams that take turns, a second apart: `a` the even, `b` the odd events."""
    client = cloud.client("logs")
    client.create_log_group(logGroupName=GROUP)
    for stream, offset in (("run/a", 0), ("run/b", 1)):
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        events = [
            {"timestamp": now + n * 1000, "message": json.dumps({"n": n, "event": "step" if n % 3 else "start"})}
            for n in range(offset, 20, 2)
        ]
        client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
    yield client


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [json.loads(event["message"])["n"] for event in events]


def code(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_a_group_is_one_sequence_by_time(logs: Any, now: int) -> None:
    answer = logs.filter_log_events(logGroupName=GROUP, interleaved=True)
    assert numbers(answer["events"]) == list(range(20))
    assert "nextToken" not in answer
    first = answer["events"][0]
    assert set(first) == {"eventId", "ingestionTime", "logStreamName", "message", "timestamp"}
    assert (first["logStreamName"], first["timestamp"]) == ("run/a", now)
    assert len({event["eventId"] for event in answer["events"]}) == 20


def test_what_logs_tail_asks_for(logs: Any, now: int) -> None:
    """The calls behind `aws logs tail`: pages, then again from the newest event on for --follow."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, interleaved=True, startTime=now + 5000, PaginationConfig={"PageSize": 4}
    )
    assert [numbers(page["events"]) for page in pages] == [
        [5, 6, 7, 8],
        [9, 10, 11, 12],
        [13, 14, 15, 16],
        [17, 18, 19],
    ]
    newest = logs.filter_log_events(logGroupName=GROUP, interleaved=True, startTime=now + 19_000)
    assert numbers(newest["events"]) == [19]
    prefixed = logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="run/b", interleaved=True)
    assert numbers(prefixed["events"]) == list(range(1, 20, 2))
    named = logs.filter_log_events(logGroupName=GROUP, logStreamNames=["run/a"], endTime=now + 4000)
    assert numbers(named["events"]) == [0, 2, 4]


def test_the_aws_command_reads_them(cloud: Any, logs: Any) -> None:
    done = cloud.aws(
        *("logs", "filter-log-events", "--log-group-name", GROUP, "--filter-pattern", "{ $.n >= 18 }"),
        *("--query", "events[].message", "--output", "text"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == '{"n": 18, "event": "start"}\t{"n": 19, "event": "step"}\n'


def test_one_stream_page_by_page(logs: Any) -> None:
    ask = {"logGroupName": GROUP, "logStreamName": "run/a", "limit": 4}
    page = logs.get_log_events(**ask, startFromHead=True)
    seen = numbers(page["events"])
    while (token := page["nextForwardToken"]) and page["events"]:
        page = logs.get_log_events(**ask, nextToken=token)
        seen += numbers(page["events"])
    assert seen == list(range(0, 20, 2))
    assert page["nextForwardToken"] == token  # the end: the token comes back as it was
    latest = logs.get_log_events(**ask)
    assert numbers(latest["events"]) == [12, 14, 16, 18]
    before = logs.get_log_events(**ask, nextToken=latest["nextBackwardToken"])
    assert numbers(before["events"]) == [4, 6, 8, 10]
    assert code(logs.get_log_events, **ask, nextToken="nonsense") == "InvalidParameterException"


def test_the_end_of_a_stream_grows(logs: Any, now: int) -> None:
    logs.create_log_stream(logGroupName=GROUP, logStreamName="growing")
    ask = {"logGroupName": GROUP, "logStreamName": "growing"}
    page = logs.get_log_events(**ask, startFromHead=True)
    assert page["events"] == []
    logs.put_log_events(**ask, logEvents=[{"timestamp": now + 1, "message": "first"}])
    page = logs.get_log_events(**ask, nextToken=page["nextForwardToken"])
    assert [event["message"] for event in page["events"]] == ["first"]
    logs.delete_log_stream(**ask)
    assert code(logs.get_log_events, **ask) == "ResourceNotFoundException"


def test_groups_and_streams_are_described_with_times_and_sizes(logs: Any, now: int) -> None:
    stream = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="run/a")["logStreams"][0]
    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (now, now + 18_000)
    assert stream["lastIngestionTime"] >= now
    group = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]
    assert group["storedBytes"] >= 20 * 26
    newest = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True)
    assert [s["logStreamName"] for s in newest["logStreams"]][:2] == ["run/b", "run/a"]


def test_events_older_than_the_retention_are_gone(logs: Any) -> None:
    ask = {"logGroupName": "/short", "logStreamName": "s"}
    logs.create_log_group(logGroupName="/short")
    logs.create_log_stream(**ask)
    day = 86_400_000
    today = int(time.time() * 1000)
    events = [{"timestamp": today - age * day, "message": str(age)} for age in (5, 2, 0)]
    logs.put_log_events(**ask, logEvents=events)
    logs.put_retention_policy(logGroupName="/short", retentionInDays=3)
    assert [e["message"] for e in logs.get_log_events(**ask)["events"]] == ["2", "0"]
    assert [e["message"] for e in logs.filter_log_events(logGroupName="/short")["events"]] == ["2", "0"]
    assert logs.describe_log_groups(logGroupNamePrefix="/short")["logGroups"][0]["retentionInDays"] == 3
    logs.delete_log_group(logGroupName="/short")
    logs.create_log_group(logGroupName="/short")
    logs.create_log_stream(**ask)
    assert logs.get_log_events(**ask)["events"] == []


def test_groups_by_arn(logs: Any) -> None:
    arn = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["arn"]
    for identifier in (arn, arn.removesuffix(":*"), GROUP):
        ask = {"logGroupIdentifier": identifier}
        assert len(logs.filter_log_events(**ask, logStreamNamePrefix="run/")["events"]) == 20
        assert len(logs.get_log_events(**ask, logStreamName="run/a")["events"]) == 10
        assert len(logs.describe_log_streams(**ask, logStreamNamePrefix="run/")["logStreams"]) == 2
    other = arn.replace("output", "absent")
    assert code(logs.describe_log_streams, logGroupIdentifier=other) == "ResourceNotFoundException"


def test_requests_that_do_not_fit_are_refused_by_aws_codes(logs: Any) -> None:
    both = {"logStreamNames": ["run/a"], "logStreamNamePrefix": "run"}
    assert code(logs.filter_log_events, logGroupName="/none") == "ResourceNotFoundException"
    assert code(logs.filter_log_events, logGroupName=GROUP, **both) == "InvalidParameterException"
    assert code(logs.filter_log_events, logGroupName=GROUP, logStreamNames=["x"]) == "ResourceNotFoundException"
    assert code(logs.filter_log_events, logGroupName=GROUP, filterPattern="{ $.n ? }") == "InvalidParameterException"
    assert code(logs.create_log_group, logGroupName=GROUP) == "ResourceAlreadyExistsException"


def test_insights_and_subscriptions_see_the_events(cloud: Any, logs: Any, now: int) -> None:
    query = logs.start_query(
        logGroupName=GROUP, startTime=now // 1000, endTime=now // 1000 + 3600, queryString="fields @message | limit 3"
    )
    assert len(logs.get_query_results(queryId=query["queryId"])["results"]) == 3


def test_events_outlive_a_kill_and_are_not_rewritten(new_cloud: Any) -> None:
    running = new_cloud()
    running.start()
    try:
        client = running.client("logs")
        client.create_log_group(logGroupName="/g")
        client.create_log_stream(logGroupName="/g", logStreamName="s")
        state = running.state_dir / "control-plane/logs.state"
        before = state.stat().st_ino
        for number in range(3):
            event = {"timestamp": int(time.time() * 1000), "message": f"{number} " + "x" * 100_000}
            client.put_log_events(logGroupName="/g", logStreamName="s", logEvents=[event])
        assert state.stat().st_ino == before
        assert state.stat().st_size < 10_000
        seen = client.filter_log_events(logGroupName="/g")["events"]
        running.stop(signal.SIGKILL)
        running.start()
        client = running.client("logs")
        assert client.filter_log_events(logGroupName="/g")["events"] == seen
        event = {"timestamp": int(time.time() * 1000), "message": "after"}
        client.put_log_events(logGroupName="/g", logStreamName="s", logEvents=[event])
        ids = [e["eventId"] for e in client.filter_log_events(logGroupName="/g")["events"]]
        assert len(set(ids)) == 4
    finally:
        running.stop()


def test_services_write_by_a_log_writer(tmp_path: Path) -> None:
    """In a process of its own: moto's classes are patched once a process."""
    import subprocess
    import sys

    script = """
import json
import threading
from pathlib import Path
from local_cloud.cloud import Cloud
from local_cloud.persistence import Persistence
from local_cloud.services import logs, s3
from local_cloud.settings import Settings
from moto.iam.models import iam_backends
import sys

ROLE = {"role_arn": "arn:aws:iam::123456789012:role/writer", "session_name": "job"}
cloud = Cloud(Settings.create(state_dir=sys.argv[1]), Persistence(Path(sys.argv[1]) / "control-plane"))
cloud.persistence.load()
s3.install(cloud)
logs.install(cloud)
iam = iam_backends["123456789012"]["aws"]
iam.create_role("writer", "{}", "/", None, "", [], "3600")
allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
iam.put_role_policy("writer", "logs", json.dumps(allowed))
threads = [
    threading.Thread(
        target=lambda n=n: [logs.LogWriter(cloud, "/g", "s", **ROLE).write([f"{n}-{i}"]) for i in range(20)]
    )
    for n in range(4)
]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
logs.LogWriter(cloud, "/g", "other", **ROLE).write([])
from moto.logs.models import logs_backends
backend = logs_backends["123456789012"]["us-east-1"]
print(sorted(backend.groups["/g"].streams), len(backend.groups["/g"].streams["s"].events))
for n in range(4):
    messages = [e.message for e in backend.groups["/g"].streams["s"].events if e.message.startswith(f"{n}-")]
    assert messages == [f"{n}-{i}" for i in range(20)], messages
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "['s'] 80\n", "")


MESSAGES = {
    "plain": "ERROR: no such bucket raw-zone",
    "warn": "WARN slow request (12 s)",
    "json": json.dumps(
        {"event": "loaded", "rows": 97874, "ok": True, "error": None, "tags": ["a", "b"], "at": {"month": "2022-01"}}
    ),
}


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("", {"plain", "warn", "json"}),
        ("ERROR", {"plain"}),
        ("error", {"json"}),
        ("ERROR bucket", {"plain"}),
        ("ERROR request", set()),
        ('"no such bucket"', {"plain"}),
        ('"such no"', set()),
        ("?ERROR ?WARN", {"plain", "warn"}),
        ("-ERROR", {"warn", "json"}),
        ("request -ERROR", {"warn"}),
        ("%[0-9]+ s%", {"warn"}),
        ('{ $.event = "loaded" }', {"json"}),
        ('{ $.event = "load*" }', {"json"}),
        ('{ $.event != "loaded" }', set()),
        ("{ $.event = %^lo% }", {"json"}),
        ("{ $.rows > 97873 && $.rows <= 97874 }", {"json"}),
        ("{ $.rows = 97874 }", {"json"}),
        ("{ $.rows < 10 || ($.ok IS TRUE && $.error IS NULL) }", {"json"}),
        ("{ $.missing NOT EXISTS }", {"json"}),
        ("{ $.rows NOT EXISTS }", set()),
        ('{ $.tags[0] = "a" }', {"json"}),
        ('{ $.tags[*] = "b" }', {"json"}),
        ('{ $.tags[0] = "b" }', set()),
        ('{ $.at.month = "2022-01" }', {"json"}),
    ],
)
def test_a_filter_pattern_matches_as_cloudwatch_does(pattern: str, matching: set[str]) -> None:
    matches = compile_pattern(pattern)
    assert {name for name, message in MESSAGES.items() if matches is None or matches(message)} == matching


@pytest.mark.parametrize(
    "pattern", ["{ $.a", "{ a = 1 }", "{ $.a > x }", "{ ($.a = 1 }", "{ $.a = 1 } }", "[a, b]", "%(%", '"open']
)
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)
