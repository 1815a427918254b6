"""One firing of a schedule: the payload, the call as the schedule's role, retries, the dead-letter queue."""

from __future__ import annotations

import datetime
import json
import logging
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.scheduler.models import Schedule

from local_cloud import attempts, targets
from local_cloud.cloud import Cloud, Role
from local_cloud.services.scheduler import universal

log = logging.getLogger("local_cloud.scheduler")

#: Who becomes a schedule's role.
SERVICE = "scheduler.amazonaws.com"


@dataclass(frozen=True)
class Firing:
    """A schedule that is due. `at` is the time it was due at, in UTC."""

    cloud: Cloud
    schedule: Schedule
    at: datetime.datetime
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])

    def once(self, *, attempt: int = 1) -> dict[str, Any]:
        """Call the target once; what it answered. ClientError, BotoCoreError or UnsupportedTarget otherwise."""
        target = self.schedule.target
        payload = self.payload(attempt)
        if called := universal.parse(target["Arn"]):
            return universal.call(self.cloud, called, payload, actor=self._role)
        options = {**target.get("SqsParameters", {}), **target.get("EventBridgeParameters", {})}
        return targets.deliver(self.cloud, target["Arn"], payload, actor=self._role, options=options)

    def with_retries(self) -> None:
        """Call the target until it takes the payload or the retry policy is used up; then the dead-letter queue."""
        policy = self.schedule.target["RetryPolicy"]
        if failed := attempts.until_taken(lambda attempt: self.once(attempt=attempt), policy):
            self._give_up(failed)

    def payload(self, attempt: int) -> str:
        """The target's Input, or Scheduler's own event, with the context attributes filled in.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
        """
        text: str = self.schedule.target.get("Input") or self._default_payload()
        attributes = {
            "schedule-arn": self.schedule.arn,
            "scheduled-time": self._time,
            "execution-id": self.id,
            "attempt-number": str(attempt),
        }
        for name, value in attributes.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return text

    @property
    def _role(self) -> Role:
        """The schedule's role. What Scheduler names as the source is the schedule's group.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        """
        group = self.schedule.arn.replace(":schedule/", ":schedule-group/").rpartition("/")[0]
        return Role(self.schedule.target["RoleArn"], SERVICE, self.id, source_arn=group)

    @property
    def _time(self) -> str:
        return self.at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _default_payload(self) -> str:
        if universal.parse(self.schedule.target["Arn"]):
            return "{}"
        _, _, _, region, account, _ = self.schedule.arn.split(":", 5)
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account,
            "time": self._time,
            "region": region,
            "resources": [self.schedule.arn],
            "detail": "{}",
        }
        return json.dumps(event)

    def _give_up(self, failed: attempts.GivenUp) -> None:
        code, message = failed.code_and_message
        log.warning("schedule %s: %s: %s", self.schedule.name, code, message)
        target = self.schedule.target
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        attributes = {
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message,
            "EXECUTION_ID": self.id,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(failed.retries),
            "SCHEDULED_TIME": self._time,
            "SCHEDULE_ARN": self.schedule.arn,
            "TARGET_ARN": target["Arn"],
            **({"EXHAUSTED_RETRY_CONDITION": failed.exhausted} if failed.exhausted else {}),
        }
        try:
            targets.deliver(
                self.cloud, queue, self.payload(failed.retries + 1), actor=self._role, attributes=attributes
            )
        except attempts.REFUSALS:
            log.exception("schedule %s: its dead-letter queue takes nothing", self.schedule.name)
