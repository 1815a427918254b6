"""Who may become a role: its trust policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_actions-resources-contextkeys.html; for tokens,
id_roles_providers_create_oidc.html. A token's signature is not checked: on a laptop nobody has the provider's keys. Its
issuer, audience, subject and dates are.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

from local_cloud.permissions.documents import MalformedPolicy, parse
from local_cloud.permissions.errors import InvalidToken
from local_cloud.permissions.evaluation import (
    Decision,
    Policy,
    Principal,
    Question,
    decide_by_resource,
    delegates_to_identities,
)
from local_cloud.permissions.patterns import Context


@dataclass(frozen=True)
class Verdict:
    """What a role's trust says. `delegated`: it trusts the account, so the identity's own policies decide."""

    decision: Decision
    delegated: bool = False


#: Of a role that is not there.
NOBODY = Verdict(Decision("because no resource-based policy allows the sts:AssumeRole action"))


def verdict(role: Any, action: str, principal: Principal, context: Context) -> Verdict:
    """`role` is moto's."""
    question = Question(action, role.arn, context)
    try:
        policy = Policy(role.arn, "trust", parse(role.assume_role_policy_document))
    except MalformedPolicy:
        return Verdict(Decision("because the role's trust policy cannot be read"))
    decision = decide_by_resource(question, principal, policy)
    denied = decision.statement is not None and decision.statement.denies
    return Verdict(
        decision, not decision.allowed and not denied and delegates_to_identities(policy, question, principal)
    )


@dataclass(frozen=True)
class Token:
    """A web identity: the provider's host (and path), and what the token claims."""

    host: str
    claims: dict[str, Any]

    @property
    def audience(self) -> str:
        found = self.claims.get("azp") or self.claims.get("aud", "")
        return str(found[0] if isinstance(found, list) and found else found)

    @property
    def context(self) -> dict[str, tuple[str, ...]]:
        """`token.actions.githubusercontent.com:sub` and the like."""
        keys = {f"{self.host}:{name}".lower(): _texts(value) for name, value in self.claims.items()}
        return keys | {f"{self.host}:aud".lower(): (self.audience,)}


def read_token(text: str) -> Token:
    """A JSON web token. Raises InvalidToken in STS's words."""
    parts = text.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        issuer = str(claims["iss"])
    except (IndexError, ValueError, KeyError, TypeError):
        raise InvalidToken("InvalidIdentityToken", "The ID Token provided is not a valid JWT.") from None
    if float(claims.get("exp", time.time() + 1)) < time.time():
        raise InvalidToken("ExpiredTokenException", "Token expired: the `exp` claim is in the past")
    return Token(issuer.partition("://")[2] or issuer, claims)


def check_provider(token: Token, provider: Any) -> None:
    """Whether the account has the token's provider, for its audience. `provider` is moto's, or None."""
    if provider is None:
        raise InvalidToken(
            "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for https://{token.host}"
        )
    if token.audience not in provider.client_id_list:
        raise InvalidToken("InvalidIdentityToken", "Incorrect token audience")


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else (str(value),)
