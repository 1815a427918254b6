"""A state that TestState runs on its own: what stands for its work, and what is kept of its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..language.errors import StateError
from ..language.json_values import Json


class WouldRetry(Exception):
    """An execution would try the state again. `Trial.error` is why."""


class BadTrial(ValueError):
    """What is given for the test does not fit the state; `str()` is AWS's message."""


@dataclass
class Trial:
    """`notes` are members of TestState's `inspectionData`, `error_details` those of its `errorDetails`."""

    mock: Callable[[], Json] | None = None
    """Stands for the work of a Task, for the branches of a Parallel, for the iterations of a Map. Raises StateError."""
    retries: int = 0
    """How often the state has been tried again already."""
    failed_iterations: int = 0
    """Of a Map."""
    source: str | None = None
    """What a Map's ItemReader finds."""
    context: dict[str, Json] | None = None
    """The context object, where one is given."""
    error: StateError | None = None
    notes: dict[str, Json] = field(default_factory=dict)
    error_details: dict[str, Json] = field(default_factory=dict)
