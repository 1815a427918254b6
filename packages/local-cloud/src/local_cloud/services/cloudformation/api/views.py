"""Actions that describe and list stacks, their resources, events, exports and imports."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.api.base import Api, given, pairs
from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.exports import exports, importers
from local_cloud.services.cloudformation.stacks import Event, Resource, Stack
from local_cloud.services.cloudformation.templates.template import declared_parameters


class ViewActions(Api):
    def describe_stacks(self) -> Any:
        with self.engine.lock:
            name = self.request.get("StackName")
            stacks = [self.engine.find(name)] if name else [s for s in self.engine.stacks.values() if not s.is_deleted]
            return self.page([_stack(stack) for stack in _newest_first(stacks)], member="Stacks")

    def list_stacks(self) -> Any:
        wanted = self.request.get("StackStatusFilter")
        with self.engine.lock:
            stacks = [each for each in self.engine.stacks.values() if not wanted or each.status in wanted]
            return self.page([_stack_summary(each) for each in _newest_first(stacks)], member="StackSummaries")

    def describe_stack_events(self) -> Any:
        with self.engine.lock:
            stack = self._stack_with_history()
            events = [_event(stack, event) for event in reversed(self.engine.store.events(stack))]
        return self.page(events, member="StackEvents")

    def describe_stack_resource(self) -> Any:
        with self.engine.lock:
            stack = self._stack_with_history()
            name = self.request["LogicalResourceId"]
            if name not in stack.resources:
                raise ValidationError(f"Resource {name} does not exist for stack {self.request['StackName']}")
            resource = stack.resources[name]
            detail = _resource(resource, stack) | given(
                LastUpdatedTimestamp=resource.updated, Metadata=_json(resource.metadata)
            )
            del detail["Timestamp"]
            return self.answer(StackResourceDetail=detail)

    def describe_stack_resources(self) -> Any:
        request = self.request
        with self.engine.lock:
            physical_id = request.get("PhysicalResourceId")
            if physical_id and not request.get("StackName"):
                stack = self._owner(physical_id)
            else:
                stack = self._stack_with_history()
            wanted = request.get("LogicalResourceId")
            resources = [
                _resource(each, stack)
                for each in _shown(stack)
                if wanted in (None, each.logical_id) and physical_id in (None, each.physical_id)
            ]
            return self.answer(StackResources=resources)

    def list_stack_resources(self) -> Any:
        with self.engine.lock:
            stack = self._stack_with_history()
            summaries = []
            for resource in _shown(stack):
                summary = _resource(resource, stack) | {"LastUpdatedTimestamp": resource.updated}
                summaries.append({k: v for k, v in summary.items() if k not in ("StackId", "StackName", "Timestamp")})
        return self.page(summaries, member="StackResourceSummaries")

    def list_exports(self) -> Any:
        with self.engine.lock:
            found = [
                {"ExportingStackId": stack.id, "Name": name, "Value": value}
                for name, (stack, value) in sorted(exports(self.engine.stacks.values()).items())
            ]
        return self.page(found, member="Exports")

    def list_imports(self) -> Any:
        name = self.request["ExportName"]
        with self.engine.lock:
            names = importers(self.engine.stacks.values(), name)
        if not names:
            raise ValidationError(f"Export '{name}' is not imported by any stack.")
        return self.page(names, member="Imports")

    def _stack_with_history(self) -> Stack:
        name = self.request.get("StackName")
        if not name:
            raise ValidationError("1 validation error detected: Value null at 'stackName' failed to satisfy constraint")
        try:
            return self.engine.find(name)
        except ValidationError:
            raise ValidationError(f"Stack [{name}] does not exist") from None

    def _owner(self, physical_id: str) -> Stack:
        for stack in self.engine.stacks.values():
            if any(each.physical_id == physical_id for each in stack.resources.values()) and not stack.is_deleted:
                return stack
        raise ValidationError(f"Stack for {physical_id} does not exist")


def _newest_first(stacks: list[Stack]) -> list[Stack]:
    return sorted(stacks, key=lambda stack: stack.created, reverse=True)


def _shown(stack: Stack) -> list[Resource]:
    return [each for each in stack.resources.values() if each.status]


def _stack(stack: Stack) -> dict[str, Any]:
    """A stack as DescribeStacks says it: lists of nothing are left out, but for tags and topics, as on AWS."""
    definition = stack.definition
    in_review = stack.status == "REVIEW_IN_PROGRESS"
    return given(
        StackId=stack.id,
        StackName=stack.name,
        ChangeSetId=None if stack.is_deleted else stack.change_set_id,
        Description=None if in_review else definition.description,
        Parameters=None if in_review else _parameters(stack) or None,
        CreationTime=stack.created,
        LastUpdatedTime=stack.updated,
        DeletionTime=stack.deleted,
        StackStatus=stack.status,
        StackStatusReason=stack.reason,
        DisableRollback=stack.on_failure == "DO_NOTHING",
        RollbackConfiguration={},
        NotificationARNs=list(definition.notification_arns),
        TimeoutInMinutes=stack.timeout_minutes,
        Capabilities=None if in_review else list(definition.capabilities) or None,
        Outputs=[
            given(OutputKey=each.key, Description=each.description, ExportName=each.export)
            | {"OutputValue": each.value}
            for each in stack.outputs
        ]
        or None,
        RoleARN=definition.role_arn,
        Tags=pairs(definition.tags),
        EnableTerminationProtection=None if stack.is_deleted else stack.termination_protection,
        DriftInformation={"StackDriftStatus": "NOT_CHECKED"},
    )


def parameter_values(definition: Any) -> list[dict[str, Any]]:
    """A definition's parameters; those of NoEcho do not show their value."""
    declared = declared_parameters(definition.template)
    return [
        {
            "ParameterKey": each.name,
            "ParameterValue": "****" if each.name in declared and declared[each.name].no_echo else each.given,
            **given(ResolvedValue=each.resolved),
        }
        for each in definition.parameters.values()
    ]


def _parameters(stack: Stack) -> list[dict[str, Any]]:
    return parameter_values(stack.definition)


def _stack_summary(stack: Stack) -> dict[str, Any]:
    return given(
        StackId=stack.id,
        StackName=stack.name,
        TemplateDescription=stack.definition.description,
        CreationTime=stack.created,
        LastUpdatedTime=stack.updated,
        DeletionTime=stack.deleted,
        StackStatus=stack.status,
        StackStatusReason=stack.reason,
        DriftInformation={"StackDriftStatus": "NOT_CHECKED"},
    )


def _event(stack: Stack, event: Event) -> dict[str, Any]:
    return given(
        StackId=stack.id,
        EventId=event.id,
        StackName=stack.name,
        LogicalResourceId=event.logical_id,
        PhysicalResourceId=event.physical_id,
        ResourceType=event.type,
        Timestamp=event.time,
        ResourceStatus=event.status,
        ResourceStatusReason=event.reason,
        ResourceProperties=event.properties,
        ClientRequestToken=event.token,
    )


def _resource(resource: Resource, stack: Stack) -> dict[str, Any]:
    return given(
        StackName=stack.name,
        StackId=stack.id,
        LogicalResourceId=resource.logical_id,
        PhysicalResourceId=resource.physical_id,
        ResourceType=resource.type,
        Timestamp=resource.updated,
        ResourceStatus=resource.status,
        ResourceStatusReason=resource.reason,
        DriftInformation={"StackResourceDriftStatus": "NOT_CHECKED"},
    )


def _json(value: Any) -> str | None:
    import json

    return None if value is None else json.dumps(value)
