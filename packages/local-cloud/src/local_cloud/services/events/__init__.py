"""EventBridge: buses, rules and patterns are moto's; what matches is delivered.

delivery   to functions, topics, queues and state machines, with retries, as EventBridge may
payload    what a target gets: Input, InputPath, InputTransformer
requests   what moto lets pass in PutTargets

Event buses, log groups and archives as targets are moto's own.
"""

from __future__ import annotations

import copy
import datetime
import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from local_cloud import moto_state
from local_cloud.cloud import Cloud

log = logging.getLogger("local_cloud.events")


def install(cloud: Cloud) -> None:
    """Deliver what rules match, and refuse targets that nothing can be delivered to."""
    from moto.events.models import Rule

    from local_cloud.services.events import delivery, requests

    send = Rule.send_to_targets

    def send_to_targets(self: Any, original_event: dict[str, Any], transform_input: bool = True) -> None:
        """Deliver an event that matches; moto would also for a disabled rule, and for one that has no pattern."""
        if self.state != "ENABLED" or not self.event_pattern.get_pattern():
            return
        if not self.event_pattern.matches_event(original_event):
            return
        event = _as_delivered(original_event)
        for target in self.targets:
            if delivery.knows(target["Arn"]):
                delivery.Delivery(cloud, self.name, self.arn, target, event).begin()
            else:
                other = copy.copy(self)
                other.targets = [target]
                try:
                    send(other, original_event, transform_input)
                except Exception:  # who puts an event is not concerned: on AWS it is retried, and at last given up
                    log.warning("rule %s: no delivery to %s", self.name, target["Arn"], exc_info=True)
                cloud.persistence.changed("logs")

    Rule.send_to_targets = send_to_targets
    requests.patch()


def publish(cloud: Cloud, *, source: str, kind: str, detail: Mapping[str, Any], resources: Sequence[str]) -> None:
    """Put an event of a service of AWS on the default bus. `kind` is its detail-type."""
    from moto.events.models import events_backends

    settings = cloud.settings
    now = datetime.datetime.now(datetime.UTC).timestamp()
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": settings.account_id,
        "time": now,
        "region": settings.region,
        "resources": list(resources),
        "detail": json.loads(json.dumps(detail)),
        "ingestion-time": now,
    }
    with moto_state.held():
        backend = events_backends[settings.account_id][settings.region]
        for rule in list(backend.describe_event_bus("default").rules.values()):
            rule.send_to_targets(copy.deepcopy(event))


def _as_delivered(event: Mapping[str, Any]) -> dict[str, Any]:
    """moto's event as AWS delivers it, with its time as text."""
    time = event["time"]
    if isinstance(time, (int, float)):
        time = datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {name: value for name, value in event.items() if name != "ingestion-time"} | {"time": time}
