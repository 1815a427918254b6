"""A request as IAM sees it, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Condition keys by lower-case name.
Keys = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Need:
    """One action on one resource. `resource` is None where it is not known which one: any will do."""

    action: str
    resource: str | None
    keys: Keys = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """An API operation with its parameters, as the API's model names them. `service` is IAM's prefix."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str
    account_id: str


def pass_role(role: str, service: str, call: Call) -> Need:
    """A role, by name or ARN, is handed to a service.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    arn = role if role.startswith("arn:") else f"arn:aws:iam::{call.account_id}:role/{role}"
    return Need("iam:PassRole", arn, {"iam:passedtoservice": (service,)})
