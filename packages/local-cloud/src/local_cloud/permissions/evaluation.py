"""One action on one resource, and what policies say to it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html, within one account. The
words of a refusal: reference_policies/troubleshoot_access-denied.html, "access denied error message examples".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from local_cloud.permissions.documents import Document, Principals, Statement
from local_cloud.permissions.patterns import Context, matches


@dataclass(frozen=True)
class Principal:
    """Who asks, in all the ways a policy of a resource may name them.

    `kind` is AWS, Service or Federated; `names` are ARNs or names, the most exact first. An AWS principal is also
    named by its account, `account_names`: that only denies, or hands the decision to the identity's own policies.
    """

    kind: str
    names: tuple[str, ...]
    account_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """A document and where it comes from. `owner` is the ARN of the role or user, or of the resource."""

    owner: str
    name: str
    document: Document


@dataclass(frozen=True)
class Policies:
    """All that count for one request. None is a kind that is not there; () an identity without policies."""

    identity: tuple[Policy, ...]
    resource: Policy | None = None
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None


@dataclass(frozen=True)
class Question:
    """`resource` is None where it is not known which one: every statement's Resource fits."""

    action: str
    resource: str | None
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """`policy` and `statement` are what allowed or denied it; `refusal` ends AWS's message, "" is a yes."""

    refusal: str
    policy: Policy | None = None
    statement: Statement | None = None

    @property
    def allowed(self) -> bool:
        return not self.refusal


_DENIED = "with an explicit deny in {}"
_MISSING = "because no {} allows the {} action"

IDENTITY = "identity-based policy"
RESOURCE = "resource-based policy"
BOUNDARY = "permissions boundary"
SESSION = "session policy"


def decide(question: Question, principal: Principal, policies: Policies) -> Decision:
    """Whether the principal may. An explicit deny anywhere wins; then somebody has to allow it.

    A resource's policy that names the principal allows by itself; the identity's own policies do within the limits
    of its boundary and its session.
    """
    boundary = None if policies.boundary is None else (policies.boundary,)
    sides = (
        (policies.identity, f"an {IDENTITY}"),
        (boundary or (), f"a {BOUNDARY}"),
        (policies.session or (), f"a {SESSION}"),
    )
    for side, words in sides:
        if found := _first(side, question, denies=True):
            return Decision(_DENIED.format(words), *found)
    if policies.resource and (found := _of_resource(policies.resource, question, principal, denies=True)):
        return Decision(_DENIED.format(f"a {RESOURCE}"), *found)
    limits = ((boundary, BOUNDARY), (policies.session, SESSION))
    lacking = next((words for side, words in limits if side is not None and not _first(side, question)), "")
    granted = policies.resource and _of_resource(policies.resource, question, principal, denies=False)
    # Boundary and session policies limit what a role is granted, not a session or user that is named itself.
    if granted and (not lacking or principal.names[0] in _named(granted[1], principal.kind)):
        return Decision("", *granted)
    found = _first(policies.identity, question)
    if found is None:
        return Decision(_MISSING.format(IDENTITY, question.action))
    if lacking:
        return Decision(_MISSING.format(lacking, question.action))
    return Decision("", *found)


def decide_by_resource(question: Question, principal: Principal, policy: Policy) -> Decision:
    """As `decide`, where nothing but the resource's own policy counts: a role's trust, and the anonymous."""
    if found := _of_resource(policy, question, principal, denies=True):
        return Decision(_DENIED.format(f"a {RESOURCE}"), *found)
    if found := _of_resource(policy, question, principal, denies=False):
        return Decision("", *found)
    return Decision(_MISSING.format(RESOURCE, question.action))


def delegates_to_identities(policy: Policy, question: Question, principal: Principal) -> bool:
    """Whether a resource's policy allows the account, so that the identity's own policies decide (KMS, trust)."""
    return any(
        not statement.denies
        and statement.principals is not None
        and any(name in principal.account_names for name in statement.principals.of("AWS"))
        and _applies(statement, question)
        for statement in policy.document.statements
    )


def _first(policies: Iterable[Policy], question: Question, *, denies: bool = False) -> tuple[Policy, Statement] | None:
    for policy in policies:
        for statement in policy.document.statements:
            if statement.denies == denies and _applies(statement, question):
                return policy, statement
    return None


def _of_resource(
    policy: Policy, question: Question, principal: Principal, *, denies: bool
) -> tuple[Policy, Statement] | None:
    for statement in policy.document.statements:
        if statement.denies == denies and _is_about(statement, principal) and _applies(statement, question):
            return policy, statement
    return None


def _applies(statement: Statement, question: Question) -> bool:
    return (
        _covers(statement.actions, statement.not_actions, question.action, question.context, ignore_case=True)
        and (
            question.resource is None
            or _covers(statement.resources, statement.not_resources, question.resource, question.context)
        )
        and all(condition.holds(question.context) for condition in statement.conditions)
    )


def _covers(
    wanted: tuple[str, ...] | None,
    unwanted: tuple[str, ...] | None,
    value: str,
    context: Context,
    *,
    ignore_case: bool = False,
) -> bool:
    """A trust policy has neither Resource nor NotResource: it is about its role."""
    if wanted is not None:
        return any(matches(each, value, context, ignore_case=ignore_case) for each in wanted)
    return not any(matches(each, value, context, ignore_case=ignore_case) for each in unwanted or ())


def _is_about(statement: Statement, principal: Principal) -> bool:
    if statement.principals is not None:
        return _names(statement.principals, principal, denies=statement.denies)
    if statement.not_principals is not None:
        return not _names(statement.not_principals, principal, denies=True)
    return False


def _names(principals: Principals, principal: Principal, *, denies: bool) -> bool:
    named = principals.of(principal.kind)
    if "*" in named or (principal.kind != "AWS" and "*" in principals.of("AWS")):
        return True
    known = principal.names + (principal.account_names if denies else ())
    return any(name in known for name in named)


def _named(statement: Statement, kind: str) -> tuple[str, ...]:
    return statement.principals.of(kind) if statement.principals else ()
