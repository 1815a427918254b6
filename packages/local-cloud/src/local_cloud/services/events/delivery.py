"""One event on its way to one target of a rule: who may, retries, the dead-letter queue.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.md: a target's own policy has to allow
EventBridge, or the target has a role, as which it is called.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local_cloud import attempts, moto_state, targets
from local_cloud.cloud import Cloud, Role
from local_cloud.permissions.errors import AccessDenied
from local_cloud.services.events import payload

log = logging.getLogger("local_cloud.events")

#: Who asks, and who becomes a target's role.
SERVICE = "events.amazonaws.com"

#: What a target's own policy has to allow.
_ACTIONS = {"lambda": "lambda:InvokeFunction", "sns": "sns:Publish", "sqs": "sqs:SendMessage"}


def knows(arn: str) -> bool:
    """Whether this module delivers to it."""
    return targets.service_of(arn) in (*_ACTIONS, "states")


@dataclass(frozen=True)
class Delivery:
    """An event for a target of a rule. It waits in memory: a restart of the local cloud loses it."""

    cloud: Cloud
    rule_name: str
    rule_arn: str
    target: Mapping[str, Any]
    event: Mapping[str, Any]

    def begin(self) -> None:
        """Deliver in a thread of its own."""
        threading.Thread(target=self._deliver, name=f"rule {self.rule_name}", daemon=True).start()

    def _deliver(self) -> None:
        try:
            text = payload.of(self.target, self.event, rule_name=self.rule_name, rule_arn=self.rule_arn)
            options = dict(self.target.get("SqsParameters", {}))
            failed = attempts.until_taken(
                lambda attempt: self._send(self.target["Arn"], text, options=options),
                self.target.get("RetryPolicy", {}),
            )
            if failed:
                self._give_up(failed)
        except Exception:  # what becomes of one event must not end unseen
            log.exception("rule %s: an event could not be delivered to %s", self.rule_name, self.target["Arn"])

    def _send(self, arn: str, text: str, **more: Any) -> None:
        """Errors: those of `attempts`."""
        role = self.target.get("RoleArn") if arn == self.target["Arn"] else None
        if role:
            actor = Role(role, SERVICE, self.event["id"], source_arn=self.rule_arn)
            targets.deliver(self.cloud, arn, text, actor=actor, **more)
            return
        try:
            with moto_state.held():
                self.cloud.permissions.check_service(
                    SERVICE, _ACTIONS[targets.service_of(arn)], arn, source_arn=self.rule_arn
                )
        except AccessDenied as error:
            answer = {
                "Error": {"Code": "NO_PERMISSIONS", "Message": str(error)},
                "ResponseMetadata": {"HTTPStatusCode": 403},
            }
            raise ClientError(answer, "Deliver") from None
        targets.deliver(self.cloud, arn, text, **more)

    def _give_up(self, failed: attempts.GivenUp) -> None:
        code, message = failed.code_and_message
        log.warning("rule %s: %s: %s: %s", self.rule_name, self.target["Arn"], code, message)
        queue = self.target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        attributes = {
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message,
            "RETRY_ATTEMPTS": str(failed.retries),
            "RULE_ARN": self.rule_arn,
            "TARGET_ARN": self.target["Arn"],
            **({"EXHAUSTED_RETRY_CONDITION": failed.exhausted} if failed.exhausted else {}),
        }
        try:
            self._send(queue, json.dumps(self.event), attributes=attributes)
        except attempts.REFUSALS as error:
            log.warning("rule %s: its dead-letter queue takes nothing: %s", self.rule_name, error)
