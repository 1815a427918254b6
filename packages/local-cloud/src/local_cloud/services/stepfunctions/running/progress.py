"""How far an execution came, read from its journal: where a redrive goes on.

https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html: an execution goes on from the state that
did not succeed, with the same input; of a Parallel or Map state only the branches and iterations that did not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..journal import Line

Path = tuple[tuple[str, int], ...]


@dataclass
class Progress:
    """Of every scope that has not ended, the state it is in with its input; of those that have, the output."""

    at: dict[Path, tuple[str, Any]] = field(default_factory=dict)
    done: dict[Path, Any] = field(default_factory=dict)
    variables: dict[Path, dict[str, Any]] = field(default_factory=dict)
    last_event: int = 0

    def read(self, lines: Iterable[Line]) -> Progress:
        for line in lines:
            if "event" in line:
                self._event(line["event"], _path(line["at"]))
            elif "done" in line:
                self.done[_path(line["done"])] = line["output"]
        return self

    def _event(self, event: dict[str, Any], path: Path) -> None:
        self.last_event = event["id"]
        if entered := event.get("stateEnteredEventDetails"):
            self._leave(path)
            self.at[path] = (entered["name"], json.loads(entered["input"]))
        elif exited := event.get("stateExitedEventDetails"):
            self._leave(path)
            assigned = {name: json.loads(text) for name, text in exited.get("assignedVariables", {}).items()}
            self.variables.setdefault(path, {}).update(assigned)

    def _leave(self, path: Path) -> None:
        """A state came to its end or restarts: what its branches did before does not count any more."""
        for known in (self.at, self.done, self.variables):
            for inner in [each for each in known if each[: len(path)] == path and len(each) > len(path)]:
                del known[inner]


def _path(steps: list[Any]) -> Path:
    return tuple((name, index) for name, index in steps)
