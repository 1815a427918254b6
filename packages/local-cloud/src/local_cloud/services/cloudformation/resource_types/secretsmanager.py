"""AWS::SecretsManager::Secret, AWS::SecretsManager::ResourcePolicy."""

from __future__ import annotations

import json
from typing import Any

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    document,
    generated,
    tag_list,
    without,
)


class Secret(ResourceType):
    type = "AWS::SecretsManager::Secret"
    service = "secretsmanager"
    name_property = "Name"
    name_limit = 512

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(logical_id, limit=self.name_limit)

    def create(self, target: Target) -> str:
        given = {name: target.properties[name] for name in ("Description", "KmsKeyId") if name in target.properties}
        tags = tag_list(target.properties.get("Tags"))
        answer = self.call(target, "create_secret", given | self._value(target), Name=target.name, Tags=tags)
        return str(answer["ARN"])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        given, which = target.properties, {"SecretId": target.physical_id}
        changes: dict[str, Any] = {}
        if given.get("Description") != before.get("Description"):
            changes["Description"] = given.get("Description", "")
        if given.get("KmsKeyId") != before.get("KmsKeyId"):
            changes["KmsKeyId"] = given.get("KmsKeyId", "alias/aws/secretsmanager")
        if any(given.get(name) != before.get(name) for name in ("SecretString", "GenerateSecretString")):
            changes |= self._value(target)
        if changes:
            self.call(target, "update_secret", changes, **which)
        self.retag(target, before, which=which)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Id": target.physical_id}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_secret", SecretId=target.physical_id, ForceDeleteWithoutRecovery=True)

    def _value(self, target: Target) -> dict[str, str]:
        """The secret's text, as given or made up; nothing for a secret that is to be filled later."""
        rule = target.properties.get("GenerateSecretString")
        text = target.properties.get("SecretString")
        if rule is None:
            return {} if text is None else {"SecretString": text}
        if text is not None:
            raise ResourceError("Only one of SecretString and GenerateSecretString can be given")
        names = ("GenerateStringKey", "SecretStringTemplate")
        password = self.call(target, "get_random_password", without(rule, *names))["RandomPassword"]
        if any(name in rule for name in names):
            if not all(name in rule for name in names):
                raise ResourceError("SecretStringTemplate and GenerateStringKey go together")
            try:
                content = json.loads(rule["SecretStringTemplate"])
            except ValueError:
                raise ResourceError("SecretStringTemplate is not JSON") from None
            return {"SecretString": json.dumps(content | {rule["GenerateStringKey"]: password})}
        return {"SecretString": password}


class ResourcePolicy(ResourceType):
    type = "AWS::SecretsManager::ResourcePolicy"
    service = "secretsmanager"

    def expected_id(self, target: Target) -> str:
        return str(target.properties["SecretId"])

    def create(self, target: Target) -> str:
        return self.expected_id(target)

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        policy = document(target.properties["ResourcePolicy"])
        self.call(target, "put_resource_policy", without(target.properties, "ResourcePolicy"), ResourcePolicy=policy)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Id": target.physical_id}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_resource_policy", SecretId=target.physical_id)


TYPES = (Secret, ResourcePolicy)
