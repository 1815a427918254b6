"""SIGTERM and Ctrl-C as an exception, and the one place where they have to wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rs_query.errors import RunInterrupted

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption(BaseException):
    """A signal came. No Exception: botocore takes every one of those for a lost connection."""

    def __init__(self, message: str, *, signum: int = 0) -> None:
        super().__init__(message)
        self.signum = signum

    def as_error(self) -> RunInterrupted:
        error = RunInterrupted(str(self))
        error.signum = self.signum
        return error


@contextmanager
def interruptible(signals: Sequence[signal.Signals] = _SIGNALS) -> Iterator[None]:
    """Raise Interruption at these signals while the block runs; it leaves as RunInterrupted."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise Interruption(f"stopped by {signal.Signals(signum).name}", signum=signum)

    try:
        with _handlers(interrupt, signals):
            yield
    except Interruption as signalled:
        raise signalled.as_error() from None


def list_unhandled() -> list[signal.Signals]:
    """List SIGTERM where it would end this process without a word: no program handles or ignores it."""
    return [signal.SIGTERM] if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL else []


@contextmanager
def defer_signals() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C wait for the end of the block; a second one does not.

    For a call that starts something: until its answer is here nobody knows what to cancel.
    """
    held: list[int] = []
    before: dict[signal.Signals, Any] = {}

    def hold(signum: int, frame: FrameType | None) -> None:
        held.append(signum)
        if len(held) > 1:
            _restore(before)
            held.clear()
            signal.raise_signal(signum)

    try:
        with _handlers(hold, _SIGNALS) as previous:
            before.update(previous)
            yield
    finally:
        if held:
            signal.raise_signal(held[0])


@contextmanager
def _handlers(handler: Any, signals: Sequence[signal.Signals]) -> Iterator[dict[signal.Signals, Any]]:
    """Only the main thread gets signals, and only it may set handlers: elsewhere nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield {}
        return
    before: dict[signal.Signals, Any] = {signum: signal.signal(signum, handler) for signum in signals}
    try:
        yield before
    finally:
        _restore(before)


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    for signum, handler in handlers.items():
        signal.signal(signum, handler if handler is not None else signal.SIG_DFL)
