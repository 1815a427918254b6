"""What an S3 request needs.

Actions by operation: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html; their
condition keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qsl, unquote_plus

from local_cloud.permissions.needs.call import Keys, Need

#: Actions that have another name for a version, or a copy's source, that is named.
_OF_VERSION = {
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:GetObjectAcl": "s3:GetObjectVersionAcl",
    "s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:PutObjectAcl": "s3:PutObjectVersionAcl",
    "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
}

#: (reading, writing, deleting) a bucket's configuration, by subresource.
_CONFIGURATION = {
    "accelerate": ("GetAccelerateConfiguration", "PutAccelerateConfiguration", ""),
    "acl": ("GetBucketAcl", "PutBucketAcl", ""),
    "cors": ("GetBucketCORS", "PutBucketCORS", "PutBucketCORS"),
    "encryption": ("GetEncryptionConfiguration", "PutEncryptionConfiguration", "PutEncryptionConfiguration"),
    "inventory": ("GetInventoryConfiguration", "PutInventoryConfiguration", "PutInventoryConfiguration"),
    "lifecycle": ("GetLifecycleConfiguration", "PutLifecycleConfiguration", "PutLifecycleConfiguration"),
    "location": ("GetBucketLocation", "", ""),
    "logging": ("GetBucketLogging", "PutBucketLogging", ""),
    "notification": ("GetBucketNotification", "PutBucketNotification", ""),
    "ownershipControls": ("GetBucketOwnershipControls", "PutBucketOwnershipControls", "PutBucketOwnershipControls"),
    "policy": ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    "policyStatus": ("GetBucketPolicyStatus", "", ""),
    "publicAccessBlock": (
        "GetBucketPublicAccessBlock",
        "PutBucketPublicAccessBlock",
        "PutBucketPublicAccessBlock",
    ),
    "replication": ("GetReplicationConfiguration", "PutReplicationConfiguration", "PutReplicationConfiguration"),
    "tagging": ("GetBucketTagging", "PutBucketTagging", "PutBucketTagging"),
    "versioning": ("GetBucketVersioning", "PutBucketVersioning", ""),
    "website": ("GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
}
_METHODS = {"GET": 0, "HEAD": 0, "PUT": 1, "POST": 1, "DELETE": 2}

#: Every action of a bucket's configuration, for the test against AWS's reference.
CONFIGURATION_ACTIONS = frozenset(f"s3:{name}" for names in _CONFIGURATION.values() for name in names if name)

_FROM_HEADERS = (
    *("if-match", "if-none-match", "x-amz-acl", "x-amz-content-sha256", "x-amz-copy-source"),
    *("x-amz-grant-full-control", "x-amz-grant-read", "x-amz-metadata-directive", "x-amz-server-side-encryption"),
    *("x-amz-server-side-encryption-aws-kms-key-id", "x-amz-storage-class", "x-amz-website-redirect-location"),
)
_FROM_QUERY = ("delimiter", "max-keys", "prefix")


class S3Call(Protocol):
    """What permissions read of an S3 request."""

    @property
    def method(self) -> str: ...

    @property
    def bucket(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def query(self) -> Mapping[str, str]: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


def needs_of_s3(request: S3Call, action: str, read_body: Callable[[], bytes]) -> list[Need]:
    """`action` is what the S3 service found for an operation of its own, "" for one on a bucket's configuration.

    `read_body` gives the body of the latter, which can be read again.

    DeleteObjects is asked about key by key, by who reads its body: here is only who may see the answer.
    """
    keys = _keys(request, action)
    if not request.bucket:
        return [Need("s3:ListAllMyBuckets", "*", keys)]
    bucket = f"arn:aws:s3:::{request.bucket}"
    if not action:
        needs = [Need(_of_bucket(request), bucket, keys)]
        if request.method == "PUT" and "replication" in request.query:
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
            roles = re.findall(r"<Role>\s*([^<\s]+)\s*</Role>", read_body().decode("utf-8", "replace"))
            needs += [Need("iam:PassRole", role, {"iam:passedtoservice": ("s3.amazonaws.com",)}) for role in roles]
        return needs
    if request.method == "POST" and "delete" in request.query:
        return []
    if "versionId" in request.query:
        action = _OF_VERSION.get(action, action)
    if not request.key:
        return [Need(action, bucket, keys)]
    needs = [Need(action, f"{bucket}/{request.key}", keys)]
    if source := request.headers.get("x-amz-copy-source"):
        needs.append(_source(source))
    if action == "s3:PutObject" and "x-amz-tagging" in request.headers:
        needs.append(Need("s3:PutObjectTagging", f"{bucket}/{request.key}", keys))
    if action == "s3:PutObject" and "x-amz-acl" in request.headers:
        needs.append(Need("s3:PutObjectAcl", f"{bucket}/{request.key}", keys))
    return needs


def _of_bucket(request: S3Call) -> str:
    subresource = next((name for name in request.query if name in _CONFIGURATION), "")
    if subresource:
        name = _CONFIGURATION[subresource][_METHODS.get(request.method, 0)]
        return f"s3:{name or 'Unknown'}"
    return {"PUT": "s3:CreateBucket", "DELETE": "s3:DeleteBucket"}.get(request.method, "s3:ListBucket")


def _source(header: str) -> Need:
    path, _, query = header.partition("?")
    action = "s3:GetObjectVersion" if "versionId=" in query else "s3:GetObject"
    return Need(action, f"arn:aws:s3:::{unquote_plus(path.removeprefix('/'))}")


def _keys(request: S3Call, action: str) -> Keys:
    keys: dict[str, tuple[str, ...]] = {
        f"s3:{name}": (request.headers[name],) for name in _FROM_HEADERS if name in request.headers
    }
    keys |= {f"s3:{name}": (request.query[name],) for name in _FROM_QUERY if request.query.get(name)}
    if "versionId" in request.query:
        keys["s3:versionid"] = (request.query["versionId"],)
    if action == "s3:PutObject":
        # What makes an object, not a part of one.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
        keys["s3:objectcreationoperation"] = ("false" if _is_part(request) else "true",)
    if tags := dict(parse_qsl(request.headers.get("x-amz-tagging", ""), keep_blank_values=True)):
        keys |= {f"s3:requestobjecttag/{name.lower()}": (value,) for name, value in tags.items()}
        keys["s3:requestobjecttagkeys"] = tuple(tags)
    keys["s3:authtype"] = ("REST-QUERY-STRING" if "X-Amz-Signature" in request.query else "REST-HEADER",)
    keys["s3:signatureversion"] = ("AWS4-HMAC-SHA256",)
    return keys


def _is_part(request: S3Call) -> bool:
    return "partNumber" in request.query or (request.method == "POST" and "uploads" in request.query)
