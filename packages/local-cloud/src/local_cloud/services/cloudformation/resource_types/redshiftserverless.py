"""AWS::RedshiftServerless::Namespace, AWS::RedshiftServerless::Workgroup."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    is_absent,
    lower_tag_list,
    wait_for,
    without,
)
from local_cloud.services.cloudformation.schema import schema_of

UPDATED_TOGETHER = (
    ("AdminUsername", "AdminUserPassword", "ManageAdminPassword", "AdminPasswordSecretKmsKeyId"),
    ("IamRoles", "DefaultIamRoleArn"),
    ("KmsKeyId",),
    ("LogExports",),
)
ON_DELETION = ("FinalSnapshotName", "FinalSnapshotRetentionPeriod")


class _Serverless(ResourceType):
    """A namespace or a workgroup: both become available, and vanish, in their own time."""

    service = "redshift-serverless"
    kind: str

    def expected_id(self, target: Target) -> str:
        return str(target.properties[self.name_property])

    def describe(self, target: Target) -> dict[str, Any]:
        which = {f"{self.kind}Name": target.physical_id}
        return dict(self.call(target, f"get_{self.kind}", **which)[self.kind])

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        what = f"{self.kind} {target.physical_id}"
        wait_for(lambda: bool(self.describe(target)["status"] == "AVAILABLE"), what)

    def update(self, target: Target, before: dict[str, Any]) -> None:
        given = target.properties
        arn = self.describe(target)[f"{self.kind}Arn"]
        self.retag(target, before, which={"resourceArn": arn}, tags="tags", keys="tagKeys", form=lower_tag_list)
        # One setting a call: the API refuses updates of more than one thing at a time.
        for group in self.groups(given, before):
            which = {f"{self.kind}Name": target.physical_id}
            self.call(target, f"update_{self.kind}", group, **which)
            self.configure(target, before)

    def groups(self, given: dict[str, Any], before: dict[str, Any]) -> list[dict[str, Any]]:
        """What to change, in the portions the API takes."""
        apart = ("Tags", self.name_property, *ON_DELETION)
        return [{name: value} for name, value in without(given, *apart).items() if value != before.get(name)]

    def attributes(self, target: Target) -> dict[str, Any]:
        schema = schema_of(self.type)
        found = _flat(self.describe(target), f"{self.kind.capitalize()}.")
        return {name: value for name, value in found.items() if schema and name in schema.attributes}

    def delete(self, target: Target) -> None:
        names = [name for name in ON_DELETION if name in target.properties]
        which = {f"{self.kind}Name": target.physical_id}
        self.call(target, f"delete_{self.kind}", {name: target.properties[name] for name in names}, **which)

        def gone() -> bool:
            try:
                self.describe(target)
            except ClientError as error:
                if is_absent(error):
                    return True
                raise
            return False

        wait_for(gone, f"Deleting {self.kind} {target.physical_id}")


class Namespace(_Serverless):
    type = "AWS::RedshiftServerless::Namespace"
    kind = "namespace"
    name_property = "NamespaceName"
    moving_attributes = frozenset(
        f"Namespace.{name}"
        for name in ("AdminPasswordSecretArn", "AdminUsername", "DefaultIamRoleArn", "IamRoles", "LogExports")
    )

    def create(self, target: Target) -> str:
        given = without(target.properties, "Tags", *ON_DELETION)
        tags = lower_tag_list(target.properties.get("Tags"))
        self.call(target, "create_namespace", given, tags=tags)
        return self.expected_id(target)

    def groups(self, given: dict[str, Any], before: dict[str, Any]) -> list[dict[str, Any]]:
        changed = {name for each in super().groups(given, before) for name in each}
        return [
            {name: given[name] for name in together if name in given}
            for together in UPDATED_TOGETHER
            if changed & set(together)
        ]


class Workgroup(_Serverless):
    type = "AWS::RedshiftServerless::Workgroup"
    kind = "workgroup"
    name_property = "WorkgroupName"
    moving_attributes = frozenset(
        f"Workgroup.{name}"
        for name in ("BaseCapacity", "Endpoint.Port", "EnhancedVpcRouting", "MaxCapacity", "PubliclyAccessible")
    )

    def create(self, target: Target) -> str:
        tags = lower_tag_list(target.properties.get("Tags"))
        self.call(target, "create_workgroup", without(target.properties, "Tags"), tags=tags)
        return self.expected_id(target)


def _flat(value: dict[str, Any], prefix: str) -> dict[str, Any]:
    """`{"endpoint": {"address": …}}` as `{"Workgroup.Endpoint.Address": …}`; times as text."""
    result: dict[str, Any] = {}
    for name, item in value.items():
        key = f"{prefix}{name[0].upper()}{name[1:]}"
        if isinstance(item, dict):
            result |= _flat(item, f"{key}.")
        elif isinstance(item, list):
            result[key] = [str(each) for each in item if not isinstance(each, dict)]
        else:
            result[key] = item.isoformat() if hasattr(item, "isoformat") else item
    return result


TYPES = (Namespace, Workgroup)
