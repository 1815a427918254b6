"""Task tokens: given out by a waiting Task, brought back by SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat."""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import InvalidToken, TaskTimedOut
from ..language.json_values import Json

_CHECK_EVERY = 0.25
"""Seconds between looks at whether the waiting Task was stopped; an answer wakes it at once."""


class HeartbeatMissed(TimeoutError):
    """No heartbeat came in time."""


class TaskFailure(Exception):
    """SendTaskFailure: its error and cause, either of which may be missing."""

    def __init__(self, error: str | None, cause: str | None) -> None:
        super().__init__(error)
        self.error = error
        self.cause = cause


@dataclass
class TaskToken:
    text: str
    wanted: Callable[[], bool]
    """Whether the Task still waits for an answer."""
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _outcome: Json = None
    _answered: bool = False
    _alive: float = 0.0
    started: bool = False
    """Of an activity's task: a worker has it."""
    worker: str = ""

    def succeed(self, output: Json) -> None:
        self._answer(output)

    def fail(self, error: str | None, cause: str | None) -> None:
        self._answer(TaskFailure(error, cause))

    def beat(self) -> None:
        with self._changed:
            self._alive = time.monotonic()
            self._changed.notify_all()

    def start(self, worker: str) -> None:
        """A worker took the task of an activity."""
        with self._changed:
            self.started, self.worker = True, worker
            self._alive = time.monotonic()
            self._changed.notify_all()

    def wait_for_start(self) -> None:
        """Returns as well when the Task is stopped."""
        with self._changed:
            while self.wanted() and not self.started:
                self._changed.wait(_CHECK_EVERY)

    def wait(self, *, heartbeat: float | None, seconds: float | None = None) -> Json:
        """The output sent, or None when the Task is stopped.

        Raises TaskFailure, TimeoutError after `seconds`, and HeartbeatMissed.
        """
        with self._changed:
            began = self._alive = max(self._alive, time.monotonic())
            while self.wanted() and not self._answered:
                now = time.monotonic()
                if seconds is not None and now >= began + seconds:
                    raise TimeoutError
                if heartbeat is not None and now >= self._alive + heartbeat:
                    raise HeartbeatMissed
                self._changed.wait(_CHECK_EVERY if seconds is None else min(_CHECK_EVERY, began + seconds - now))
            if isinstance(self._outcome, TaskFailure):
                raise self._outcome
            return self._outcome

    def _answer(self, outcome: Json) -> None:
        with self._changed:
            if self._answered:
                raise TaskTimedOut
            self._outcome, self._answered = outcome, True
            self._changed.notify_all()


class Tokens:
    """All tokens that a Task waits for."""

    def __init__(self) -> None:
        self._tokens: dict[str, TaskToken] = {}
        self._offered: dict[str, deque[tuple[TaskToken, str]]] = {}
        """Tasks that no worker has taken yet, by activity."""
        self._lock = threading.Condition()

    def issue(self, execution_arn: str, wanted: Callable[[], bool]) -> TaskToken:
        """For a Task of an execution; see `TaskToken.wanted`."""
        text = base64.b64encode(json.dumps([execution_arn, str(uuid.uuid4())]).encode()).decode()
        token = TaskToken(text, wanted=wanted)
        with self._lock:
            self._tokens[text] = token
        return token

    def withdraw(self, token: TaskToken) -> None:
        with self._lock:
            self._tokens.pop(token.text, None)
            for offered in self._offered.values():
                for entry in [entry for entry in offered if entry[0] is token]:
                    offered.remove(entry)

    def find(self, text: str) -> TaskToken:
        """Raises TaskTimedOut for a token that was given out once, InvalidToken for any other text."""
        with self._lock:
            token = self._tokens.get(text)
        if token and token.wanted():
            return token
        try:
            arn, _ = json.loads(base64.b64decode(text, validate=True))
            known = str(arn).startswith("arn:aws")
        except (binascii.Error, ValueError, TypeError):
            known = False
        raise TaskTimedOut if known else InvalidToken

    def offer(self, activity_arn: str, token: TaskToken, input: str) -> None:
        """Put a task before the workers of an activity."""
        with self._lock:
            self._offered.setdefault(activity_arn, deque()).append((token, input))
            self._lock.notify_all()

    def take(self, activity_arn: str, *, worker: str, seconds: float) -> tuple[str, str] | None:
        """The token and input of the oldest task still wanted, or None when `seconds` went by."""
        deadline = time.monotonic() + seconds
        with self._lock:
            offered = self._offered.setdefault(activity_arn, deque())
            while True:
                while offered:
                    token, input = offered.popleft()
                    if token.wanted():
                        token.start(worker)
                        return token.text, input
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._lock.wait(left)


TOKENS = Tokens()
