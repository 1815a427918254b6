"""What a cloud takes on disk, and what of its cache goes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import zipfile

import pytest
from click.testing import CliRunner

import local_cloud
from local_cloud import caches
from local_cloud.cli import main
from local_cloud.errors import NotRunning

LONG_AGO = time.time() - 2 * caches.FRESH


def made(path, *, at=LONG_AGO):
    """A folder with 10 kB, last changed long ago."""
    path.mkdir(parents=True)
    (path / "content").write_bytes(b"x" * 10_000)
    os.utime(path, (at, at))
    return path


def environment(folder, key):
    """An environment as it is built: the folder, the link to it, and the lock."""
    made(folder / f"{key}-12345678")
    (folder / key).symlink_to(f"{key}-12345678")
    (folder / f"{key}.lock").touch()
    for path in folder.glob(f"{key}*"):
        os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)


def test_what_nothing_needs_and_nobody_is_making_goes_whole(tmp_path):
    environments, packages = tmp_path / "environments", tmp_path / "packages"
    for key in ("py3.9-aaaaaaaaaaaaaaaa", "py3.9-bbbbbbbbbbbbbbbb"):
        environment(environments, key)
    for name in ("needed", "stale"):
        made(packages / "files" / name)
        made(packages / "unpacked" / name)
    made(packages / "unpacked" / "in-the-making", at=time.time())
    users = [lambda: ["needed"], lambda: {"py3.9-aaaaaaaaaaaaaaaa"}]

    status, told = caches.respond(tmp_path, users, b'{"dry_run": true}')
    assert status == 200
    assert told[caches.ENVIRONMENTS] > 10_000
    assert told[caches.PACKAGES] > 20_000
    assert len(list(packages.glob("*/*"))) == 5, "nothing is deleted yet"

    assert caches.respond(tmp_path, users, b'{"dry_run": false}') == (200, told)
    assert sorted(path.name for path in environments.iterdir()) == [
        "py3.9-aaaaaaaaaaaaaaaa",
        "py3.9-aaaaaaaaaaaaaaaa-12345678",
        "py3.9-aaaaaaaaaaaaaaaa.lock",
    ]
    left = sorted(path.relative_to(packages).as_posix() for path in packages.glob("*/*"))
    assert left == ["files/needed", "unpacked/in-the-making", "unpacked/needed"]


def test_environments_and_packages_that_are_shared_with_others_stay(tmp_path):
    environment(tmp_path / "shared" / "environments", "py3.9-aaaaaaaaaaaaaaaa")
    made(tmp_path / "shared" / "packages" / "unpacked" / "stale")
    (tmp_path / "cache").mkdir()
    for name in ("environments", "packages"):
        (tmp_path / "cache" / name).symlink_to(tmp_path / "shared" / name)
    assert list(caches.unneeded(tmp_path / "cache", set())) == []


def test_nothing_goes_while_something_runs_out_of_the_cache(tmp_path):
    made(tmp_path / "packages" / "files" / "stale")

    def busy():
        raise caches.Busy("1 job runs are alive: wait until they have ended, or stop them")

    status, answer = caches.respond(tmp_path, [busy], b'{"dry_run": false}')
    assert (status, answer["error"]) == (409, "1 job runs are alive: wait until they have ended, or stop them")
    assert (tmp_path / "packages" / "files" / "stale").exists()


def zipped(text):
    """A function's code."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("app.py", text)
    return body.getvalue()


def name_of(body):
    return hashlib.sha256(body).hexdigest()[:20]


@pytest.fixture
def cloud(new_cloud):
    running = new_cloud()
    running.start()
    yield running
    running.stop()


def test_what_is_deployed_stays_and_what_it_took_the_place_of_goes(cloud):
    role, s3 = cloud.role("worker"), cloud.client("s3")
    settings = local_cloud.Settings.create(state_dir=cloud.state_dir, port=cloud.port)
    packages = cloud.state_dir / "cache" / "packages"
    s3.create_bucket(Bucket="code")
    command = {"Name": "pythonshell", "PythonVersion": "3.9", "ScriptLocation": "s3://code/job.py"}
    s3.put_object(Bucket="code", Key="job.py", Body=b"print(2)")
    cloud.client("glue").create_job(Name="job", Role=role, Command=command)
    code = zipped("def handle(event, context): return 2")
    cloud.client("lambda").create_function(
        FunctionName="f", Runtime="python3.12", Role=role, Handler="app.handle", Code={"ZipFile": code}
    )
    kept = {name_of(b"print(2)"), name_of(code)}
    for name in (*kept, name_of(b"print(1)"), "earlier-code"):
        made(packages / "unpacked" / name)

    shown = CliRunner().invoke(main, ["prune", "--dry-run", "--json", "--state", str(cloud.state_dir)])
    would = local_cloud.prune(settings, dry_run=True)
    assert json.loads(shown.output) == {"dry_run": True, "bytes": would}
    assert {path.name for path in (packages / "unpacked").iterdir()} == kept | {name_of(b"print(1)"), "earlier-code"}
    assert local_cloud.prune(settings, dry_run=False) == would
    assert {path.name for path in (packages / "unpacked").iterdir()} == kept
    assert would["wheels and functions"] > 20_000

    sizes = local_cloud.sizes(settings)
    assert sizes["objects"] > 0
    assert sizes["definitions, logs and histories"] > 0
    cloud.stop()
    with pytest.raises(NotRunning, match="No local cloud runs on"):
        local_cloud.prune(settings, dry_run=True)
