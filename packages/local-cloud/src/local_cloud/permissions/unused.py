"""Actions that roles are granted and did not use."""

from __future__ import annotations

from typing import Any

from local_cloud.permissions.callers import Caller, Callers
from local_cloud.permissions.patterns import matches
from local_cloud.permissions.usage import Usage


def unused(callers: Callers, usage: Usage) -> list[dict[str, Any]]:
    """Of every role, the actions in Allow statements, as they are written, that allowed nothing so far."""
    used = {(each["owner"], each["policy"], each["statement"], each["action"]) for each in usage.as_json()["granted"]}
    found = []
    for role in callers.all_roles():
        for policy in callers.policies(Caller("AssumedRole", role.arn, role.arn, callers.account_id, "")).identity:
            for statement in policy.document.statements:
                for action in () if statement.denies else statement.actions or ():
                    place = (role.arn, policy.name, statement.index)
                    if not any(key[:3] == place and matches(action, key[3], {}, ignore_case=True) for key in used):
                        found.append(
                            {
                                "owner": role.arn,
                                "policy": policy.name,
                                "statement": statement.index,
                                "sid": statement.sid,
                                "action": action,
                            }
                        )
    return found
