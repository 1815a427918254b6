"""AWS::StepFunctions::StateMachine, StateMachineVersion, StateMachineAlias, Activity."""

from __future__ import annotations

import json
import re
from typing import Any

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    generated,
    lower_tag_list,
    without,
)
from local_cloud.services.cloudformation.templates.values import scalar_text

DEFINITION_SOURCES = ("Definition", "DefinitionS3Location", "DefinitionString")
#: Properties whose value can be left out of an update, and what says so to the API.
CLEARED = {"LoggingConfiguration": {"level": "OFF"}, "TracingConfiguration": {"enabled": False}}


class StateMachine(ResourceType):
    type = "AWS::StepFunctions::StateMachine"
    service = "stepfunctions"
    name_property = "StateMachineName"
    name_limit = 80
    moving_attributes = frozenset({"StateMachineRevisionId"})

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(logical_id, limit=self.name_limit)

    def expected_id(self, target: Target) -> str:
        return target.arn("states", f"stateMachine:{target.name}")

    def create(self, target: Target) -> str:
        arguments: dict[str, Any] = {"name": target.name, "definition": _definition(target)}
        if kind := target.properties.get("StateMachineType"):
            arguments["type"] = kind
        if tags := target.properties.get("Tags"):
            arguments["tags"] = lower_tag_list(tags)
        answer = self.call(target, "create_state_machine", _settings(target.properties), **arguments)
        return str(answer["stateMachineArn"])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        arn = target.physical_id
        if without(target.properties, "Tags") != without(before, "Tags"):
            gone = {name: value for name, value in CLEARED.items() if name in before and name not in target.properties}
            settings = gone | _settings(target.properties)
            self.call(target, "update_state_machine", settings, stateMachineArn=arn, definition=_definition(target))
        self.retag(target, before, which={"resourceArn": arn}, tags="tags", keys="tagKeys", form=lower_tag_list)

    def attributes(self, target: Target) -> dict[str, Any]:
        machine = self.call(target, "describe_state_machine", stateMachineArn=target.physical_id)
        # A machine that was never updated has the revision INITIAL in the API and none in the answer.
        revision = machine.get("revisionId") or "INITIAL"
        return {"Arn": target.physical_id, "Name": machine["name"], "StateMachineRevisionId": revision}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_state_machine", stateMachineArn=target.physical_id)


class StateMachineVersion(ResourceType):
    type = "AWS::StepFunctions::StateMachineVersion"
    service = "stepfunctions"

    def create(self, target: Target) -> str:
        names = {"StateMachineRevisionId": "revisionId"}
        given = {names.get(name, name): value for name, value in target.properties.items()}
        return str(self.call(target, "publish_state_machine_version", given)["stateMachineVersionArn"])

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": target.physical_id}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_state_machine_version", stateMachineVersionArn=target.physical_id)


class StateMachineAlias(ResourceType):
    type = "AWS::StepFunctions::StateMachineAlias"
    service = "stepfunctions"
    name_property = "Name"
    name_limit = 80

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(logical_id, limit=self.name_limit)

    def expected_id(self, target: Target) -> str:
        routing = _routing(target.properties)
        return f"{routing[0]['stateMachineVersionArn'].rsplit(':', 1)[0]}:{target.name}" if routing else ""

    def create(self, target: Target) -> str:
        arguments = {"name": target.name, "routingConfiguration": _routing(target.properties)}
        description = {name: target.properties[name] for name in ("Description",) if name in target.properties}
        answer = self.call(target, "create_state_machine_alias", description, **arguments)
        return str(answer["stateMachineAliasArn"])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        self.call(
            target,
            "update_state_machine_alias",
            stateMachineAliasArn=target.physical_id,
            routingConfiguration=_routing(target.properties),
            description=target.properties.get("Description", ""),
        )

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": target.physical_id}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_state_machine_alias", stateMachineAliasArn=target.physical_id)


class Activity(ResourceType):
    type = "AWS::StepFunctions::Activity"
    service = "stepfunctions"
    name_property = "Name"
    name_limit = 80

    def expected_id(self, target: Target) -> str:
        return target.arn("states", f"activity:{target.name}")

    def create(self, target: Target) -> str:
        tags = {"tags": lower_tag_list(target.properties["Tags"])} if target.properties.get("Tags") else {}
        return str(self.call(target, "create_activity", name=target.name, **tags)["activityArn"])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        which = {"resourceArn": target.physical_id}
        self.retag(target, before, which=which, tags="tags", keys="tagKeys", form=lower_tag_list)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": target.physical_id}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_activity", activityArn=target.physical_id)


def _settings(properties: dict[str, Any]) -> dict[str, Any]:
    names = ("EncryptionConfiguration", "LoggingConfiguration", "RoleArn", "TracingConfiguration")
    return {name: properties[name] for name in names if name in properties}


def _definition(target: Target) -> str:
    """The definition's text from wherever the template has it, its `${placeholders}` filled in."""
    given = target.properties
    sources = [name for name in DEFINITION_SOURCES if name in given]
    if len(sources) != 1:
        raise ResourceError(f"Exactly one of {', '.join(DEFINITION_SOURCES)} is required")
    if "DefinitionS3Location" in given:
        text = _from_s3(target, given["DefinitionS3Location"])
    else:
        value = given[sources[0]]
        text = value if isinstance(value, str) else json.dumps(value)
    substitutions = given.get("DefinitionSubstitutions", {})

    def replace(match: re.Match[str]) -> str:
        return scalar_text(substitutions[match[1]]) if match[1] in substitutions else match[0]

    return re.sub(r"\$\{([A-Za-z0-9_]+)\}", replace, text)


def _from_s3(target: Target, location: dict[str, str]) -> str:
    version = {"VersionId": location["Version"]} if "Version" in location else {}
    answer = target.client("s3").get_object(Bucket=location["Bucket"], Key=location["Key"], **version)
    text: str = answer["Body"].read().decode()
    if location["Key"].endswith((".yaml", ".yml")):
        import yaml

        return json.dumps(yaml.safe_load(text))
    return text


def _routing(properties: dict[str, Any]) -> list[dict[str, Any]]:
    if "RoutingConfiguration" in properties:
        return [
            {"stateMachineVersionArn": each["StateMachineVersionArn"], "weight": each["Weight"]}
            for each in properties["RoutingConfiguration"]
        ]
    preference = properties.get("DeploymentPreference", {})
    if preference.get("Type") != "ALL_AT_ONCE":
        raise ResourceError("An alias needs RoutingConfiguration, or a DeploymentPreference of type ALL_AT_ONCE")
    return [{"stateMachineVersionArn": preference["StateMachineVersionArn"], "weight": 100}]


TYPES = (StateMachine, StateMachineVersion, StateMachineAlias, Activity)
