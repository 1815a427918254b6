"""S3 as a role of the namespace may use it: every step of COPY and UNLOAD asks whether the role may do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_cloud.authorization import AccessDenied
from local_cloud.cloud import Cloud
from local_cloud.objects import ObjectInfo, Objects


@dataclass(frozen=True)
class RoleObjects:
    """`Objects` under one principal. A refusal is a PermissionError."""

    objects: Objects
    authorize: Callable[[str, str, str], None]
    principal: str

    def path(self, bucket: str, key: str) -> Path:
        self._ask("GetObject", f"{bucket}/{key}")
        return self.objects.path(bucket, key)

    def read(self, bucket: str, key: str) -> bytes:
        self._ask("GetObject", f"{bucket}/{key}")
        return self.objects.read(bucket, key)

    def list(self, bucket: str, prefix: str = "") -> list[ObjectInfo]:
        self._ask("ListBucket", bucket)
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

    def _ask(self, operation: str, resource: str) -> None:
        try:
            self.authorize(self.principal, f"s3:{operation}", f"arn:aws:s3:::{resource}")
        except AccessDenied as error:
            raise PermissionError(str(error)) from error


def objects_for(cloud: Cloud) -> Callable[[str], Objects]:
    """S3 by role. Access keys instead of a role ("") count as the account's root."""
    root = f"arn:aws:iam::{cloud.settings.account_id}:root"

    def as_role(role: str) -> Objects:
        # Of chained roles, the last one reaches S3.
        return RoleObjects(cloud.objects, cloud.authorize, role.rsplit(",", maxsplit=1)[-1].strip() or root)

    return as_role
