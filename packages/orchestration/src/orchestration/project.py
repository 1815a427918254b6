"""Where the monorepo is, for the commands that build from it."""

from __future__ import annotations

from pathlib import Path

from orchestration.errors import UsageError

_MARK = Path("packages/orchestration/pyproject.toml")


def find_root() -> Path | None:
    """Find the checkout around the working directory, else the one this package lies in, else None."""
    here = Path.cwd()
    for folder in (here, *here.parents, *Path(__file__).resolve().parents):
        if (folder / _MARK).is_file():
            return folder
    return None


def root() -> Path:
    """Return the checkout; UsageError where there is none."""
    folder = find_root()
    if folder is None:
        raise UsageError("this command builds the packages: run it inside a checkout of the project")
    return folder
