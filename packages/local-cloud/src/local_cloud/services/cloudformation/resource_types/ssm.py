"""AWS::SSM::Parameter."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target, generated, tag_list, without


class Parameter(ResourceType):
    type = "AWS::SSM::Parameter"
    service = "ssm"
    name_property = "Name"
    name_limit = 1011
    moving_attributes = frozenset({"Type", "Value"})

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(f"CFN-{logical_id}", limit=self.name_limit)

    def create(self, target: Target) -> str:
        if target.properties["Type"] == "SecureString":
            raise ResourceError("CloudFormation does not create parameters of type SecureString")
        tags = tag_list(target.properties.get("Tags"))
        self.call(target, "put_parameter", without(target.properties, "Name", "Tags"), Name=target.name, Tags=tags)
        return target.name

    def update(self, target: Target, before: dict[str, Any]) -> None:
        given = without(target.properties, "Name", "Tags")
        if given != without(before, "Name", "Tags"):
            self.call(target, "put_parameter", given, Name=target.physical_id, Overwrite=True)
        which = {"ResourceType": "Parameter", "ResourceId": target.physical_id}
        self.retag(target, before, which=which, tag="add_tags_to_resource", untag="remove_tags_from_resource")

    def attributes(self, target: Target) -> dict[str, Any]:
        arn = target.arn("ssm", f"parameter/{target.physical_id.removeprefix('/')}")
        return {"Arn": arn, "Type": target.properties["Type"], "Value": target.properties["Value"]}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_parameter", Name=target.physical_id)


TYPES = (Parameter,)
