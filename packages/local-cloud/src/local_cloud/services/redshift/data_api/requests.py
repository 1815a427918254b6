"""What a request may ask for: its target, its credentials, its limits.

The messages are AWS's where they are known (noted at each); the others say the same in our words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_cloud.services.redshift.data_api.errors import Invalid, NotFound
from local_cloud.services.redshift.serverless.control_plane import ControlPlane

#: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations
MAX_SQL = 100 << 10
MAX_BATCH = 40
MAX_ACTIVE = 500

_ID = re.compile(r"[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d+)?")


@dataclass(frozen=True)
class Target:
    """Where statements of a request run, and as whom. `login` is false when the secret's password is wrong."""

    namespace: str
    workgroup: str
    database: str
    user: str
    secret_arn: str = ""
    login: bool = True


class Targets:
    """Finds the target of a request. `secrets()` is a Secrets Manager client."""

    def __init__(self, plane: ControlPlane, secrets: Callable[[], Any]) -> None:
        self._plane = plane
        self._secrets = secrets

    def of(self, given: dict[str, Any], user: str, *, database: str = "Database") -> Target:
        """`user` is the database user of the caller's IAM identity."""
        cluster, workgroup = given.get("ClusterIdentifier"), given.get("WorkgroupName")
        if cluster and workgroup:
            raise Invalid("ClusterIdentifier and WorkgroupName can't be provided together.")
        if not cluster and not workgroup:
            # As AWS words it, see the tests of ballerina-platform/module-ballerinax-aws.redshiftdata.
            raise Invalid("Either ClusterIdentifier, WorkgroupName or SessionId must be provided.")
        found = self._plane.workgroup_of(workgroup) if workgroup else None
        if found is None or found["status"] != "AVAILABLE":
            # As AWS words it, same place. There are no provisioned clusters here.
            raise Invalid("Redshift endpoint doesn't exist in this region.")
        if not given.get(database):
            raise Invalid(f"{database} must be provided.")
        if given.get("DbUser"):
            raise Invalid(
                "DbUser can't be provided with WorkgroupName: the database user is derived from the IAM identity."
            )
        login = True
        secret = given.get("SecretArn") or ""
        if secret:
            user, password = self._secret(secret)
            login = self._plane.check_login(found["namespaceName"], user, password)
        return Target(found["namespaceName"], found["workgroupName"], given[database], user, secret, login)

    def _secret(self, arn: str) -> tuple[str, str]:
        try:
            text = self._secrets().get_secret_value(SecretId=arn)["SecretString"]
        except Exception as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            if code == "ResourceNotFoundException":
                raise NotFound("Secrets Manager can't find the specified secret.", arn) from None
            raise
        try:
            fields = json.loads(text)
            return str(fields["username"]), str(fields["password"])
        except (ValueError, KeyError, TypeError):
            raise Invalid("The specified secret does not contain a username and a password.") from None


def check_sql(texts: list[str]) -> None:
    if not texts:
        raise Invalid("Sqls must have at least 1 item.")
    if len(texts) > MAX_BATCH:
        raise Invalid(
            "1 validation error detected: Value at 'sqls' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_BATCH}"
        )
    for text in texts:
        if not text.strip():
            raise Invalid("SQL statement is empty.")
        if len(text.encode()) > MAX_SQL:
            raise Invalid(f"SQL statement is larger than {MAX_SQL >> 10} KB.")


def check_parameters(given: list[dict[str, str]] | None) -> dict[str, str]:
    """Values by name."""
    values: dict[str, str] = {}
    for parameter in given or []:
        name, value = parameter.get("name", ""), parameter.get("value", "")
        if not re.fullmatch(r"[0-9a-zA-Z_]+", name):
            raise Invalid(f"Parameter name {name!r} must satisfy regex pattern: [0-9a-zA-Z_]+")
        if name in values:
            raise Invalid(f"Parameters list contains duplicate parameters. Duplicate parameters: [{name}]")
        if not value:
            raise Invalid(f"Value of parameter {name} must have a length of at least 1.")
        values[name] = value
    return values


def check_seconds(given: dict[str, Any], key: str, *, least: int, most: int) -> int | None:
    value = given.get(key)
    if value is None:
        return None
    if not least <= value <= most:
        raise Invalid(f"{key} must be between {least} and {most}.")
    return int(value)


def split_id(identifier: str) -> tuple[str, int | None]:
    """Statement id, and the number of a sub-statement."""
    if not _ID.fullmatch(identifier or ""):
        # As AWS words it, see the same tests.
        raise Invalid(r"id must satisfy regex pattern: ^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d+)?$")
    head, colon, number = identifier.partition(":")
    return head, int(number) if colon else None
