"""AWS::Logs::LogGroup, AWS::Logs::MetricFilter."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target, generated, tag_map


class LogGroup(ResourceType):
    type = "AWS::Logs::LogGroup"
    service = "logs"
    name_property = "LogGroupName"
    name_limit = 512

    def create(self, target: Target) -> str:
        names = ("KmsKeyId", "LogGroupClass")
        given: dict[str, Any] = {name: target.properties[name] for name in names if name in target.properties}
        tags = tag_map(target.properties.get("Tags"))
        if tags:
            given["tags"] = tags
        self.call(target, "create_log_group", given, logGroupName=target.name)
        return target.name

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        which = {"logGroupName": target.physical_id}
        days = target.properties.get("RetentionInDays")
        if days == before.get("RetentionInDays"):
            return
        if days is None:
            self.call(target, "delete_retention_policy", **which)
        else:
            self.call(target, "put_retention_policy", retentionInDays=days, **which)

    def update(self, target: Target, before: dict[str, Any]) -> None:
        which = {"logGroupName": target.physical_id}
        key = target.properties.get("KmsKeyId")
        if key != before.get("KmsKeyId"):
            if key is None:
                self.call(target, "disassociate_kms_key", **which)
            else:
                self.call(target, "associate_kms_key", kmsKeyId=key, **which)
        self.configure(target, before)
        arn = target.arn("logs", f"log-group:{target.physical_id}")
        self.retag(target, before, which={"resourceArn": arn}, tags="tags", keys="tagKeys", form=tag_map)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": target.arn("logs", f"log-group:{target.physical_id}:*")}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_log_group", logGroupName=target.physical_id)


class MetricFilter(ResourceType):
    type = "AWS::Logs::MetricFilter"
    service = "logs"
    name_property = "FilterName"
    name_scope = ("LogGroupName",)
    name_limit = 512

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(f"{stack_name}-{logical_id}", limit=self.name_limit)

    def create(self, target: Target) -> str:
        return target.name

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        given = target.properties
        transformations = []
        for each in given["MetricTransformations"]:
            item = dict(each)
            if "Dimensions" in item:
                item["Dimensions"] = tag_map(item["Dimensions"])
            transformations.append(item)
        changed = {"MetricTransformations": transformations, "FilterName": target.physical_id}
        self.call(target, "put_metric_filter", given | changed)

    def delete(self, target: Target) -> None:
        group = target.properties["LogGroupName"]
        self.call(target, "delete_metric_filter", logGroupName=group, filterName=target.physical_id)


TYPES = (LogGroup, MetricFilter)
