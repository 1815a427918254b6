"""The lease on an environment: one at a time, and nobody waits for one who was killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orchestration.errors import DeployError, LeaseLost
from orchestration.releases.bucket import lease
from orchestration.releases.bucket.lease import Terms
from orchestration.releases.bucket.store import Store

WHAT = "deploy of release one to test"
THEIRS = Terms("theirs", "them", WHAT, "2026-11-30 12:00:00 UTC")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "client", lambda service: SimpleNamespace(get_caller_identity=lambda: {"Arn": "me"}))
    monkeypatch.setattr(lease, "_RENEWAL_SECONDS", 0.05)
    monkeypatch.setattr(lease, "_POLL_SECONDS", 0.02)


@pytest.fixture
def environment(store: Store, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"lease-{abs(hash(request.node.name))}"
    yield name
    store.s3.delete_object(Bucket=store.bucket, Key=f"deployments/{name}/lease.json")


def write(store: Store, environment: str, terms: Terms) -> None:
    """What somebody else has written."""
    store.put_document(f"deployments/{environment}/lease.json", asdict(terms), once=False)


def held(store: Store, environment: str, said: list[str] | None = None) -> Any:
    said = [] if said is None else said
    return lease.hold(store, environment, what=WHAT, report=said.append)


def test_the_second_hears_whose_deployment_is_under_way(store: Store, environment: str) -> None:
    said: list[str] = []
    with held(store, environment) as own:
        first = f"{WHAT}, by me, is under way since {own.terms.since}"
        assert str(lease.holder(store, environment)) == first
        with pytest.raises(DeployError) as caught, held(store, environment, said):
            pytest.fail("two at once")
        assert str(caught.value) == f"{first}: nothing was changed; do this again when that has ended"
        assert said == [f"{first}: waiting for a sign of life"]
        own.check()
    assert lease.holder(store, environment) is None
    with held(store, environment, said):
        assert len(said) == 1, "one that was given up is free at once"


def test_one_who_was_killed_holds_it_no_longer(store: Store, environment: str) -> None:
    """It ages by S3's own time: no clock of this machine is asked."""
    write(store, environment, replace(THEIRS, seconds=1))
    said: list[str] = []
    with held(store, environment, said) as own:
        assert own.terms.by == "me"
        assert said == [f"{replace(THEIRS, seconds=1)}: waiting for a sign of life"]


def test_one_who_lost_it_stops_and_leaves_the_winners(store: Store, environment: str) -> None:
    with held(store, environment) as own:
        write(store, environment, THEIRS)
        with pytest.raises(LeaseLost) as caught:
            own.check()
        assert str(caught.value) == (
            f"{environment} was taken over ({THEIRS}): this command had not been heard of for a while, has stopped "
            "where it was, and undoes nothing"
        )
    assert lease.holder(store, environment) == THEIRS


class LostAnswers:
    """S3 whose answer to the first writes gets lost: the SDK repeats them, and their own condition is not met."""

    def __init__(self, s3: Any, times: int) -> None:
        self.s3, self.times = s3, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self.s3, name)

    def put_object(self, **arguments: Any) -> Any:
        written = self.s3.put_object(**arguments)
        if self.times:
            self.times -= 1
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": "412"}}, "PutObject")
        return written


def test_an_own_write_whose_answer_was_lost_is_no_others(store: Store, environment: str) -> None:
    with held(Store(LostAnswers(store.s3, 2), store.bucket), environment) as own:
        own.check()
        found = lease.holder(store, environment)
        assert found is not None
        assert found.holder == own.terms.holder


@pytest.mark.parametrize("body", [b"passed", b"[]", b"{}", json.dumps({"holder": "x"}).encode()])
def test_what_is_no_lease(store: Store, environment: str, body: bytes) -> None:
    key = f"deployments/{environment}/lease.json"
    store.s3.put_object(Bucket=store.bucket, Key=key, Body=body)
    with pytest.raises(DeployError) as caught, held(store, environment):
        pytest.fail("taken")
    assert str(caught.value).startswith(f"{store.uri(key)} is no lease (")
    assert str(caught.value).endswith("): find out who wrote it, and delete it")
