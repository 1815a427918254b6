"""A bucket's settings: which operation sets each, in which words, and how it is taken away."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.resource_types.base import tag_list, without


def _encryption(value: dict[str, Any]) -> dict[str, Any]:
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        result = without(rule, "ServerSideEncryptionByDefault")
        if "ServerSideEncryptionByDefault" in rule:
            result["ApplyServerSideEncryptionByDefault"] = rule["ServerSideEncryptionByDefault"]
        rules.append(result)
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _lifecycle(value: dict[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}
    }
    if size := value.get("TransitionDefaultMinimumObjectSize"):
        arguments["TransitionDefaultMinimumObjectSize"] = size
    return arguments


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"Status": rule["Status"], "Filter": _lifecycle_filter(rule)}
    if "Id" in rule:
        result["ID"] = rule["Id"]
    if "AbortIncompleteMultipartUpload" in rule:
        result["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    expiration = {
        api: rule[name]
        for name, api in (
            ("ExpirationInDays", "Days"),
            ("ExpirationDate", "Date"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
        if name in rule
    }
    if expiration:
        result["Expiration"] = expiration
    if "NoncurrentVersionExpiration" in rule:
        result["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    elif "NoncurrentVersionExpirationInDays" in rule:
        result["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if transitions := _either(rule, "Transition", "Transitions"):
        names = {"TransitionInDays": "Days", "TransitionDate": "Date"}
        result["Transitions"] = [_renamed(item, names) for item in transitions]
    if transitions := _either(rule, "NoncurrentVersionTransition", "NoncurrentVersionTransitions"):
        names = {"TransitionInDays": "NoncurrentDays"}
        result["NoncurrentVersionTransitions"] = [_renamed(item, names) for item in transitions]
    return result


def _lifecycle_filter(rule: dict[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if "Prefix" in rule:
        parts["Prefix"] = rule["Prefix"]
    if "TagFilters" in rule:
        parts["Tags"] = rule["TagFilters"]
    for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        if name in rule:
            parts[name] = int(rule[name])
    tags = parts.get("Tags", [])
    if len(parts) == 1 and len(tags) == 1:
        return {"Tag": tags[0]}
    if len(parts) > 1 or tags:
        return {"And": parts}
    return parts or {"Prefix": ""}


def _either(rule: dict[str, Any], single: str, plural: str) -> list[dict[str, Any]]:
    return [rule[single]] if single in rule else list(rule.get(plural, []))


def _renamed(item: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in item.items()}


def _cors(value: dict[str, Any]) -> dict[str, Any]:
    names = {"ExposedHeaders": "ExposeHeaders", "Id": "ID", "MaxAge": "MaxAgeSeconds"}
    return {"CORSConfiguration": {"CORSRules": [_renamed(rule, names) for rule in value["CorsRules"]]}}


def _logging(value: dict[str, Any]) -> dict[str, Any]:
    enabled = {"TargetBucket": value.get("DestinationBucketName", ""), "TargetPrefix": value.get("LogFilePrefix", "")}
    if "TargetObjectKeyFormat" in value:
        enabled["TargetObjectKeyFormat"] = value["TargetObjectKeyFormat"]
    return {"BucketLoggingStatus": {"LoggingEnabled": enabled}}


def _notification(value: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, (api, key, arn) in {
        "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
        "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
    }.items():
        entries = []
        for item in value.get(name, []):
            entry = {arn: item[key], "Events": [item["Event"]]}
            if "Filter" in item:
                entry["Filter"] = {"Key": {"FilterRules": item["Filter"]["S3Key"]["Rules"]}}
            entries.append(entry)
        if entries:
            result[api] = entries
    if value.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled"):
        result["EventBridgeConfiguration"] = {}
    return {"NotificationConfiguration": result}


def _website(value: dict[str, Any]) -> dict[str, Any]:
    result = without(value, "ErrorDocument", "IndexDocument", "RoutingRules")
    if "ErrorDocument" in value:
        result["ErrorDocument"] = {"Key": value["ErrorDocument"]}
    if "IndexDocument" in value:
        result["IndexDocument"] = {"Suffix": value["IndexDocument"]}
    if "RoutingRules" in value:
        names = {"RedirectRule": "Redirect", "RoutingRuleCondition": "Condition"}
        result["RoutingRules"] = [_renamed(rule, names) for rule in value["RoutingRules"]]
    return {"WebsiteConfiguration": result}


def _canned_acl(value: str) -> dict[str, Any]:
    """`BucketOwnerFullControl` → `bucket-owner-full-control`."""
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in value)
    return {"ACL": words.lstrip("-")}


#: Property → what sets it, its arguments, and how it is taken away: an operation, other arguments, or not at all.
SETTINGS: dict[str, tuple[str, Any, str | dict[str, Any] | None]] = {
    "PublicAccessBlockConfiguration": (
        "put_public_access_block",
        lambda value: {"PublicAccessBlockConfiguration": value},
        "delete_public_access_block",
    ),
    "OwnershipControls": (
        "put_bucket_ownership_controls",
        lambda value: {"OwnershipControls": value},
        "delete_bucket_ownership_controls",
    ),
    "AccessControl": ("put_bucket_acl", _canned_acl, {"ACL": "private"}),
    "VersioningConfiguration": (
        "put_bucket_versioning",
        lambda value: {"VersioningConfiguration": value},
        {"VersioningConfiguration": {"Status": "Suspended"}},
    ),
    "BucketEncryption": ("put_bucket_encryption", _encryption, "delete_bucket_encryption"),
    "LifecycleConfiguration": ("put_bucket_lifecycle_configuration", _lifecycle, "delete_bucket_lifecycle"),
    "CorsConfiguration": ("put_bucket_cors", _cors, "delete_bucket_cors"),
    "LoggingConfiguration": ("put_bucket_logging", _logging, {"BucketLoggingStatus": {}}),
    "NotificationConfiguration": (
        "put_bucket_notification_configuration",
        _notification,
        {"NotificationConfiguration": {}},
    ),
    "WebsiteConfiguration": ("put_bucket_website", _website, "delete_bucket_website"),
    "ObjectLockConfiguration": (
        "put_object_lock_configuration",
        lambda value: {"ObjectLockConfiguration": value},
        None,
    ),
    "Tags": ("put_bucket_tagging", lambda value: {"Tagging": {"TagSet": tag_list(value)}}, "delete_bucket_tagging"),
}
