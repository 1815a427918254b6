"""Whether a part of an execution still counts: the execution, a branch, an iteration, an attempt at a Task."""

from __future__ import annotations

import threading


class Stopped(Exception):
    """What was going on was stopped from outside; there is nothing to report."""


class Life:
    """Runs until it is stopped. What was begun below it is stopped with it, at once and for good."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._muted = False
        self._below: set[Life] = set()
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        return not self._stopped.is_set()

    @property
    def is_muted(self) -> bool:
        """Whether the history takes no more events of it: of an attempt that timed out, a branch that was aborted."""
        return self._muted

    def begin_below(self) -> Life:
        """Begin a part of this. Below what has been stopped already, it is stopped from the start."""
        life = Life()
        with self._lock:
            if self.is_running:
                self._below.add(life)
            else:
                life.stop(mute=self._muted)
        return life

    def end(self, life: Life) -> None:
        """Forget a part that has come to its own end."""
        with self._lock:
            self._below.discard(life)
        life.stop()

    def stop(self, *, mute: bool = False) -> None:
        with self._lock:
            self._muted = self._muted or mute
            self._stopped.set()
            below = list(self._below)
        for life in below:
            life.stop(mute=mute)

    def check(self) -> None:
        """Raises Stopped."""
        if not self.is_running:
            raise Stopped

    def wait(self, seconds: float) -> bool:
        """Wait that long or until it is stopped. Returns whether it was."""
        return self._stopped.wait(seconds)
