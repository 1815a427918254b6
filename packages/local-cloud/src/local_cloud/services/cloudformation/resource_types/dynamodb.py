"""AWS::DynamoDB::Table."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target, tag_list

#: Properties that CreateTable takes under their own names.
_CREATED = (
    *("AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema"),
    *("LocalSecondaryIndexes", "ProvisionedThroughput", "TableClass"),
)
#: Those of them that no update changes.
_FIXED = ("LocalSecondaryIndexes", "SSESpecification", "TableClass")


class Table(ResourceType):
    type = "AWS::DynamoDB::Table"
    service = "dynamodb"
    name_property = "TableName"

    def create(self, target: Target) -> str:
        given = target.properties
        created = {name: given[name] for name in _CREATED if name in given}
        if "SSESpecification" in given:
            encryption = dict(given["SSESpecification"])
            created["SSESpecification"] = {"Enabled": encryption.pop("SSEEnabled"), **encryption}
        tags = {"Tags": tag_list(given["Tags"])} if given.get("Tags") else {}
        self.call(target, "create_table", created, TableName=target.name, **_stream(given), **tags)
        return target.name

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        name, given = target.physical_id, target.properties
        if given.get("TimeToLiveSpecification") != before.get("TimeToLiveSpecification"):
            old = before.get("TimeToLiveSpecification", {})
            setting = given.get("TimeToLiveSpecification", {**old, "Enabled": False})
            if old.get("Enabled") or setting["Enabled"]:
                self.call(target, "update_time_to_live", TableName=name, TimeToLiveSpecification=setting)
        recovery = "PointInTimeRecoverySpecification"
        if given.get(recovery) != before.get(recovery):
            setting = given.get(recovery, {"PointInTimeRecoveryEnabled": False})
            self.call(target, "update_continuous_backups", {recovery: setting}, TableName=name)

    def update(self, target: Target, before: dict[str, Any]) -> None:
        name, given = target.physical_id, target.properties
        if fixed := [each for each in _FIXED if given.get(each) != before.get(each)]:
            raise ResourceError(f"{fixed[0]} of table {name} cannot be changed on this local cloud")
        for change in _index_changes(given, before):
            definitions = given.get("AttributeDefinitions", [])
            updates = {"AttributeDefinitions": definitions, "GlobalSecondaryIndexUpdates": [change]}
            self.call(target, "update_table", TableName=name, **updates)
        if _stream(given) != _stream(before):
            off = {"StreamSpecification": {"StreamEnabled": False}}
            self.call(target, "update_table", TableName=name, **(_stream(given) or off))
        own = {"BillingMode": "PROVISIONED", "DeletionProtectionEnabled": False, "ProvisionedThroughput": None}
        changed = {n: given.get(n, own[n]) for n in own if given.get(n) != before.get(n)}
        if any(value is not None for value in changed.values()):
            self.call(target, "update_table", TableName=name, **{n: v for n, v in changed.items() if v is not None})
        self.configure(target, before)
        self.retag(target, before, which={"ResourceArn": target.arn("dynamodb", f"table/{name}")})

    def attributes(self, target: Target) -> dict[str, Any]:
        table = self.call(target, "describe_table", TableName=target.physical_id)["Table"]
        stream = {"StreamArn": table["LatestStreamArn"]} if table.get("LatestStreamArn") else {}
        return {"Arn": table["TableArn"], **stream}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_table", TableName=target.physical_id)


def _stream(properties: dict[str, Any]) -> dict[str, Any]:
    view = properties.get("StreamSpecification", {}).get("StreamViewType")
    return {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}} if view else {}


def _index_changes(given: dict[str, Any], before: dict[str, Any]) -> list[dict[str, Any]]:
    """One change of a global index a request, as DynamoDB takes them. An index that differs is recreated."""
    new = {each["IndexName"]: each for each in given.get("GlobalSecondaryIndexes", [])}
    old = {each["IndexName"]: each for each in before.get("GlobalSecondaryIndexes", [])}
    gone = [{"Delete": {"IndexName": name}} for name in old if old[name] != new.get(name)]
    return [*gone, *({"Create": new[name]} for name in new if new[name] != old.get(name))]


TYPES = (Table,)
