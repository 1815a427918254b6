"""Folders of commands: deleted at their end, and those of a command that was killed by the next."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestration import scratch

_COMMAND = """
import tempfile
from orchestration import scratch
with scratch.folder("build") as folder:
    (folder / "part").write_text("half")
    tempfile.mkstemp(suffix=".whl")
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@contextmanager
def another() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A command at work in its folder."""
    command = [sys.executable, "-c", _COMMAND]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running, Path(running.stdout.readline().strip())
        running.kill()


def test_a_folder_is_deleted_at_the_end_of_its_block(temporary: Path) -> None:
    with scratch.folder("build") as folder:
        assert (folder.parent, folder.name.startswith("elt-build-"), folder.is_dir()) == (temporary, True, True)
        (folder / "file").touch()
    assert list(temporary.iterdir()) == []


def test_a_folder_that_a_killed_command_left_is_deleted_by_the_next(temporary: Path) -> None:
    with another() as (running, left):
        running.kill()
        running.wait()
        assert (left / "part").read_text() == "half"
        with scratch.folder("build") as folder:
            assert list(temporary.iterdir()) == [folder]


def test_a_folder_that_is_at_work_stays(temporary: Path) -> None:
    with another() as (_, other):
        with scratch.folder("build") as folder:
            assert sorted(temporary.iterdir()) == sorted([folder, other])
        assert (other / "part").read_text() == "half"


def test_a_folder_of_another_kind_is_not_looked_at(temporary: Path) -> None:
    mine = temporary / "elt-reviews-1"
    mine.mkdir()
    with scratch.folder("build"):
        pass
    assert list(temporary.iterdir()) == [mine]


def test_a_folder_elsewhere_is_swept_there_and_temporary_files_are_where_they_were_afterwards(temporary: Path) -> None:
    cache = temporary / "cache"
    (left := cache / "elt-wheels-killed").mkdir(parents=True)
    with scratch.folder("build") as build:
        with scratch.folder("wheels", parent=cache) as wheels:
            assert list(cache.iterdir()) == [wheels]
            assert tempfile.gettempdir() == str(wheels)
        assert tempfile.gettempdir() == str(build)
    assert (left.exists(), list(cache.iterdir())) == (False, [])
