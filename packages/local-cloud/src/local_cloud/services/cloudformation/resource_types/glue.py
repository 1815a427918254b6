"""AWS::Glue::Database, AWS::Glue::Job, AWS::Glue::Table."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target, generated, tag_map, without


class Database(ResourceType):
    type = "AWS::Glue::Database"
    service = "glue"
    name_property = "DatabaseName"

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(logical_id, limit=self.name_limit).lower()

    def expected_id(self, target: Target) -> str:
        return str(target.properties["DatabaseInput"].get("Name", target.name))

    def create(self, target: Target) -> str:
        name = self.expected_id(target)
        self.call(target, "create_database", self._input(target, name))
        return name

    def update(self, target: Target, before: dict[str, Any]) -> None:
        if target.properties["DatabaseInput"].get("Name", target.physical_id) != target.physical_id:
            raise ResourceError(f"Database {target.physical_id} cannot be renamed")
        self.call(target, "update_database", self._input(target, target.physical_id), Name=target.physical_id)

    def delete(self, target: Target) -> None:
        self.call(target, "delete_database", {"CatalogId": target.properties["CatalogId"]}, Name=target.physical_id)

    @staticmethod
    def _input(target: Target, name: str) -> dict[str, Any]:
        given = target.properties
        return {"CatalogId": given["CatalogId"], "DatabaseInput": given["DatabaseInput"] | {"Name": name}}


class Job(ResourceType):
    type = "AWS::Glue::Job"
    service = "glue"
    name_property = "Name"

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(logical_id, limit=self.name_limit)

    def create(self, target: Target) -> str:
        tags = tag_map(target.properties.get("Tags"))
        self.call(target, "create_job", without(target.properties, "Tags", "Name"), Name=target.name, Tags=tags)
        return target.name

    def update(self, target: Target, before: dict[str, Any]) -> None:
        definition = without(target.properties, "Name", "Tags")
        if definition != without(before, "Name", "Tags"):
            self.call(target, "update_job", {"JobUpdate": definition}, JobName=target.physical_id)
        arn = target.arn("glue", f"job/{target.physical_id}")
        which = {"ResourceArn": arn}
        self.retag(target, before, which=which, tags="TagsToAdd", keys="TagsToRemove", form=tag_map)

    def delete(self, target: Target) -> None:
        self.call(target, "delete_job", JobName=target.physical_id)


class Table(ResourceType):
    type = "AWS::Glue::Table"
    service = "glue"
    name_property = "Name"
    name_scope = ("CatalogId", "DatabaseName")

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(logical_id, limit=self.name_limit).lower()

    def expected_id(self, target: Target) -> str:
        return str(target.properties.get("TableInput", {}).get("Name", target.name))

    def create(self, target: Target) -> str:
        name = self.expected_id(target)
        self.call(target, "create_table", self._input(target, name))
        return name

    def update(self, target: Target, before: dict[str, Any]) -> None:
        self.call(target, "update_table", self._input(target, target.physical_id))

    def delete(self, target: Target) -> None:
        where = {name: target.properties[name] for name in ("CatalogId", "DatabaseName")}
        self.call(target, "delete_table", where, Name=target.physical_id)

    @staticmethod
    def _input(target: Target, name: str) -> dict[str, Any]:
        given = target.properties
        table = given.get("TableInput", {}) | {"Name": name}
        return {"CatalogId": given["CatalogId"], "DatabaseName": given["DatabaseName"], "TableInput": table}


TYPES = (Database, Job, Table)
