"""What a check of the doctor's answers."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARNING, FAILURE = "ok", "warning", "failure"


@dataclass(frozen=True)
class Finding:
    """What one check found: `result` is OK, WARNING or FAILURE; `remedy` a command or a step, "" where none is due."""

    check: str
    result: str
    what: str
    remedy: str = ""
