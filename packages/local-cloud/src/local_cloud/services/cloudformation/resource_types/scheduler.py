"""AWS::Scheduler::Schedule, AWS::Scheduler::ScheduleGroup."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target, tag_list


class Schedule(ResourceType):
    type = "AWS::Scheduler::Schedule"
    service = "scheduler"
    name_property = "Name"
    name_limit = 64

    def create(self, target: Target) -> str:
        self.call(target, "create_schedule", target.properties | {"Name": target.name})
        return target.name

    def update(self, target: Target, before: dict[str, Any]) -> None:
        given = target.properties | {"Name": target.physical_id}
        if given.get("GroupName") == before.get("GroupName"):
            self.call(target, "update_schedule", given)
        else:  # a schedule cannot move from one group to another
            self.call(target, "create_schedule", given)
            self._delete(target, before)

    def attributes(self, target: Target) -> dict[str, Any]:
        group = target.properties.get("GroupName", "default")
        return {"Arn": target.arn("scheduler", f"schedule/{group}/{target.physical_id}")}

    def delete(self, target: Target) -> None:
        self._delete(target, target.properties)

    def _delete(self, target: Target, properties: dict[str, Any]) -> None:
        group = {"GroupName": properties["GroupName"]} if "GroupName" in properties else {}
        self.call(target, "delete_schedule", Name=target.physical_id, **group)


class ScheduleGroup(ResourceType):
    type = "AWS::Scheduler::ScheduleGroup"
    service = "scheduler"
    name_property = "Name"
    name_limit = 64

    def create(self, target: Target) -> str:
        tags = tag_list(target.properties.get("Tags"))
        self.call(target, "create_schedule_group", Name=target.name, Tags=tags)
        return target.name

    def update(self, target: Target, before: dict[str, Any]) -> None:
        arn = target.arn("scheduler", f"schedule-group/{target.physical_id}")
        self.retag(target, before, which={"ResourceArn": arn})

    def attributes(self, target: Target) -> dict[str, Any]:
        group = self.call(target, "get_schedule_group", Name=target.physical_id)
        return {
            "Arn": group["Arn"],
            "State": group["State"],
            "CreationDate": group["CreationDate"].isoformat(),
            "LastModificationDate": group["LastModificationDate"].isoformat(),
        }

    def delete(self, target: Target) -> None:
        self.call(target, "delete_schedule_group", Name=target.physical_id)


TYPES = (Schedule, ScheduleGroup)
