"""Which releases leave the artifact bucket, and with which bytes."""

from __future__ import annotations

import datetime
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from orchestration.errors import DeployError
from orchestration.releases.bucket import history, pruning
from orchestration.releases.bucket.store import Store
from orchestration.releases.building import wheelhouse
from orchestration.releases.building.manifest import Package, Release

LIVE, TARGET, OLD = "dev-000000000001", "dev-000000000002", "dev-000000000003"
PUBLISHED = "2026-01-01-000000000004"


def release(release_id: str, *, folder: str, wheel: str) -> Release:
    """Of one package in its folder, and one wheel of other people's."""
    return Release(
        id=release_id,
        commit="",
        dirty=False,
        development=release_id.startswith("dev-"),
        packages={"trigger": Package("0.1.0", f"trigger/{folder}", {"a.txt": "0" * 64}, ())},
        wheelhouse={f"wheelhouse/{wheel}": "0" * 64},
        settings={},
    )


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A bucket with what four releases were made of, and an upload that was cut short."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(pruning, "FRESH", datetime.timedelta(0))
    monkeypatch.setattr(
        history, "find_needed", lambda store, environment: {"local": {LIVE}, "dev": {TARGET}}[environment]
    )
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1", **keys)
        s3.create_bucket(Bucket="artifacts")
        s3.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
        filled = Store(s3, "artifacts")
        for release_id, folder, wheel in (
            (LIVE, "0.1.0-aaaaaaaaaaaa", "shared.whl"),
            (TARGET, "0.1.0-bbbbbbbbbbbb", "shared.whl"),
            (OLD, "0.1.0-cccccccccccc", "old.whl"),
            (PUBLISHED, "0.1.0", "published.whl"),
        ):
            one = release(release_id, folder=folder, wheel=wheel)
            for key in one.objects:
                s3.put_object(Bucket="artifacts", Key=key, Body=b"12345")
            history.save_release(filled, one)
        s3.put_object(Bucket="artifacts", Key="trigger/0.1.0-dddddddddddd/a.txt", Body=b"12345")
        s3.put_object(Bucket="artifacts", Key=f"smokes/{OLD}/local.json", Body=b"{}")
        s3.put_object(Bucket="artifacts", Key="simple/trigger/index.html", Body=b"")
        s3.put_object(Bucket="artifacts", Key="deployments/local/1.json", Body=b"{}")
        yield filled


def versions(store: Store) -> list[str]:
    """The key of every version of everything in the bucket."""
    return [one["Key"] for one in store.s3.list_object_versions(Bucket=store.bucket)["Versions"]]


def test_what_no_environment_needs_goes_for_good_and_everything_else_stays(store: Store) -> None:
    found = pruning.find_superseded(store, ["local", "dev"])
    gone = [
        f"releases/{OLD}.json",
        f"smokes/{OLD}/local.json",
        "trigger/0.1.0-cccccccccccc/a.txt",
        "trigger/0.1.0-dddddddddddd/a.txt",
        "wheelhouse/old.whl",
    ]
    assert found.releases == (OLD,)
    assert sorted(version.key for version in found.versions) == gone
    assert found.size == sum(version.size for version in found.versions) > 15

    before = versions(store)
    pruning.delete(store, found)
    assert versions(store) == [key for key in before if key not in gone]
    assert pruning.find_superseded(store, ["local", "dev"]) == pruning.Superseded((), ())
    assert history.release(store, LIVE).id == LIVE


def test_what_has_just_been_uploaded_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "FRESH", datetime.timedelta(hours=1))
    assert pruning.find_superseded(store, ["local", "dev"]) == pruning.Superseded((), ())


def test_nothing_goes_while_a_manifest_cannot_be_read(store: Store) -> None:
    store.s3.put_object(Bucket=store.bucket, Key=f"releases/{LIVE}.json", Body=b"{}")
    with pytest.raises(DeployError, match=f"releases/{LIVE}.json has the format None"):
        pruning.find_superseded(store, ["local", "dev"])


def test_wheels_that_no_checkout_has_used_for_long_are_superseded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    checkout = tmp_path / "checkout"
    (checkout / wheelhouse.LOCK).parent.mkdir(parents=True)
    (checkout / wheelhouse.LOCK).write_text("a lock")
    assert wheelhouse.find_superseded(checkout) == []
    house = tmp_path / "cache" / "elt" / "wheelhouse"
    current = house / hashlib.sha256(b"a lock").hexdigest()[:16]
    for folder in (current, house / "old", house / "recent"):
        folder.mkdir(parents=True)
    long_ago = time.time() - 31 * 24 * 3600
    os.utime(current, (long_ago, long_ago))
    os.utime(house / "old", (long_ago, long_ago))
    assert wheelhouse.find_superseded(checkout) == [house / "old"]
    assert wheelhouse.find_superseded(None) == sorted([current, house / "old"])
