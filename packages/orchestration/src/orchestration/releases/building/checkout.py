"""Which commit a build is of, and whether the checkout has it unchanged."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import UsageError


@dataclass(frozen=True)
class Commit:
    """`id` is git's, 40 digits, "" outside git; `changed` are files of `paths` that differ from it."""

    id: str
    changed: tuple[str, ...]


def read(root: Path, *, paths: list[str]) -> Commit:
    """Return the commit of the checkout at `root`; `paths` are what is built from."""
    head = _git(root, "rev-parse", "HEAD")
    if head is None:
        return Commit("", ())
    status = _git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", *paths) or ""
    return Commit(head, tuple(line[3:] for line in status.split("\0") if line))


def require_clean(commit: Commit) -> None:
    """Raise UsageError unless what is built is what the commit has."""
    if not commit.id:
        raise UsageError("a release is made from a git checkout; `elt deploy` takes any folder of the project")
    if commit.changed:
        more = f" and {len(commit.changed) - 1} more" if len(commit.changed) > 1 else ""
        raise UsageError(
            f"{commit.changed[0]}{more} differ from commit {commit.id[:12]}: commit them, or try them with `elt deploy`"
        )


def _git(root: Path, *arguments: str) -> str | None:
    """git's answer; None where this is no checkout, or there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except FileNotFoundError:
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None
