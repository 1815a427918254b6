"""Threads that never hold up the end of the process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any


class Workers:
    """Runs submitted calls in order of submission, `count` at a time.

    A ThreadPoolExecutor would do, but the interpreter waits for its threads before it exits; these may be stuck in a
    read from a source that has fallen silent, and a stopped job has to leave at once.
    """

    def __init__(self, count: int) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._dismissed = False
        self._threads = [threading.Thread(target=self._work, name=f"ingest-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Queue `call(*args)`; the future tells its result or its error."""
        future: Future[Any] = Future()
        self._calls.put((future, partial(call, *args)))
        return future

    def dismiss(self) -> None:
        """Cancel what has not begun, and let each thread end after the call it is in."""
        self._dismissed = True
        for _ in self._threads:
            self._calls.put(None)

    def _work(self) -> None:
        for future, call in iter(self._calls.get, None):
            if self._dismissed:
                future.cancel()
            else:
                _settle(future, call)
            del call  # it holds a part of the file


def _settle(future: Future[Any], call: Callable[[], Any]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:
        future.set_exception(error)
