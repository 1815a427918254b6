"""The one place where "may this principal do that?" is asked.

Every API request passes here before it is served, and so does every action that a service takes inside the
process on behalf of a role (`Cloud.authorize`). Today the answer is always yes: policies are stored and given
back, not enforced. Whoever enforces them puts another `Authorizer` into `Cloud.authorizer`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: Access key of the cloud's own calls to itself (CloudFormation acting without a role, the scheduler's ticker).
SYSTEM_ACCESS_KEY = "LOCALCLOUDSYSTEM"


class AccessDenied(Exception):
    """A refusal. It goes out as the service's own AccessDenied; the message names who may not do what."""


class Access(Protocol):
    """One thing somebody wants to do. Worked out only when an authorizer looks."""

    @property
    def principal(self) -> str:
        """Whose policies count: the ARN of a role, a user, the account's root, or "system"."""

    @property
    def action(self) -> str:
        """`service:Operation`. S3's object operations carry IAM's names, the others the API's."""

    @property
    def resource(self) -> str:
        """An ARN where the request's path names it (S3), else "*"."""


@dataclass(frozen=True)
class InProcessAccess:
    """An action that needs no HTTP request: reading a job's script, writing an UNLOAD's files."""

    principal: str
    action: str
    resource: str


class Authorizer(Protocol):
    def check(self, access: Access) -> None:
        """Return to allow; raise AccessDenied to refuse."""


class AllowAll:
    """No enforcement."""

    def check(self, access: Access) -> None:
        return None


def principal_of(access_key: str, account_id: str) -> str:
    """Who signs with this key: a role by its temporary keys, a user by theirs, else the account's root."""
    if access_key == SYSTEM_ACCESS_KEY:
        return "system"
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    role = sts_backends[account_id]["aws"].get_assumed_role_from_access_key(access_key)
    if role:
        return str(role.role_arn)
    for user in iam_backends[account_id]["aws"].users.values():
        if any(key.access_key_id == access_key for key in user.access_keys):
            return str(user.arn)
    return f"arn:aws:iam::{account_id}:root"
