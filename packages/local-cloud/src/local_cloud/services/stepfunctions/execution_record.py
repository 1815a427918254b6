"""An execution as the lists know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .model import STANDARD

if TYPE_CHECKING:
    from .running.execution import Run


@dataclass
class Execution:
    """The line of an execution that lists show. Input, output and history are in its journal."""

    arn: str
    name: str
    machine_arn: str
    journal: Path
    started: float
    status: str = "RUNNING"
    version_arn: str = ""
    alias_arn: str = ""
    type: str = STANDARD
    stopped: float | None = None
    redrives: int = 0
    redriven: float | None = None
    map_runs: list[str] = field(default_factory=list)
    """ARNs."""
    run: Run | None = None
    """The threads that evaluate it, while they do."""
