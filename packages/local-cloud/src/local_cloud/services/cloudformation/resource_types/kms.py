"""AWS::KMS::Key, AWS::KMS::Alias."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target, document, tag_list, tag_map

FIXED = ("KeySpec", "KeyUsage", "MultiRegion", "Origin")


class Key(ResourceType):
    type = "AWS::KMS::Key"
    service = "kms"

    def create(self, target: Target) -> str:
        names = ("BypassPolicyLockoutSafetyCheck", "Description", *FIXED)
        given = {name: target.properties[name] for name in names if name in target.properties}
        arguments: dict[str, Any] = {"Tags": _key_tags(target.properties.get("Tags"))}
        if "KeyPolicy" in target.properties:
            arguments["Policy"] = document(target.properties["KeyPolicy"])
        return str(self.call(target, "create_key", given, **arguments)["KeyMetadata"]["KeyId"])

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        given, which = target.properties, {"KeyId": target.physical_id}
        enabled = given.get("Enabled", True)
        if enabled and enabled != before.get("Enabled", True):
            self.call(target, "enable_key", **which)
        rotation = tuple(given.get(name) for name in ("EnableKeyRotation", "RotationPeriodInDays"))
        if rotation != tuple(before.get(name) for name in ("EnableKeyRotation", "RotationPeriodInDays")):
            if rotation[0]:
                period = {"RotationPeriodInDays": rotation[1]} if rotation[1] else {}
                self.call(target, "enable_key_rotation", **which, **period)
            elif before:
                self.call(target, "disable_key_rotation", **which)
        if not enabled and enabled != before.get("Enabled", True):
            self.call(target, "disable_key", **which)

    def update(self, target: Target, before: dict[str, Any]) -> None:
        given, which = target.properties, {"KeyId": target.physical_id}
        if changed := [name for name in FIXED if given.get(name) != before.get(name)]:
            raise ResourceError(f"You cannot change {', '.join(changed)} of an existing KMS key")
        if given.get("Description") != before.get("Description"):
            self.call(target, "update_key_description", Description=given.get("Description", ""), **which)
        if "KeyPolicy" in given and given["KeyPolicy"] != before.get("KeyPolicy"):
            self.call(target, "put_key_policy", PolicyName="default", Policy=document(given["KeyPolicy"]), **which)
        self.configure(target, before)
        self.retag(target, before, which=which, form=_key_tags)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": target.arn("kms", f"key/{target.physical_id}"), "KeyId": target.physical_id}

    def delete(self, target: Target) -> None:
        days = target.properties.get("PendingWindowInDays", 30)
        self.call(target, "schedule_key_deletion", KeyId=target.physical_id, PendingWindowInDays=days)


class Alias(ResourceType):
    type = "AWS::KMS::Alias"
    service = "kms"

    def expected_id(self, target: Target) -> str:
        return str(target.properties["AliasName"])

    def create(self, target: Target) -> str:
        self.call(target, "create_alias", target.properties)
        return self.expected_id(target)

    def update(self, target: Target, before: dict[str, Any]) -> None:
        self.call(target, "update_alias", target.properties)

    def delete(self, target: Target) -> None:
        self.call(target, "delete_alias", AliasName=target.physical_id)


def _key_tags(tags: Any) -> list[dict[str, str]]:
    return tag_list(tag_map(tags), key="TagKey", value="TagValue")


TYPES = (Key, Alias)
