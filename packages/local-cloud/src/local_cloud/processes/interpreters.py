"""Which Python a job or function runs on: the version it names, if this machine has one that works."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs. `version` is "3.9"."""

    path: Path
    version: str


def own() -> Interpreter:
    """The Python of the local cloud itself."""
    return Interpreter(Path(sys.executable), f"{sys.version_info.major}.{sys.version_info.minor}")


@functools.cache
def find(version: str) -> Interpreter | None:
    """The first working Python of that version ("3.9") on PATH or among pyenv's, else None.

    One that the local cloud's pip is too new for is of no use: nothing could be installed for it.
    """
    if version == own().version:
        return own()
    if version not in SpecifierSet(metadata("pip")["Requires-Python"] or ""):
        return None
    return next((Interpreter(path, version) for path in _candidates(version) if _says(path) == version), None)


def _candidates(version: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        path = Path(folder) / f"python{version}"
        if os.access(path, os.X_OK):
            yield path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def _says(python: Path) -> str:
    """The version that the program itself tells; a pyenv shim may be there for a Python that is not switched on."""
    command = [str(python), "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
