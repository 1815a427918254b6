"""Redshift Serverless by CloudFormation: made, used, changed, and deleted."""

from __future__ import annotations

import json
import time
from typing import Any

from .conftest import TEMPLATES, Stacks

TEMPLATE = (TEMPLATES / "warehouse.yaml").read_text()


def described(cloud: Any) -> dict[str, Any]:
    client = cloud.client("redshift-serverless")
    namespace = client.get_namespace(namespaceName="wh-space")["namespace"]
    workgroup = client.get_workgroup(workgroupName="wh-group")["workgroup"]
    tags = client.list_tags_for_resource(resourceArn=namespace["namespaceArn"])["tags"]
    return {
        "database": namespace["dbName"],
        "admin": namespace["adminUsername"],
        "logs": sorted(namespace["logExports"]),
        "role": namespace["defaultIamRoleArn"],
        "tags": {tag["key"]: tag["value"] for tag in tags},
        "capacity": workgroup["baseCapacity"],
        "of": workgroup["namespaceName"],
    }


def expected(variant: str, role: str) -> dict[str, Any]:
    second = variant == "second"
    return {
        "database": "dev",
        "admin": "boss",
        "logs": ["connectionlog", "userlog"] if second else ["userlog"],
        "role": role,
        "tags": {"variant": variant},
        "capacity": 16 if second else 8,
        "of": "wh-space",
    }


def test_a_warehouses_life(stacks: Stacks, cloud: Any) -> None:
    stacks.create("wh", TEMPLATE, parameters={"Prefix": "wh"})
    assert stacks.failures("wh") == {}
    role = f"arn:aws:iam::123456789012:role/{stacks.resources('wh')['Role']}"
    assert described(cloud) == expected("first", role)
    outputs = stacks.outputs("wh")
    assert outputs["Address"].startswith("wh-group.123456789012.us-east-1.redshift-serverless.")
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=outputs["AdminSecret"])
    assert json.loads(secret["SecretString"])["username"] == "boss"

    data = cloud.client("redshift-data")
    statement = data.execute_statement(WorkgroupName="wh-group", Database="dev", Sql="SELECT 1 + 1 AS two")["Id"]
    while (status := data.describe_statement(Id=statement)["Status"]) not in ("FINISHED", "FAILED", "ABORTED"):
        time.sleep(0.05)
    assert status == "FINISHED"
    assert data.get_statement_result(Id=statement)["Records"] == [[{"longValue": 2}]]

    stacks.update("wh", TEMPLATE, parameters={"Prefix": "wh", "Variant": "second"})
    assert stacks.failures("wh") == {}
    assert described(cloud) == expected("second", role)
    assert stacks.outputs("wh") == outputs
    stacks.delete("wh")
    client = cloud.client("redshift-serverless")
    assert (client.list_namespaces()["namespaces"], client.list_workgroups()["workgroups"]) == ([], [])
