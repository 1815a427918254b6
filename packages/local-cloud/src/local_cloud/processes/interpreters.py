"""Which Python a job or function runs on: the version it names, if this machine has one that works."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs: `release` is "3.9.18", `version` "3.9"."""

    path: Path
    release: str

    @property
    def version(self) -> str:
        return ".".join(self.release.split(".")[:2])

    @property
    def can_install(self) -> bool:
        """Whether the local cloud's own pip installs for it: a new pip leaves old Pythons behind."""
        return self.version in SpecifierSet(metadata("pip")["Requires-Python"] or "")


def own() -> Interpreter:
    """The Python of the local cloud itself."""
    return Interpreter(Path(sys.executable), platform.python_version())


@functools.cache
def find(version: str) -> Interpreter | None:
    """The first working Python of that version ("3.9") on PATH or among pyenv's, else None.

    One older than 3.9, which AWS no longer runs either, is of no use: what starts jobs and functions needs that.
    """
    if version == own().version:
        return own()
    if version not in SpecifierSet(">=3.9"):
        return None
    found = (Interpreter(path, _release(path)) for path in _candidates(version))
    return next((interpreter for interpreter in found if interpreter.version == version), None)


def _candidates(version: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        path = Path(folder) / f"python{version}"
        if os.access(path, os.X_OK):
            yield path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def _release(python: Path) -> str:
    """What the program itself tells, "" if it does not run: a pyenv shim may lead to no Python."""
    command = [str(python), "-c", "import platform, venv; print(platform.python_version())"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
