"""Task tokens and activities: the operations of the API on them. See `machines` for the form of the methods."""

from __future__ import annotations

from . import arns
from .encryption import complete
from .errors import ActivityDoesNotExist, InvalidOutput
from .json_text import BadJson, parse
from .machines import Answer
from .model import Activity, now
from .pages import page
from .registry import Registry
from .running.tokens import TOKENS

_LONG_POLL = 60.0
"""Seconds GetActivityTask waits for a task (API_GetActivityTask)."""


class Tasks:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def send_task_success(self, *, task_token: str, output: str) -> Answer:
        token = TOKENS.find(task_token)
        try:
            token.succeed(parse(output))
        except BadJson as error:
            raise InvalidOutput(str(error)) from None
        return {}

    def send_task_failure(self, *, task_token: str, error: str | None = None, cause: str | None = None) -> Answer:
        TOKENS.find(task_token).fail(error, cause)
        return {}

    def send_task_heartbeat(self, *, task_token: str) -> Answer:
        TOKENS.find(task_token).beat()
        return {}

    def create_activity(
        self,
        *,
        name: str,
        tags: list[dict[str, str]] | None = None,
        encryption_configuration: dict[str, str] | None = None,
    ) -> Answer:
        """The same activity again where there is one of that name."""
        arn = self.registry.arn("activity", arns.check_name(name))
        with self.registry.lock:
            activity = self.registry.activities.get(arn)
            if activity is None:
                given = {tag["key"]: tag["value"] for tag in tags or []}
                activity = Activity(arn, name, now(), given, complete(encryption_configuration))
                self.registry.activities[arn] = activity
            return {"activityArn": arn, "creationDate": activity.created}

    def describe_activity(self, *, activity_arn: str) -> Answer:
        activity = self._activity(activity_arn)
        return {
            "activityArn": activity.arn,
            "name": activity.name,
            "creationDate": activity.created,
            "encryptionConfiguration": complete(activity.encryption),
        }

    def list_activities(self, *, max_results: int | None = None, next_token: str | None = None) -> Answer:
        with self.registry.lock:
            activities = sorted(self.registry.activities.values(), key=lambda activity: activity.name)
        chosen, token = page(activities, key=lambda activity: activity.arn, size=max_results, token=next_token)
        items = [
            {"activityArn": activity.arn, "name": activity.name, "creationDate": activity.created}
            for activity in chosen
        ]
        return {"activities": items, "nextToken": token}

    def delete_activity(self, *, activity_arn: str) -> Answer:
        with self.registry.lock:
            self.registry.activities.pop(arns.check_activity_arn(activity_arn), None)
        return {}

    def get_activity_task(self, *, activity_arn: str, worker_name: str = "") -> Answer:
        """Waits a minute for a task; without one, no token."""
        self._activity(activity_arn)
        task = TOKENS.take(activity_arn, worker=worker_name, seconds=_LONG_POLL)
        return {"taskToken": task[0], "input": task[1]} if task else {}

    def _activity(self, arn: str) -> Activity:
        with self.registry.lock:
            activity = self.registry.activities.get(arns.check_activity_arn(arn))
            if activity is None:
                raise ActivityDoesNotExist(arn)
            return activity
