"""Builds are reproducible, and published once."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from packaging.utils import canonicalize_name
from werkzeug.serving import make_server
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from orchestration import environments, stacks
from orchestration.cli import invoke
from orchestration.errors import DeployError, PublishError, UsageError
from orchestration.project import root
from orchestration.releases.bucket import history, index, publishing, records, serve
from orchestration.releases.bucket.store import Store
from orchestration.releases.building import assembly, checkout, manifest, sbom
from orchestration.releases.building.build import PACKAGES, Build, build_all, build_wheel
from orchestration.releases.building.checkout import Commit
from orchestration.releases.building.wheels import Wheel, closure
from orchestration.releases.environment import rollout, smoke

COMMIT = Commit("c" * 40, ())
RELEASE = "rel-3fa9c1d2e0b4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("builds")


@pytest.fixture(scope="module")
def builds(folder: Path) -> dict[str, Build]:
    release, builds = assembly.write_folder(root(), folder)
    assert manifest.parse(json.loads((folder / "release.json").read_text()), where="") == release
    return builds


def test_two_builds_are_the_same_bytes(builds: dict[str, Build], tmp_path: Path) -> None:
    again = build_all(root(), tmp_path)
    assert {name: one.digests for name, one in again.items()} == {name: one.digests for name, one in builds.items()}
    one, two = (manifest.make(each, COMMIT, settings={}, development=False) for each in (builds, again))
    assert one == two
    assert re.fullmatch("rel-[0-9a-f]{12}", one.id)


def test_a_release_is_named_by_what_it_is_made_of(builds: dict[str, Build]) -> None:
    """Another commit of the same bytes is the same release; other bytes, settings or kinds of it are another."""

    def named(commit: Commit = COMMIT, *, version: str = "0.1.0", of: str = "2015", development: bool = False) -> str:
        made = {**builds, "trigger": replace(builds["trigger"], version=version)}
        return manifest.make(made, commit, settings={"ReviewsSinceYear": of}, development=development).id

    for other in (Commit("d" * 40, ()), Commit("", ()), Commit(COMMIT.id, ("docs/README.md",))):
        assert named(other) == named()
    assert len({named(), named(version="9.9.9"), named(of="2016"), named(development=True)}) == 4


def test_what_a_build_holds(builds: dict[str, Build]) -> None:
    assert set(builds["rs-query"].files) == {
        "rs_query-0.1.0-py3-none-any.whl",
        "rs_query_job.py",
        "sbom.cdx.json",
        "SHA256SUMS",
    }
    for name in ("pipelines/yellow_trips/sql/load_month.sql", "stacks/pipelines.yaml", "stacks/data.yaml"):
        assert name in builds["orchestration"].files
    assert "pipelines/trips/state_machine.asl.json" in builds["orchestration"].files
    wheel = next(file for name, file in builds["trigger"].files.items() if name.endswith(".whl"))
    assert "trigger/handler.py" in zipfile.ZipFile(wheel).namelist(), "Lambda imports it from the archive's root"
    for build in builds.values():
        folder = build.files["SHA256SUMS"].parent
        checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True)
        assert checked.returncode == 0, checked.stderr


def test_a_job_gets_every_wheel_it_needs_and_no_other(builds: dict[str, Build]) -> None:
    sdk = {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
    assert {name: {wheel.name for wheel in build.modules} for name, build in builds.items()} == {
        "glue-ingest": sdk,
        "glue-transform": sdk | {"duckdb", "tomli"},
        "rs-query": sdk,
        "trigger": set(),
        "orchestration": set(),
        "local-cloud": set(),
    }
    for build in builds.values():
        installed: set[str] = set()
        for wheel in build.modules:
            assert {canonicalize_name(one.name) for one in wheel.needs()} <= installed, "each after those it needs"
            installed.add(wheel.name)


def test_a_package_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^there is no package 'glue' to release; there are: glue-ingest, "):
        build_all(root(), tmp_path, only=["glue"])


def test_a_changed_file_is_another_build(tmp_path: Path) -> None:
    package = tmp_path / "trigger"
    shutil.copytree(root() / "packages" / "trigger", package, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    before = build_wheel(package, tmp_path / "before")
    (package / "src" / "trigger" / "__init__.py").open("a").write("\n# changed\n")
    assert build_wheel(package, tmp_path / "after").sha256 != before.sha256


def test_a_broken_package_says_which(tmp_path: Path) -> None:
    package = tmp_path / "broken"
    package.mkdir()
    (package / "pyproject.toml").write_text('[project]\nname = "broken"\nversion = "1"\n')
    with pytest.raises(PublishError, match="the wheel of broken could not be built"):
        build_wheel(package, tmp_path / "out")


def wheel(folder: Path, name: str, version: str = "1.0", *lines: str) -> Wheel:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        metadata = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, ""])
        archive.writestr(zipfile.ZipInfo(f"{name}-{version}.dist-info/METADATA"), metadata)
    return Wheel(path)


def test_a_closure_follows_extras_and_glues_own_markers(tmp_path: Path) -> None:
    house = {
        one.name: one
        for one in (
            wheel(tmp_path, "a", "1.0", "Requires-Dist: b[fast]>=1", "Requires-Dist: c; python_version >= '3.10'"),
            wheel(tmp_path, "b", "1.2", "Requires-Dist: d; extra == 'fast'", "Requires-Dist: a"),
            wheel(tmp_path, "c"),
            wheel(tmp_path, "d", "2.0", "Requires-Dist: e; sys_platform == 'win32'"),
        )
    }
    top = wheel(tmp_path, "top", "1.0", "Requires-Dist: a", "Requires-Dist: c; extra == 'more'")
    assert [one.name for one in closure(top, (), house)] == ["d", "b", "a"], "what is needed comes before"
    assert [one.name for one in closure(top, ("more",), house)] == ["d", "b", "a", "c"]


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("missing", "top needs missing, and the wheelhouse lacks it: run `make lock`"),
        ("a>=2", "top needs a>=2, and the wheelhouse has 1.0: run `make lock`"),
    ],
)
def test_a_closure_with_a_hole(tmp_path: Path, requirement: str, reason: str) -> None:
    top = wheel(tmp_path, "top", "1.0", f"Requires-Dist: {requirement}")
    with pytest.raises(PublishError) as caught:
        closure(top, (), {"a": wheel(tmp_path, "a")})
    assert str(caught.value) == reason


def test_a_bill_of_materials(tmp_path: Path) -> None:
    b = wheel(tmp_path, "b", "1.2", "License: BSD")
    top = wheel(
        tmp_path, "top", "1.0", "Summary: It.", "License-Expression: MIT", "Requires-Dist: b>1", "Requires-Dist: e>=3"
    )
    bill = json.loads(sbom.write(top, (), [b]))
    assert bill == json.loads(sbom.write(top, (), [b]))
    assert bill.pop("serialNumber").startswith("urn:uuid:")
    assert bill == {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": "pkg:pypi/top@1.0",
                "name": "top",
                "version": "1.0",
                "description": "It.",
                "hashes": [{"alg": "SHA-256", "content": top.sha256}],
                "licenses": [{"expression": "MIT"}],
                "purl": "pkg:pypi/top@1.0",
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": "pkg:pypi/b@1.2",
                "name": "b",
                "version": "1.2",
                "hashes": [{"alg": "SHA-256", "content": b.sha256}],
                "licenses": [{"license": {"name": "BSD"}}],
                "purl": "pkg:pypi/b@1.2",
            },
            {
                "type": "library",
                "bom-ref": "pkg:pypi/e",
                "name": "e",
                "purl": "pkg:pypi/e",
                "properties": [{"name": "requirement", "value": "e>=3"}],
            },
        ],
        "dependencies": [
            {"ref": "pkg:pypi/top@1.0", "dependsOn": ["pkg:pypi/b@1.2", "pkg:pypi/e"]},
            {"ref": "pkg:pypi/b@1.2", "dependsOn": []},
        ],
    }


def test_the_same_release_from_its_manifest(builds: dict[str, Build]) -> None:
    release = manifest.make(builds, COMMIT, settings={"ReviewsSinceYear": "2015"}, development=False)
    assert manifest.parse(json.loads(json.dumps(release.as_json())), where="") == release
    assert release.packages["trigger"].wheel == "trigger/0.1.0/trigger-0.1.0-py3-none-any.whl"
    assert set(release.packages) == set(PACKAGES)
    ingest = release.parameters("bucket")["GlueIngestModules"].split(",")
    assert ingest[-1] == "s3://bucket/glue-ingest/0.1.0/glue_ingest-0.1.0-py3-none-any.whl"
    assert "s3://bucket/wheelhouse/boto3-1.42.97-py3-none-any.whl" in ingest
    assert {uri.removeprefix("s3://bucket/") for uri in ingest} <= set(release.objects)


def test_a_development_release_takes_no_version(builds: dict[str, Build]) -> None:
    changed = Commit(COMMIT.id, ("packages/trigger/src/trigger/months.py",))
    release = manifest.make(builds, changed, settings={}, development=True)
    assert (release.id[:4], release.dirty, release.development) == ("dev-", True, True)
    for name, package in release.packages.items():
        assert package.prefix == f"{name}/{builds[name].version}-{builds[name].digest[:12]}"


@pytest.mark.parametrize("text", ["rel-3fa9c1d2e0b4", "dev-3fa9c1d2e0b4", "2026-11-21-3fa9c1d2e0b4"])
def test_what_is_a_release_also_by_its_older_names(text: str) -> None:
    assert manifest.check_id(text) == text


@pytest.mark.parametrize("text", ["", "x", "../releases", "rel-3fa9c1d2e0b", "2026-11-21-3fa9c1d2e0b4.json"])
def test_what_is_no_release(text: str) -> None:
    with pytest.raises(UsageError, match="is not a release; `elt release list` names them"):
        manifest.check_id(text)


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_release_is_of_a_commit(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "docs").mkdir()
    with pytest.raises(UsageError, match=r"^a release is made from a git checkout; "):
        checkout.require_clean(checkout.read(tmp_path, paths=["a"]))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "one")
    (tmp_path / "docs" / "b").write_text("not built from")
    commit = checkout.read(tmp_path, paths=["a", "src"])
    checkout.require_clean(commit)
    assert (len(commit.id), commit.changed) == (40, ())
    (tmp_path / "a").write_text("2")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "new").write_text("")
    with pytest.raises(UsageError) as caught:
        checkout.require_clean(checkout.read(tmp_path, paths=["a", "src"]))
    assert str(caught.value) == (
        f"a and 1 more differ from commit {commit.id[:12]}: commit them, or try them with `elt deploy`"
    )


def test_what_differs_from_a_commit_is_listed_with_new_files(tmp_path: Path) -> None:
    source = tmp_path / "src"
    (source / "tests").mkdir(parents=True)
    for name in ("a.py", "b.py", "tests/test_a.py"):
        (source / name).write_text("1", encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    commit, before = checkout.read(tmp_path, paths=["src"]).id, checkout.fingerprint(tmp_path, paths=["src"])
    (source / "tests" / "test_a.py").write_text("2", encoding="utf-8")
    (tmp_path / "elsewhere").touch()
    assert checkout.list_changes(tmp_path, commit, paths=["src"]) == []
    assert checkout.fingerprint(tmp_path, paths=["src"]) == before

    (source / "a.py").write_text("2", encoding="utf-8")
    (source / "c.py").touch()
    assert checkout.list_changes(tmp_path, commit, paths=["src"]) == ["src/a.py", "src/c.py"]
    assert checkout.fingerprint(tmp_path, paths=["src"]) != before
    assert checkout.list_changes(tmp_path, "0" * 40, paths=["src"]) == [], "a commit that is not here"


SMOKED = {"source": 100, "read": 100, "kept": 90, "rejected": 10, "loaded": 90}


@pytest.mark.parametrize(
    ("rows", "audited", "total", "wrong"),
    [
        ({}, [(100, 90)], 12.34, ""),
        ({"read": 99}, [(99, 90)], 12.34, "the file has 100 rows, 99 were read; "
         "9 rows were not kept, 10 are among the rejects"),
        ({"loaded": 180}, [(100, 90)], 12.34, "90 rows were kept, 180 are in the table"),
        ({"rejected": 0}, [(100, 90)], 12.34, "10 rows were not kept, 0 are among the rejects"),
        ({}, [], 12.34, "load_audit says [], not [(100, 90)]"),
        ({}, [(100, 90)], 12.35, "total_amount is 12.34 in the file, 12.35 in table and rejects"),
    ],
)  # fmt: skip
def test_what_a_smoke_run_finds_wrong(
    rows: dict[str, int], audited: list[tuple[int, int]], total: float, wrong: str
) -> None:
    assert smoke.describe_mismatch(SMOKED | rows, audited, 12.34, total) == wrong


SMOKE = history.Smoke(
    RELEASE, "dev", at="2026-01-01T00:00:00.000000Z", passed=True, reason="", execution="arn", rows={}, seconds=2.0
)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (json.dumps(asdict(SMOKE)), SMOKE),
        (json.dumps(asdict(SMOKE) | {"more": "of a later elt"}), SMOKE),
        ("{}", "is no record of a deployment or smoke run (Smoke.__init__() missing 8 required positional arguments: "),
        ("[]", "is no JSON object: find out who wrote it, and delete it"),
        ("passed", "is no JSON object: find out who wrote it, and delete it"),
        ("\xff", "is no JSON object: find out who wrote it, and delete it"),
    ],
)
def test_a_record_of_another_shape(store: Store, body: str, found: history.Smoke | str) -> None:
    key = f"smokes/{RELEASE}/dev.json"
    store.s3.put_object(Bucket="artifacts", Key=key, Body=body.encode("latin-1"))
    if isinstance(found, history.Smoke):
        assert history.smoke(store, RELEASE, "dev") == found
    else:
        with pytest.raises(DeployError) as caught:
            history.smoke(store, RELEASE, "dev")
        assert str(caught.value).startswith(f"{store.uri(key)} {found}")


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"format": 2}, "has the format 2, this elt reads 1: take the elt that wrote it"),
        ({}, "has the format None, this elt reads 1: take the elt that wrote it"),
        ({"format": 1}, "is no manifest of a release (KeyError('id')): find out who wrote it, and delete it"),
        ({"format": 1, "id": 1, "commit": 1, "dirty": 1, "development": 1, "packages": []}, "is no manifest of a rel"),
    ],
)
def test_a_manifest_of_another_format(store: Store, document: dict[str, Any], line: str) -> None:
    key = f"releases/{RELEASE}.json"
    store.put_document(key, document, once=False)
    try:
        with pytest.raises(DeployError) as caught:
            history.release(store, RELEASE)
        assert str(caught.value).startswith(f"{store.uri(key)} {line}")
    finally:
        store.s3.delete_object(Bucket="artifacts", Key=key)


def test_only_releases_are_listed(store: Store) -> None:
    keys = [f"releases/{name}.json" for name in (RELEASE, "dev-0123456789ab", "x")]
    for key in keys:
        store.put_document(key, {}, once=True)
    assert {name for name, _ in history.releases(store)} == {RELEASE, "dev-0123456789ab"}
    for key in keys:
        store.s3.delete_object(Bucket="artifacts", Key=key)


@pytest.mark.parametrize(
    ("environment", "smoked", "had", "unfinished", "development", "taken"),
    [
        ("prod", None, False, False, False, False),
        ("prod", False, False, False, False, False),
        ("prod", True, False, False, False, True),
        ("prod", None, True, False, False, True),
        ("prod", None, False, True, False, True),  # it was let through when that deployment began
        ("dev", None, False, False, False, True),
        ("prod", None, False, False, True, True),  # refused as a development release, a step later
    ],
)
def test_what_takes_tried_releases_only(
    builds: dict[str, Build],
    monkeypatch: pytest.MonkeyPatch,
    environment: str,
    smoked: bool | None,
    had: bool,
    unfinished: bool,
    development: bool,
    taken: bool,
) -> None:
    release = manifest.make(builds, COMMIT, settings={}, development=development)
    documents: dict[str, dict[str, Any]] = {}
    if smoked is not None:
        documents[f"smokes/{release.id}/dev.json"] = asdict(replace(SMOKE, passed=smoked))
    store: Any = SimpleNamespace(document=documents.get)
    monkeypatch.setattr(history, "ever_deployed", lambda store, environment: [release.id] if had else [])
    begun = (release.id,) if unfinished else ()
    monkeypatch.setattr(records, "standing", lambda store, environment: records.Standing(None, None, begun))
    if taken:
        rollout.require_tried(environments.load(environment), store, release)
    else:
        with pytest.raises(UsageError, match=f"^release {release.id} has passed no smoke run and was never live in "):
            rollout.require_tried(environments.load(environment), store, release)


def test_publishers_at_the_same_time_lose_no_file(store: Store) -> None:
    """Somebody else writes the page between our reading it and our writing it: it is all done again."""
    wanted = iter([b"mine", b"mine and theirs", b"unused"])

    def pages() -> bytes:
        mine = next(wanted)
        if mine == b"mine":
            store.s3.put_object(Bucket="artifacts", Key="simple/x/index.html", Body=b"theirs")
        return mine

    replaced = [index._replace(store, "simple/x/index.html", pages, "text/html") for _ in range(2)]
    assert replaced == [False, True]
    assert store.s3.get_object(Bucket="artifacts", Key="simple/x/index.html")["Body"].read() == b"mine and theirs"


def test_pages_of_a_project(store: Store, tmp_path: Path) -> None:
    """Development releases and other files are no part of them."""
    for key in (
        "demo-x/1.0.0/demo_x-1.0.0-py3-none-any.whl",
        "demo-x/1.1.0/demo_x-1.1.0-py3-none-any.whl",
        "demo-x/1.1.0-0123456789ab/demo_x-1.1.0-py3-none-any.whl",
        "demo-x/1.1.0/job.py",
        "wheelhouse/demo-1.0-py3-none-any.whl",
    ):
        store.put_once(key, key.encode())
    assert [file.key for file in index.files_of(store, "demo-x")] == [
        "demo-x/1.0.0/demo_x-1.0.0-py3-none-any.whl",
        "demo-x/1.1.0/demo_x-1.1.0-py3-none-any.whl",
    ]
    (other,) = index.files_of(store, "demo")
    assert (
        index.project_pages("demo", [other])["index.html"].decode()
        == f"""<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.0">
    <title>Links for demo</title>
  </head>
  <body>
    <a href="../../{other.key}#sha256={other.sha256}">demo-1.0-py3-none-any.whl</a><br>
  </body>
</html>
"""
    )


def test_a_file_is_published_once_and_never_changed(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    files = {"demo/1.0.0/a.py": tmp_path / "a.py"}
    assert store.put_files(files) == ["demo/1.0.0/a.py"]
    assert store.put_files(files) == [], "the same bytes again are no change"
    (tmp_path / "a.py").write_text("2")
    with pytest.raises(PublishError) as caught:
        store.put_files(files)
    assert str(caught.value) == (
        "s3://artifacts/demo/1.0.0/a.py is published with other bytes; raise the package's version"
    )
    assert store.s3.get_object(Bucket="artifacts", Key="demo/1.0.0/a.py")["Body"].read() == b"1"
    assert store.checksum("demo/1.0.0/a.py") == hashlib.sha256(b"1").hexdigest()
    assert store.checksum("demo/1.0.0/b.py") is None


class Conflicts:
    """S3 that answers the first `times` conditional writes of a key with 409, and with what somebody else wrote."""

    def __init__(self, s3: Any, times: int, theirs: bytes | None) -> None:
        self.s3, self.times, self.theirs = s3, times, theirs

    def __getattr__(self, name: str) -> Any:
        return getattr(self.s3, name)

    def put_object(self, **arguments: Any) -> Any:
        if self.times == 0:
            return self.s3.put_object(**arguments)
        self.times -= 1
        if self.theirs is not None and self.times == 0:
            self.s3.put_object(**arguments | {"Body": self.theirs, "ChecksumSHA256": sha256(self.theirs)})
        raise ClientError({"Error": {"Code": "ConditionalRequestConflict", "Message": "409"}}, "PutObject")


def test_a_release_of_two_commits_is_on_record_with_the_first(store: Store, builds: dict[str, Build]) -> None:
    first, second = (
        manifest.make(builds, commit, settings={}, development=False) for commit in (COMMIT, Commit("d" * 40, ()))
    )
    assert history.is_published(store, first.id) is False
    assert history.save_release(store, first) == first
    assert history.is_published(store, first.id) is True
    assert history.save_release(store, second) == first
    assert history.release(store, second.id) == first
    with pytest.raises(PublishError, match="is published with other bytes"):
        history.save_release(store, replace(first, settings={"Another": "content"}))


@pytest.fixture
def built(builds: dict[str, Build], folder: Path, tmp_path: Path) -> Path:
    """What was built, as of a clean checkout."""
    copy = tmp_path / "dist"
    shutil.copytree(folder, copy, copy_function=os.link)
    overwrite(copy / "release.json", manifest.make(builds, COMMIT, settings={}, development=False).as_json())
    return copy


def overwrite(file: Path, content: Any) -> None:
    file.unlink()  # it is a link to what others read
    file.write_text(content if isinstance(content, str) else json.dumps(content))


def test_what_was_built_into_a_folder_is_read_from_it(builds: dict[str, Build], built: Path) -> None:
    release, files = assembly.read_folder(built)
    assert release == manifest.make(builds, COMMIT, settings={}, development=False)
    assert {key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in files.items()} == release.objects


def rewrite(built: Path, **changes: Any) -> None:
    overwrite(built / "release.json", json.loads((built / "release.json").read_text()) | changes)


@pytest.mark.parametrize(
    ("change", "kind", "line"),
    [
        (lambda built: (built / "release.json").unlink(), UsageError,
         r"there is no {built}/release\.json: `elt release build --out {built}` makes it"),
        (lambda built: overwrite(built / "release.json", "{"), PublishError,
         r"{built}/release\.json is no JSON \(.*\): build it again"),
        (lambda built: rewrite(built, settings={"Another": "content"}), PublishError,
         r"{built}/release\.json says rel-\w+, and what it lists is rel-\w+: build it again"),
        (lambda built: rewrite(built, dirty=True), UsageError,
         r"rel-\w+ in {built} was built of a changed checkout of commit cccccccccccc: commit, and build it again"),
        (lambda built: rewrite(built, commit=""), UsageError,
         r"rel-\w+ in {built} was built of no git checkout: commit, and build it again"),
        (lambda built: overwrite(built / "rs-query" / "rs_query_job.py", "pass"), PublishError,
         r"{built}/rs-query/rs_query_job\.py is not what {built}/release\.json says: sha256 \w{{64}}, found \w{{64}}"),
        (lambda built: (built / "wheelhouse" / "six-1.17.0-py2.py3-none-any.whl").unlink(), PublishError,
         r"{built}/wheelhouse/six-\S+ is not what {built}/release\.json says: sha256 \w{{64}}, found missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_published_from_a_folder(
    built: Path, change: Callable[[Path], object], kind: type[Exception], line: str
) -> None:
    change(built)
    with pytest.raises(kind) as caught:
        assembly.read_folder(built)
    assert re.fullmatch(line.format(built=re.escape(str(built))), str(caught.value))


def sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


@pytest.mark.parametrize(
    ("times", "theirs", "outcome"),
    [
        (2, None, True),
        (2, b"mine", False),
        (1, b"theirs", "s3://artifacts/{key} is published with other bytes; raise the package's version"),
        (9, None, "s3://artifacts/{key} is being written by somebody else; do this again"),
    ],
)
def test_published_by_two_at_once(
    store: Store, times: int, theirs: bytes | None, outcome: bool | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 is no object yet, and one that may never be: S3 asks for another attempt."""
    monkeypatch.setattr("orchestration.releases.bucket.store.time.sleep", lambda seconds: None)
    key = f"demo/2.0.0/{times}-{theirs!r}.py"
    both = Store(Conflicts(store.s3, times, theirs), "artifacts")
    if isinstance(outcome, bool):
        assert both.put_once(key, b"mine") is outcome
        assert store.checksum(key) == hashlib.sha256(b"mine").hexdigest()
    else:
        with pytest.raises(PublishError) as caught:
            both.put_once(key, b"mine")
        assert str(caught.value) == outcome.format(key=key)


def test_a_bucket_that_takes_nothing_is_one_line(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """boto3's own error of a transfer is none of botocore's."""
    monkeypatch.setattr(
        "orchestration.releases.building.build.build_all",
        lambda *_, **__: store.s3.upload_file(__file__, "absent", "x"),
    )
    assert invoke(["release", "build", "trigger"]) == 1
    told = capsys.readouterr()
    assert re.fullmatch(r"elt: Failed to upload \S+ to absent/x: .*NoSuchBucket.*\n", told.err)
    assert told.out == ""


def test_the_artifacts_stack_is_not_changed_by_a_workflow(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that may look, as the deploy roles may: one line says what to do, and no change set is left."""
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**keys, "AWS_ENDPOINT_URL": store.s3.meta.endpoint_url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    there = publishing.bring_up_to_date(report=lambda step: None)
    look = ["CreateChangeSet", "DeleteChangeSet", "DescribeChangeSet", "DescribeStacks", "GetTemplateSummary"]
    look += ["ListChangeSets"]
    allowed = {"Effect": "Allow", "Action": [f"cloudformation:{one}" for one in look], "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    iam, cloudformation = boto3.client("iam"), boto3.client("cloudformation")
    role = iam.create_role(RoleName="looks", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="looks", PolicyName="look", PolicyDocument=policy(allowed))
    taken = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", taken["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", taken["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", taken["SessionToken"])
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert publishing.bring_up_to_date(report=lambda step: None).bucket == there.bucket, "nothing is to change"
    changed = tmp_path / "artifacts.yaml"
    changed.write_text(stacks.artifacts_stack().body.replace("DaysAfterInitiation: 1", "DaysAfterInitiation: 2"))
    monkeypatch.setattr(stacks, "artifacts_stack", lambda: stacks.Stack("elt-artifacts", (changed,)))
    with pytest.raises(DeployError) as caught:
        publishing.bring_up_to_date(report=lambda step: None)
    assert str(caught.value).startswith(
        "stack elt-artifacts is not what the checkout's template says, and you may not change it: with an "
        "administrator's profile, `elt release publish --env dev` at this commit, then do this again (An error "
        "occurred (AccessDenied) "
    )
    left = cloudformation.list_change_sets(StackName="elt-artifacts")["Summaries"]
    assert [one for one in left if one["ExecutionStatus"] != "EXECUTE_COMPLETE"] == []


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    ("method", "path", "accept", "status", "content_type"),
    [
        ("GET", "/simple/demo-y/", "text/html", 200, "text/html; charset=utf-8"),
        ("GET", "/simple/demo-y/", "", 200, "text/html; charset=utf-8"),
        (
            "GET",
            "/simple/demo-y/",
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
            200,
            "application/vnd.pypi.simple.v1+json",
        ),
        ("HEAD", "/demo-y/1.0/demo_y-1.0-py3-none-any.whl", "", 200, "binary/octet-stream"),
        ("GET", "/simple/absent/", "", 404, "text/plain; charset=utf-8"),
        ("GET", "/demo-y/1.0/job.py", "", 404, "text/plain; charset=utf-8"),
        ("GET", "/simple/../releases/", "", 404, "text/plain; charset=utf-8"),
        ("PUT", "/simple/demo-y/", "", 405, "text/plain; charset=utf-8"),
    ],
)
def test_the_index_by_http(store: Store, method: str, path: str, accept: str, status: int, content_type: str) -> None:
    store.put_once("demo-y/1.0/demo_y-1.0-py3-none-any.whl", b"wheel")
    for name, body in index.project_pages("demo-y", index.files_of(store, "demo-y")).items():
        kind = index.CONTENT_TYPES[name]
        store.s3.put_object(Bucket="artifacts", Key=f"simple/demo-y/{name}", Body=body, ContentType=kind)
    client = Client(serve.application(store))
    answer = client.open(path, method=method, base_url="http://127.0.0.1:1", headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (status, content_type)


def test_a_port_that_is_taken(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with serve.serving(store) as url:
        port = int(url.split(":")[2].partition("/")[0])
        assert urllib.request.urlopen(f"{url}demo-y/", timeout=10).status == 200
        with pytest.raises(UsageError) as caught, serve.serving(store, port=port):
            pass
    assert str(caught.value) == f"port {port} of 127.0.0.1 cannot be had: Address already in use; give another, or none"
    assert capsys.readouterr() == ("", "")


def test_the_index_is_for_this_machine(store: Store) -> None:
    """A name that a web page points at 127.0.0.1 is not answered."""
    client = Client(serve.application(store))
    assert client.get("/simple/", base_url="http://elsewhere.example:1").status_code == 403


def test_pip_looks_at_no_other_index(store: Store, tmp_path: Path) -> None:
    """Whatever its environment and configuration name besides: a package there of the same name is never seen."""
    asked: list[str] = []

    @Request.application
    def elsewhere(request: Request) -> Response:
        asked.append(request.path)
        return Response("", 404)

    other = make_server("127.0.0.1", 0, elsewhere, threaded=True)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{other.server_port}/simple/"
    (tmp_path / "pip.conf").write_text(f"[global]\nextra-index-url = {url}\n")
    around = os.environ | {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_FIND_LINKS": str(tmp_path)}

    def download(variables: dict[str, str]) -> str:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--retries",
            "0",
            "--dest",
            str(tmp_path / "out"),
            "demo-elsewhere",
        ]
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False).stderr

    try:
        with serve.serving(store) as index_url:
            assert "No matching distribution found for demo-elsewhere" in download(serve.exclusively(index_url, around))
            assert asked == []
            download(around | {"PIP_INDEX_URL": index_url})
            assert asked == ["/simple/demo-elsewhere/"], "the other index would have been asked"
    finally:
        other.shutdown()
