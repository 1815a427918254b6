"""Which commit a build is of, and whether the checkout has it unchanged."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import UsageError

#: Folders of a package that nothing is built from.
_LEFT_OUT = frozenset(
    {".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__", "dist", "node_modules", "tests"}
)


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


def list_changes(root: Path, commit: str, *, paths: list[str]) -> list[str]:
    """List the files of `paths` that are not as a commit has them, new ones too; [] where git does not know it."""
    changed = _git(root, "diff", "--name-only", "-z", commit, "--", *paths) if commit else None
    if changed is None:
        return []
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *paths) or ""
    return sorted(
        {name for name in (changed + new).split("\0") if name and not _LEFT_OUT.intersection(Path(name).parts)}
    )


def fingerprint(root: Path, *, paths: list[str]) -> str:
    """Return the sha256 of the names and contents of all files of `paths` that a build can read."""
    digest = hashlib.sha256()
    for path in paths:
        top = root / path
        for file in sorted([top] if top.is_file() else top.rglob("*")):
            name = file.relative_to(root)
            if file.is_file() and not _LEFT_OUT.intersection(name.parts):
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                digest.update(f"{name.as_posix()} {content}\n".encode())
    return digest.hexdigest()


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
