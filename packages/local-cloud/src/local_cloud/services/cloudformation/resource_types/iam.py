"""AWS::IAM::Role, AWS::IAM::OIDCProvider; users, groups and policies are in modules of their own."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.resource_types.base import Target, document, tag_list
from local_cloud.services.cloudformation.resource_types.iam_policies import (
    IamType,
    ManagedPolicy,
    Policy,
    RolePolicy,
)
from local_cloud.services.cloudformation.resource_types.iam_principals import Group, Principal, User


class Role(Principal):
    type = "AWS::IAM::Role"
    kind = "role"
    name_property = "RoleName"
    name_limit = 64

    def create(self, target: Target) -> str:
        given = target.properties
        names = ("Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
        arguments: dict[str, Any] = {name: given[name] for name in names if name in given}
        self.call(
            target,
            "create_role",
            RoleName=target.name,
            AssumeRolePolicyDocument=document(given["AssumeRolePolicyDocument"]),
            Tags=tag_list(given.get("Tags")),
            **arguments,
        )
        return target.name

    def update(self, target: Target, before: dict[str, Any]) -> None:
        role, given = target.physical_id, target.properties
        trust = document(given["AssumeRolePolicyDocument"])
        if trust != document(before["AssumeRolePolicyDocument"]):
            self.call(target, "update_assume_role_policy", RoleName=role, PolicyDocument=trust)
        if any(given.get(name) != before.get(name) for name in ("Description", "MaxSessionDuration")):
            self.call(
                target,
                "update_role",
                RoleName=role,
                Description=given.get("Description", ""),
                MaxSessionDuration=given.get("MaxSessionDuration", 3600),
            )
        boundary = given.get("PermissionsBoundary")
        if boundary and boundary != before.get("PermissionsBoundary"):
            self.call(target, "put_role_permissions_boundary", RoleName=role, PermissionsBoundary=boundary)
        elif not boundary and before.get("PermissionsBoundary"):
            self.call(target, "delete_role_permissions_boundary", RoleName=role)
        self.retag(target, before, which={"RoleName": role}, tag="tag_role", untag="untag_role")
        self.configure(target, before)

    def attributes(self, target: Target) -> dict[str, Any]:
        role = self.call(target, "get_role", RoleName=target.physical_id)["Role"]
        return {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def delete(self, target: Target) -> None:
        self.remove_policies(target)
        self.call(target, "delete_role", RoleName=target.physical_id)


class OIDCProvider(IamType):
    type = "AWS::IAM::OIDCProvider"

    def expected_id(self, target: Target) -> str:
        url = target.properties.get("Url", "").removeprefix("https://")
        return target.arn("iam", f"oidc-provider/{url}", region=False)

    def create(self, target: Target) -> str:
        given = target.properties
        answer = self.call(
            target,
            "create_open_id_connect_provider",
            Url=given.get("Url", ""),
            ClientIDList=given.get("ClientIdList", []),
            ThumbprintList=given.get("ThumbprintList", []),
            Tags=tag_list(given.get("Tags")),
        )
        return str(answer["OpenIDConnectProviderArn"])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        which = {"OpenIDConnectProviderArn": target.physical_id}
        new, old = set(target.properties.get("ClientIdList", [])), set(before.get("ClientIdList", []))
        for client in sorted(new - old):
            self.call(target, "add_client_id_to_open_id_connect_provider", ClientID=client, **which)
        for client in sorted(old - new):
            self.call(target, "remove_client_id_from_open_id_connect_provider", ClientID=client, **which)
        thumbprints = target.properties.get("ThumbprintList", [])
        if thumbprints != before.get("ThumbprintList", []):
            self.call(target, "update_open_id_connect_provider_thumbprint", ThumbprintList=thumbprints, **which)
        tag, untag = "tag_open_id_connect_provider", "untag_open_id_connect_provider"
        self.retag(target, before, which=which, tag=tag, untag=untag)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": target.physical_id}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_open_id_connect_provider", OpenIDConnectProviderArn=target.physical_id)


TYPES = (Role, User, Group, Policy, RolePolicy, ManagedPolicy, OIDCProvider)
