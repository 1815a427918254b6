"""S3 for COPY, UNLOAD and external tables: files found by prefix or manifest, errors in Redshift's words."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.objects import ObjectInfo, Objects
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.errors import LoadError, LoadErrorDetail, SqlError, server_detail
from local_cloud.services.redshift.identity import user_arn


@dataclass(frozen=True)
class DataFile:
    """One object to read: its address, the plain file that holds it, its size in bytes."""

    bucket: str
    key: str
    path: Path
    size: int

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def https(self, region: str) -> str:
        """How a Spectrum scan error writes the address."""
        return f"https://s3.{region}.amazonaws.com/{self.bucket}/{self.key}"


def split_url(url: str) -> tuple[str, str]:
    """Bucket and key (or prefix)."""
    if not url.startswith("s3://"):
        raise SqlError(f"The source '{url}' is not valid. The expected format is s3://bucket/key.")
    bucket, _, key = url[5:].partition("/")
    if not bucket:
        raise SqlError(f"S3 path '{url}' has no bucket.")
    return bucket, key


class Storage:
    """S3 as one role of the namespace sees it."""

    def __init__(self, context: Context, role: str) -> None:
        self.context = context
        self.region = context.services.region
        self._objects: Objects = context.services.objects(role)

    def failure(
        self, message: str, *, code: int = 8001, context: str = "", location: str = "s3_utility.cpp:659"
    ) -> SqlError:
        detail = server_detail(
            message,
            code=code,
            context=context,
            location=location,
            query_id=self.context.query_id,
            process=f"padbmaster [pid={self.context.process}]",
        )
        return SqlError(message, detail=detail)

    def _refused(self, status: int, error: str, words: str) -> SqlError:
        return self.failure(
            f"S3ServiceException:{words},Status {status},Error {error},Rid {self.context.query_id:016X},CanRetry 1",
            context="Listing bucket",
        )

    @contextlib.contextmanager
    def access(self) -> Iterator[Objects]:
        """S3's objects, with its refusals in Redshift's words. An object that is missing stays a KeyError."""
        try:
            yield self._objects
        except PermissionError:
            raise self._refused(403, "AccessDenied", "Access Denied") from None

    def listing(self, bucket: str, prefix: str) -> list[ObjectInfo]:
        """All objects under a prefix, those without content left out."""
        try:
            with self.access() as objects:
                found = objects.list(bucket, prefix)
        except KeyError:
            raise self._refused(404, "NoSuchBucket", "The specified bucket does not exist") from None
        return [item for item in found if item.size and not item.key.endswith("/")]

    def file(self, bucket: str, key: str) -> DataFile | None:
        """One object; None when there is none."""
        try:
            with self.access() as objects:
                path = objects.path(bucket, key)
                return DataFile(bucket, key, path, path.stat().st_size)
        except (KeyError, FileNotFoundError):
            return None

    def files(self, bucket: str, prefix: str) -> list[DataFile]:
        """All objects under a prefix as plain files."""
        found = (self.file(bucket, item.key) for item in self.listing(bucket, prefix))
        return [file for file in found if file is not None]

    def by_prefix(self, url: str) -> list[DataFile]:
        """The files that COPY loads from a prefix. An error when there is none."""
        bucket, prefix = split_url(url)
        files = self.files(bucket, prefix)
        if not files:
            raise self.failure(f"The specified S3 prefix '{prefix}' does not exist")
        return files

    def read(self, url: str) -> bytes:
        bucket, key = split_url(url)
        try:
            with self.access() as objects:
                return objects.read(bucket, key)
        except KeyError:
            self.listing(bucket, key)
            raise self._refused(404, "NoSuchKey", "The specified key does not exist.") from None

    def by_manifest(self, url: str, *, columnar: bool) -> list[DataFile]:
        """The files of a manifest. Columnar formats need `meta.content_length`, and the object has that size.

        Keys that COPY does not know are left alone.
        https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
        """
        files = []
        for entry in self._entries(url):
            address = entry.get("url")
            if not isinstance(address, str):
                raise self.failure("File entry does not have 'url' key.", code=15003)
            expected = self._content_length(entry) if columnar else None
            found = self.file(*split_url(address))
            if found is None:
                if entry.get("mandatory"):
                    raise self._missing(address, url, columnar=columnar)
                continue
            if expected is not None and found.size != expected:
                raise self.scan_error(
                    15001,
                    f"File '{found.https(self.region)}' has an invalid version number: its content_length in the "
                    f"manifest is {expected}, its size in S3 {found.size}.",
                    file=found,
                )
            files.append(found)
        if not files:
            raise self.failure("None of the files in the manifest were found.", context=f"Manifest: {url}")
        return files

    def _entries(self, url: str) -> list[dict[str, Any]]:
        try:
            manifest = json.loads(self.read(url).decode("utf-8"))
        except ValueError:
            raise self.failure("Manifest file is not in correct json format", context=f"Manifest: {url}") from None
        entries = manifest.get("entries") if isinstance(manifest, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.failure("Manifest file does not have 'entries' key.", context=f"Manifest: {url}")
        return entries

    def _content_length(self, entry: dict[str, Any]) -> int:
        where = "spectrum_manifest.cpp:204"
        meta = entry.get("meta")
        if not isinstance(meta, dict):
            raise self.failure("File entry does not have 'meta' key.", code=15003, location=where)
        length = meta.get("content_length")
        if not isinstance(length, int) or isinstance(length, bool):
            raise self.failure("'meta' key does not have 'content_length' key.", code=15003, location=where)
        return length

    def _missing(self, address: str, manifest: str, *, columnar: bool) -> SqlError:
        if not columnar:
            return self.failure(
                "Mandatory url is not present in manifest file.", context=f"Manifest: {manifest} url: {address}"
            )
        bucket, key = split_url(address)
        nowhere = DataFile(bucket, key, Path(), 0)
        return self.scan_error(15001, "File not found", file=nowhere, context=f"File not found: {address}")

    def scan_error(self, code: int, reason: str, *, file: DataFile, column: str = "", context: str = "") -> LoadError:
        """The error of a columnar load, with its row for SYS_LOAD_ERROR_DETAIL."""
        detail = server_detail(
            "Spectrum Scan Error",
            code=code,
            context=context or reason,
            location="dory_util.cpp:1777",
            query_id=self.context.query_id,
            process=f"worker_thread [pid={self.context.process}]",
        )
        row = LoadErrorDetail(file.url, code, reason, column_name=column)
        return LoadError("Spectrum Scan Error", details=(row,), detail=detail)


def resolve_role(context: Context, role: str, *, credentials: str = "") -> str:
    """The ARN under which S3 is reached: the namespace's default role, or one that is associated with it.

    Access keys in CREDENTIALS reach S3 as the account itself: the empty role.
    """
    services = context.services
    if credentials and not role:
        fields = dict(part.partition("=")[::2] for part in credentials.split(";"))
        if "aws_iam_role" in fields:
            role = fields["aws_iam_role"]
        elif "aws_access_key_id" in fields and "aws_secret_access_key" in fields:
            return ""
    if not role:
        raise SqlError(
            "Invalid credentials. Must be of the format: credentials 'aws_iam_role=...' or "
            "'aws_access_key_id=...;aws_secret_access_key=...[;token=...]'"
        )
    if role == "default":
        if not services.default_role:
            raise _not_authorised(context, "default", reason="there is no default IAM role for the namespace")
        role = services.default_role
    # Chained roles are written with commas; the first is the one that has to be associated.
    associated = role.split(",")[0].strip() in (*services.roles, services.default_role)
    if not associated or not services.may_assume(role, _user_arn(context)):
        raise _not_authorised(context, role, reason=f"IAM Role={role}")
    return role


def _user_arn(context: Context) -> str:
    around, namespace = context.services, context.database.namespace
    return user_arn(context.user, namespace=namespace, region=around.region, account_id=around.account_id)


def _not_authorised(context: Context, role: str, *, reason: str) -> SqlError:
    message = f"User {_user_arn(context)} is not authorized to assume IAM Role {role}"
    return SqlError(
        message,
        detail=server_detail(
            message,
            code=8001,
            context=reason,
            location="xen_aws_credentials_mgr.cpp:402",
            query_id=context.query_id,
            process=f"padbmaster [pid={context.process}]",
        ),
    )


def paths(files: Iterable[DataFile]) -> str:
    """The files as a DuckDB list of strings."""
    return "[" + ", ".join("'" + str(file.path).replace("'", "''") + "'" for file in files) + "]"
