"""A bucket's configuration is moto's: what moto 5.2.5 takes though S3 refuses it, and what its answers lack."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from local_cloud.services.s3.errors import S3Error, invalid_argument
from local_cloud.services.s3.operations.buckets import arn
from local_cloud.services.s3.requests import attributes, xmldoc
from local_cloud.services.s3.requests.request import S3Request

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def check(subresource: str, body: bytes) -> None:
    """Check the document of a PUT. S3Error as S3 would refuse it."""
    if subresource == "policy":
        _check_policy(body)
    elif subresource in _DOCUMENTS:
        root, check_document = _DOCUMENTS[subresource]
        check_document(xmldoc.parse(body, root))


def checks(request: S3Request) -> str:
    """Return the subresource whose document `check` looks at, "" for other requests."""
    if request.method != "PUT" or request.key or request.headers.get("x-amz-content-sha256", "").startswith("STREAM"):
        return ""
    return next((name for name in request.query if name == "policy" or name in _DOCUMENTS), "")


def complete(request: S3Request, start_response: StartResponse) -> StartResponse:
    """Return a `start_response` that adds to moto's answer what S3's has."""

    def start(status: str, headers: list[tuple[str, str]]) -> Any:
        if request.method == "PUT" and status.startswith("200") and not request.key:
            if "policy" in request.query:
                status = "204 No Content"
            elif not request.query:
                headers = [*headers, ("x-amz-bucket-arn", arn(request.bucket))]
        return start_response(status, headers)

    return start


def _check_policy(body: bytes) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html"""
    try:
        policy = json.loads(body)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        raise S3Error("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    if "Statement" not in policy:
        raise S3Error("MalformedPolicy", "Missing required field Statement")


def _check_tagging(document: Element) -> None:
    tags = attributes.tags_from_document(document)
    if reserved := [name for name in tags if name.startswith("aws:")]:
        raise S3Error("InvalidTag", "System tags cannot be added/updated by requester", TagKey=reserved[0])
    attributes.check_tags(tags, most=50)


def _check_versioning(document: Element) -> None:
    status = xmldoc.text(document, "Status")
    if status is None:
        raise S3Error("IllegalVersioningConfigurationException")
    if status not in ("Enabled", "Suspended"):
        raise S3Error("MalformedXML")


def _check_encryption(document: Element) -> None:
    rules = list(xmldoc.children(document, "Rule"))
    if len(rules) != 1:
        raise S3Error("MalformedXML")
    name = "ApplyServerSideEncryptionByDefault"
    default = rules[0].find(name)
    has_key = default is not None and default.find("KMSMasterKeyID") is not None
    if has_key and not rules[0].findtext(f"{name}/SSEAlgorithm", "").startswith("aws:kms"):
        raise invalid_argument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse", name=name
        )


def _check_notification(document: Element) -> None:
    for rule in document.iter("FilterRule"):
        name, value = xmldoc.text(rule, "Name"), xmldoc.text(rule, "Value")
        if not name or value is None:
            raise S3Error("MalformedXML")
        if name.lower() not in ("prefix", "suffix"):
            raise invalid_argument(
                "filter rule name must be either prefix or suffix", name="FilterRule.Name", value=name
            )


_DOCUMENTS: dict[str, tuple[str, Callable[[Element], None]]] = {
    "encryption": ("ServerSideEncryptionConfiguration", _check_encryption),
    "notification": ("NotificationConfiguration", _check_notification),
    "tagging": ("Tagging", _check_tagging),
    "versioning": ("VersioningConfiguration", _check_versioning),
}
