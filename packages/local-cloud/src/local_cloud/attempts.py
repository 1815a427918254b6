"""Calls a target until it takes what it is sent, as EventBridge and EventBridge Scheduler do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.targets import UnsupportedTarget

#: Before the first retry, in seconds; twice as long before each further one, up to the longest.
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0

#: What a target refuses with, or a call to it fails with.
REFUSALS = (ClientError, BotoCoreError, UnsupportedTarget)

_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown")


@dataclass(frozen=True)
class GivenUp:
    """Why a target did not get something: its last refusal, and the retries before it.

    `exhausted` is the limit of the retry policy that was reached; "" where a retry would be in vain.
    """

    error: Exception
    exhausted: str
    retries: int

    @property
    def code_and_message(self) -> tuple[str, str]:
        return describe(self.error)


def until_taken(call: Callable[[int], object], policy: Mapping[str, Any]) -> GivenUp | None:
    """Call with the number of the attempt until that succeeds, which gives None, or the retry policy is used up.

    The policy is a target's RetryPolicy, with AWS's defaults: 185 retries within 24 hours. What cannot be cured by
    waiting (no such target, no permission) is not tried again.
    """
    retries = policy.get("MaximumRetryAttempts", 185)
    deadline = time.monotonic() + policy.get("MaximumEventAgeInSeconds", 86400)
    delay, attempt = FIRST_DELAY_S, 1
    while True:
        try:
            call(attempt)
            return None
        except REFUSALS as error:
            failure = error
        exhausted = _exhausted(failure, attempt > retries, time.monotonic() + delay > deadline)
        if exhausted is not None:
            return GivenUp(failure, exhausted, attempt - 1)
        time.sleep(delay)
        attempt, delay = attempt + 1, min(2 * delay, LONGEST_DELAY_S)


def describe(error: Exception) -> tuple[str, str]:
    """An error's code and message, as the service that refused put them."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return type(error).__name__, " ".join(str(error).split())


def _exhausted(error: Exception, no_attempt_left: bool, no_time_left: bool) -> str | None:
    """Why there is no further attempt; "" when one would be in vain, None when there is one."""
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status < 500 and not _THROTTLED.search(error.response["Error"]["Code"]):
            return ""
    elif isinstance(error, UnsupportedTarget):
        return ""
    if no_attempt_left:
        return "MaximumRetryAttempts"
    return "MaximumEventAgeInSeconds" if no_time_left else None
