"""One execution as one HTML file: how long each state took, what its jobs said, and why it failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestration import executions, joblogs, webpage
from orchestration.executions import Execution
from orchestration.report import page
from orchestration.report.events import Event


def write(states: Any, logs: Any, arn: str, path: Path, *, link: str | None = None) -> Execution:
    """Write the page of an execution as it is now, and return it. `link` is where it is to be seen in a console."""
    execution = executions.read(states, arn)
    logged = [Event.of(line) for line in joblogs.read(logs, execution)]
    webpage.write(path, [page.html(execution, logged, link=link)])
    return execution
