"""The three stacks, and how one is brought up to date: by a change set, so that a plan is what AWS would do."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from orchestration.errors import DeployError
from orchestration.stacks import operation, template

_PACKAGE = Path(__file__).parents[1]
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LONGEST_BODY = 51_200
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
#: How often a stack is taken up again after somebody else's operation came first.
_ATTEMPTS = 5
#: How the names of elt's own change sets begin.
_CHANGE_SETS = "elt-"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Stack:
    """One stack: its name in CloudFormation, and the files its template is written in.

    `url` is where the template lies in S3; "" sends it with the request, which takes no more than LONGEST_BODY bytes.
    One that is `stateless` holds no data: whatever is left of it may be deleted, to be made again.
    """

    name: str
    files: tuple[Path, ...]
    url: str = ""
    stateless: bool = False

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
    return Stack(f"elt-{environment}-pipelines", _files("pipelines", _PACKAGE), url, stateless=True)


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
    """The outputs of a stack that is in place; None where there is none, or only what is left of one."""
    description = operation.describe(cloudformation, stack.name)
    if description is None or description["StackStatus"] in ("REVIEW_IN_PROGRESS", *operation.REMAINS):
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}


def settle(cloudformation: Any, stack: Stack, *, report: Callable[[str], None]) -> str:
    """Wait for what is under way on a stack; the status that it then has, "" for none.

    Errors: DeployError for one that `deploy` can do nothing about, with what to do.
    """
    status = operation.settle(cloudformation, stack.name, report=report)
    if not (stack.stateless and status in operation.REMAINS):
        operation.require_updatable(stack.name, status)
    return status


def deploy(
    cloudformation: Any,
    stack: Stack,
    *,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    report: Callable[[str], None],
    before_change: Callable[[], object] = lambda: None,
) -> dict[str, str]:
    """Create or update a stack and return its outputs.

    An operation that is under way is waited for. `before_change` is called before CloudFormation is asked to act, and
    prevents that by raising. Errors: DeployError with the resource and its reason, or with what to do about a stack
    that is stuck.
    """
    _until_not_overtaken(
        stack,
        lambda: _deploy(cloudformation, stack, parameters, tags, report=report, before_change=before_change),
    )
    return outputs(cloudformation, stack) or {}


def _until_not_overtaken(stack: Stack, work: Callable[[], Result]) -> Result:
    """Do work on a stack's change set, again where somebody else's operation came first. Errors: DeployError."""
    for _ in range(_ATTEMPTS):
        try:
            return work()
        except ClientError as error:
            if not operation.is_overtaken(error):
                raise
    raise DeployError(f"stack {stack.name} is changed by others again and again: do this again when they are done")


def _deploy(
    cloudformation: Any,
    stack: Stack,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    *,
    report: Callable[[str], None],
    before_change: Callable[[], object],
) -> None:
    """`deploy`, once. Errors: ClientError where an operation of somebody else came first."""
    if settle(cloudformation, stack, report=report) in operation.REMAINS and stack.stateless:
        before_change()
        delete(cloudformation, stack, report=report)
    change_set = _open_change_set(cloudformation, stack, parameters, tags)
    try:
        if not _has_changes(cloudformation, stack, change_set):
            cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=change_set)
            return
        started = operation.latest_event(cloudformation, stack.name)
        before_change()
        cloudformation.execute_change_set(StackName=stack.name, ChangeSetName=change_set, ClientRequestToken=change_set)
    except BaseException:  # nobody is to execute it later, unseen
        try:
            cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=change_set)
        except (BotoCoreError, ClientError) as error:
            report(f"change set {change_set} of stack {stack.name} is left, do not execute it: {error}")
        raise
    status = operation.follow(cloudformation, stack.name, token=change_set, after=started)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise _ended_badly(cloudformation, stack, status, after=started)


def _ended_badly(cloudformation: Any, stack: Stack, status: str, *, after: str) -> DeployError:
    reason = operation.first_failure(cloudformation, stack.name, after=after)
    way_out = operation.way_out(stack.name, status)
    return DeployError(f"stack {stack.name} ended {status}: {reason}" + (f"; {way_out}" if way_out else ""))


def plan(
    cloudformation: Any,
    stack: Stack,
    *,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
) -> list[Change]:
    """What `deploy` with the same arguments would do, in the change set's order. It changes nothing.

    Errors: DeployError.
    """
    return _until_not_overtaken(stack, lambda: _plan(cloudformation, stack, parameters, tags))


def _plan(cloudformation: Any, stack: Stack, parameters: Mapping[str, str], tags: Mapping[str, str]) -> list[Change]:
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
        if operation.status_of(cloudformation, stack.name) == "REVIEW_IN_PROGRESS":
            delete(cloudformation, stack, report=lambda step: None)


def additions(stack: Stack) -> list[Change]:
    """What a stack that is not there would add, by its template alone; a condition stands where properties would."""
    return [
        Change(stack.name, "Add", name, kind, properties=(f"if {condition}",) if condition else ())
        for name, kind, condition in template.resources(stack.files)
    ]


def delete(cloudformation: Any, stack: Stack, *, report: Callable[[str], None]) -> bool:
    """Delete a stack, after the operation that is under way on it, and wait; False where there was none.

    Errors: DeployError.
    """
    description = operation.describe(cloudformation, stack.name)
    if description is None:
        return False
    if not operation.settle(cloudformation, stack.name, report=report):
        return True
    started = operation.latest_event(cloudformation, stack.name)
    token = f"elt-{uuid.uuid4().hex[:12]}"
    cloudformation.delete_stack(StackName=stack.name, ClientRequestToken=token)
    status = operation.follow(cloudformation, description["StackId"], token=token, after=started)
    if status != "DELETE_COMPLETE":
        raise _ended_badly(cloudformation, stack, status, after=started)
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
    """Ask for a change set and return its name; a stack whose creation was rolled back is cleared away first.

    Errors: DeployError for a stack that cannot be updated.
    """
    description = operation.describe(cloudformation, stack.name)
    if description and description["StackStatus"] == "ROLLBACK_COMPLETE":
        # Such a stack can only be deleted; it holds nothing.
        delete(cloudformation, stack, report=lambda step: None)
        description = None
    if description:
        operation.require_updatable(stack.name, description["StackStatus"])
        _sweep(cloudformation, stack)
    new = description is None or description["StackStatus"] == "REVIEW_IN_PROGRESS"
    # Given none, a stack keeps those it has, such as the repository that may deploy: only a person sets that.
    kept = {one["ParameterKey"] for one in description.get("Parameters", [])} if description and not new else set()
    kept = set() if parameters or not kept else kept & declared(cloudformation, stack)
    change_set = f"{_CHANGE_SETS}{uuid.uuid4().hex[:12]}"
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


def _sweep(cloudformation: Any, stack: Stack) -> None:
    """Delete the change sets without changes that killed commands left on a stack.

    Executing another deletes those with changes, so these alone would pile up. Whoever is still reading one is
    overtaken, and asks again.
    """
    for page in cloudformation.get_paginator("list_change_sets").paginate(StackName=stack.name):
        for one in page["Summaries"]:
            if one["Status"] == "FAILED" and one["ChangeSetName"].startswith(_CHANGE_SETS):
                cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=one["ChangeSetName"])


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


def _has_changes(cloudformation: Any, stack: Stack, change_set: str) -> bool:
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
