"""Where the wire transport gets host, user and password from. AWS is botocore's stub, which checks by its model."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

import rs_query
from rs_query.login import Login, login
from rs_query.transport import Target

WORKGROUP = {"workgroup": {"endpoint": {"address": "elt.example", "port": 5439}}}
CLUSTER = {"Clusters": [{"Endpoint": {"Address": "c1.example", "Port": 5440}}]}
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:redshift-AbCdEf"

CASES: dict[str, Any] = {
    "workgroup by IAM": (
        Target("dev", workgroup="elt"),
        [
            ("redshift-serverless", "get_workgroup", {"workgroupName": "elt"}, WORKGROUP),
            (
                "redshift-serverless",
                "get_credentials",
                {"workgroupName": "elt", "dbName": "dev"},
                {"dbUser": "IAMR:job", "dbPassword": "hunter2"},
            ),
        ],
        Login("elt.example", 5439, "IAMR:job", "hunter2"),
    ),
    "cluster by IAM": (
        Target("dev", cluster="c1"),
        [
            ("redshift", "describe_clusters", {"ClusterIdentifier": "c1"}, CLUSTER),
            (
                "redshift",
                "get_cluster_credentials_with_iam",
                {"ClusterIdentifier": "c1", "DbName": "dev"},
                {"DbUser": "IAMR:job", "DbPassword": "hunter2"},
            ),
        ],
        Login("c1.example", 5440, "IAMR:job", "hunter2"),
    ),
    "workgroup by secret": (
        Target("dev", workgroup="elt", secret_arn=ARN),
        [
            ("redshift-serverless", "get_workgroup", {"workgroupName": "elt"}, WORKGROUP),
            (
                "secretsmanager",
                "get_secret_value",
                {"SecretId": ARN},
                {"SecretString": '{"username": "admin", "password": "hunter2"}'},
            ),
        ],
        Login("elt.example", 5439, "admin", "hunter2"),
    ),
}


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give clients that answer the given calls, in order."""

    def stub(calls: list[tuple[str, str, dict[str, Any], dict[str, Any]]]) -> None:
        clients = {}
        for service, operation, request, response in calls:
            client = clients.setdefault(
                service,
                boto3.session.Session().client(
                    service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
                ),
            )
            stubber = getattr(client, "stubber", None) or Stubber(client)
            client.stubber = stubber
            stubber.activate()
            stubber.add_response(operation, _whole(client, operation, response), request)
        monkeypatch.setattr("rs_query.login.client", clients.__getitem__)

    return stub


def _whole(client: Any, operation: str, response: dict[str, Any]) -> dict[str, Any]:
    if operation == "get_workgroup":
        return {"workgroup": {"workgroupName": "elt", **response["workgroup"]}}
    return response


@pytest.mark.parametrize(("target", "calls", "expected"), CASES.values(), ids=CASES)
def test_gets_a_login(target: Target, calls: list[Any], expected: Login, stubbed: Any) -> None:
    stubbed(calls)
    assert login(target) == expected
    assert "hunter2" not in repr(expected)


def test_says_when_there_is_nothing_to_connect_to(stubbed: Any) -> None:
    stubbed([("redshift-serverless", "get_workgroup", {"workgroupName": "elt"}, {"workgroup": {}})])
    with pytest.raises(rs_query.ServiceError) as caught:
        login(Target("dev", workgroup="elt"))
    assert str(caught.value) == "elt: has no endpoint yet; wait until it is available"


@pytest.mark.parametrize("text", ["", "hunter2", "[]", '{"username": "admin"}', '{"password": "hunter2"}'])
def test_says_when_a_secret_is_none_for_a_database(text: str, stubbed: Any) -> None:
    target, (endpoint, (service, operation, request, _)), _ = CASES["workgroup by secret"]
    stubbed([endpoint, (service, operation, request, {"SecretString": text} if text else {})])
    with pytest.raises(rs_query.ServiceError) as caught:
        login(target)
    assert str(caught.value) == f"{ARN}: the secret is no JSON object with a username and a password"
