"""Turns what a caller sends with a stack or a change set into a template and a definition."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.errors import MissingCapabilities, ValidationError
from local_cloud.services.cloudformation.parameters import choose
from local_cloud.services.cloudformation.stacks import Definition, Stack
from local_cloud.services.cloudformation.templates.template import Template, declared_parameters

#: Limits of the template in a request and of one in S3, in bytes
#: (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
MAX_BODY = 51_200
MAX_OBJECT = 1 << 20

IAM_TYPES = frozenset(
    f"AWS::IAM::{name}" for name in ("Group", "ManagedPolicy", "Policy", "Role", "RolePolicy", "User")
)
IAM_NAMES = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
UNSUPPORTED = ("ResourcesToImport", "RollbackConfiguration", "StackPolicyBody", "StackPolicyURL")


def read_template(request: dict[str, Any], *, previous: Stack | None, client: Callable[[str], Any]) -> Template:
    """The template of a request: its body, its URL, or the stack's own."""
    if request.get("UsePreviousTemplate"):
        if previous is None or not previous.definition.template:
            raise ValidationError("You cannot use the previous template of a stack that has none")
        return Template.parse(previous.definition.template)
    return Template.parse(_template_text(request, client))


def read_definition(
    request: dict[str, Any], template: Template, *, previous: Stack | None, client: Callable[[str], Any]
) -> Definition:
    """Parameters, tags and capabilities; what an update leaves out stays as it was."""
    for name in UNSUPPORTED:
        if request.get(name):
            raise ValidationError(f"{name} is not supported by this local cloud")
    check_capabilities(template, request.get("Capabilities", []), expands="ChangeSetName" not in request)
    before = previous.definition if previous else None
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    if "Tags" not in request and before:
        tags = before.tags
    arns = request.get("NotificationARNs")
    return Definition(
        template=template.text,
        parameters=choose(
            template.parameters,
            request.get("Parameters", []),
            previous=before.parameters if before else {},
            read_stored=lambda name: _stored_parameter(name, client),
        ),
        tags=tags,
        capabilities=tuple(request.get("Capabilities", [])),
        notification_arns=tuple(before.notification_arns if arns is None and before else arns or ()),
        role_arn=request.get("RoleARN") or (before.role_arn if before else ""),
        description=template.description,
    )


def required_capabilities(template: Template) -> tuple[list[str], str]:
    """What a caller must acknowledge, and why."""
    types = sorted({each.type for each in template.resources.values()} & IAM_TYPES)
    if not types:
        return [], ""
    named = any(IAM_NAMES.get(each.type, "-") in each.properties for each in template.resources.values())
    reason = f"The following resource(s) require capabilities: [{', '.join(types)}]"
    return ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"], reason


def check_capabilities(template: Template, given: list[str], *, expands: bool) -> None:
    """Check what a caller acknowledges. `expands`: at once, with no change set to look at before.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html: for change sets
    CAPABILITY_AUTO_EXPAND has no effect.
    """
    needed, _ = required_capabilities(template)
    if template.transforms and expands:
        needed = [*needed, "CAPABILITY_AUTO_EXPAND"]
    if "CAPABILITY_NAMED_IAM" in given:
        given = [*given, "CAPABILITY_IAM"]
    if missing := [name for name in needed if name not in given]:
        raise MissingCapabilities(f"Requires capabilities : [{', '.join(missing)}]")


def hidden_values(definition: Definition) -> list[str]:
    """The values of its NoEcho parameters."""
    declared = declared_parameters(definition.template)
    return [value.text for name, value in definition.parameters.items() if declared[name].no_echo]


def check_stack_name(name: str) -> None:
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )


def _template_text(request: dict[str, Any], client: Callable[[str], Any]) -> str:
    body, url = request.get("TemplateBody"), request.get("TemplateURL")
    if bool(body) == bool(url):
        raise ValidationError("Either Template URL or Template Body must be specified.")
    if body:
        if len(body.encode()) > MAX_BODY:
            raise ValidationError(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
                f"length less than or equal to {MAX_BODY}"
            )
        return str(body)
    bucket, key, version = _s3_location(str(url))
    try:
        answer = client("s3").get_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
    except ClientError as error:
        raise ValidationError(f"S3 error: {error.response['Error'].get('Message', 'Access Denied')}") from None
    if answer["ContentLength"] > MAX_OBJECT:
        raise ValidationError(f"Template may not exceed {MAX_OBJECT} bytes in size.")
    return str(answer["Body"].read().decode())


def _s3_location(url: str) -> tuple[str, str, str]:
    """Bucket, key and version of a path-style or a virtual-host URL, on AWS or on this cloud."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        raise ValidationError(f"S3 error: Domain name specified in {parts.netloc} is not a valid S3 domain")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError("TemplateURL must be a supported URL.")
    path = unquote(parts.path).lstrip("/")
    host = re.fullmatch(r"(?:(?P<bucket>.+)\.)?s3[.-][a-z0-9.-]*amazonaws\.com", parts.hostname)
    if host and host["bucket"]:
        bucket, key = host["bucket"], path
    else:
        bucket, _, key = path.partition("/")
    if not bucket or not key:
        raise ValidationError("TemplateURL must reference a valid S3 object to which you have access.")
    return bucket, key, parse_qs(parts.query).get("versionId", [""])[0]


def _stored_parameter(name: str, client: Callable[[str], Any]) -> str:
    try:
        return str(client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError:
        raise ValidationError(f"Unable to fetch parameters [{name}] from parameter store for this account.") from None
