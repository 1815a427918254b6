from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from local_cloud.processes import interpreters


@pytest.fixture(autouse=True)
def fresh():
    interpreters.find.cache_clear()
    yield
    interpreters.find.cache_clear()


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_own_version_is_the_own_python():
    own = interpreters.own()
    assert own == interpreters.Interpreter(Path(sys.executable), platform.python_version())
    assert interpreters.find(own.version) == own


def test_a_python_that_does_not_run_is_passed_over(tmp_path, monkeypatch):
    program(tmp_path / "shims", "python3.10", "echo 'python3.10: command not found' >&2; exit 127")
    program(tmp_path / "wrong", "python3.10", "echo 3.11.4")
    right = program(tmp_path / "right", "python3.10", "echo 3.10.13")
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "python3.10").write_text("no program")
    monkeypatch.setenv("PATH", ":".join(str(tmp_path / name) for name in ("shims", "plain", "wrong", "right")))
    assert interpreters.find("3.10") == interpreters.Interpreter(right, "3.10.13")


def test_pyenvs_versions_are_looked_at_too(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert interpreters.find("3.12") is None
    interpreters.find.cache_clear()
    found = program(tmp_path / "pyenv" / "versions" / "3.12.9" / "bin", "python3.12", "echo 3.12.9")
    assert interpreters.find("3.12") == interpreters.Interpreter(found, "3.12.9")


def test_an_old_python_is_of_no_use(tmp_path, monkeypatch):
    program(tmp_path, "python3.6", "echo 3.6.15")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreters.find("3.6") is None


@pytest.mark.parametrize(("pips", "can"), [(">=3.9", True), (">=3.10", False)])
def test_a_new_pip_leaves_old_pythons_behind(monkeypatch, pips, can):
    monkeypatch.setattr(interpreters, "metadata", lambda name: {"Requires-Python": pips})
    assert interpreters.Interpreter(Path("python3.9"), "3.9.18").can_install is can
