"""What permissions ask of Redshift, answered: see `permissions.warehouses`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.services.redshift.data_api.service import DataApi
from local_cloud.services.redshift.data_api.sessions import Sessions
from local_cloud.services.redshift.serverless.control_plane import ControlPlane


@dataclass(frozen=True)
class KnownWarehouses:
    """Workgroups and namespaces of the control plane, statements and sessions of the Data API."""

    plane: ControlPlane
    api: DataApi
    sessions: Sessions

    def workgroup_arn(self, name: str) -> str:
        session = next((each for each in self.sessions.all() if each.id == name), None)
        found = self.plane.workgroup_of(session.workgroup if session else name)
        return str(found["workgroupArn"]) if found else ""

    def namespace(self, name: str) -> Mapping[str, Any]:
        return self.plane.namespaces.get(name) or {}

    def statement_owner(self, identifier: str) -> str:
        return self.api.owner_of(identifier)

    def tags(self, arn: str) -> Mapping[str, str]:
        return self.plane.tags.get(arn, {})
