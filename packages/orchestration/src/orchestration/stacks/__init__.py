"""The three stacks, and how one is brought up to date: by a change set, so that a plan is what AWS would do."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from orchestration.errors import DeployError
from orchestration.stacks import template

_PACKAGE = Path(__file__).parents[1]
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LONGEST_BODY = 51_200
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Stack:
    """One stack: its name in CloudFormation, and the files its template is written in.

    `url` is where the template lies in S3; "" sends it with the request, which takes no more than LONGEST_BODY bytes.
    """

    name: str
    files: tuple[Path, ...]
    url: str = ""

    @property
    def body(self) -> str:
        return template.join(self.files)

    @property
    def outputs(self) -> list[str]:
        return template.entries(self.files, "Outputs")


@dataclass(frozen=True)
class Change:
    """One resource that a deployment would touch.

    `action` is Add, Modify or Remove; `resource` its name in the template, `kind` its type, `name` what it is called
    where it lives, "" if that is known only once it is there. Of a Modify, `properties` are those that change, and
    `replacement` is True, False or Conditional (CloudFormation finds out when it does it). `kept` is whether what
    is removed or replaced stays, no longer managed.
    """

    stack: str
    action: str
    resource: str
    kind: str
    name: str = ""
    replacement: str = "False"
    kept: bool = False
    properties: tuple[str, ...] = ()


def artifacts_stack() -> Stack:
    return Stack("elt-artifacts", _files("artifacts", _PACKAGE))


def data_stack(environment: str, *, url: str = "") -> Stack:
    return Stack(f"elt-{environment}-data", _files("data", _PACKAGE), url)


def pipelines_stack(environment: str, *, url: str = "") -> Stack:
    return Stack(f"elt-{environment}-pipelines", _files("pipelines", _PACKAGE), url)


def templates(package: Path) -> dict[str, str]:
    """The template of each stack by its name, as the sources of the orchestration package in a folder have it."""
    return {name: template.join(_files(name, package)) for name in ("artifacts", "data", "pipelines")}


def _files(name: str, package: Path) -> tuple[Path, ...]:
    """What a template is written in: one file, or what pipelines share and then each pipeline's own."""
    folder = package / "stacks"
    if name != "pipelines":
        return (folder / f"{name}.yaml",)
    shared = sorted((folder / name).glob("*.yaml"), key=lambda file: (file.name != "stack.yaml", file.name))
    return (*shared, *sorted((package / "pipelines").glob("*/stack.yaml")))


def declared(cloudformation: Any, stack: Stack) -> set[str]:
    """The parameters that the stack's template takes."""
    summary = cloudformation.get_template_summary(**_template(stack))
    return {one["ParameterKey"] for one in summary["Parameters"]}


def outputs(cloudformation: Any, stack: Stack) -> dict[str, str] | None:
    """The outputs of a stack that is in place; None where there is none, or only the ruins of a first attempt."""
    description = _describe(cloudformation, stack)
    if description is None or description["StackStatus"] in ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"):
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}


def deploy(
    cloudformation: Any,
    stack: Stack,
    *,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
) -> dict[str, str]:
    """Create or update a stack and return its outputs. Errors: DeployError with the resource and its reason."""
    change_set = _open_change_set(cloudformation, stack, parameters, tags)
    if _has_changes(cloudformation, stack, change_set):
        try:
            started = _latest_event(cloudformation, stack)
            cloudformation.execute_change_set(StackName=stack.name, ChangeSetName=change_set)
        except ClientError:  # nobody is to execute it later, unseen
            cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=change_set)
            raise
        status = _wait(cloudformation, stack)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            reason = _first_failure(cloudformation, stack, after=started)
            raise DeployError(f"stack {stack.name} ended {status}: {reason}")
    else:
        cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=change_set)
    return outputs(cloudformation, stack) or {}


def plan(
    cloudformation: Any,
    stack: Stack,
    *,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
) -> list[Change]:
    """What `deploy` with the same arguments would do, in the change set's order. Changes nothing."""
    change_set = _open_change_set(cloudformation, stack, parameters, tags)
    try:
        if not _has_changes(cloudformation, stack, change_set):
            return []
        pages = cloudformation.get_paginator("describe_change_set").paginate(
            StackName=stack.name, ChangeSetName=change_set
        )
        return [_change(stack, one["ResourceChange"]) for page in pages for one in page["Changes"]]
    finally:
        cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=change_set)
        description = _describe(cloudformation, stack)
        if description and description["StackStatus"] == "REVIEW_IN_PROGRESS":
            cloudformation.delete_stack(StackName=stack.name)
            _wait(cloudformation, stack)


def additions(stack: Stack) -> list[Change]:
    """What a stack that is not there would add, by its template alone; a condition stands where properties would."""
    return [
        Change(stack.name, "Add", name, kind, properties=(f"if {condition}",) if condition else ())
        for name, kind, condition in template.resources(stack.files)
    ]


def delete(cloudformation: Any, stack: Stack) -> bool:
    """Delete a stack and wait; False where there was none. Errors: DeployError."""
    if _describe(cloudformation, stack) is None:
        return False
    started = _latest_event(cloudformation, stack)
    cloudformation.delete_stack(StackName=stack.name)
    status = _wait(cloudformation, stack)
    if status != "DELETE_COMPLETE":
        reason = _first_failure(cloudformation, stack, after=started)
        raise DeployError(f"stack {stack.name} ended {status}: {reason}")
    return True


def _change(stack: Stack, change: Mapping[str, Any]) -> Change:
    details = (detail["Target"] for detail in change.get("Details", []))
    names = {target.get("Name") or target["Attribute"] for target in details}
    return Change(
        stack=stack.name,
        action=change["Action"],
        resource=change["LogicalResourceId"],
        kind=change["ResourceType"],
        name=change.get("PhysicalResourceId", ""),
        replacement=change.get("Replacement", "False"),
        kept=change.get("PolicyAction") in ("Retain", "ReplaceAndRetain"),
        properties=tuple(sorted(names)),
    )


def _open_change_set(
    cloudformation: Any,
    stack: Stack,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
) -> str:
    """Ask for a change set and return its name; a stack whose creation failed before is cleared away first."""
    description = _describe(cloudformation, stack)
    if description and description["StackStatus"] == "ROLLBACK_COMPLETE":
        # Such a stack can only be deleted; it holds nothing.
        delete(cloudformation, stack)
        description = None
    new = description is None or description["StackStatus"] == "REVIEW_IN_PROGRESS"
    # Given none, a stack keeps those it has, such as the repository that may deploy: only a person sets that.
    kept = {one["ParameterKey"] for one in description.get("Parameters", [])} if description and not new else set()
    kept = set() if parameters or not kept else kept & declared(cloudformation, stack)
    change_set = f"elt-{uuid.uuid4().hex[:12]}"
    cloudformation.create_change_set(
        StackName=stack.name,
        ChangeSetName=change_set,
        ChangeSetType="CREATE" if new else "UPDATE",
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            *({"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)),
        ],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        **_template(stack),
    )
    return change_set


def _template(stack: Stack) -> dict[str, str]:
    """A template as CloudFormation's requests have it. Errors: DeployError."""
    if stack.url:
        return {"TemplateURL": stack.url}
    if len(stack.body.encode()) > LONGEST_BODY:
        raise DeployError(
            f"the template of {stack.name} is too large to be sent: it has to lie in the artifact bucket, and there is "
            "none yet; `elt release publish` makes it"
        )
    return {"TemplateBody": stack.body}


def _describe(cloudformation: Any, stack: Stack) -> dict[str, Any] | None:
    try:
        description: dict[str, Any] = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return description


def _has_changes(cloudformation: Any, stack: Stack, change_set: str) -> bool:
    for _ in _delays():
        answer = cloudformation.describe_change_set(StackName=stack.name, ChangeSetName=change_set)
        if answer["Status"] == "CREATE_COMPLETE":
            return True
        if answer["Status"] == "FAILED":
            reason = answer.get("StatusReason", "no reason given")
            if any(text in reason for text in _NO_CHANGES):
                return False
            raise DeployError(f"stack {stack.name} cannot be changed: {reason}")
    raise AssertionError("unreachable")


def _wait(cloudformation: Any, stack: Stack) -> str:
    """The status at which the stack came to rest."""
    for _ in _delays():
        description = _describe(cloudformation, stack)
        if description is None:
            return "DELETE_COMPLETE"
        if not description["StackStatus"].endswith("_IN_PROGRESS"):
            return str(description["StackStatus"])
    raise AssertionError("unreachable")


def _delays() -> Iterator[None]:
    """Short waits first, for a cloud that answers at once; 3 s later on, well below CloudFormation's limits."""
    delay = 0.05
    while True:
        yield
        time.sleep(delay)
        delay = min(delay * 1.5, 3.0)


def _latest_event(cloudformation: Any, stack: Stack) -> str:
    events = cloudformation.describe_stack_events(StackName=stack.name)["StackEvents"]
    return str(events[0]["EventId"]) if events else ""


def _first_failure(cloudformation: Any, stack: Stack, *, after: str) -> str:
    """The first resource that failed since an event, and why: what follows it is only the rollback."""
    reason = "no reason given; see its events"
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack.name)
    for event in (event for page in pages for event in page["StackEvents"]):  # newest first
        if event["EventId"] == after:
            break
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", ""):
            reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
    return reason
