"""What is done at the start and then every hour, on one thread that sleeps in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger("local_cloud.upkeep")

#: Seconds between two rounds.
PERIOD = 3600.0
#: How long a stop waits for the task at work, in seconds.
PATIENCE = 10.0


class Upkeep:
    """Tasks, each by a name that the log can tell. One that fails does not stop the others, and is tried again."""

    def __init__(self) -> None:
        self._tasks: dict[str, Callable[[], None]] = {}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, name: str, task: Callable[[], None]) -> None:
        self._tasks[name] = task

    def soon(self) -> None:
        """Ask for a round now."""
        self._wake.set()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No further task begins; wait for the one at work."""
        self._stop.set()
        self._wake.set()
        if self._thread:
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            for name, task in self._tasks.items():
                if self._stop.is_set():
                    return
                try:
                    task()
                except Exception:
                    log.exception("%s could not be looked after", name)
            self._wake.wait(PERIOD)
