"""S3 as a role of the namespace may use it: every step of COPY and UNLOAD asks whether the role may do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_cloud.cloud import Cloud
from local_cloud.objects import ObjectInfo, Objects
from local_cloud.permissions.errors import AccessDenied, CannotAssume


@dataclass(frozen=True)
class RoleObjects:
    """`Objects` under one principal. A refusal is a PermissionError."""

    objects: Objects
    authorize: Callable[..., None]
    principal: str

    def path(self, bucket: str, key: str) -> Path:
        self._ask("GetObject", f"{bucket}/{key}")
        return self.objects.path(bucket, key)

    def read(self, bucket: str, key: str) -> bytes:
        self._ask("GetObject", f"{bucket}/{key}")
        return self.objects.read(bucket, key)

    def list(self, bucket: str, prefix: str = "") -> list[ObjectInfo]:
        self._ask("ListBucket", bucket, s3__prefix=prefix)
        return self.objects.list(bucket, prefix)

    def put(self, bucket: str, key: str, body: bytes, *, content_type: str = "") -> None:
        self._ask("PutObject", f"{bucket}/{key}")
        self.objects.put(bucket, key, body, content_type=content_type)

    def put_file(self, bucket: str, key: str, file: Path, *, content_type: str = "") -> None:
        self._ask("PutObject", f"{bucket}/{key}")
        self.objects.put_file(bucket, key, file, content_type=content_type)

    def delete(self, bucket: str, key: str) -> None:
        self._ask("DeleteObject", f"{bucket}/{key}")
        self.objects.delete(bucket, key)

    def _ask(self, operation: str, resource: str, **keys: str) -> None:
        try:
            self.authorize(self.principal, f"s3:{operation}", f"arn:aws:s3:::{resource}", **keys)
        except AccessDenied as error:
            raise PermissionError(str(error)) from error


#: The name of the sessions in which Redshift acts as a role.
SESSION = "RedshiftIamRoleSession"

#: Who becomes a namespace's role: either principal will do.
#: https://docs.aws.amazon.com/redshift/latest/mgmt/authorizing-redshift-service.html
SERVICES = ("redshift.amazonaws.com", "redshift-serverless.amazonaws.com")


def objects_for(cloud: Cloud) -> Callable[[str], Objects]:
    """S3 by role. Access keys instead of a role ("") count as the account's root."""
    root = f"arn:aws:iam::{cloud.settings.account_id}:root"

    def authorize(role: str, action: str, resource: str, **keys: str) -> None:
        cloud.permissions.check_role(role, action, resource, session_name=SESSION, **keys)

    def as_role(role: str) -> Objects:
        return RoleObjects(cloud.objects, authorize, acting(role) or root)

    return as_role


def assumable(cloud: Cloud) -> Callable[[str, str], bool]:
    """Whether Redshift may become a role for a database user, by the role's trust.

    The user's ARN is the external id. Chained roles, with commas between them: each has to trust the one before.
    https://docs.aws.amazon.com/redshift/latest/mgmt/authorizing-redshift-service-database-users.html
    """

    def may(role: str, user_arn: str) -> bool:
        first, *others = (each.strip() for each in role.split(","))
        try:
            for before, each in zip([first, *others], others, strict=False):
                cloud.permissions.check_trust(each, before)
        except CannotAssume:
            return False
        return bool(service_for(cloud, first, user_arn))

    return may


def service_for(cloud: Cloud, role: str, user_arn: str) -> str:
    """As which principal Redshift becomes a role for a database user; "" where the role trusts neither."""
    return next((service for service in SERVICES if _trusts(cloud, role, service, user_arn)), "")


def acting(role: str) -> str:
    """Of chained roles, the one that reaches S3 and the catalog: the last."""
    return role.rsplit(",", maxsplit=1)[-1].strip()


def _trusts(cloud: Cloud, role: str, service: str, user_arn: str) -> bool:
    try:
        cloud.permissions.check_trust(role, service, sts__externalid=user_arn)
    except CannotAssume:
        return False
    return True
