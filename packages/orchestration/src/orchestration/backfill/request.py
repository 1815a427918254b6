"""A backfill as a person asks for it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from orchestration.environments import Environment
from orchestration.pipelines import Month, MonthlyPipeline
from orchestration.trips.source import is_url


@dataclass(frozen=True)
class Request:
    """What was typed: the months from `first` to `last`, those that are loaded too if `force`."""

    pipeline: MonthlyPipeline
    first: Month
    last: Month
    max_concurrency: int
    force: bool
    source: str | None
    environment: Environment

    @property
    def command(self) -> str:
        """What to type to do what is still missing."""
        words = ["elt", "backfill", self.pipeline.name, "--from", str(self.first), "--to", str(self.last)]
        words += ["--max-concurrency", str(self.max_concurrency)]
        if self.force:
            words.append("--force")
        if self.source:
            words += ["--source", self.source if is_url(self.source) else str(Path(self.source).resolve())]
        return shlex.join([*words, "--env", self.environment.name])
