"""Secrets Manager as jobs and stacks use it."""

from __future__ import annotations

import contextlib
import io
import json
import string
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def secrets(cloud: Any) -> Any:
    return cloud.client("secretsmanager")


def test_a_secret_by_name_arn_and_partial_arn(secrets: Any) -> None:
    made = secrets.create_secret(Name="app/db", SecretString=json.dumps({"username": "u", "password": "p"}))
    assert made["ARN"].startswith("arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-")
    for wanted in ("app/db", made["ARN"], made["ARN"].rpartition("-")[0]):
        got = secrets.get_secret_value(SecretId=wanted)
        assert (got["ARN"], got["Name"], got["VersionId"]) == (made["ARN"], "app/db", made["VersionId"])
        assert (json.loads(got["SecretString"])["password"], got["VersionStages"]) == ("p", ["AWSCURRENT"])


def test_binary_secrets_and_new_versions(secrets: Any) -> None:
    secrets.create_secret(Name="binary", SecretBinary=b"\x00\xff")
    assert secrets.get_secret_value(SecretId="binary")["SecretBinary"] == b"\x00\xff"
    second = secrets.put_secret_value(SecretId="binary", SecretString="text")["VersionId"]
    current = secrets.get_secret_value(SecretId="binary")
    assert (current["SecretString"], current["VersionId"]) == ("text", second)
    previous = secrets.get_secret_value(SecretId="binary", VersionStage="AWSPREVIOUS")
    assert previous["SecretBinary"] == b"\x00\xff"


def test_passwords_that_cloudformation_generates(secrets: Any) -> None:
    plain = secrets.get_random_password(PasswordLength=32, ExcludePunctuation=True)["RandomPassword"]
    assert len(plain) == 32
    assert set(plain) <= set(string.ascii_letters + string.digits)
    without = secrets.get_random_password(PasswordLength=64, ExcludeCharacters="\"@/\\'")["RandomPassword"]
    assert not set(without) & set("\"@/\\'")


def test_deletion_and_restoration(secrets: Any) -> None:
    secrets.create_secret(Name="gone", SecretString="x")
    secrets.delete_secret(SecretId="gone", RecoveryWindowInDays=7)
    with pytest.raises(secrets.exceptions.InvalidRequestException):
        secrets.get_secret_value(SecretId="gone")
    secrets.restore_secret(SecretId="gone")
    assert secrets.get_secret_value(SecretId="gone")["SecretString"] == "x"
    secrets.delete_secret(SecretId="gone", ForceDeleteWithoutRecovery=True)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="gone")
    secrets.create_secret(Name="gone", SecretString="again")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"SecretId": "absent"}, "ResourceNotFoundException"),
        ({"SecretId": "empty"}, "ResourceNotFoundException"),
    ],
)
def test_values_that_are_not_there(secrets: Any, arguments: dict[str, str], code: str) -> None:
    if arguments["SecretId"] == "empty":
        secrets.create_secret(Name="empty")
    with pytest.raises(ClientError) as caught:
        secrets.get_secret_value(**arguments)
    assert caught.value.response["Error"]["Code"] == code


def labels(secrets: Any, name: str, **options: Any) -> dict[str, list[str]]:
    """Version id → its staging labels."""
    listed = secrets.list_secret_version_ids(SecretId=name, **options)
    assert listed["ARN"].startswith("arn:aws:secretsmanager:")
    return {each["VersionId"]: sorted(each.get("VersionStages", [])) for each in listed["Versions"]}


def test_labels_follow_the_versions(secrets: Any) -> None:
    first = secrets.create_secret(Name="labels", SecretString="1")["VersionId"]
    second = secrets.put_secret_value(SecretId="labels", SecretString="2", VersionStages=["NEXT"])["VersionId"]
    assert labels(secrets, "labels") == {first: ["AWSCURRENT"], second: ["NEXT"]}
    third = secrets.put_secret_value(SecretId="labels", SecretString="3", VersionStages=["AWSCURRENT", "NEXT"])
    assert labels(secrets, "labels") == {first: ["AWSPREVIOUS"], third["VersionId"]: ["AWSCURRENT", "NEXT"]}
    everything = labels(secrets, "labels", IncludeDeprecated=True)
    assert everything == {first: ["AWSPREVIOUS"], second: [], third["VersionId"]: ["AWSCURRENT", "NEXT"]}
    described = secrets.describe_secret(SecretId="labels")["VersionIdsToStages"]
    assert described.keys() == {first, third["VersionId"]}


def test_a_label_is_moved_from_the_version_that_has_it(secrets: Any) -> None:
    first = secrets.create_secret(Name="moved", SecretString="1")["VersionId"]
    second = secrets.put_secret_value(SecretId="moved", SecretString="2", VersionStages=["AWSPENDING"])["VersionId"]
    move = {"SecretId": "moved", "VersionStage": "AWSCURRENT", "MoveToVersionId": second}
    with pytest.raises(ClientError, match=f"currently attached to version {first}, so you must explicitly"):
        secrets.update_secret_version_stage(**move)
    secrets.update_secret_version_stage(**move, RemoveFromVersionId=first)
    assert labels(secrets, "moved") == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT", "AWSPENDING"]}
    assert secrets.get_secret_value(SecretId="moved")["SecretString"] == "2"
    third = secrets.put_secret_value(SecretId="moved", SecretString="3")["VersionId"]
    assert labels(secrets, "moved") == {second: ["AWSPREVIOUS"], third: ["AWSCURRENT"]}


def test_a_rotation_without_a_function_uses_the_one_that_is_known(secrets: Any, cloud: Any) -> None:
    code = """
import boto3
def handler(event, context):
    secrets = boto3.client("secretsmanager")
    if event["Step"] == "createSecret":
        secrets.put_secret_value(
            SecretId=event["SecretId"], ClientRequestToken=event["ClientRequestToken"],
            SecretString=event["ClientRequestToken"], VersionStages=["AWSPENDING"],
        )
    if event["Step"] == "finishSecret":
        before = secrets.get_secret_value(SecretId=event["SecretId"])["VersionId"]
        secrets.update_secret_version_stage(
            SecretId=event["SecretId"], VersionStage="AWSCURRENT",
            MoveToVersionId=event["ClientRequestToken"], RemoveFromVersionId=before,
        )
"""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("main.py", code)
    function = cloud.client("lambda").create_function(
        FunctionName="rotates",
        Runtime="python3.12",
        Handler="main.handler",
        Role=cloud.role("rotates"),
        Code={"ZipFile": package.getvalue()},
        Timeout=30,
    )["FunctionArn"]
    secrets.create_secret(Name="rotated", SecretString="first")
    for options in ({"RotationLambdaARN": function}, {}):
        version = secrets.rotate_secret(SecretId="rotated", **options)["VersionId"]
        assert secrets.get_secret_value(SecretId="rotated")["SecretString"] == version


def test_pages_of_versions(secrets: Any) -> None:
    made = [secrets.create_secret(Name="paged", SecretString="0")["VersionId"]]
    made += [
        secrets.put_secret_value(SecretId="paged", SecretString=str(n), VersionStages=[f"L{n}"])["VersionId"]
        for n in range(1, 4)
    ]
    first = secrets.list_secret_version_ids(SecretId="paged", MaxResults=3)
    rest = secrets.list_secret_version_ids(SecretId="paged", MaxResults=3, NextToken=first["NextToken"])
    assert [each["VersionId"] for each in [*first["Versions"], *rest["Versions"]]] == made
    assert "NextToken" not in rest


def test_when_a_secret_was_read(secrets: Any) -> None:
    secrets.create_secret(Name="read", SecretString="x")
    assert "LastAccessedDate" not in secrets.describe_secret(SecretId="read")
    secrets.get_secret_value(SecretId="read")
    assert secrets.describe_secret(SecretId="read")["LastAccessedDate"].timestamp() % 86_400 == 0


@pytest.mark.parametrize(
    ("operation", "arguments", "code", "message"),
    [
        ("create_secret", {"Name": "not a name"}, "ValidationException", "Invalid name. Must be a valid name"),
        ("describe_secret", {"SecretId": "what*"}, "ValidationException", "Invalid name. Must be a valid name"),
        ("list_secret_version_ids", {"SecretId": "absent"}, "ResourceNotFoundException", "the specified secret."),
        (
            "get_secret_value",
            {"SecretId": "kept", "VersionStage": "AWSPREVIOUS"},
            "ResourceNotFoundException",
            "the specified secret value for staging label: AWSPREVIOUS",
        ),
        ("rotate_secret", {"SecretId": "kept"}, "InvalidRequestException", "No Lambda rotation function ARN"),
        ("create_secret", {"Name": "deleted"}, "InvalidRequestException", "already scheduled for deletion"),
        ("tag_resource", {"SecretId": "deleted", "Tags": []}, "InvalidRequestException", "marked for deletion"),
    ],
)
def test_what_secrets_manager_refuses(
    secrets: Any, operation: str, arguments: dict[str, Any], code: str, message: str
) -> None:
    for name in ("kept", "deleted"):
        with contextlib.suppress(secrets.exceptions.ClientError):
            secrets.create_secret(Name=name, SecretString="x")
    with contextlib.suppress(secrets.exceptions.InvalidRequestException):
        secrets.delete_secret(SecretId="deleted")
    with pytest.raises(ClientError) as caught:
        getattr(secrets, operation)(**arguments)
    response = caught.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (400, code)
    assert message in response["Error"]["Message"]
    assert code == "ValidationException" or response["Message"] == response["Error"]["Message"]
