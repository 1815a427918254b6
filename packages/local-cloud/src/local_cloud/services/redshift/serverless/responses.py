"""The HTTP side of redshift-serverless."""

from __future__ import annotations

import datetime
import secrets
from typing import Any, ClassVar

from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from local_cloud.services.redshift.identity import database_user
from local_cloud.services.redshift.serverless.control_plane import ControlPlane, Record, page
from local_cloud.services.redshift.serverless.errors import Invalid


def _shown(namespace: Record) -> Record:
    """A namespace as the API shows it: roles come back in a notation of their own."""
    roles = [f"IamRole(applyStatus=in-sync, iamRoleArn={arn})" for arn in namespace["iamRoles"]]
    return {**namespace, "iamRoles": roles}


class ServerlessResponse(BaseResponse):  # type: ignore[misc]
    """One method an operation. moto's dispatcher calls them by name."""

    plane: ClassVar[ControlPlane]

    def __init__(self) -> None:
        super().__init__(service_name="redshift-serverless")
        self.automated_parameter_parsing = True

    @property
    def given(self) -> Record:
        return dict(self.params)

    def _page(self, items: list[Record], key: str) -> ActionResult:
        shown, token = page(items, self.given.get("nextToken"), self.given.get("maxResults"))
        return ActionResult({key: shown, "nextToken": token})

    def create_namespace(self) -> ActionResult:
        return ActionResult({"namespace": _shown(self.plane.create_namespace(self.given))})

    def get_namespace(self) -> ActionResult:
        return ActionResult({"namespace": _shown(self.plane.get_namespace(self.given["namespaceName"]))})

    def update_namespace(self) -> ActionResult:
        return ActionResult({"namespace": _shown(self.plane.update_namespace(self.given))})

    def delete_namespace(self) -> ActionResult:
        return ActionResult({"namespace": _shown(self.plane.delete_namespace(self.given["namespaceName"]))})

    def list_namespaces(self) -> ActionResult:
        return self._page([_shown(record) for record in self.plane.namespaces.values()], "namespaces")

    def create_workgroup(self) -> ActionResult:
        return ActionResult({"workgroup": self.plane.create_workgroup(self.given)})

    def get_workgroup(self) -> ActionResult:
        return ActionResult({"workgroup": self.plane.get_workgroup(self.given["workgroupName"])})

    def update_workgroup(self) -> ActionResult:
        return ActionResult({"workgroup": self.plane.update_workgroup(self.given)})

    def delete_workgroup(self) -> ActionResult:
        return ActionResult({"workgroup": self.plane.delete_workgroup(self.given["workgroupName"])})

    def list_workgroups(self) -> ActionResult:
        return self._page(list(self.plane.workgroups.values()), "workgroups")

    def create_usage_limit(self) -> ActionResult:
        return ActionResult({"usageLimit": self.plane.create_usage_limit(self.given)})

    def get_usage_limit(self) -> ActionResult:
        return ActionResult({"usageLimit": self.plane.get_usage_limit(self.given["usageLimitId"])})

    def update_usage_limit(self) -> ActionResult:
        return ActionResult({"usageLimit": self.plane.update_usage_limit(self.given)})

    def delete_usage_limit(self) -> ActionResult:
        return ActionResult({"usageLimit": self.plane.delete_usage_limit(self.given["usageLimitId"])})

    def list_usage_limits(self) -> ActionResult:
        wanted = {key: self.given[key] for key in ("resourceArn", "usageType") if self.given.get(key)}
        limits = [r for r in self.plane.limits.values() if all(r[key] == value for key, value in wanted.items())]
        return self._page(limits, "usageLimits")

    def list_tags_for_resource(self) -> ActionResult:
        return ActionResult({"tags": self.plane.tags_of(self.given["resourceArn"])})

    def tag_resource(self) -> ActionResult:
        self.plane.tag(self.given["resourceArn"], self.given["tags"])
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        self.plane.untag(self.given["resourceArn"], self.given["tagKeys"])
        return EmptyResult()

    def get_credentials(self) -> ActionResult:
        """A user name and a password that nobody else knows; both end with `expiration`."""
        name = self.given.get("workgroupName")
        if not name:
            raise Invalid("Either workgroupName or customDomainName must be given.")
        self.plane.get_workgroup(name)
        seconds = self.given.get("durationSeconds") or 900
        if not 900 <= seconds <= 3600:
            raise Invalid("durationSeconds must be between 900 and 3600.")
        expiration = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        answer: dict[str, Any] = {
            "dbUser": database_user(self.headers.get("Authorization", ""), self.plane.account_id),
            "dbPassword": secrets.token_urlsafe(48),
            "expiration": expiration,
            "nextRefreshTime": expiration,
        }
        return ActionResult(answer)
