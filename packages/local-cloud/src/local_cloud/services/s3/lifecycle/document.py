"""A lifecycle configuration as a document: read strictly, checked, given back as it came.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
"""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.requests import xmldoc

MAX_RULES = 1000
MAX_NEWER_VERSIONS = 100
MAX_ID = 255
CLASSES = ("STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE")

#: What a rule does; it has at least one of them.
_ACTIONS = (
    *("Expiration", "Transition", "NoncurrentVersionExpiration", "NoncurrentVersionTransition"),
    "AbortIncompleteMultipartUpload",
)


def _number(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text.strip()):
        raise S3Error("MalformedXML")
    return int(text)


def _flag(text: str) -> bool:
    if text.strip() not in ("true", "false"):
        raise S3Error("MalformedXML")
    return text.strip() == "true"


def _date(text: str) -> str:
    """A midnight UTC, ISO 8601."""
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise S3Error("MalformedXML") from None
    moment = moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)
    if moment.time() != datetime.time():
        raise S3Error("InvalidArgument", "'Date' must be at midnight GMT")
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise S3Error("MalformedXML")
        return text

    return read


_TAG = {"Key": str, "Value": str}
_SIZES = {"ObjectSizeGreaterThan": _number, "ObjectSizeLessThan": _number}

#: Elements by name, as botocore's model of the API has them; those in a list may come again and again.
_RULE: dict[str, Any] = {
    "Expiration": {"Date": _date, "Days": _number, "ExpiredObjectDeleteMarker": _flag},
    "ID": str,
    "Prefix": str,
    "Filter": {"Prefix": str, "Tag": _TAG, **_SIZES, "And": {"Prefix": str, "Tag": [_TAG], **_SIZES}},
    "Status": _one_of("Enabled", "Disabled"),
    "Transition": [{"Date": _date, "Days": _number, "StorageClass": _one_of(*CLASSES)}],
    "NoncurrentVersionTransition": [
        {"NoncurrentDays": _number, "StorageClass": _one_of(*CLASSES), "NewerNoncurrentVersions": _number}
    ],
    "NoncurrentVersionExpiration": {"NoncurrentDays": _number, "NewerNoncurrentVersions": _number},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _number},
}


def read(body: bytes) -> list[dict[str, Any]]:
    """The rules of a document, each as nested dictionaries by element name. S3Error for one that S3 would refuse."""
    rules: list[dict[str, Any]] = _fields(xmldoc.parse(body, "LifecycleConfiguration"), {"Rule": [_RULE]}).get(
        "Rule", []
    )
    if not 1 <= len(rules) <= MAX_RULES:
        raise S3Error("MalformedXML")
    for rule in rules:
        _check(rule)
    given = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(set(given)) < len(given):
        raise S3Error("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    return [rule | {"ID": rule.get("ID") or secrets.token_urlsafe(36)} for rule in rules]


def write(rules: list[dict[str, Any]]) -> bytes:
    return xmldoc.document("LifecycleConfiguration", {"Rule": rules})


def _fields(node: ElementTree.Element, known: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in node:
        kind = known.get(child.tag)
        if kind is None or (child.tag in found and not isinstance(kind, list)):
            raise S3Error("MalformedXML")
        inner = kind[0] if isinstance(kind, list) else kind
        value = _fields(child, inner) if isinstance(inner, dict) else inner(child.text or "")
        if isinstance(kind, list):
            found.setdefault(child.tag, []).append(value)
        else:
            found[child.tag] = value
    return found


def _check(rule: dict[str, Any]) -> None:
    if "Status" not in rule or ("Prefix" in rule) == ("Filter" in rule) or len(rule.get("Filter", {})) > 1:
        raise S3Error("MalformedXML")
    if len(rule.get("ID", "")) > MAX_ID:
        raise S3Error("InvalidArgument", f"ID length should not exceed allowed limit of {MAX_ID}")
    if not any(rule.get(action) for action in _ACTIONS):
        raise S3Error("InvalidRequest", "At least one action needs to be specified in a rule")
    chosen = rule.get("Filter", {})
    chosen = chosen.get("And", chosen)
    if any(set(tag) != set(_TAG) for tag in _as_list(chosen.get("Tag"))):
        raise S3Error("MalformedXML")
    _check_expiration(rule.get("Expiration", {}))
    _check_noncurrent(rule.get("NoncurrentVersionExpiration"))
    for transition in rule.get("Transition", []):
        if ("Date" in transition) == ("Days" in transition) or "StorageClass" not in transition:
            raise S3Error("MalformedXML")
    for transition in rule.get("NoncurrentVersionTransition", []):
        if not {"NoncurrentDays", "StorageClass"} <= transition.keys():
            raise S3Error("MalformedXML")
    _check_what_needs_no_object(rule, chosen)


def _check_expiration(expiration: dict[str, Any]) -> None:
    if len(expiration) > 1:
        raise S3Error("MalformedXML")
    if expiration.get("Days", 1) < 1:
        raise S3Error("InvalidArgument", "'Days' for Expiration action must be a positive integer")


def _check_noncurrent(noncurrent: dict[str, Any] | None) -> None:
    if noncurrent is None:
        return
    if "NoncurrentDays" not in noncurrent:
        raise S3Error("MalformedXML")
    if noncurrent["NoncurrentDays"] < 1:
        name = "'NoncurrentDays' for NoncurrentVersionExpiration action"
        raise S3Error("InvalidArgument", f"{name} must be a positive integer")
    if not 1 <= noncurrent.get("NewerNoncurrentVersions", 1) <= MAX_NEWER_VERSIONS:
        name = "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action"
        raise S3Error("InvalidArgument", f"{name} must be an integer between 1 and {MAX_NEWER_VERSIONS}")


def _check_what_needs_no_object(rule: dict[str, Any], chosen: dict[str, Any]) -> None:
    """Markers and unfinished uploads have neither tags nor a size."""
    filtered = next((name for name in ("Tag", *_SIZES) if name in chosen), None)
    what = "Tags" if filtered == "Tag" else filtered
    if filtered and "ExpiredObjectDeleteMarker" in rule.get("Expiration", {}):
        raise S3Error("InvalidRequest", f"ExpiredObjectDeleteMarker cannot be specified with {what}.")
    if "AbortIncompleteMultipartUpload" in rule:
        if filtered:
            raise S3Error("InvalidRequest", f"AbortIncompleteMultipartUpload cannot be specified with {what}.")
        if rule["AbortIncompleteMultipartUpload"].get("DaysAfterInitiation", 0) < 1:
            name = "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action"
            raise S3Error("InvalidArgument", f"{name} must be a positive integer")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
