"""What moto 5.2.5 lets pass in EventBridge's API: targets that nothing can be delivered to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend

from local_cloud import targets
from local_cloud.services.events import delivery, payload

#: What moto itself delivers to, beside what `delivery` knows.
_MOTOS = ("events", "logs")


def patch() -> None:
    """Refuse targets by name."""
    put = EventsBackend.put_targets

    def put_targets(self: EventsBackend, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
        for target in targets:
            _check(target)
        put(self, name, event_bus_arn, targets)

    EventsBackend.put_targets = put_targets


def _check(target: Mapping[str, Any]) -> None:
    arn, service = target["Arn"], targets.service_of(target["Arn"])
    if not delivery.knows(arn) and service not in _MOTOS:
        raise ValidationException(
            f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format, or names a service that the "
            "local cloud does not deliver to."
        )
    if service == "states" and not target.get("RoleArn"):
        raise ValidationException(f"RoleArn is required for target {arn}.")
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name)]
    if len(given) > 1:
        raise ValidationException(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
        )
    paths = [target.get("InputPath"), *target.get("InputTransformer", {}).get("InputPathsMap", {}).values()]
    if wrong := [path for path in paths if path and not payload.is_path(path)]:
        raise ValidationException(
            f"Invalid InputPath for target {target['Id']}: {wrong[0]} is no path, or one that the local cloud does not "
            "do."
        )
