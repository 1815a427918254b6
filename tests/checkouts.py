"""A checkout of its own that releases are made of, and `elt` run in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from laptop import ROOT, Laptop

_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".elt", ".*_cache", "__pycache__", "node_modules", "tests", "benchmarks", "dist"
)


@dataclass
class Checkout:
    """A checkout of its own, and `elt` run in it. `--env` is dev and prod: both are on one cloud."""

    folder: Path
    machine: Laptop

    @classmethod
    def make(cls, folder: Path, machine: Laptop) -> Checkout:
        """What this working tree ships, as one commit."""
        shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
        made = cls(folder, machine)
        made.git("init", "--quiet")
        made.commit()
        return made

    def elt(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("elt", *arguments),
            env=self.machine.env | self.machine.sdk | variables,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def said(self, *arguments: str, **variables: str) -> str:
        """What a command that succeeds prints."""
        done = self.elt(*arguments, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def refused(self, *arguments: str, code: int = 2, **variables: str) -> str:
        """The one line of a command that does not succeed."""
        done = self.elt(*arguments, **variables)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        *_, line = done.stderr.splitlines()
        return line

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
        subprocess.run(("git", *who, *arguments), cwd=self.folder, check=True, capture_output=True)

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        file = self.folder / path
        before = file.read_text(encoding="utf-8")
        file.write_text(change(before), encoding="utf-8")
        assert file.read_text(encoding="utf-8") != before

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")

    @property
    def head(self) -> str:
        done = subprocess.run(("git", "rev-parse", "HEAD"), cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def raise_version(self, package: str, version: str) -> None:
        self.edit(
            f"packages/{package}/pyproject.toml", lambda text: re.sub('version = ".*?"', f'version = "{version}"', text)
        )
