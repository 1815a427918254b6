"""Files of a checkout that `elt new` writes, all of them or none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from orchestration.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST_NAME = 40


def check_name(name: str) -> None:
    """Raise UsageError unless a name can begin those of tables, keys and executions."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"{name!r} is no name for this: take lower-case letters, digits and single hyphens, at most {_LONGEST_NAME}"
        )


def write(root: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files, by their path in the checkout. Errors: UsageError names the first that is there already."""
    for path in files:
        if (root / path).exists():
            raise UsageError(f"{path} is there already; nothing was written")
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return [root / path for path in files]
