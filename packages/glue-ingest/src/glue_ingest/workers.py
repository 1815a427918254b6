"""Threads that never hold up the end of the process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any


class Workers:
    """Runs submitted calls in order of submission, `count` at a time; use it in a `with` block.

    A ThreadPoolExecutor would do, but the interpreter waits for its threads before it exits; these may be stuck in a
    read from a source that has fallen silent, and a stopped job has to leave at once.
    """

    def __init__(self, count: int) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._change = threading.Condition()
        self._pending = 0
        self._failure: BaseException | None = None
        self._dismissed = False
        self._threads = [threading.Thread(target=self._work, name=f"ingest-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[..., None], *args: Any) -> None:
        """Queue `call(*args)`. Calls may submit others."""
        with self._change:
            self._pending += 1
        self._calls.put(partial(call, *args))

    def check(self) -> None:
        """Raise the first error of any call."""
        if self._failure:
            raise self._failure

    def wait(self, while_waiting: Callable[[], None] = lambda: None) -> None:
        """Until all calls are done; raises the first error. `while_waiting` is called several times a second."""
        with self._change:
            while self._pending and not self._failure:
                self._change.wait(0.2)
                while_waiting()
        self.check()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop what has not begun; each thread ends after the call it is in."""
        self._dismissed = True
        for _ in self._threads:
            self._calls.put(None)

    def _work(self) -> None:
        for call in iter(self._calls.get, None):
            failure = None if self._dismissed else _failure_of(call)
            with self._change:
                self._pending -= 1
                self._failure = self._failure or failure
                self._change.notify_all()
            del call, failure  # they hold a part of the file


def _failure_of(call: Callable[[], None]) -> BaseException | None:
    try:
        call()
    except BaseException as error:
        return error
    return None
