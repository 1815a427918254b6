"""One lock for all that moto holds in memory.

moto's backends are dictionaries and lists that its handlers walk, check and change without a lock: a role is looked
for while another request deletes one ("dictionary changed size during iteration"), two requests both find that a name
is free, two clients receive the same message. So a request runs alone in them, from its handler's first line to its
rendered answer, and so does whatever else walks or changes them: snapshots, alarms, schedules, log writers.

It is one lock and not one a service because the services call each other in every order (SNS fills queues, queues call
functions, Lambda looks at roles and queues), and it costs little: all of this is Python, of which the interpreter runs
one thread at a time. What waits must not hold it: `released` is around the run of a function, a long poll of a queue, a
search of the logs, the write of a snapshot, and every HTTP request that a service sends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

#: Between looks at a FIFO queue whose messages wait for another client, in seconds.
_FIFO_POLL_S = 0.05

_lock = threading.Lock()
_of_thread = threading.local()


@contextmanager
def held() -> Iterator[None]:
    """Hold the lock; a no-op in a thread that holds it."""
    if getattr(_of_thread, "holds", False):
        yield
        return
    with _lock:
        _of_thread.holds = True
        try:
            yield
        finally:
            _of_thread.holds = False


@contextmanager
def released() -> Iterator[None]:
    """Release the lock while something waits; a no-op in a thread that does not hold it."""
    if not getattr(_of_thread, "holds", False):
        yield
        return
    _of_thread.holds = False
    _lock.release()
    try:
        yield
    finally:
        _lock.acquire()
        _of_thread.holds = True


def releasing(waits: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that waits: the lock is released while it runs."""

    @wraps(waits)
    def wait(*args: P.args, **options: P.kwargs) -> T:
        with released():
            return waits(*args, **options)

    return wait


def release_in_waits() -> None:
    """Patch what waits inside moto's handlers: long polls of SQS, and requests sent by boto3 or `requests`."""
    from botocore.httpsession import URLLib3Session
    from moto.sqs.models import Queue
    from requests import Session

    wait_for_messages = Queue.wait_for_messages

    def poll(self: Any, timeout: int) -> None:
        """moto returns at once, and so spins, while the visible messages belong to a group that is in work."""
        if self.messages:
            time.sleep(_FIFO_POLL_S)
        else:
            wait_for_messages(self, timeout)

    Queue.wait_for_messages = releasing(poll)
    Session.send = releasing(Session.send)  # type: ignore[method-assign]
    URLLib3Session.send = releasing(URLLib3Session.send)
