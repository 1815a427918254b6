"""Tags of machines and activities: the operations of the API on them. See `machines` for the form of the methods."""

from __future__ import annotations

from .errors import ResourceNotFound
from .machines import Answer
from .registry import Registry


class Tags:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def list_tags_for_resource(self, *, resource_arn: str) -> Answer:
        with self.registry.lock:
            return {"tags": [{"key": key, "value": value} for key, value in self._tags(resource_arn).items()]}

    def tag_resource(self, *, resource_arn: str, tags: list[dict[str, str]]) -> Answer:
        with self.registry.lock:
            self._tags(resource_arn).update({tag["key"]: tag["value"] for tag in tags})
        return {}

    def untag_resource(self, *, resource_arn: str, tag_keys: list[str]) -> Answer:
        with self.registry.lock:
            known = self._tags(resource_arn)
            for key in tag_keys:
                known.pop(key, None)
        return {}

    def _tags(self, arn: str) -> dict[str, str]:
        tagged = self.registry.machines.get(arn) or self.registry.activities.get(arn)
        if tagged is None:
            raise ResourceNotFound(arn)
        return tagged.tags
