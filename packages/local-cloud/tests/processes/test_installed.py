"""Environments with packages that are installed beside the local cloud."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

from local_cloud.processes import installed, interpreters
from local_cloud.processes.environments import Environments, EnvironmentSpec
from local_cloud.processes.interpreters import Interpreter


def test_an_environment_has_the_installed_package_and_what_it_needs_and_nothing_else(tmp_path):
    own = interpreters.own()
    said: list[str] = []
    wanted = EnvironmentSpec(own, (), links=installed.find("boto3", python=own))
    python = Environments(tmp_path).prepare(wanted, log=said.append).result(60)

    def has(module: str) -> bool:
        return subprocess.run([python, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0

    assert {name: has(name) for name in ("boto3", "dateutil.tz", "six", "moto", "pip")} == {
        "boto3": True,
        "dateutil.tz": True,
        "six": True,
        "moto": False,
        "pip": False,
    }
    version = [python, "-c", "import importlib.metadata as m; print(m.version('boto3'))"]
    assert subprocess.run(version, capture_output=True, text=True).stdout.strip() == importlib.metadata.version("boto3")
    assert said == [], "no index was asked"


def test_an_index_has_to_be_asked_for_what_is_not_here_or_is_compiled_or_for_other_pythons():
    own = interpreters.own()
    assert installed.find("boto3", python=own) != ()
    assert installed.find("no-such-package", python=own) == ()
    assert installed.find("boto3<1", python=own) == ()
    assert installed.find("duckdb", python=own) == ()
    assert installed.find("boto3", python=Interpreter(Path("python3.6"), "3.6.15")) == ()


def test_another_version_of_a_package_is_another_environment():
    own = interpreters.own()
    keys = {EnvironmentSpec(own, (), links=(Path(f"/site/boto3-{v}.dist-info"),)).key for v in ("1.0", "1.1")}
    assert len(keys) == 2
