"""Secrets Manager as jobs and stacks use it."""

from __future__ import annotations

import json
import string
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
