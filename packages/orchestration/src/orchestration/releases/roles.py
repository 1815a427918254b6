"""An IAM role's policies, read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def read(iam: Any, name: str) -> dict[str, Any]:
    """Who may take the role, its own policies by name, and the ARNs of those attached to it."""
    names = _listed(iam, "list_role_policies", "PolicyNames", name)
    attached = _listed(iam, "list_attached_role_policies", "AttachedPolicies", name)
    return {
        "AssumeRolePolicyDocument": iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"],
        "Policies": {one: iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in names},
        "AttachedPolicies": sorted(one["PolicyArn"] for one in attached),
    }


def write(iam: Any, name: str, wanted: Mapping[str, Any]) -> None:
    """Make the role what `wanted`, from `read`, says, but for a policy to be attached: the stack's roles have none."""
    found = read(iam, name)
    if found["AssumeRolePolicyDocument"] != wanted["AssumeRolePolicyDocument"]:
        trust = json.dumps(wanted["AssumeRolePolicyDocument"])
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    for policy, document in wanted["Policies"].items():
        if found["Policies"].get(policy) != document:
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    for policy in found["Policies"].keys() - wanted["Policies"].keys():
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for arn in set(found["AttachedPolicies"]) - set(wanted["AttachedPolicies"]):
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)


def _listed(iam: Any, operation: str, key: str, name: str) -> list[Any]:
    pages = iam.get_paginator(operation).paginate(RoleName=name)
    return [one for page in pages for one in page[key]]
