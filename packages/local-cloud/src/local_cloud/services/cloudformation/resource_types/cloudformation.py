"""AWS::CloudFormation::WaitConditionHandle: nothing but a name, for a resource that does nothing."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target, generated


class WaitConditionHandle(ResourceType):
    type = "AWS::CloudFormation::WaitConditionHandle"
    service = "cloudformation"

    def create(self, target: Target) -> str:
        return f"https://cloudformation-waitcondition-{target.region}.s3.amazonaws.com/" + generated(
            f"{target.stack_name}-{target.logical_id}", limit=255
        )

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Id": target.physical_id}

    def delete(self, target: Target) -> None:
        """There is nothing to delete."""


TYPES = (WaitConditionHandle,)
