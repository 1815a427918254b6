"""Change sets: opened for a stack, so that a plan is what AWS would do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from orchestration.errors import DeployError
from orchestration.stacks import Stack, operation

#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LONGEST_BODY = 51_200
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
#: How the names of elt's own change sets begin.
_PREFIX = "elt-"


def open_change_set(
    cloudformation: Any,
    stack: Stack,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
) -> str:
    """Open a change set and return its name; a stack whose creation was rolled back is deleted first.

    Errors: DeployError for a stack that cannot be updated.
    """
    description = operation.describe(cloudformation, stack.name)
    if description and description["StackStatus"] == "ROLLBACK_COMPLETE":
        # Such a stack can only be deleted; it holds nothing.
        operation.delete(cloudformation, stack.name, report=lambda step: None)
        description = None
    if description:
        operation.require_updatable(stack.name, description["StackStatus"])
        _sweep(cloudformation, stack)
    new = description is None or description["StackStatus"] == "REVIEW_IN_PROGRESS"
    # Given none, a stack keeps those it has, such as the repository that may deploy: only a person sets that.
    kept = {one["ParameterKey"] for one in description.get("Parameters", [])} if description and not new else set()
    kept = set() if parameters or not kept else kept & list_parameters(cloudformation, stack)
    change_set = f"{_PREFIX}{uuid.uuid4().hex[:12]}"
    cloudformation.create_change_set(
        StackName=stack.name,
        ChangeSetName=change_set,
        ChangeSetType="CREATE" if new else "UPDATE",
        # AUTO_EXPAND: the pipelines' template has loops, which a transform of AWS's own writes out.
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[
            *({"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)),
        ],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        **_template(stack),
    )
    return change_set


def has_changes(cloudformation: Any, stack: Stack, change_set: str) -> bool:
    """Wait for a change set, and return whether it changes anything. Errors: DeployError where it cannot be made."""
    for _ in operation.delays():
        answer = cloudformation.describe_change_set(StackName=stack.name, ChangeSetName=change_set)
        if answer["Status"] == "CREATE_COMPLETE":
            return True
        if answer["Status"] == "FAILED":
            reason = answer.get("StatusReason", "no reason given")
            if any(text in reason for text in _NO_CHANGES):
                return False
            raise DeployError(f"stack {stack.name} cannot be changed: {reason}")
    raise AssertionError("unreachable")


def list_parameters(cloudformation: Any, stack: Stack) -> set[str]:
    """List the parameters that a stack's template takes."""
    summary = cloudformation.get_template_summary(**_template(stack))
    return {one["ParameterKey"] for one in summary["Parameters"]}


def _sweep(cloudformation: Any, stack: Stack) -> None:
    """Delete the change sets without changes that killed commands left on a stack.

    Executing another deletes those with changes, so these alone would pile up. Whoever is still reading one is
    overtaken, and asks again.
    """
    for page in cloudformation.get_paginator("list_change_sets").paginate(StackName=stack.name):
        for one in page["Summaries"]:
            if one["Status"] == "FAILED" and one["ChangeSetName"].startswith(_PREFIX):
                cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=one["ChangeSetName"])


def _template(stack: Stack) -> dict[str, str]:
    """Give a template as CloudFormation's requests have it. Errors: DeployError for one too large to be sent."""
    if stack.url:
        return {"TemplateURL": stack.url}
    if len(stack.body.encode()) > LONGEST_BODY:
        raise DeployError(
            f"the template of {stack.name} is too large to be sent: it has to lie in the artifact bucket, and there is "
            "none yet; `elt release publish` makes it"
        )
    return {"TemplateBody": stack.body}
