"""What was done to an environment: in which order, what of it is unfinished, and what a rollback goes back to."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from orchestration.errors import DeployError, UsageError
from orchestration.releases.bucket import history, records
from orchestration.releases.bucket.records import DESTROY, NO_RELEASE, Begun, Deployed, Reading
from orchestration.releases.bucket.store import Store
from orchestration.releases.environment.drift import Difference, by_hand

NOON = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "client", lambda service: SimpleNamespace(get_caller_identity=lambda: {"Arn": "me"}))


@pytest.fixture
def environment(store: Store, request: pytest.FixtureRequest) -> Iterator[str]:
    """An environment of the test's own, of which nothing is left."""
    name = f"test-{abs(hash(request.node.name))}"
    yield name
    for key, _ in store.keys(f"deployments/{name}/"):
        store.s3.delete_object(Bucket=store.bucket, Key=key)


def begin(store: Store, environment: str, release: str, action: str = "deploy") -> Begun:
    return records.begin(store, environment, release, action=action, settings={"c": 2}, holder=release)


def deploy(store: Store, environment: str, release: str, action: str = "deploy") -> Deployed:
    return records.end(store, begin(store, environment, release, action), reading=Reading({"a": {"b": 1}}, {"a": "t"}))


def test_deployments_are_in_order_whatever_the_clock_says(
    store: Store, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the second one's machine is a day slow."""
    assert records.standing(store, environment) == records.Standing(None, None, ())
    deploy(store, environment, "one")
    monkeypatch.setattr(records, "now", lambda: "2001-01-01T00:00:00.000000Z")
    second = deploy(store, environment, "two", "promote")
    assert (second.number, second.by, second.settings, second.reading) == (
        2,
        "me",
        {"c": 2},
        Reading({"a": {"b": 1}}, {"a": "t"}),
    )
    assert records.standing(store, environment) == records.Standing(second, None, ())
    assert records.find_live(store, environment) == second
    assert records.deployments(store, environment) == [("deploy", "one"), ("promote", "two")]
    assert history.ever_deployed(store, environment) == ["two", "one"]


def test_records_from_before_there_were_numbers_come_first_in_s3s_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that a fast clock has dated."""
    early = Deployed("one", "old", "deploy", "2026-11-29T10:00:00.000000Z", "me", {})
    late = Deployed("two", "old", "deploy", "2026-11-28T10:00:00.000000Z", "me", {})
    for one in (early, late):
        store.put_document(one.key, asdict(one), once=True)
    written = {early.key: NOON, late.key: NOON + datetime.timedelta(seconds=1)}
    listed = [(key, written.get(key, NOON)) for key, _ in store.keys("deployments/old/")]
    with monkeypatch.context() as patched:
        patched.setattr(Store, "keys", lambda self, prefix: listed)
        assert records.standing(store, "old").live == late
    deploy(store, "old", "three")
    assert [release for _, release in records.deployments(store, "old")][-1] == "three"


def test_a_deployment_that_did_not_end_is_unfinished(store: Store, environment: str) -> None:
    one = deploy(store, environment, "one")
    two = begin(store, environment, "two")
    found = records.standing(store, environment)
    assert found.live == one
    assert found.unfinished == replace(two, at=found.unfinished.at if found.unfinished else "")
    assert found.attempts == ("two",)
    said = f"deploy of release two to {environment}, begun {found.unfinished and found.unfinished.at} by me"
    ways = (
        f"`elt deploy --env {environment} --release two` goes on with it, "
        f"`elt rollback --env {environment}` goes back to release one"
    )
    with pytest.raises(UsageError) as caught:
        records.find_live(store, environment)
    assert str(caught.value) == f"{said}, was not finished, so no one release is live in {environment}: {ways}"
    assert history.ever_deployed(store, environment) == ["one"], "what was never proved right was not live"
    begin(store, environment, "three")
    assert records.standing(store, environment).attempts == ("two", "three")
    four = deploy(store, environment, "four")
    assert records.standing(store, environment) == records.Standing(four, None, ())


def test_after_a_destruction_nothing_is_live(store: Store, environment: str) -> None:
    deploy(store, environment, "one")
    destroying = records.begin(store, environment, NO_RELEASE, action=DESTROY, settings={}, holder="me")
    found = records.standing(store, environment)
    assert (found.live and found.live.release, str(found.unfinished)) == ("one", f"destroy of {environment}")
    assert found.ways_on == (
        f"`elt destroy --env {environment}` goes on with it, "
        f"`elt rollback --env {environment}` goes back to release one"
    )
    records.end(store, destroying)
    assert records.standing(store, environment) == records.Standing(None, None, ())
    assert history.ever_deployed(store, environment) == ["one"]


def test_a_number_is_taken_once(store: Store, environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lost the lease without knowing it yet may be about to take the same."""
    begin(store, environment, "one")
    listed: list[Any] = []
    monkeypatch.setattr(Store, "keys", lambda self, prefix: listed)
    with pytest.raises(DeployError, match=f"^another deployment to {environment} began at the same time: do this "):
        begin(store, environment, "two")


@pytest.mark.parametrize(
    ("name", "of", "release"),
    [
        ("2026-01-01T000000.000000Z-deploy-one", "dev", "one"),
        ("2026-01-01T000000.000000Z-deploy-one", "prod", "two"),
        ("000001-deploy-one", "prod", "one"),
        ("000001", "prod", "one"),
        ("zzz", "prod", "one"),
    ],
    ids=["of another environment", "of another release", "of another number", "no beginning", "of no form"],
)
def test_what_no_deployment_has_written_is_not_acted_on(store: Store, name: str, of: str, release: str) -> None:
    """Lest somebody who may write an object there has the next deployment do the rest."""
    record = Deployed(release, of, "deploy", "2026-01-01T00:00:00.000000Z", "somebody", {}, number=0)
    key = f"deployments/prod/{name}.json"
    store.put_document(key, asdict(record), once=True)
    try:
        with pytest.raises(DeployError, match="find out who wrote it, and delete it") as caught:
            records.standing(store, "prod")
        assert store.uri(key) in str(caught.value)
    finally:
        store.s3.delete_object(Bucket="artifacts", Key=key)


@pytest.mark.parametrize(
    ("deployments", "previous"),
    [
        ("", None),
        ("a", None),
        ("a a", None),
        ("a b", "a"),
        ("a b b", "a"),
        ("a b c", "b"),
        ("a b c <b", "a"),
        ("a b c <b <a", None),
        ("a b c <a", None),
        ("a b c <b d", "b"),
        ("a b <x", "b"),
        ("a b !b", "a"),
        ("a b .", None),
        ("a . b", None),
        ("a . b c", "b"),
    ],
)
def test_what_a_rollback_goes_back_to(deployments: str, previous: str | None) -> None:
    """`<a` is a rollback to a, `!a` a restored after a deployment that failed, `.` the end of all that is deployed."""
    actions = {"<": "rollback", "!": "restore", ".": DESTROY}
    made = [(actions.get(one[0], "deploy"), one.strip("<!")) for one in deployments.split()]
    assert history.previous(made) == previous


@pytest.mark.parametrize(
    ("unfinished", "target", "needed"),
    [
        (None, "a", {"a", "b"}),
        (("deploy", "c"), "b", {"b", "c"}),
        (("promote", "b"), "b", {"b"}),
        (("rollback", "a"), "a", {"a", "b"}),
        (("restore", "b"), "b", {"b"}),
        ((DESTROY, NO_RELEASE), "b", {"b"}),
    ],
)
def test_what_a_rollback_does_about_an_unfinished_deployment(
    store: Store, environment: str, unfinished: tuple[str, str] | None, target: str, needed: set[str]
) -> None:
    """It undoes that, or goes on with it where it is a rollback. The releases of all of it are still needed."""
    for release in ("a", "b"):
        deploy(store, environment, release)
    if unfinished:
        begin(store, environment, unfinished[1], unfinished[0])
    assert history.rollback_target(store, environment) == target
    assert history.find_needed(store, environment) == needed


def test_what_a_cut_short_deployment_has_changed_was_changed_by_nobodys_hand() -> None:
    """CloudFormation has touched `changed`, made `made` and removed `removed`; the rest is of somebody's hand."""
    recorded = Reading(
        {"changed": {"p": 1}, "by hand": {"p": 1}, "gone": {"p": 1}, "removed": {"p": 1}, "same": {"p": 1}},
        dict.fromkeys(("changed", "by hand", "gone", "removed", "same"), "at noon"),
    )
    found = Reading(
        {"changed": {"p": 2}, "by hand": {"p": 2}, "gone": None, "made": {"p": 1}, "same": {"p": 1}},
        {"changed": "later", "by hand": "at noon", "gone": "at noon", "made": "later", "same": "at noon"},
    )
    hand = [Difference("by hand", "p", 1, 2), Difference("gone", "", "there", None)]
    assert by_hand(recorded, found, unfinished=True) == hand
    assert {one.resource for one in by_hand(recorded, found, unfinished=False)} == {*recorded.state, "made"} - {"same"}
    old = Reading(recorded.state)  # of a record that does not say when CloudFormation last touched what
    assert by_hand(old, found, unfinished=True) == []
