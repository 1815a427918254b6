"""Builds are reproducible, and published once."""

from __future__ import annotations

import shutil
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import local_cloud
from orchestration.errors import PublishError
from orchestration.project import root
from orchestration.releases.build import Build, build, build_all
from orchestration.releases.publish import publish


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = (build_all(root(), tmp_path / name) for name in ("a", "b"))
    assert {name: one.digest for name, one in first.items()} == {name: one.digest for name, one in second.items()}
    assert first["trigger"].prefix == f"trigger/{first['trigger'].version}-{first['trigger'].digest[:12]}"


def test_what_a_build_holds(tmp_path: Path) -> None:
    builds = build_all(root(), tmp_path)
    for name, script in (("glue-ingest", "ingest_raw.py"), ("glue-transform", "transform_trips.py")):
        assert builds[name].script.endswith(f"/{script}")
    assert "pipelines/yellow_trips/sql/load_month.sql" in builds["orchestration"].files
    assert "pipelines/yellow_trips/state_machine.asl.json" in builds["orchestration"].files
    wheel = next(file for name, file in builds["trigger"].files.items() if name.endswith(".whl"))
    assert "trigger/handler.py" in zipfile.ZipFile(wheel).namelist(), "Lambda imports it from the archive's root"


def test_a_changed_file_is_another_build(tmp_path: Path) -> None:
    package = tmp_path / "trigger"
    shutil.copytree(root() / "packages" / "trigger", package, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    before = build(package, tmp_path / "before")
    (package / "src" / "trigger" / "months.py").open("a").write("\n# changed\n")
    assert build(package, tmp_path / "after").digest != before.digest


def test_a_broken_package_says_which(tmp_path: Path) -> None:
    package = tmp_path / "broken"
    package.mkdir()
    (package / "pyproject.toml").write_text('[project]\nname = "broken"\nversion = "1"\n')
    with pytest.raises(PublishError, match="the wheel of broken could not be built"):
        build(package, tmp_path / "out")


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """S3 as the local cloud has it, which keeps checksums and conditions as AWS does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = local_cloud.Settings.create(state_dir=tmp_path_factory.mktemp("cloud"), port=port)
    local_cloud.up(settings)
    try:
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        client.create_bucket(Bucket="artifacts")
        yield client
    finally:
        local_cloud.down(settings)


def test_published_once(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    one = Build("demo", "1.0.0", {"a.py": tmp_path / "a.py"}, "d" * 64)
    assert publish(s3, "artifacts", [one]) == ["demo/1.0.0-dddddddddddd/a.py"]
    assert publish(s3, "artifacts", [one]) == [], "the same bytes again are no change"
    (tmp_path / "a.py").write_text("2")
    with pytest.raises(PublishError, match=r"is published with other bytes; raise the package's version$"):
        publish(s3, "artifacts", [one])
    assert s3.get_object(Bucket="artifacts", Key="demo/1.0.0-dddddddddddd/a.py")["Body"].read() == b"1"
