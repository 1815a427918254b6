"""The control plane: namespaces, workgroups, their secrets, limits and tags."""

from __future__ import annotations

import datetime
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/one"
OTHER = "arn:aws:iam::123456789012:role/two"


@pytest.fixture(scope="module")
def api(cloud) -> Any:
    return cloud.client("redshift-serverless")


@pytest.fixture
def namespace(api, request: pytest.FixtureRequest) -> str:
    name = f"n{abs(hash(request.node.nodeid))}"
    api.create_namespace(namespaceName=name)
    return name


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def await_the_end_of(api: Any, workgroup: str) -> None:
    """Deleting a workgroup only begins it."""
    while workgroup in [one["workgroupName"] for one in api.list_workgroups()["workgroups"]]:
        time.sleep(0.05)


def test_a_namespace(api) -> None:
    created = api.create_namespace(
        namespaceName="full", dbName="warehouse", adminUsername="boss", adminUserPassword="Secret123",
        iamRoles=[ROLE, OTHER], defaultIamRoleArn=ROLE, logExports=["userlog"], tags=[{"key": "team", "value": "data"}],
    )["namespace"]  # fmt: skip
    assert created["status"] == "AVAILABLE"
    assert created["namespaceArn"].startswith("arn:aws:redshift-serverless:us-east-1:123456789012:namespace/")
    assert (created["dbName"], created["adminUsername"]) == ("warehouse", "boss")
    assert created["defaultIamRoleArn"] == ROLE
    assert created["iamRoles"] == [f"IamRole(applyStatus=in-sync, iamRoleArn={arn})" for arn in (ROLE, OTHER)]
    assert isinstance(created["creationDate"], datetime.datetime)
    assert "adminUserPassword" not in created
    assert api.get_namespace(namespaceName="full")["namespace"] == created
    assert created in api.list_namespaces()["namespaces"]
    assert api.list_tags_for_resource(resourceArn=created["namespaceArn"])["tags"] == [{"key": "team", "value": "data"}]
    changed = api.update_namespace(namespaceName="full", iamRoles=[OTHER], logExports=[])["namespace"]
    assert changed["iamRoles"] == [f"IamRole(applyStatus=in-sync, iamRoleArn={OTHER})"]
    # A default role that is no longer associated is none.
    assert not changed.get("defaultIamRoleArn")
    assert api.delete_namespace(namespaceName="full")["namespace"]["status"] == "DELETING"
    assert refused(api.get_namespace, namespaceName="full")[0] == "ResourceNotFoundException"


def test_a_managed_password_is_a_real_secret(api, cloud) -> None:
    secrets = cloud.client("secretsmanager")
    created = api.create_namespace(namespaceName="managed", manageAdminPassword=True)["namespace"]
    arn = created["adminPasswordSecretArn"]
    secret = secrets.describe_secret(SecretId=arn)
    assert secret["Name"] == "redshift!managed-admin"
    value = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert set(value) == {"username", "password"}
    assert value["username"] == "admin"
    assert len(value["password"]) >= 32
    unmanaged = api.update_namespace(namespaceName="managed", adminUserPassword="Other1234")["namespace"]
    assert "adminPasswordSecretArn" not in unmanaged
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId=arn)
    again = api.update_namespace(namespaceName="managed", manageAdminPassword=True)["namespace"]
    api.delete_namespace(namespaceName="managed")
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId=again["adminPasswordSecretArn"])


def test_a_workgroup(api, namespace: str) -> None:
    created = api.create_workgroup(
        workgroupName="group", namespaceName=namespace, baseCapacity=8, maxCapacity=64, publiclyAccessible=False,
        subnetIds=["subnet-1"], securityGroupIds=["sg-1"], tags=[{"key": "a", "value": "b"}],
        configParameters=[{"parameterKey": "max_query_execution_time", "parameterValue": "60"}],
    )["workgroup"]  # fmt: skip
    assert created["status"] == "AVAILABLE"
    assert created["namespaceName"] == namespace
    assert (created["baseCapacity"], created["maxCapacity"]) == (8, 64)
    assert created["endpoint"]["address"] == "group.123456789012.us-east-1.redshift-serverless.amazonaws.com"
    assert created["endpoint"]["port"] == 5439
    parameters = {p["parameterKey"]: p["parameterValue"] for p in created["configParameters"]}
    assert parameters["max_query_execution_time"] == "60"
    assert parameters["datestyle"] == "ISO, MDY"
    assert api.get_workgroup(workgroupName="group")["workgroup"] == created
    assert api.list_tags_for_resource(resourceArn=created["workgroupArn"])["tags"] == [{"key": "a", "value": "b"}]
    changed = api.update_workgroup(workgroupName="group", baseCapacity=16, port=5440)["workgroup"]
    assert (changed["baseCapacity"], changed["endpoint"]["port"]) == (16, 5440)
    code, message = refused(api.delete_namespace, namespaceName=namespace)
    assert code == "ConflictException"
    assert "associated with the workgroup group" in message


def test_a_workgroup_is_there_until_its_deletion_has_ended(api, namespace: str) -> None:
    api.create_workgroup(workgroupName="going", namespaceName=namespace)
    assert api.delete_workgroup(workgroupName="going")["workgroup"]["status"] == "DELETING"
    assert api.get_workgroup(workgroupName="going")["workgroup"]["status"] == "DELETING"
    assert refused(api.delete_namespace, namespaceName=namespace)[0] == "ConflictException"
    assert refused(api.delete_workgroup, workgroupName="going")[0] == "ConflictException"
    await_the_end_of(api, "going")
    assert refused(api.get_workgroup, workgroupName="going")[0] == "ResourceNotFoundException"
    api.delete_namespace(namespaceName=namespace)


def test_usage_limits(api, namespace: str) -> None:
    arn = api.create_workgroup(workgroupName="limited", namespaceName=namespace)["workgroup"]["workgroupArn"]
    made = api.create_usage_limit(resourceArn=arn, usageType="serverless-compute", amount=60)["usageLimit"]
    assert (made["period"], made["breachAction"]) == ("monthly", "log")
    code, _ = refused(api.create_usage_limit, resourceArn=arn, usageType="serverless-compute", amount=10)
    assert code == "ConflictException"
    changed = api.update_usage_limit(usageLimitId=made["usageLimitId"], amount=90, breachAction="deactivate")
    assert changed["usageLimit"]["amount"] == 90
    assert api.get_usage_limit(usageLimitId=made["usageLimitId"])["usageLimit"]["breachAction"] == "deactivate"
    assert len(api.list_usage_limits(resourceArn=arn)["usageLimits"]) == 1
    assert api.list_usage_limits(usageType="cross-region-datasharing")["usageLimits"] == []
    api.delete_usage_limit(usageLimitId=made["usageLimitId"])
    assert refused(api.get_usage_limit, usageLimitId=made["usageLimitId"])[0] == "ResourceNotFoundException"
    api.delete_workgroup(workgroupName="limited")


def test_tags(api, namespace: str) -> None:
    arn = api.get_namespace(namespaceName=namespace)["namespace"]["namespaceArn"]
    api.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    api.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "3"}])
    api.untag_resource(resourceArn=arn, tagKeys=["b", "c"])
    assert api.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "3"}]
    many = [{"key": f"k{number}", "value": "v"} for number in range(50)]
    assert refused(api.tag_resource, resourceArn=arn, tags=many)[0] == "TooManyTagsException"


def test_lists_come_in_pages(api) -> None:
    for number in range(3):
        api.create_namespace(namespaceName=f"paged-{number}")
    pages = list(api.get_paginator("list_namespaces").paginate(PaginationConfig={"PageSize": 2}))
    assert len(pages) > 1
    names = [item["namespaceName"] for page in pages for item in page["namespaces"]]
    assert {"paged-0", "paged-1", "paged-2"} <= set(names)
    assert len(names) == len(set(names))
    assert refused(api.list_namespaces, nextToken="nonsense")[0] == "ValidationException"


def test_credentials(api, namespace: str) -> None:
    api.create_workgroup(workgroupName="login", namespaceName=namespace)
    given = api.get_credentials(workgroupName="login", dbName="dev", durationSeconds=1800)
    assert given["dbUser"] == "IAM:root"
    assert len(given["dbPassword"]) > 30
    left = given["expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=29) < left <= datetime.timedelta(minutes=30)
    assert refused(api.get_credentials, workgroupName="nothing")[0] == "ResourceNotFoundException"
    api.delete_workgroup(workgroupName="login")


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("create_namespace", {"namespaceName": "Upper"}, "ValidationException", "at 'namespaceName' failed"),
    ("create_namespace", {"namespaceName": "ok-name", "dbName": "1x"}, "ValidationException", "database name 1x"),
    ("create_namespace", {"namespaceName": "ok-name", "adminUserPassword": "short"}, "ValidationException",
     "must be 8-64 characters"),
    ("create_namespace", {"namespaceName": "ok-name", "adminUserPassword": "Secret123", "manageAdminPassword": True},
     "ValidationException", "can't specify both"),
    ("create_namespace", {"namespaceName": "ok-name", "defaultIamRoleArn": ROLE}, "ValidationException",
     "must be one of the namespace's IAM roles"),
    ("get_namespace", {"namespaceName": "nothing"}, "ResourceNotFoundException", "nothing not found"),
    ("update_namespace", {"namespaceName": "nothing"}, "ResourceNotFoundException", "nothing not found"),
    ("delete_namespace", {"namespaceName": "nothing"}, "ResourceNotFoundException", "nothing not found"),
    ("create_workgroup", {"workgroupName": "ok-name", "namespaceName": "nothing"}, "ResourceNotFoundException",
     "nothing not found"),
    ("get_workgroup", {"workgroupName": "nothing"}, "ResourceNotFoundException", "nothing not found"),
    ("delete_workgroup", {"workgroupName": "nothing"}, "ResourceNotFoundException", "nothing not found"),
    ("create_usage_limit", {"resourceArn": "arn:x", "usageType": "serverless-compute", "amount": 1},
     "ResourceNotFoundException", "arn:x not found"),
    ("tag_resource", {"resourceArn": "arn:x", "tags": []}, "ResourceNotFoundException", "arn:x not found"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "request_", "code", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_requests(api, operation: str, request_: dict[str, Any], code: str, message: str) -> None:
    found = refused(getattr(api, operation), **request_)
    assert found[0] == code
    assert message in found[1]


@pytest.mark.parametrize("wrong", [{"baseCapacity": 7}, {"baseCapacity": 64, "maxCapacity": 8}, {"port": 80}])
def test_a_workgroup_that_cannot_be(api, namespace: str, wrong: dict[str, int]) -> None:
    code, _ = refused(api.create_workgroup, workgroupName="cannot-be", namespaceName=namespace, **wrong)
    assert code == "ValidationException"


def test_a_name_is_taken_once(api, namespace: str) -> None:
    assert refused(api.create_namespace, namespaceName=namespace)[0] == "ConflictException"
    api.create_workgroup(workgroupName="once", namespaceName=namespace)
    assert refused(api.create_workgroup, workgroupName="once", namespaceName=namespace)[0] == "ConflictException"
    assert refused(api.create_workgroup, workgroupName="twice", namespaceName=namespace)[0] == "ConflictException"
    api.delete_workgroup(workgroupName="once")


def test_a_namespace_takes_its_data_with_it(api, cloud, data_api_of, make_workgroup) -> None:
    redshift = data_api_of(cloud)
    target = {"WorkgroupName": "brief", "Database": "dev"}
    for _ in range(2):
        make_workgroup(redshift, "brief", "short-lived")
        redshift.done("create table t (a int)", **target)
        kept = redshift.api.execute_statement(Sql="begin", SessionKeepAliveSeconds=600, **target)
        redshift.wait(kept["Id"])
        redshift.done("insert into t values (1)", SessionId=kept["SessionId"])
        api.delete_workgroup(workgroupName="brief")
        assert redshift.refused("execute_statement", Sql="select 1", **target)[0] == "ValidationException"
        await_the_end_of(api, "brief")
        api.delete_namespace(namespaceName="short-lived")


def test_the_aws_command(cloud, api) -> None:
    done = cloud.aws(
        "redshift-serverless", "create-namespace", "--namespace-name", "by-command", "--tags", "key=a,value=b"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["namespace"]["namespaceName"] == "by-command"
    failed = cloud.aws("redshift-serverless", "get-workgroup", "--workgroup-name", "nothing")
    assert "(ResourceNotFoundException) when calling the GetWorkgroup operation" in failed.stderr
