"""AWS::IAM::Role, Policy, RolePolicy, ManagedPolicy, OIDCProvider."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    document,
    tag_list,
)

#: Whom a policy can be given to: property → the word in the API's names.
HOLDERS = {"Roles": "role", "Users": "user", "Groups": "group"}


class _IamType(ResourceType):
    service = "iam"

    def _take_away(self, target: Target, operation: str, **arguments: Any) -> None:
        """Detach or delete what may be gone already: with its holder, or because an update never came to it."""
        try:
            self.call(target, operation, **arguments)
        except target.client("iam").exceptions.NoSuchEntityException:
            return


class Role(_IamType):
    type = "AWS::IAM::Role"
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

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        role = target.physical_id
        attached = set(target.properties.get("ManagedPolicyArns", []))
        for arn in sorted(attached - set(before.get("ManagedPolicyArns", []))):
            self.call(target, "attach_role_policy", RoleName=role, PolicyArn=arn)
        for arn in sorted(set(before.get("ManagedPolicyArns", [])) - attached):
            self._take_away(target, "detach_role_policy", RoleName=role, PolicyArn=arn)
        inline, old = _inline(target.properties), _inline(before)
        for name, policy in inline.items():
            if old.get(name) != policy:
                self.call(target, "put_role_policy", RoleName=role, PolicyName=name, PolicyDocument=policy)
        for name in old.keys() - inline.keys():
            self._take_away(target, "delete_role_policy", RoleName=role, PolicyName=name)

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
        role = target.physical_id
        here = self.call(target, "list_role_policies", RoleName=role)["PolicyNames"]
        for name in _inline(target.properties).keys() & set(here):
            self.call(target, "delete_role_policy", RoleName=role, PolicyName=name)
        attached = self.call(target, "list_attached_role_policies", RoleName=role)["AttachedPolicies"]
        ours = set(target.properties.get("ManagedPolicyArns", []))
        for arn in ours & {policy["PolicyArn"] for policy in attached}:
            self.call(target, "detach_role_policy", RoleName=role, PolicyArn=arn)
        self.call(target, "delete_role", RoleName=role)


class Policy(_IamType):
    """An inline policy, the same in each of its holders. Its name in AWS is PolicyName; Ref is a name of its own."""

    type = "AWS::IAM::Policy"

    def create(self, target: Target) -> str:
        return self.generate_name(stack_name=target.stack_name, logical_id=target.logical_id[:4])

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        name, policy = target.properties["PolicyName"], document(target.properties["PolicyDocument"])
        for kind, holder in _holders(target.properties):
            arguments = {f"{kind.capitalize()}Name": holder, "PolicyName": name, "PolicyDocument": policy}
            self.call(target, f"put_{kind}_policy", **arguments)
        kept = set(_holders(target.properties)) if before.get("PolicyName") == name else set()
        self._remove(target, [holder for holder in _holders(before) if holder not in kept], before.get("PolicyName"))

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Id": target.physical_id}

    def delete(self, target: Target) -> None:
        self._remove(target, _holders(target.properties), target.properties["PolicyName"])

    def _remove(self, target: Target, holders: list[tuple[str, str]], name: str | None) -> None:
        for kind, holder in holders:
            which = {f"{kind.capitalize()}Name": holder, "PolicyName": name}
            self._take_away(target, f"delete_{kind}_policy", **which)


class RolePolicy(_IamType):
    type = "AWS::IAM::RolePolicy"

    def expected_id(self, target: Target) -> str:
        return f"{target.properties['PolicyName']}|{target.properties['RoleName']}"

    def create(self, target: Target) -> str:
        return self.expected_id(target)

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        given = target.properties
        policy = document(given.get("PolicyDocument", {}))
        arguments = {"RoleName": given["RoleName"], "PolicyName": given["PolicyName"]}
        self.call(target, "put_role_policy", PolicyDocument=policy, **arguments)

    def delete(self, target: Target) -> None:
        name, role = target.physical_id.split("|", 1)
        self.call(target, "delete_role_policy", RoleName=role, PolicyName=name)


class ManagedPolicy(_IamType):
    type = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    name_limit = 128
    moving_attributes = frozenset({"AttachmentCount", "DefaultVersionId", "UpdateDate"})

    def expected_id(self, target: Target) -> str:
        return target.arn("iam", f"policy{target.properties.get('Path', '/')}{target.name}", region=False)

    def create(self, target: Target) -> str:
        given = {name: target.properties[name] for name in ("Path", "Description") if name in target.properties}
        policy = document(target.properties["PolicyDocument"])
        answer = self.call(target, "create_policy", PolicyName=target.name, PolicyDocument=policy, **given)
        return str(answer["Policy"]["Arn"])

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        new, old = _holders(target.properties), _holders(before)
        for kind, holder in new:
            if (kind, holder) not in old:
                which = {f"{kind.capitalize()}Name": holder, "PolicyArn": target.physical_id}
                self.call(target, f"attach_{kind}_policy", **which)
        self._detach(target, [each for each in old if each not in new])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        arn, policy = target.physical_id, document(target.properties["PolicyDocument"])
        if policy != document(before["PolicyDocument"]):
            versions = self._versions(target)
            if len(versions) >= 5:  # IAM keeps five; the oldest makes room
                self.call(target, "delete_policy_version", PolicyArn=arn, VersionId=versions[0])
            self.call(target, "create_policy_version", PolicyArn=arn, PolicyDocument=policy, SetAsDefault=True)
        self.configure(target, before)

    def attributes(self, target: Target) -> dict[str, Any]:
        policy = self.call(target, "get_policy", PolicyArn=target.physical_id)["Policy"]
        names = ("AttachmentCount", "DefaultVersionId", "IsAttachable", "PermissionsBoundaryUsageCount", "PolicyId")
        return {
            "PolicyArn": policy["Arn"],
            "CreateDate": policy["CreateDate"].isoformat(),
            "UpdateDate": policy["UpdateDate"].isoformat(),
            **{name: policy.get(name, 0) for name in names},
        }

    def delete(self, target: Target) -> None:
        self._detach(target, _holders(target.properties))
        for version in self._versions(target):
            self.call(target, "delete_policy_version", PolicyArn=target.physical_id, VersionId=version)
        self.call(target, "delete_policy", PolicyArn=target.physical_id)

    def _detach(self, target: Target, holders: list[tuple[str, str]]) -> None:
        for kind, holder in holders:
            which = {f"{kind.capitalize()}Name": holder, "PolicyArn": target.physical_id}
            self._take_away(target, f"detach_{kind}_policy", **which)

    def _versions(self, target: Target) -> list[str]:
        """The versions that are not the default, oldest first."""
        versions = self.call(target, "list_policy_versions", PolicyArn=target.physical_id)["Versions"]
        others = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
        return sorted(others, key=lambda version: int(version[1:]))


class OIDCProvider(_IamType):
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


def _inline(properties: dict[str, Any]) -> dict[str, str]:
    return {each["PolicyName"]: document(each["PolicyDocument"]) for each in properties.get("Policies", [])}


def _holders(properties: dict[str, Any]) -> list[tuple[str, str]]:
    return [(kind, holder) for name, kind in HOLDERS.items() for holder in properties.get(name, [])]


TYPES = (Role, Policy, RolePolicy, ManagedPolicy, OIDCProvider)
