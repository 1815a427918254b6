"""Schedules fired by hand: a function, and the path of the local cloud that calls it.

    POST /_local-cloud/scheduler/fire  {"name": "monthly", "group": "default", "time": "2026-11-01T06:00:00Z"}

`group` and `time` (when the schedule is to believe it was due) may be left out. The schedule may be disabled; its
retry policy and its dead-letter queue play no part: the caller sees an error at once.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from moto.scheduler.exceptions import ScheduleGroupNotFound, ScheduleNotFound
from moto.scheduler.models import scheduler_backends

from local_cloud import attempts, moto_state
from local_cloud.cloud import Cloud
from local_cloud.services.scheduler.errors import FireError
from local_cloud.services.scheduler.firing import Firing


def fire(cloud: Cloud, name: str, *, group: str = "default", at: datetime.datetime | None = None) -> dict[str, Any]:
    """Fire a schedule once, now; what it called and what came back. `at` is the due time that it reports."""
    backend = scheduler_backends[cloud.settings.account_id][cloud.settings.region]
    try:
        with moto_state.held():
            schedule = backend.get_schedule(group, name)
    except (ScheduleNotFound, ScheduleGroupNotFound) as error:
        raise FireError(error.message) from None
    firing = Firing(cloud, schedule, at or datetime.datetime.now(datetime.UTC))
    try:
        answer = firing.once()
    except attempts.REFUSALS as error:
        raise FireError(f"{schedule.target['Arn']} refused: {': '.join(attempts.describe(error))}") from None
    return {"schedule": schedule.arn, "executionId": firing.id, "target": schedule.target["Arn"], "answer": answer}


def respond(cloud: Cloud, body: bytes) -> tuple[int, dict[str, Any]]:
    """Status and JSON of one request."""
    try:
        request = json.loads(body)
        name, group, time = request["name"], request.get("group") or "default", request.get("time")
        at = _in_utc(time) if time else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return 400, {"error": 'give {"name": …} and perhaps "group" and "time", an ISO 8601 time with its zone'}
    try:
        return 200, fire(cloud, name, group=group, at=at)
    except FireError as error:
        return 409, {"error": str(error)}


def _in_utc(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    return moment.astimezone(datetime.UTC) if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
