"""Environments without a network: what is installed here lies in a folder."""

from __future__ import annotations

import subprocess
import zipfile

import pytest

from local_cloud.processes import interpreters
from local_cloud.processes.environments import Environments, EnvironmentSpec
from local_cloud.processes.errors import EnvironmentBuildError


def make_wheel(folder, name: str, value: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"VALUE = {value!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return str(path)


def spec(*requirements: str, **fields) -> EnvironmentSpec:
    return EnvironmentSpec(interpreters.own(), requirements, **fields)


def value_of(python, name: str) -> str:
    done = subprocess.run([python, "-c", f"import {name}; print({name}.VALUE)"], capture_output=True, text=True)
    return done.stdout.strip() or done.stderr


def test_an_environment_is_built_once_and_has_what_was_asked_for_and_no_pip(tmp_path):
    wanted = spec(make_wheel(tmp_path / "w", "one", "1"))
    said: list[str] = []
    environments = Environments(tmp_path / "env")
    python = environments.prepare(wanted, log=said.append).result(60)
    assert value_of(python, "one") == "1"
    assert "No module named 'pip'" in value_of(python, "pip")
    assert "No module named 'moto'" in value_of(python, "moto"), "nothing of the local cloud's own"
    assert [line for line in said if line.startswith("Making")] == [
        f"Making an environment of Python {wanted.interpreter.version} with one-1.0-py3-none-any.whl; "
        "later runs find it ready"
    ]
    assert Environments(tmp_path / "env").prepare(wanted, log=said.append).result(60) == python
    assert len(said) == 1


def test_the_key_is_the_interpreter_the_set_of_requirements_and_the_options():
    assert spec("a", "b").key == spec("b", "a", "a").key
    assert spec("a").key != spec("a", "b").key
    assert spec("a", modules=("b",)).key != spec("a", modules=("b",), options=("--no-deps",)).key
    assert spec("/one/cache/abc/w.whl").key == spec("/other/cache/abc/w.whl").key
    assert spec("/one/cache/abc/w.whl").key != spec("/one/cache/def/w.whl").key


def test_options_are_for_the_modules_alone(tmp_path):
    one, two = make_wheel(tmp_path / "w", "one", "1"), make_wheel(tmp_path / "w", "two", "2")
    target = tmp_path / "elsewhere"
    wanted = spec(one, modules=(two,), options=("--target", str(target)))
    python = Environments(tmp_path / "env").prepare(wanted, log=lambda line: None).result(60)
    assert value_of(python, "one") == "1"
    assert (target / "two.py").exists()


def test_what_pip_cannot_install_is_said_and_tried_again_next_time(tmp_path):
    missing = tmp_path / "w" / "one-1.0-py3-none-any.whl"
    environments = Environments(tmp_path / "env")
    with pytest.raises(EnvironmentBuildError, match="pip could not install") as raised:
        environments.prepare(spec(str(missing)), log=lambda line: None).result(60)
    assert "\n" not in str(raised.value)
    make_wheel(tmp_path / "w", "one", "1")
    assert value_of(environments.prepare(spec(str(missing)), log=lambda line: None).result(60), "one") == "1"
