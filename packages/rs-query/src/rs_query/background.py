"""Calls that block without end, on threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Task(Generic[T]):
    """An action on a thread of its own, which does not keep the process alive."""

    def __init__(self, action: Callable[[], T]) -> None:
        self._action = action
        self._done = threading.Event()
        self._results: list[T] = []
        self.errors: list[Exception] = []
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        try:
            self._results.append(self._action())
        except Exception as error:
            self.errors.append(error)
        finally:
            self._done.set()

    def wait(self, seconds: float) -> bool:
        """Whether it ended within `seconds`."""
        return self._done.wait(min(seconds, threading.TIMEOUT_MAX))

    def result(self) -> T:
        """Return what the action returned or raised, once it has ended."""
        if self.errors:
            raise self.errors[0]
        return self._results[0]
