"""Changes in people's words, as `elt plan` shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from orchestration.stacks import Change

#: Types whose name in CloudFormation is not what people call them.
_KINDS = {
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::Events::Rule": "event rule",
    "AWS::Glue::Database": "Glue database",
    "AWS::Glue::Job": "Glue job",
    "AWS::IAM::ManagedPolicy": "policy",
    "AWS::IAM::OIDCProvider": "identity provider",
    "AWS::IAM::Policy": "role policy",
    "AWS::IAM::Role": "role",
    "AWS::Lambda::Function": "function",
    "AWS::Lambda::Permission": "function permission",
    "AWS::Logs::LogGroup": "log group",
    "AWS::Redshift::DatabasePrivilege": "warehouse privilege",
    "AWS::Redshift::Table": "warehouse table",
    "AWS::RedshiftServerless::Namespace": "warehouse namespace",
    "AWS::RedshiftServerless::UsageLimit": "warehouse usage limit",
    "AWS::RedshiftServerless::Workgroup": "warehouse workgroup",
    "AWS::S3::Bucket": "bucket",
    "AWS::S3::BucketPolicy": "bucket policy",
    "AWS::SNS::Subscription": "mail subscription",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS::Queue": "queue",
    "AWS::SQS::QueuePolicy": "queue policy",
    "AWS::Scheduler::Schedule": "schedule",
    "AWS::StepFunctions::StateMachine": "state machine",
    "AWS::StepFunctions::StateMachineAlias": "state machine alias",
    "AWS::StepFunctions::StateMachineVersion": "state machine version",
}

#: What is gone with a resource of a type, whether it is removed or replaced.
_LOSSES = {
    "AWS::Glue::Database": "its external tables",
    "AWS::Logs::LogGroup": "all its log lines",
    "AWS::RedshiftServerless::Namespace": "all tables of the warehouse",
    "AWS::RedshiftServerless::Workgroup": "the way to the warehouse, until there is another",
    "AWS::S3::Bucket": "all its objects",
    "AWS::SNS::Subscription": "the mail address's confirmation: alerts stop until the new one is confirmed",
    "AWS::SNS::Topic": "its subscriptions: alerts stop until the new ones are confirmed",
    "AWS::SQS::Queue": "the messages in it",
    "AWS::StepFunctions::StateMachine": "its executions and their history, those that run included",
}

_VERBS = ("Add", "Change", "Replace", "Remove")


def plan_lines(changes: Sequence[Change]) -> list[str]:
    """List the lines that tell what would be done, stack by stack; what is lost by it comes under its change."""
    lines = []
    for stack, of_stack in groupby(changes, key=lambda change: change.stack):
        lines.append(stack)
        for change in of_stack:
            lines.append(f"  {_line(change)}")
            lines += [f"           ! {loss}" for loss in _losses(change)]
        lines.append("")
    return [*lines, summary(changes)]


def summary(changes: Iterable[Change]) -> str:
    """`2 to add, 1 to change.`"""
    counts = Counter(_verb(change) for change in changes)
    counted = ", ".join(f"{counts[verb]} to {verb.lower()}" for verb in _VERBS if counts[verb])
    return f"{counted[:1].upper()}{counted[1:]}." if counted else "Nothing to change."


def _line(change: Change) -> str:
    name = f" ({_short(change.name)})" if change.name and _short(change.name) != change.resource else ""
    what = f"{_verb(change):<8} {_kind(change.kind)} {change.resource}{name}"
    return f"{what}: {', '.join(change.properties)}" if change.properties else what


def _verb(change: Change) -> str:
    if change.action == "Modify":
        return "Change" if change.replacement == "False" else "Replace"
    return {"Add": "Add", "Remove": "Remove"}.get(change.action, change.action)


def _losses(change: Change) -> list[str]:
    verb = _verb(change)
    if verb not in ("Replace", "Remove"):
        return []
    certain = "" if change.replacement != "Conditional" else "PERHAPS "
    loss = _LOSSES.get(change.kind)
    if change.kept:
        new = ", and the new one begins empty" if loss and verb == "Replace" else ""
        return [f"{certain}the old one is KEPT, no longer managed{new}"]
    return [f"{certain}LOST with it: {loss}"] if loss else []


def _kind(kind: str) -> str:
    return _KINDS.get(kind) or " ".join(kind.split("::")[1:])


def _short(name: str) -> str:
    """Return the end of an ARN, which is what the resource is called; other names as they are."""
    return name.rsplit(":", 1)[-1].rsplit("/", 1)[-1] if name.startswith("arn:") else name
