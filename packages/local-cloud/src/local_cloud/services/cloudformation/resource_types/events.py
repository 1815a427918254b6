"""AWS::Events::Rule."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target, is_absent, tag_list, without


class Rule(ResourceType):
    """Ref gives the rule's name, with its bus before it (`bus|rule`) where that is not the default one."""

    type = "AWS::Events::Rule"
    service = "events"
    name_property = "Name"
    name_scope = ("EventBusName",)
    name_limit = 64

    def expected_id(self, target: Target) -> str:
        bus = _bus(target.properties)
        return f"{bus.rsplit('/', 1)[-1]}|{target.name}" if bus else target.name

    def create(self, target: Target) -> str:
        # PutRule overwrites a rule that is there already.
        try:
            self.call(target, "describe_rule", Name=target.name, **_on_bus(target.properties))
        except ClientError as error:
            if not is_absent(error):
                raise
        else:
            raise ResourceError(f"{target.name} already exists")
        tags = tag_list(target.properties.get("Tags"))
        given = without(target.properties, "Name", "Tags", "Targets")
        self.call(target, "put_rule", given, Name=target.name, Tags=tags)
        return self.expected_id(target)

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        where = {"Rule": _name(target), **_on_bus(target.properties)}
        targets, kept = (
            target.properties.get("Targets", []),
            {each["Id"] for each in target.properties.get("Targets", [])},
        )
        gone = [each["Id"] for each in before.get("Targets", []) if each["Id"] not in kept]
        if gone:
            self.call(target, "remove_targets", Ids=gone, **where)
        if targets and targets != before.get("Targets"):
            self.call(target, "put_targets", {"Targets": [_target(each) for each in targets]}, **where)

    def update(self, target: Target, before: dict[str, Any]) -> None:
        given = without(target.properties, "Name", "Tags", "Targets")
        self.call(target, "put_rule", given, Name=_name(target))
        self.configure(target, before)
        self.retag(target, before, which={"ResourceARN": self.attributes(target)["Arn"]})

    def attributes(self, target: Target) -> dict[str, Any]:
        bus, name = _bus(target.properties).rsplit("/", 1)[-1], _name(target)
        return {"Arn": target.arn("events", f"rule/{bus}/{name}" if bus else f"rule/{name}"), "RuleName": name}

    def delete(self, target: Target) -> None:
        name, bus = _name(target), _on_bus(target.properties)
        targets = self.call(target, "list_targets_by_rule", Rule=name, **bus)["Targets"]
        if targets:
            self.call(target, "remove_targets", Rule=name, Ids=[each["Id"] for each in targets], **bus)
        self.call(target, "delete_rule", Name=name, **bus)


def _target(given: dict[str, Any]) -> dict[str, Any]:
    """A target in the API's words, which differ for ECS."""
    if "EcsParameters" not in given:
        return given
    names = {"PlacementStrategies": "PlacementStrategy", "TagList": "Tags"}
    return given | {"EcsParameters": {names.get(key, key): value for key, value in given["EcsParameters"].items()}}


def _name(target: Target) -> str:
    return target.physical_id.rsplit("|", 1)[-1]


def _bus(properties: dict[str, Any]) -> str:
    bus = str(properties.get("EventBusName", ""))
    return "" if bus == "default" else bus


def _on_bus(properties: dict[str, Any]) -> dict[str, str]:
    bus = _bus(properties)
    return {"EventBusName": bus} if bus else {}


TYPES = (Rule,)
