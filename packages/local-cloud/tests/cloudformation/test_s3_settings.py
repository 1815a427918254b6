"""A bucket's settings in the template's words and in the API's."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.services.cloudformation.resource_types.s3_settings import SETTINGS

RULE = {"Status": "Enabled"}


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ({}, {"Filter": {"Prefix": ""}}),
        ({"Id": "a", "Prefix": "p/"}, {"ID": "a", "Filter": {"Prefix": "p/"}}),
        ({"TagFilters": [{"Key": "k", "Value": "v"}]}, {"Filter": {"Tag": {"Key": "k", "Value": "v"}}}),
        ({"ObjectSizeLessThan": "9"}, {"Filter": {"ObjectSizeLessThan": 9}}),
        (
            {"Prefix": "p/", "ObjectSizeGreaterThan": "1"},
            {"Filter": {"And": {"Prefix": "p/", "ObjectSizeGreaterThan": 1}}},
        ),
        (
            {"TagFilters": [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}]},
            {"Filter": {"And": {"Tags": [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}]}}},
        ),
        ({"ExpirationInDays": 3}, {"Filter": {"Prefix": ""}, "Expiration": {"Days": 3}}),
        (
            {"ExpiredObjectDeleteMarker": True},
            {"Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
        ),
        (
            {"NoncurrentVersionExpirationInDays": 3},
            {"Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 3}},
        ),
        (
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2}},
            {
                "Filter": {"Prefix": ""},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
            },
        ),
        (
            {"Transition": {"StorageClass": "GLACIER", "TransitionInDays": 30}},
            {"Filter": {"Prefix": ""}, "Transitions": [{"StorageClass": "GLACIER", "Days": 30}]},
        ),
        (
            {"Transitions": [{"StorageClass": "GLACIER", "TransitionDate": "2030-01-01"}]},
            {"Filter": {"Prefix": ""}, "Transitions": [{"StorageClass": "GLACIER", "Date": "2030-01-01"}]},
        ),
        (
            {"NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}]},
            {
                "Filter": {"Prefix": ""},
                "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "NoncurrentDays": 30}],
            },
        ),
    ],
)
def test_a_lifecycle_rule_becomes_the_one_of_s3s_api(rule: dict[str, Any], result: dict[str, Any]) -> None:
    _, convert, _ = SETTINGS["LifecycleConfiguration"]
    assert convert({"Rules": [RULE | rule]}) == {"LifecycleConfiguration": {"Rules": [RULE | result]}}


@pytest.mark.parametrize(
    ("setting", "value", "arguments"),
    [
        ("AccessControl", "Private", {"ACL": "private"}),
        ("AccessControl", "BucketOwnerFullControl", {"ACL": "bucket-owner-full-control"}),
        (
            "BucketEncryption",
            {
                "ServerSideEncryptionConfiguration": [
                    {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
                ]
            },
            {
                "ServerSideEncryptionConfiguration": {
                    "Rules": [
                        {"BucketKeyEnabled": True, "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
                    ]
                }
            },
        ),
        (
            "NotificationConfiguration",
            {
                "LambdaConfigurations": [
                    {"Event": "e", "Function": "f", "Filter": {"S3Key": {"Rules": [{"Name": "suffix", "Value": "x"}]}}}
                ],
                "EventBridgeConfiguration": {"EventBridgeEnabled": True},
            },
            {
                "NotificationConfiguration": {
                    "LambdaFunctionConfigurations": [
                        {
                            "LambdaFunctionArn": "f",
                            "Events": ["e"],
                            "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": "x"}]}},
                        }
                    ],
                    "EventBridgeConfiguration": {},
                }
            },
        ),
        (
            "WebsiteConfiguration",
            {
                "IndexDocument": "i",
                "ErrorDocument": "e",
                "RoutingRules": [{"RedirectRule": {"HostName": "h"}, "RoutingRuleCondition": {"KeyPrefixEquals": "p"}}],
            },
            {
                "WebsiteConfiguration": {
                    "IndexDocument": {"Suffix": "i"},
                    "ErrorDocument": {"Key": "e"},
                    "RoutingRules": [{"Redirect": {"HostName": "h"}, "Condition": {"KeyPrefixEquals": "p"}}],
                }
            },
        ),
        (
            "LoggingConfiguration",
            {"DestinationBucketName": "b"},
            {"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": "b", "TargetPrefix": ""}}},
        ),
    ],
)
def test_a_buckets_other_settings_become_those_of_s3s_api(setting: str, value: Any, arguments: dict[str, Any]) -> None:
    _, convert, _ = SETTINGS[setting]
    assert convert(value) == arguments
