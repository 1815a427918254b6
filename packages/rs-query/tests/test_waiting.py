"""How a running statement is waited for."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_data_api import Fault, Reply, ScriptedDataApi

import rs_query
from rs_query.deadline import pause

WHERE = {"workgroup": "elt", "database": "dev"}


_DESCRIBE = botocore.session.Session().get_service_model("redshift-data").operation_model("DescribeStatement")
needs_long_poll = pytest.mark.skipif(
    "WaitTimeSeconds" not in _DESCRIBE.input_shape.members, reason="this Python's newest SDK has no long poll"
)


@given(st.floats(min_value=0.001, max_value=86_400))
def test_the_pauses_overshoot_by_less_than_60_ms_or_5_percent(seconds: float) -> None:
    """With 5 ms a call, the latest that a statement of `seconds` is seen to have ended."""
    now = 0.005
    calls = 1
    while now < seconds:
        now += pause(now) + 0.005
        calls += 1
    assert now - seconds < max(0.06, 0.05 * seconds)
    assert calls < 130 + seconds / 5, "and the API is not hammered"


@needs_long_poll
def test_waits_by_long_poll_where_the_sdk_has_it(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(seconds=0.3)
    rs_query.run("SELECT 1", **WHERE)
    assert api.made("DescribeStatement") == [{"Id": next(iter(api.statements)), "WaitTimeSeconds": 20}]


@needs_long_poll
def test_the_long_poll_stays_within_the_deadline(api: ScriptedDataApi) -> None:
    rs_query.run("SELECT 1", **WHERE, timeout=5.5)
    (look,) = api.made("DescribeStatement")
    assert 1 <= look["WaitTimeSeconds"] <= 5


@pytest.fixture
def older_sdk(api: ScriptedDataApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK as it is on Python 3.9 for good: its model has no WaitTimeSeconds."""
    version = Path("redshift-data/2019-12-20")
    model = json.loads(
        gzip.decompress((Path(botocore.__file__).parent / "data" / version / "service-2.json.gz").read_bytes())
    )
    for shape in model["shapes"].values():
        shape.get("members", {}).pop("WaitTimeSeconds", None)
    (tmp_path / version).mkdir(parents=True)
    (tmp_path / version / "service-2.json").write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    client = boto3.session.Session().client("redshift-data", region_name="us-east-1")
    shape = client.meta.service_model.operation_model("DescribeStatement").input_shape
    assert "WaitTimeSeconds" not in shape.members


@pytest.mark.usefixtures("older_sdk")
def test_waits_by_short_looks_where_the_sdk_has_no_long_poll(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(seconds=1)
    rs_query.run("SELECT 1", **WHERE)
    looks = api.made("DescribeStatement")
    assert {frozenset(look) for look in looks} == {frozenset({"Id"})}
    assert 2 <= len(looks) <= 22


@needs_long_poll
def test_looks_now_and_then_when_too_many_others_wait(api: ScriptedDataApi) -> None:
    api.script = lambda sql: Reply(seconds=0.2)
    api.faults["DescribeStatement"] = [Fault(code="ActiveWaitingRequestsExceededException")]
    rs_query.run("SELECT 1", **WHERE)
    first, *others = api.made("DescribeStatement")
    assert "WaitTimeSeconds" in first
    assert others
    assert not any("WaitTimeSeconds" in look for look in others)


def test_a_server_that_answers_a_long_poll_at_once_is_not_hammered(
    api: ScriptedDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.script = lambda sql: Reply(seconds=1)
    honest = api._DescribeStatement

    def at_once(request: dict[str, Any]) -> dict[str, Any]:
        return honest({"Id": request["Id"]})

    monkeypatch.setattr(api, "_DescribeStatement", at_once)
    rs_query.run("SELECT 1", **WHERE)
    assert 2 <= len(api.made("DescribeStatement")) <= 22
