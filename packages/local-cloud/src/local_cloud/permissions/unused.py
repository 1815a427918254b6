"""Actions that roles are granted, and resources that they are granted them on, and did not use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_cloud.permissions.callers import Caller, Callers
from local_cloud.permissions.documents import Statement
from local_cloud.permissions.patterns import matches
from local_cloud.permissions.usage import Usage


def unused(callers: Callers, usage: Usage) -> dict[str, list[dict[str, Any]]]:
    """What roles' Allow statements have that allowed nothing so far, as it is written there.

    `unused`: actions; `unused_resources`: patterns of Resource, of statements of which an action was used.
    """
    granted = usage.as_json()["granted"]
    actions, resources = [], []
    for owner, policy, statement in _statements(callers):
        place = {"owner": owner, "policy": policy, "statement": statement.index, "sid": statement.sid}
        used = [each for each in granted if place.items() <= each.items()]
        actions += [
            place | {"action": action}
            for action in statement.actions or ()
            if not any(matches(action, each["action"], {}, ignore_case=True) for each in used)
        ]
        fitted = {pattern for each in used for pattern in each["patterns"]}
        resources += [place | {"resource": one} for one in statement.resources or () if used and one not in fitted]
    return {"unused": actions, "unused_resources": resources}


def _statements(callers: Callers) -> Iterator[tuple[str, str, Statement]]:
    """Every Allow statement of every role, with the role's ARN and the policy's name."""
    for role in callers.all_roles():
        for policy in callers.policies(Caller("AssumedRole", role.arn, role.arn, callers.account_id, "")).identity:
            for statement in policy.document.statements:
                if not statement.denies:
                    yield role.arn, policy.name, statement
