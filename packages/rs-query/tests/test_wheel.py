"""The wheel alone, as others install it: small, pure, and working on the oldest and the newest Python."""

from __future__ import annotations

import email
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import botocore.session
import pytest
from scripted_data_api import Reply, ScriptedDataApi

PACKAGE = Path(__file__).parents[1]
_MODEL = botocore.session.get_session().get_service_model("redshift-data")
KNOWS_LONG_POLL = "WaitTimeSeconds" in _MODEL.operation_model("DescribeStatement").input_shape.members


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=PACKAGE, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_is_small_pure_and_typed(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < 75_000
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        described = email.message_from_bytes(archive.read(metadata))
    assert "rs_query/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"rs_query"}
    assert described["Requires-Python"] == ">=3.9"
    needed = [need for need in described.get_all("Requires-Dist") if "extra ==" not in need]
    assert [need.split(">")[0] for need in needed] == ["boto3"]


def interpreter(version: str) -> str | None:
    """A Python of this version: on PATH, or pyenv's."""
    candidates = sorted(
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python")
    )
    return str(candidates[-1]) if candidates else shutil.which(f"python{version}")


@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_runs_in_an_empty_environment(wheel: Path, version: str, api: ScriptedDataApi, tmp_path: Path) -> None:
    """With the SDK that pip finds for that Python: on 3.9 the last one, which has no long poll."""
    if version != "3.9" and not KNOWS_LONG_POLL:
        pytest.skip("the stand-in for AWS checks requests by this Python's SDK, and that one has no long poll")
    python = interpreter(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    subprocess.run([python, "-m", "venv", str(tmp_path / "venv")], check=True)
    bin_dir = tmp_path / "venv" / "bin"
    install = [str(bin_dir / "pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    installed = subprocess.run(install, capture_output=True, text=True)
    if "Could not find a version that satisfies the requirement boto3" in installed.stderr:
        pytest.skip("no package index to get boto3 from")
    assert installed.returncode == 0, installed.stderr
    api.script = lambda sql: Reply(seconds=0.3, columns=(("n", "numeric"),), records=([{"stringValue": "1.50"}],))
    api.objects["b/x.sql"] = b"\xef\xbb\xbfSELECT :n -- ;\r\n;"
    run = [
        str(bin_dir / "rs-query"),
        "run",
        "s3://b/x.sql",
        "--workgroup",
        "elt",
        "--database",
        "dev",
        "--param",
        "n=x",
    ]
    done = subprocess.run([*run, "--output", "json"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, '{"n": 1.50}\n'), done.stderr
    assert json.loads(done.stderr.splitlines()[-1])["status"] == "finished"
    assert ("WaitTimeSeconds" in api.made("DescribeStatement")[0]) == (version != "3.9")
    job = [str(bin_dir / "python"), str(PACKAGE / "glue" / "rs_query_job.py"), "--sql", "s3://b/x.sql"]
    options = ["--workgroup", "elt", "--database", "dev", "--params", '{"n": null}', "--output", "csv"]
    done = subprocess.run([*job, *options], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (0, ["n", "1.50"]), done.stderr
    assert api.sqls() == ["SELECT :n", "SELECT NULL"]
