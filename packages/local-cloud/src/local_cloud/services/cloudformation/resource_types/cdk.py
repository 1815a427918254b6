"""AWS::CDK::Metadata: what the CDK counts, kept in the stack alone."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target


class Metadata(ResourceType):
    type = "AWS::CDK::Metadata"
    service = "cloudformation"

    def create(self, target: Target) -> str:
        return self.generate_name(stack_name=target.stack_name, logical_id=target.logical_id)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Id": target.physical_id}

    def delete(self, target: Target) -> None:
        """There is nothing to delete."""


TYPES = (Metadata,)
