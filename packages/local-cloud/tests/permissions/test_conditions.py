"""Condition operators, as the IAM user guide's tables give them."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.permissions.conditions import OPERATORS, parse_conditions

CONTEXT = {
    "aws:username": ("ada",),
    "aws:securetransport": ("true",),
    "aws:currenttime": ("2024-09-15T12:00:00Z",),
    "aws:epochtime": ("1726401600",),
    "aws:sourceip": ("127.0.0.1",),
    "aws:sourcearn": ("arn:aws:states:us-east-1:123456789012:stateMachine:yellow:live",),
    "s3:prefix": ("reviews/2024/",),
    "s3:max-keys": ("100",),
    "aws:tagkeys": ("team", "cost"),
    "aws:empty": (),
}


def holds(operator: str, key: str, value: Any) -> bool:
    return all(condition.holds(CONTEXT) for condition in parse_conditions({operator: {key: value}}))


@pytest.mark.parametrize(
    ("operator", "key", "value", "expected"),
    [
        ("StringEquals", "aws:username", "ada", True),
        ("StringEquals", "AWS:UserName", "ada", True),
        ("StringEquals", "aws:username", ["bob", "ada"], True),
        ("StringEquals", "aws:username", "Ada", False),
        ("StringEquals", "aws:username", "a*", False),
        ("StringEquals", "aws:username", "${aws:username}", True),
        ("StringEquals", "aws:username", "${aws:userid}", False),
        ("StringEquals", "aws:missing", "x", False),
        ("StringNotEquals", "aws:username", "ada", False),
        ("StringNotEquals", "aws:username", ["bob", "eve"], True),
        ("StringNotEquals", "aws:username", ["bob", "ada"], False),
        ("StringNotEquals", "aws:missing", "x", True),
        ("StringEqualsIgnoreCase", "aws:username", "ADA", True),
        ("StringNotEqualsIgnoreCase", "aws:username", "ADA", False),
        ("StringLike", "s3:prefix", "reviews/*", True),
        ("StringLike", "s3:prefix", "reviews/????/", True),
        ("StringLike", "s3:prefix", "trips/*", False),
        ("StringLike", "s3:prefix", ["trips/*", "reviews/*"], True),
        ("StringNotLike", "s3:prefix", "reviews/*", False),
        ("StringNotLike", "s3:prefix", "trips/*", True),
        ("ArnLike", "aws:sourcearn", "arn:aws:states:*:123456789012:stateMachine:*", True),
        ("ArnEquals", "aws:sourcearn", "arn:aws:states:us-east-1:*:stateMachine:yellow:*", True),
        ("ArnEquals", "aws:sourcearn", "arn:aws:s*:stateMachine:*", False),
        ("ArnLike", "aws:sourcearn", "arn:aws:states:*:999999999999:stateMachine:*", False),
        ("ArnNotLike", "aws:sourcearn", "arn:aws:states:*:999999999999:stateMachine:*", True),
        ("ArnLike", "aws:missing", "arn:*", False),
        ("ArnLike", "aws:sourcearn", "arn:aws:states:${aws:missing, 'us-east-1'}:*:stateMachine:*", True),
        ("ArnLike", "aws:sourcearn", "arn:aws:states:${aws:username}:*:stateMachine:*", False),
        ("ArnLike", "aws:sourcearn", "arn:aws:states:${*}:*:stateMachine:*", False),
        ("Bool", "aws:securetransport", "true", True),
        ("Bool", "aws:securetransport", True, True),
        ("Bool", "aws:securetransport", "false", False),
        ("Bool", "aws:missing", "false", False),
        ("BoolIfExists", "aws:missing", "false", True),
        ("BoolIfExists", "aws:securetransport", "false", False),
        ("Null", "aws:missing", "true", True),
        ("Null", "aws:missing", "false", False),
        ("Null", "aws:username", "true", False),
        ("Null", "aws:username", "false", True),
        ("Null", "aws:empty", "true", True),
        ("NumericEquals", "s3:max-keys", "100.0", True),
        ("NumericNotEquals", "s3:max-keys", "100", False),
        ("NumericLessThan", "s3:max-keys", "100", False),
        ("NumericLessThanEquals", "s3:max-keys", "100", True),
        ("NumericGreaterThan", "s3:max-keys", "99", True),
        ("NumericGreaterThanEquals", "s3:max-keys", "101", False),
        ("NumericLessThan", "s3:prefix", "1", False),
        ("DateLessThan", "aws:currenttime", "2024-10-01T00:00:00Z", True),
        ("DateGreaterThan", "aws:currenttime", "2024-10-01T00:00:00+02:00", False),
        ("DateEquals", "aws:currenttime", "1726401600", True),
        ("DateGreaterThanEquals", "aws:epochtime", "2024-09-15T12:00:00Z", True),
        ("DateNotEquals", "aws:currenttime", "2024-09-15", True),
        ("IpAddress", "aws:sourceip", "127.0.0.0/8", True),
        ("IpAddress", "aws:sourceip", ["10.0.0.0/8", "::1"], False),
        ("NotIpAddress", "aws:sourceip", "127.0.0.0/8", False),
        ("NotIpAddress", "aws:missing", "127.0.0.0/8", True),
        ("BinaryEquals", "aws:username", "ada", True),
        ("StringEqualsIfExists", "aws:missing", "x", True),
        ("StringEqualsIfExists", "aws:username", "x", False),
        ("StringNotEqualsIfExists", "aws:missing", "x", True),
        ("ForAllValues:StringEquals", "aws:tagkeys", ["team", "cost", "other"], True),
        ("ForAllValues:StringEquals", "aws:tagkeys", ["team"], False),
        ("ForAllValues:StringEquals", "aws:missing", ["team"], True),
        ("ForAllValues:StringLike", "aws:tagkeys", ["t*", "c*"], True),
        ("ForAnyValue:StringEquals", "aws:tagkeys", ["team"], True),
        ("ForAnyValue:StringEquals", "aws:tagkeys", ["other"], False),
        ("ForAnyValue:StringEquals", "aws:missing", ["team"], False),
        ("ForAnyValue:StringEqualsIfExists", "aws:missing", ["team"], True),
        ("ForAnyValue:StringNotEquals", "aws:tagkeys", ["team"], True),
        ("ForAllValues:StringNotEquals", "aws:tagkeys", ["team"], False),
        ("ForAllValues:StringNotEquals", "aws:tagkeys", ["other"], True),
        ("NoSuchOperator", "aws:username", "ada", False),
    ],
)
def test_an_operator_compares_as_iam_does(operator: str, key: str, value: Any, expected: bool) -> None:
    assert holds(operator, key, value) is expected


def test_all_conditions_of_a_statement_have_to_hold() -> None:
    both = {"StringEquals": {"aws:username": "ada", "s3:prefix": "x"}, "Bool": {"aws:securetransport": "true"}}
    assert [condition.holds(CONTEXT) for condition in parse_conditions(both)] == [True, False, True]


def test_no_operator_is_missing() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    assert {
        *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
        *("StringLike", "StringNotLike", "Bool", "BinaryEquals", "Null"),
        *(f"Numeric{test}" for test in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan")),
        *(f"Date{test}" for test in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan")),
        *("NumericGreaterThanEquals", "DateGreaterThanEquals", "IpAddress", "NotIpAddress"),
        *("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
    } == OPERATORS
