"""SIGTERM, as runners and service managers send it, taken as Ctrl-C is: what is held is given up on the way out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from orchestration.errors import Terminated


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises Terminated, a KeyboardInterrupt, within. To be called in the main thread."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
