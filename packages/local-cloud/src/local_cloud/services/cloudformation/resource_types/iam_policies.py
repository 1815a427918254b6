"""AWS::IAM::Policy, AWS::IAM::RolePolicy, AWS::IAM::ManagedPolicy."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.resource_types.base import ResourceType, Target, document

#: Whom a policy can be given to: property → the word in the API's names.
HOLDERS = {"Roles": "role", "Users": "user", "Groups": "group"}


class IamType(ResourceType):
    service = "iam"

    def _take_away(self, target: Target, operation: str, **arguments: Any) -> None:
        """Detach or delete what may be gone already: with its holder, or because an update never came to it."""
        try:
            self.call(target, operation, **arguments)
        except target.client("iam").exceptions.NoSuchEntityException:
            return


class Policy(IamType):
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


class RolePolicy(IamType):
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


class ManagedPolicy(IamType):
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


def _holders(properties: dict[str, Any]) -> list[tuple[str, str]]:
    return [(kind, holder) for name, kind in HOLDERS.items() for holder in properties.get(name, [])]
