"""Namespaces and workgroups: what there is, and the rules of the API about it."""

from __future__ import annotations

import base64
import datetime
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_cloud.services.redshift.serverless import passwords
from local_cloud.services.redshift.serverless.errors import Conflict, Invalid, ResourceNotFound, TooManyTags

Record = dict[str, Any]

_NAME = re.compile(r"[a-z0-9-]{3,64}")
_DATABASE = re.compile(r"[a-z_][a-z0-9_$]{0,63}")
_TAGS = 50
#: How long a workgroup is still there, DELETING, after it was deleted: minutes on AWS, here as long as it takes to see.
DELETION = 2.0
_RPU = {4, *range(8, 513, 8), *range(544, 1025, 32)}
_CONFIG_DEFAULTS = {
    "auto_mv": "true",
    "datestyle": "ISO, MDY",
    "enable_case_sensitive_identifier": "false",
    "enable_user_activity_logging": "true",
    "query_group": "default",
    "search_path": "$user, public",
    "max_query_execution_time": "14400",
    "require_ssl": "true",
    "use_fips_ssl": "false",
}


@dataclass
class ControlPlane:
    """The state of the service.

    `secrets()` is a Secrets Manager client; `dropped(name)` runs when a namespace is deleted.
    """

    account_id: str
    region: str
    secrets: Callable[[], Any]
    dropped: Callable[[str], None]
    namespaces: dict[str, Record] = field(default_factory=dict)
    workgroups: dict[str, Record] = field(default_factory=dict)
    limits: dict[str, Record] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def as_saved(self) -> Record:
        with self._lock:
            kept = ("namespaces", "workgroups", "limits", "tags", "hashes")
            return {name: dict(getattr(self, name)) for name in kept}

    def restore(self, saved: Record) -> None:
        for name, value in saved.items():
            setattr(self, name, value)
        for name in [name for name, record in self.workgroups.items() if record["status"] == "DELETING"]:
            self._forget_workgroup(name)

    def _arn(self, kind: str, identifier: str) -> str:
        return f"arn:aws:redshift-serverless:{self.region}:{self.account_id}:{kind}/{identifier}"

    # Namespaces.

    def create_namespace(self, given: Record) -> Record:
        name = given["namespaceName"]
        _check_name("namespace", name)
        database = given.get("dbName") or "dev"
        if not _DATABASE.fullmatch(database):
            raise Invalid(f"The database name {database} is not valid.")
        with self._lock:
            if name in self.namespaces:
                raise Conflict(f"Namespace {name} already exists.")
            identifier = str(uuid.uuid4())
            user = given.get("adminUsername") or "admin"
            record: Record = {
                "namespaceName": name,
                "namespaceId": identifier,
                "namespaceArn": self._arn("namespace", identifier),
                "dbName": database,
                "adminUsername": user,
                "kmsKeyId": given.get("kmsKeyId") or "AWS_OWNED_KMS_KEY",
                "iamRoles": list(given.get("iamRoles") or []),
                "logExports": list(given.get("logExports") or []),
                "status": "AVAILABLE",
                "creationDate": _now(),
            }
            self._set_default_role(record, given)
            self._set_password(record, given)
            self._set_tags(record["namespaceArn"], given.get("tags"))
            self.namespaces[name] = record
            return record

    def update_namespace(self, given: Record) -> Record:
        with self._lock:
            record = dict(self.get_namespace(given["namespaceName"]))
            for key in ("kmsKeyId", "logExports", "iamRoles", "adminUsername"):
                if key in given:
                    record[key] = given[key]
            self._set_default_role(record, given)
            self._set_password(record, given)
            self.namespaces[record["namespaceName"]] = record
            return record

    def get_namespace(self, name: str) -> Record:
        return _found(self.namespaces, name, "Namespace")

    def delete_namespace(self, name: str) -> Record:
        with self._lock:
            record = self.get_namespace(name)
            for workgroup in self.workgroups.values():
                if workgroup["namespaceName"] == name:
                    raise Conflict(
                        f"The namespace {name} can't be deleted because it is associated with the workgroup "
                        f"{workgroup['workgroupName']}. Delete the workgroup first."
                    )
            self.dropped(name)
            if record.get("adminPasswordSecretArn"):
                passwords.delete_secret(self.secrets(), record["adminPasswordSecretArn"])
            del self.namespaces[name]
            self.hashes.pop(name, None)
            self.tags.pop(record["namespaceArn"], None)
            return {**record, "status": "DELETING"}

    def _set_default_role(self, record: Record, given: Record) -> None:
        if "defaultIamRoleArn" in given:
            role = given["defaultIamRoleArn"]
            if role and role not in record["iamRoles"]:
                raise Invalid(f"The default IAM role {role} must be one of the namespace's IAM roles.")
            record["defaultIamRoleArn"] = role
        elif record.get("defaultIamRoleArn") not in (*record["iamRoles"], None, ""):
            record["defaultIamRoleArn"] = ""

    def _set_password(self, record: Record, given: Record) -> None:
        managed, password = given.get("manageAdminPassword"), given.get("adminUserPassword")
        name = record["namespaceName"]
        if managed and password:
            raise Invalid("You can't specify both manageAdminPassword and adminUserPassword.")
        if given.get("adminPasswordSecretKmsKeyId") and not managed:
            raise Invalid("adminPasswordSecretKmsKeyId can only be used when manageAdminPassword is true.")
        if password:
            passwords.check_rules(password)
        if (password or managed is False) and record.get("adminPasswordSecretArn"):
            passwords.delete_secret(self.secrets(), record.pop("adminPasswordSecretArn"))
            record.pop("adminPasswordSecretKmsKeyId", None)
        if managed and not record.get("adminPasswordSecretArn"):
            password = passwords.generate()
            record["adminPasswordSecretArn"] = passwords.create_secret(
                self.secrets(),
                namespace=name,
                arn=record["namespaceArn"],
                user=record["adminUsername"],
                password=password,
                kms_key=given.get("adminPasswordSecretKmsKeyId", ""),
            )
            if given.get("adminPasswordSecretKmsKeyId"):
                record["adminPasswordSecretKmsKeyId"] = given["adminPasswordSecretKmsKeyId"]
        if password:
            self.hashes[name] = passwords.hashed(password)

    def check_login(self, namespace: str, user: str, password: str) -> bool:
        """True for the administrator with the right password: the one user with a password here."""
        record = self.get_namespace(namespace)
        return user == record["adminUsername"] and passwords.matches(password, self.hashes.get(namespace, ""))

    # Workgroups.

    def create_workgroup(self, given: Record) -> Record:
        name = given["workgroupName"]
        _check_name("workgroup", name)
        with self._lock:
            if name in self.workgroups:
                raise Conflict(f"Workgroup {name} already exists.")
            namespace = self.get_namespace(given["namespaceName"])["namespaceName"]
            for other in self.workgroups.values():
                if other["namespaceName"] == namespace:
                    raise Conflict(
                        f"The namespace {namespace} is already associated with the workgroup {other['workgroupName']}."
                    )
            identifier = str(uuid.uuid4())
            port = given.get("port") or 5439
            address = f"{name}.{self.account_id}.{self.region}.redshift-serverless.amazonaws.com"
            record: Record = {
                "workgroupName": name,
                "workgroupId": identifier,
                "workgroupArn": self._arn("workgroup", identifier),
                "namespaceName": namespace,
                "baseCapacity": given.get("baseCapacity") or 128,
                "configParameters": _config(given.get("configParameters")),
                "creationDate": _now(),
                "endpoint": {"address": address, "port": port, "vpcEndpoints": []},
                "enhancedVpcRouting": bool(given.get("enhancedVpcRouting")),
                "ipAddressType": given.get("ipAddressType") or "ipv4",
                "patchVersion": "187",
                "port": port,
                "publiclyAccessible": bool(given.get("publiclyAccessible")),
                "securityGroupIds": list(given.get("securityGroupIds") or []),
                "status": "AVAILABLE",
                "subnetIds": list(given.get("subnetIds") or []),
                "trackName": given.get("trackName") or "current",
                "workgroupVersion": "1.0",
            }
            for key in ("maxCapacity", "pricePerformanceTarget", "extraComputeForAutomaticOptimization"):
                if given.get(key) is not None:
                    record[key] = given[key]
            _check_capacity(record)
            self._set_tags(record["workgroupArn"], given.get("tags"))
            self.workgroups[name] = record
            return record

    def update_workgroup(self, given: Record) -> Record:
        with self._lock:
            record = dict(self._available_workgroup(given["workgroupName"]))
            for key, value in given.items():
                if key == "configParameters":
                    record[key] = _config(value, record[key])
                elif key != "workgroupName":
                    record[key] = value
            record["endpoint"] = {**record["endpoint"], "port": record["port"]}
            _check_capacity(record)
            self.workgroups[record["workgroupName"]] = record
            return record

    def get_workgroup(self, name: str) -> Record:
        return _found(self.workgroups, name, "Workgroup")

    def _available_workgroup(self, name: str) -> Record:
        record = self.get_workgroup(name)
        if record["status"] != "AVAILABLE":
            raise Conflict(f"The workgroup {name} is {record['status']}: it can't be changed or deleted now.")
        return record

    def workgroup_of(self, name_or_arn: str) -> Record | None:
        """A workgroup by its name or ARN, as the Data API takes it."""
        for record in list(self.workgroups.values()):
            if name_or_arn in (record["workgroupName"], record["workgroupArn"]):
                return record
        return None

    def delete_workgroup(self, name: str) -> Record:
        """Begin it: the workgroup is there for a while yet, and its namespace can't be deleted so long."""
        with self._lock:
            record = self.workgroups[name] = {**self._available_workgroup(name), "status": "DELETING"}
            end = threading.Timer(DELETION, self._forget_workgroup, [name])
            end.daemon = True
            end.start()
            return record

    def _forget_workgroup(self, name: str) -> None:
        with self._lock:
            record = self.workgroups.pop(name)
            self.tags.pop(record["workgroupArn"], None)
            for identifier in [k for k, v in self.limits.items() if v["resourceArn"] == record["workgroupArn"]]:
                del self.limits[identifier]

    # Usage limits.

    def create_usage_limit(self, given: Record) -> Record:
        with self._lock:
            resource = given["resourceArn"]
            self._check_resource(resource)
            if given["amount"] <= 0:
                raise Invalid("The amount must be a positive number.")
            period = given.get("period") or "monthly"
            for other in self.limits.values():
                if (other["resourceArn"], other["usageType"], other["period"]) == (
                    resource,
                    given["usageType"],
                    period,
                ):
                    raise Conflict(f"A {period} usage limit for {given['usageType']} already exists on {resource}.")
            identifier = str(uuid.uuid4())
            self.limits[identifier] = {
                "usageLimitId": identifier,
                "usageLimitArn": self._arn("usagelimit", identifier),
                "resourceArn": resource,
                "usageType": given["usageType"],
                "amount": given["amount"],
                "period": period,
                "breachAction": given.get("breachAction") or "log",
            }
            return self.limits[identifier]

    def get_usage_limit(self, identifier: str) -> Record:
        return _found(self.limits, identifier, "Usage limit")

    def update_usage_limit(self, given: Record) -> Record:
        with self._lock:
            record = self.get_usage_limit(given["usageLimitId"])
            record.update({key: given[key] for key in ("amount", "breachAction") if key in given})
            return record

    def delete_usage_limit(self, identifier: str) -> Record:
        with self._lock:
            return self.limits.pop(self.get_usage_limit(identifier)["usageLimitId"])

    # Tags.

    def tag(self, arn: str, tags: list[dict[str, str]]) -> None:
        with self._lock:
            self._check_resource(arn)
            self._set_tags(arn, tags)

    def untag(self, arn: str, keys: list[str]) -> None:
        with self._lock:
            self._check_resource(arn)
            for key in keys:
                self.tags.get(arn, {}).pop(key, None)

    def tags_of(self, arn: str) -> list[dict[str, str]]:
        self._check_resource(arn)
        return [{"key": key, "value": value} for key, value in self.tags.get(arn, {}).items()]

    def _set_tags(self, arn: str, tags: list[dict[str, str]] | None) -> None:
        merged = {**self.tags.get(arn, {}), **{tag["key"]: tag["value"] for tag in tags or []}}
        if len(merged) > _TAGS:
            raise TooManyTags(f"{arn} would have more than {_TAGS} tags.")
        self.tags[arn] = merged

    def _check_resource(self, arn: str) -> None:
        known = {r["namespaceArn"] for r in self.namespaces.values()} | {
            r["workgroupArn"] for r in self.workgroups.values()
        }
        if arn not in known:
            raise ResourceNotFound(f"Resource {arn} not found.", arn)


def _found(records: dict[str, Record], name: str, what: str) -> Record:
    if name not in records:
        raise ResourceNotFound(f"{what} {name} not found.", name)
    return records[name]


def _check_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"1 validation error detected: Value '{name}' at '{what}Name' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^[a-z0-9-]+$, with a length of 3 to 64"
        )


def _check_capacity(record: Record) -> None:
    base, most = record["baseCapacity"], record.get("maxCapacity")
    if base not in _RPU:
        raise Invalid(
            f"The base capacity {base} is not valid: it must be 4, or 8 to 512 in units of 8, "
            "or up to 1024 in units of 32."
        )
    if most is not None and most < base:
        raise Invalid(f"The max capacity {most} must not be less than the base capacity {base}.")
    if not (5431 <= record["port"] <= 5455 or 8191 <= record["port"] <= 8215):
        raise Invalid(f"The port {record['port']} is not valid: it must be within 5431-5455 or 8191-8215.")


def _config(given: list[dict[str, str]] | None, before: list[dict[str, str]] | None = None) -> list[dict[str, str]]:
    values = {p["parameterKey"]: p["parameterValue"] for p in before or []} or dict(_CONFIG_DEFAULTS)
    for parameter in given or []:
        values[parameter["parameterKey"]] = parameter["parameterValue"]
    return [{"parameterKey": key, "parameterValue": value} for key, value in values.items()]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def page(items: list[Record], token: str | None, size: int | None) -> tuple[list[Record], str | None]:
    """One page of a list, and the token of the next."""
    try:
        start = int(base64.urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise Invalid("The pagination token is not valid.") from None
    end = start + (size or 100)
    following = base64.urlsafe_b64encode(f"{end:06d}".encode()).decode() if end < len(items) else None
    return items[start:end], following
