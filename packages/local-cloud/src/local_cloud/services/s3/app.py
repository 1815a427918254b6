"""S3 over HTTP: which operation a request is, and how its answer or error goes out.

Objects are ours; a bucket's configuration is moto's (`None` from `S3.handle` leaves a request to it).
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from local_cloud.permissions import wire
from local_cloud.permissions.errors import AccessDenied
from local_cloud.services.s3 import configuration, notifications
from local_cloud.services.s3.bucket import Buckets
from local_cloud.services.s3.errors import S3Error, not_implemented
from local_cloud.services.s3.lifecycle.expiry import Lifecycle
from local_cloud.services.s3.operations import (
    buckets,
    copies,
    details,
    lifecycle,
    listings,
    objects,
    upload_listings,
    uploads,
)
from local_cloud.services.s3.operations.context import Context
from local_cloud.services.s3.requests import xmldoc
from local_cloud.services.s3.requests.request import Access, Reply, S3Request
from local_cloud.services.s3.storage import keys
from local_cloud.services.s3.storage.store import Store

log = logging.getLogger("local_cloud.s3")

Operation = Callable[[Context, S3Request], Reply]
Forwarded = TypeVar("Forwarded")

#: (method, subresource) → IAM action and handler, for a key. The first subresource in the query counts.
_OBJECT: dict[tuple[str, str], tuple[str, Operation]] = {
    ("GET", ""): ("s3:GetObject", objects.get),
    ("HEAD", ""): ("s3:GetObject", objects.get),
    ("PUT", ""): ("s3:PutObject", objects.put),
    ("DELETE", ""): ("s3:DeleteObject", objects.delete),
    ("GET", "tagging"): ("s3:GetObjectTagging", details.get_tagging),
    ("PUT", "tagging"): ("s3:PutObjectTagging", details.put_tagging),
    ("DELETE", "tagging"): ("s3:DeleteObjectTagging", details.delete_tagging),
    ("GET", "acl"): ("s3:GetObjectAcl", details.get_acl),
    ("PUT", "acl"): ("s3:PutObjectAcl", details.put_acl),
    ("GET", "attributes"): ("s3:GetObjectAttributes", details.get_attributes),
    ("POST", "uploads"): ("s3:PutObject", uploads.create),
    ("PUT", "uploadId"): ("s3:PutObject", uploads.put_part),
    ("POST", "uploadId"): ("s3:PutObject", uploads.complete),
    ("DELETE", "uploadId"): ("s3:AbortMultipartUpload", uploads.abort),
    ("GET", "uploadId"): ("s3:ListMultipartUploadParts", upload_listings.list_parts),
}

#: The same for a bucket. What is not here is moto's.
_BUCKET: dict[tuple[str, str], tuple[str, Operation]] = {
    ("GET", ""): ("s3:ListBucket", listings.list_objects),
    ("HEAD", ""): ("s3:ListBucket", buckets.head),
    ("GET", "versions"): ("s3:ListBucketVersions", listings.list_versions),
    ("GET", "uploads"): ("s3:ListBucketMultipartUploads", upload_listings.list_uploads),
    ("POST", "delete"): ("s3:DeleteObject", objects.delete_many),
    ("GET", "lifecycle"): ("s3:GetLifecycleConfiguration", lifecycle.get),
    ("PUT", "lifecycle"): ("s3:PutLifecycleConfiguration", lifecycle.put),
    ("DELETE", "lifecycle"): ("s3:PutLifecycleConfiguration", lifecycle.delete),
}

_OBJECT_SUBRESOURCES = (
    "uploadId",
    "uploads",
    "tagging",
    "acl",
    "attributes",
    "annotation",
    "encryption",
    "legal-hold",
    "renameObject",
    "restore",
    "retention",
    "select",
    "torrent",
)

#: What moto keeps of a bucket. Others it would take for a listing or for the bucket itself.
_CONFIGURATION = frozenset(
    {
        "accelerate",
        "acl",
        "cors",
        "encryption",
        "inventory",
        "location",
        "logging",
        "notification",
        "ownershipControls",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "replication",
        "tagging",
        "versioning",
        "website",
    }
)

#: Query names that belong to a listing or a signature; any other name on a bucket is a subresource.
_PARAMETERS = frozenset(
    {
        "allow-unordered",
        "aws-access-key-id",
        "awsaccesskeyid",
        "bucket-region",
        "continuation-token",
        "delimiter",
        "encoding-type",
        "expires",
        "fetch-owner",
        "key-marker",
        "list-type",
        "marker",
        "max-keys",
        "max-uploads",
        "prefix",
        "signature",
        "start-after",
        "upload-id-marker",
        "version-id-marker",
        "x-id",
    }
)


class S3:
    """The object half of S3. `handle` answers a request or leaves it to moto by None."""

    def __init__(
        self,
        store: Store,
        known: Buckets,
        *,
        account_id: str,
        region: str,
        notify: notifications.Notifier,
        lifecycle: Lifecycle,
    ) -> None:
        self.context = Context(store, known, notify, lifecycle, region)
        self._account_id = account_id

    def serve(
        self,
        environ: Mapping[str, Any],
        start_response: configuration.StartResponse,
        *,
        check: Callable[[S3Request, str], Access],
        read_body: Callable[[], bytes],
        forward: Callable[[configuration.StartResponse], Forwarded],
        request_id: str,
    ) -> Reply | Forwarded:
        """Answer a request, errors included, if `check` allows it; what is moto's is left to `forward`."""
        request: S3Request | None = None
        try:
            request = S3Request.of(environ)
            found = self.operation(request)
            access = check(request, found[0] if found else "")
            if found is None:
                self.check_configuration(request, read_body)
                return forward(self.complete(request, start_response))
            reply = self.handle(request.by(access), found)
        except AccessDenied as error:
            reply = self.error(request, S3Error(*wire.s3_code(error)), request_id=request_id)
        except S3Error as error:
            reply = self.error(request, error, request_id=request_id)
        reply.headers |= {"x-amz-request-id": request_id, "x-amz-id-2": "local-cloud", "Server": "AmazonS3"}
        return reply

    def operation(self, request: S3Request) -> tuple[str, Operation] | None:
        """The IAM action and handler of a request, None for moto's."""
        if not request.bucket and request.method == "GET":
            return "s3:ListAllMyBuckets", buckets.list_buckets
        if not request.bucket or request.method == "OPTIONS":
            return None
        if request.key:
            subresource = next((name for name in _OBJECT_SUBRESOURCES if name in request.query), "")
            if (request.method, subresource) == ("PUT", "") and "x-amz-copy-source" in request.headers:
                return "s3:PutObject", copies.copy
            found = _OBJECT.get((request.method, subresource))
            if found is None:
                if subresource:
                    raise not_implemented(f"{request.method} ?{subresource} of an object")
                raise S3Error("MethodNotAllowed", Method=request.method, ResourceType="OBJECT")
            return found
        subresource = next(
            (
                name
                for name in request.query
                if name.lower() not in _PARAMETERS and not name.lower().startswith(("x-amz-", "response-"))
            ),
            "",
        )
        if request.method == "POST" and not subresource:
            raise not_implemented("uploads by browser form (POST policy)")
        if found := _BUCKET.get((request.method, subresource)):
            return found
        if subresource and subresource not in _CONFIGURATION:
            raise not_implemented(f"{request.method} ?{subresource} of a bucket")
        if request.headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true":
            raise not_implemented("Object Lock")
        return None

    def handle(self, request: S3Request, found: tuple[str, Operation]) -> Reply:
        """Answer one S3 request. S3Error for every refusal."""
        self._check_presigned(request)
        if not request.bucket:
            return found[1](self.context, request)
        self.context.buckets.get(request.bucket)
        self._check_owner(request)
        keys.check_key(request.key)
        try:
            return found[1](self.context, request)
        except S3Error as error:
            if error.code == "NoSuchKey" and found[0] == "s3:GetObject":
                # A caller without ListBucket does not learn what the bucket holds.
                # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, Permissions
                request.access.check("s3:ListBucket", f"arn:aws:s3:::{request.bucket}")
            raise

    def check_configuration(self, request: S3Request, read_body: Callable[[], bytes]) -> None:
        """Check a request that moto is to serve. `read_body` gives its body, which can be read again."""
        self._check_owner(request)
        if subresource := configuration.checks(request):
            self.context.buckets.get(request.bucket)
            configuration.check(subresource, read_body())

    @staticmethod
    def complete(request: S3Request, start_response: configuration.StartResponse) -> configuration.StartResponse:
        """Return a `start_response` for moto that adds what its answers lack."""
        return configuration.complete(request, start_response)

    def _check_owner(self, request: S3Request) -> None:
        owner = request.headers.get("x-amz-expected-bucket-owner", self._account_id)
        if not (len(owner) == 12 and owner.isdigit()):
            raise S3Error(
                "InvalidBucketOwnerAWSAccountID",
                f"The value of the expected bucket owner parameter must be an AWS Account ID... [{owner}]",
            )
        if owner != self._account_id:
            raise S3Error("AccessDenied", "Access Denied")

    @staticmethod
    def error(request: S3Request | None, error: S3Error, *, request_id: str) -> Reply:
        """The error document; without a body where HTTP allows none."""
        if error.status == 304 or (request and request.method == "HEAD"):
            return Reply(error.status, error.headers)
        details = dict(error.details)
        if request and error.code in ("NoSuchKey", "NoSuchVersion"):
            details.setdefault("Key", request.key)
        body = xmldoc.document(
            "Error",
            {"Code": error.code, "Message": error.message, **details, "RequestId": request_id, "HostId": "local-cloud"},
            namespace="",
        )
        return Reply(error.status, {"Content-Type": "application/xml", **error.headers}, body)

    @staticmethod
    def _check_presigned(request: S3Request) -> None:
        """A presigned URL lives as long as it says; whose signature it is does not matter here."""
        query = request.query
        if "X-Amz-Expires" in query and "X-Amz-Date" in query:
            try:
                signed = datetime.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
                ends = signed.timestamp() + int(query["X-Amz-Expires"])
            except ValueError:
                raise S3Error("AccessDenied", "X-Amz-Date or X-Amz-Expires is not valid") from None
        elif "Signature" in query and query.get("Expires", "").isdigit():
            ends = float(query["Expires"])
        else:
            return
        if time.time() > ends:
            raise S3Error("AccessDenied", "Request has expired")
