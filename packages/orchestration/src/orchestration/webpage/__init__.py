"""What the pages that `elt` writes have in common: one look, one policy, and a file that is whole or not there."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path

from orchestration.whole_file import replacing

_BASE = Path(__file__).parent / "base.css"


def style(*files: Path) -> str:
    """Return the style sheet of a page: what all have, then its own."""
    return "\n".join(file.read_text(encoding="utf-8") for file in (_BASE, *files))


def policy(*scripts: str) -> str:
    """Return the content security policy of a page that fetches nothing and runs these scripts alone."""
    allowed = " ".join(_digest(script) for script in scripts) or "'none'"
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {allowed}"
    )


def _digest(script: str) -> str:
    """Hash a script element's text, as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"


def write(path: Path, pieces: Iterable[str]) -> None:
    """Write a file at once or not at all; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
