"""Actions on change sets."""

from __future__ import annotations

import json
from typing import Any

from local_cloud.services.cloudformation import change_sets
from local_cloud.services.cloudformation.api.base import Api, given, pairs
from local_cloud.services.cloudformation.api.views import parameter_values
from local_cloud.services.cloudformation.changes import Detail, ResourceChange
from local_cloud.services.cloudformation.deploying.actions import mask
from local_cloud.services.cloudformation.requests import hidden_values
from local_cloud.services.cloudformation.stacks import ChangeSet, Stack
from local_cloud.services.cloudformation.templates.values import UNKNOWN

KNOWN_LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"


class ChangeSetActions(Api):
    def create_change_set(self) -> Any:
        with self.engine.lock:
            stack, change_set = change_sets.create_change_set(self.engine, self.request)
            return self.answer(Id=change_set.id, StackId=stack.id)

    def describe_change_set(self) -> Any:
        request = self.request
        with self.engine.lock:
            stack, change_set = self._find()
            secrets = (*hidden_values(change_set.definition), *hidden_values(stack.definition))
            values = bool(request.get("IncludePropertyValues"))
            changes = [
                {"Type": "Resource", "ResourceChange": _change(each, values=values, secrets=secrets)}
                for each in change_set.changes
            ]
            return self.page(changes, member="Changes", **_description(stack, change_set))

    def execute_change_set(self) -> Any:
        with self.engine.lock:
            operation = change_sets.execute_change_set(self.engine, self.request)
        if operation:
            operation.wait()
        return self.done()

    def delete_change_set(self) -> Any:
        with self.engine.lock:
            request = self.request
            change_sets.delete_change_set(self.engine, request["ChangeSetName"], request.get("StackName"))
        return self.done()

    def list_change_sets(self) -> Any:
        with self.engine.lock:
            stack = self.engine.find(self.request["StackName"])
            summaries = [_summary(stack, each) for each in stack.pending_change_sets]
        return self.page(summaries, member="Summaries")

    def _find(self) -> tuple[Stack, ChangeSet]:
        request = self.request
        return change_sets.find_change_set(self.engine, request["ChangeSetName"], request.get("StackName"))


def _summary(stack: Stack, change_set: ChangeSet) -> dict[str, Any]:
    return given(
        StackId=stack.id,
        StackName=stack.name,
        ChangeSetId=change_set.id,
        ChangeSetName=change_set.name,
        ExecutionStatus=change_set.execution_status,
        Status=change_set.status,
        StatusReason=change_set.reason,
        CreationTime=change_set.created,
        Description=change_set.description,
        IncludeNestedStacks=False,
    )


def _description(stack: Stack, change_set: ChangeSet) -> dict[str, Any]:
    definition = change_set.definition
    return _summary(stack, change_set) | given(
        Parameters=parameter_values(definition) or None,
        NotificationARNs=list(definition.notification_arns),
        RollbackConfiguration={},
        Capabilities=list(definition.capabilities),
        Tags=pairs(definition.tags) or None,
        OnStackFailure=change_set.on_stack_failure,
    )


def _change(change: ResourceChange, *, values: bool, secrets: tuple[str, ...]) -> dict[str, Any]:
    result = given(
        PolicyAction=change.policy_action,
        Action=change.action,
        LogicalResourceId=change.logical_id,
        PhysicalResourceId=change.physical_id,
        ResourceType=change.type,
        Replacement=change.replacement,
        Scope=change.scope,
        Details=[_detail(each, values=values, secrets=secrets) for each in change.details],
    )
    if values:
        for name, context in (("BeforeContext", change.before), ("AfterContext", change.after)):
            if context is not None:
                result[name] = mask(_text({"Properties": context}), secrets)
    return result


def _detail(detail: Detail, *, values: bool, secrets: tuple[str, ...]) -> dict[str, Any]:
    target = given(Attribute=detail.attribute, Name=detail.name)
    if detail.attribute in ("Properties", "Tags"):
        target["RequiresRecreation"] = detail.recreation
    if values:
        target["Path"] = f"/{detail.attribute}" + (f"/{detail.name}" if detail.name else "")
        shown = {"BeforeValue": detail.before, "AfterValue": detail.after}
        target |= {name: mask(_text(value), secrets) for name, value in shown.items() if value is not None}
        kind = "Add" if detail.before is None else "Remove" if detail.after is None else "Modify"
        target["AttributeChangeType"] = kind
    return {
        "Target": target,
        "Evaluation": detail.evaluation,
        "ChangeSource": detail.source,
        **given(CausingEntity=detail.cause),
    }


def _text(value: Any) -> str:
    known = _known(value)
    return known if isinstance(known, str) else json.dumps(known)


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _known(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return KNOWN_LATER if value is UNKNOWN else value
