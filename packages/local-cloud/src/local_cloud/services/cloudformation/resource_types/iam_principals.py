"""AWS::IAM::User, AWS::IAM::Group, and what they have in common with roles: policies of their own and attached ones."""

from __future__ import annotations

from typing import Any, ClassVar

from local_cloud.services.cloudformation.resource_types.base import Target, document, tag_list
from local_cloud.services.cloudformation.resource_types.iam_policies import IamType


class Principal(IamType):
    kind: ClassVar[str]
    """The word in the API's names: role, user or group."""

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        attached = set(target.properties.get("ManagedPolicyArns", []))
        old_attached = set(before.get("ManagedPolicyArns", []))
        which = self.which(target)
        for arn in sorted(attached - old_attached):
            self.call(target, f"attach_{self.kind}_policy", PolicyArn=arn, **which)
        for arn in sorted(old_attached - attached):
            self._take_away(target, f"detach_{self.kind}_policy", PolicyArn=arn, **which)
        inline, old = _inline(target.properties), _inline(before)
        for name, policy in inline.items():
            if old.get(name) != policy:
                self.call(target, f"put_{self.kind}_policy", PolicyName=name, PolicyDocument=policy, **which)
        for name in old.keys() - inline.keys():
            self._take_away(target, f"delete_{self.kind}_policy", PolicyName=name, **which)

    def which(self, target: Target) -> dict[str, str]:
        return {f"{self.kind.capitalize()}Name": target.physical_id}

    def remove_policies(self, target: Target) -> None:
        """Take away the policies that the template gave it; others stand in the way of deleting it, as on AWS."""
        which = self.which(target)
        here = self.call(target, f"list_{self.kind}_policies", **which)["PolicyNames"]
        for name in _inline(target.properties).keys() & set(here):
            self.call(target, f"delete_{self.kind}_policy", PolicyName=name, **which)
        attached = self.call(target, f"list_attached_{self.kind}_policies", **which)["AttachedPolicies"]
        ours = set(target.properties.get("ManagedPolicyArns", []))
        for arn in ours & {policy["PolicyArn"] for policy in attached}:
            self.call(target, f"detach_{self.kind}_policy", PolicyArn=arn, **which)


class User(Principal):
    type = "AWS::IAM::User"
    kind = "user"
    name_property = "UserName"
    name_limit = 64

    def create(self, target: Target) -> str:
        names = ("Path", "PermissionsBoundary")
        given: dict[str, Any] = {name: target.properties[name] for name in names if name in target.properties}
        self.call(target, "create_user", given, UserName=target.name, Tags=tag_list(target.properties.get("Tags")))
        return target.name

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        super().configure(target, before)
        groups, old = set(target.properties.get("Groups", [])), set(before.get("Groups", []))
        for group in sorted(groups - old):
            self.call(target, "add_user_to_group", GroupName=group, UserName=target.physical_id)
        for group in sorted(old - groups):
            self._take_away(target, "remove_user_from_group", GroupName=group, UserName=target.physical_id)

    def update(self, target: Target, before: dict[str, Any]) -> None:
        user, given = target.physical_id, target.properties
        if given.get("Path", "/") != before.get("Path", "/"):
            self.call(target, "update_user", UserName=user, NewPath=given.get("Path", "/"))
        boundary = given.get("PermissionsBoundary")
        if boundary and boundary != before.get("PermissionsBoundary"):
            self.call(target, "put_user_permissions_boundary", UserName=user, PermissionsBoundary=boundary)
        elif before.get("PermissionsBoundary") and not boundary:
            self.call(target, "delete_user_permissions_boundary", UserName=user)
        self.retag(target, before, which=self.which(target), tag="tag_user", untag="untag_user")
        self.configure(target, before)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": self.call(target, "get_user", **self.which(target))["User"]["Arn"]}

    def delete(self, target: Target) -> None:
        self.remove_policies(target)
        for group in target.properties.get("Groups", []):
            self._take_away(target, "remove_user_from_group", GroupName=group, UserName=target.physical_id)
        self.call(target, "delete_user", **self.which(target))


class Group(Principal):
    type = "AWS::IAM::Group"
    kind = "group"
    name_property = "GroupName"
    name_limit = 128

    def create(self, target: Target) -> str:
        given = {"Path": target.properties["Path"]} if "Path" in target.properties else {}
        self.call(target, "create_group", GroupName=target.name, **given)
        return target.name

    def update(self, target: Target, before: dict[str, Any]) -> None:
        if target.properties.get("Path", "/") != before.get("Path", "/"):
            path = target.properties.get("Path", "/")
            self.call(target, "update_group", GroupName=target.physical_id, NewPath=path)
        self.configure(target, before)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": self.call(target, "get_group", **self.which(target))["Group"]["Arn"]}

    def delete(self, target: Target) -> None:
        self.remove_policies(target)
        self.call(target, "delete_group", **self.which(target))


def _inline(properties: dict[str, Any]) -> dict[str, str]:
    return {each["PolicyName"]: document(each["PolicyDocument"]) for each in properties.get("Policies", [])}
