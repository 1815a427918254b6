"""Asynchronous invocations: retried when the function fails, and reported to the function's destinations.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from local_cloud import targets
from local_cloud.cloud import Cloud, Role
from local_cloud.services.awslambda.errors import TooManyRequests
from local_cloud.services.awslambda.functions import Function
from local_cloud.services.awslambda.invocations import Answer, Invocations
from local_cloud.services.awslambda.preparation import SERVICE

log = logging.getLogger("local_cloud.lambda")

#: Before the second and the third attempt, in seconds.
RETRY_DELAYS_S = (60.0, 120.0)

#: Between attempts to find room under the function's reserved concurrency, in seconds.
THROTTLED_DELAY_S = 1.0


@dataclass(frozen=True)
class Event:
    """An event that was accepted. It waits in memory: a restart of the local cloud loses it."""

    function: Function
    payload: Any
    qualifier: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    accepted: float = field(default_factory=time.monotonic)


class AsyncEvents:
    """Takes events and sees each of them through on a thread of its own."""

    def __init__(self, cloud: Cloud, invocations: Invocations) -> None:
        self._cloud = cloud
        self._invocations = invocations

    def accept(self, function: Function, payload: Any, *, qualifier: str = "") -> None:
        """Queue the event and return."""
        event = Event(function, payload, qualifier)
        threading.Thread(target=self._see_through, args=(event,), name=f"event {event.id}", daemon=True).start()

    def _see_through(self, event: Event) -> None:
        settings = event.function.event_invoke_config[0].config if event.function.event_invoke_config else {}
        attempts = 1 + settings.get("MaximumRetryAttempts", len(RETRY_DELAYS_S))
        oldest = event.accepted + settings.get("MaximumEventAgeInSeconds", 21600)
        for attempt in range(1, attempts + 1):
            answer = self._attempt(event, oldest)
            if answer is None:
                return self._conclude(event, settings, "EventAgeExceeded", attempt - 1, None)
            if not answer.failed:
                return self._conclude(event, settings, "Success", attempt, answer)
            if attempt < attempts:
                delay = RETRY_DELAYS_S[attempt - 1]
                if time.monotonic() + delay > oldest:
                    return self._conclude(event, settings, "EventAgeExceeded", attempt, answer)
                time.sleep(delay)
        return self._conclude(event, settings, "RetriesExhausted", attempts, answer)

    def _attempt(self, event: Event, oldest: float) -> Answer | None:
        """The function's answer, or None when there was no room for the event in time."""
        while time.monotonic() < oldest:
            with contextlib.suppress(TooManyRequests):
                return self._invocations.invoke(
                    event.function, event.payload, qualifier=event.qualifier, request_id=event.id
                )
            time.sleep(THROTTLED_DELAY_S)
        return None

    def _conclude(
        self, event: Event, settings: dict[str, Any], condition: str, attempts: int, answer: Answer | None
    ) -> None:
        """Tell the destination, and the dead-letter target when the event was given up."""
        given_up = condition != "Success"
        destinations = settings.get("DestinationConfig") or {}
        destination = (destinations.get("OnFailure" if given_up else "OnSuccess") or {}).get("Destination")
        if destination:
            record = _record(event, condition, attempts, answer)
            options = _bus_options(record) if targets.service_of(destination) == "events" else {}
            self._tell(event, destination, json.dumps(record), options=options)
        if given_up and event.function.dead_letter_target:
            attributes = {
                "RequestID": event.id,
                "ErrorCode": "200",
                "ErrorMessage": _error_message(answer)[:1024] or condition,
            }
            body = json.dumps(event.payload)
            self._tell(event, event.function.dead_letter_target, body, attributes=attributes)

    def _tell(self, event: Event, arn: str, payload: str, **extra: Any) -> None:
        try:
            function = event.function
            actor = Role(function.role, SERVICE, function.function_name, source_arn=function.function_arn)
            targets.deliver(self._cloud, arn, payload, actor=actor, **extra)
        except Exception:  # what becomes of one event must not take the next one's thread down unseen
            log.exception("%s: event %s could not be sent to %s", event.function.function_name, event.id, arn)


def _record(event: Event, condition: str, attempts: int, answer: Answer | None) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    version = str(event.function.version)
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": event.id,
            "functionArn": f"{event.function.unqualified_arn}:{event.qualifier or version}",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event.payload,
    }
    if answer:
        record["responseContext"] = {"statusCode": 200, "executedVersion": version}
        if answer.failed:
            record["responseContext"]["functionError"] = "Unhandled"
        record["responsePayload"] = json.loads(answer.payload)
    return record


def _bus_options(record: dict[str, Any]) -> dict[str, Any]:
    won = record["requestContext"]["condition"] == "Success"
    return {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {'Success' if won else 'Failure'}",
        "Resources": [record["requestContext"]["functionArn"]],
    }


def _error_message(answer: Answer | None) -> str:
    return str(json.loads(answer.payload).get("errorMessage", "")) if answer else ""
