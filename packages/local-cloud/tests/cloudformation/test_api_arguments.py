"""Every property of every type reaches an operation that takes it: checked against botocore's models, not a service."""

from __future__ import annotations

import collections
import datetime
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.resource_types import type_of
from local_cloud.services.cloudformation.resource_types.base import Target
from local_cloud.services.cloudformation.schema import schema_of, type_names

#: Values that a type reads, where any text will not do.
MEANINGFUL: dict[str, Any] = {
    "AccessControl": "BucketOwnerFullControl",
    "Code": {"S3Bucket": "bucket", "S3Key": "key"},
    "DefinitionS3Location": None,  # one of three ways to give a definition
    "DefinitionString": None,
    "DeploymentPreference": None,  # the other way to route an alias
    "EndDate": "2030-01-01T00:00:00Z",
    "ExpirationDate": "2030-01-01T00:00:00Z",
    "GenerateSecretString": None,  # the other way to a secret's text
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "LifecyclePolicyText": "{}" + " " * 98,  # as long as the shortest
    "ObjectSizeGreaterThan": "1",
    "ObjectSizeLessThan": "9",
    "Protocol": "sqs",
    "SecretStringTemplate": "{}",
    "StartDate": "2030-01-01T00:00:00Z",
    "StateMachineVersionArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m:1",
    "TargetObjectKeyFormat": {"SimplePrefix": {}},
    "TransitionDate": "2030-01-01T00:00:00Z",
    "Type": "String",
}
#: Cannot be changed, nor replace a resource by changing: the types say so.
FIXED = {
    *("CodeSigningConfigArn", "KeySpec", "KeyUsage", "LocalSecondaryIndexes", "MultiRegion", "Origin"),
    *("SSESpecification", "TableClass"),
}

EXISTS = {"HeadBucket", "GetBucketPolicy", "GetTopicAttributes", "GetQueueUrl", "DescribeRule", "GetDashboard"}


class Answer(collections.defaultdict[str, Any]):
    """An answer in which everything asked for is there."""

    def __missing__(self, name: str) -> Any:
        if name.endswith(("Date", "Time")):
            return datetime.datetime.now(datetime.timezone.utc)
        if name == "repositories":
            return [Answer()]
        if name == "LayerVersionArn":
            return "arn:aws:lambda:us-east-1:123456789012:layer:name:1"
        if name.endswith(("s", "List")) and name not in ("status", "LastUpdateStatus"):
            return []
        if name in ("namespace", "workgroup", "Group", "KeyMetadata", "Policy", "Role", "Table", "User"):
            return Answer(status="AVAILABLE", namespaceArn="arn:namespace", workgroupArn="arn:workgroup")
        return "AVAILABLE" if name == "status" else f"arn:aws:{name}:us-east-1:123456789012:name"


SESSION = boto3.session.Session()


class Recorder:
    """Clients that check their arguments against the model and send nothing."""

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self.clients:
            client = SESSION.client(
                service,
                region_name="us-east-1",
                aws_access_key_id="x",
                aws_secret_access_key="x",
                endpoint_url="http://x",
            )
            client.meta.events.register("before-call", self._answer)
            self.clients[service] = client
        return self.clients[service]

    def _answer(self, model: Any, **_: Any) -> tuple[Any, Any]:
        self.operations.append(model.name)
        absent = model.name in EXISTS or (
            model.name in ("GetNamespace", "GetWorkgroup")
            and any(name.startswith("Delete") for name in self.operations)
        )
        if absent:
            return AWSResponse("", 404, {}, None), {"Error": {"Code": "NotFound", "Message": "none"}}
        return AWSResponse("", 200, {}, None), Answer()


def sample(kind: Any, name: str, variant: int) -> Any:
    """A value of a property's type, another one for each variant."""
    if name in MEANINGFUL:
        return MEANINGFUL[name]
    if isinstance(kind, list):
        return [sample(kind[0], name.rstrip("s"), variant)]
    if isinstance(kind, dict) and "*" in kind:
        return {f"key{variant}": sample(kind["*"], "", variant)}
    if isinstance(kind, dict):
        return {
            each.rstrip("!"): value
            for each, inner in kind.items()
            if (value := sample(inner, each.rstrip("!"), variant)) is not None
        }
    return {
        "string": f"value{variant}-" * 6,  # as long as the longest minimum
        "integer": 3600 * variant,
        "number": 3600 * variant,
        "boolean": variant == 1,
        "json": {"key": f"value{variant}"},
    }[kind]


def properties(type_name: str, variant: int) -> dict[str, Any]:
    """All of a type's properties; those whose change replaces the resource are the same in each variant."""
    schema = schema_of(type_name)
    assert schema
    fixed = {entry.split("/")[0] for entry in schema.replacement} | FIXED | {"DatabaseInput"}
    result = {}
    for key, kind in schema.properties.items():
        name = key.rstrip("!")
        value = sample(kind, name, 1 if name in fixed else variant)
        if value is not None:
            result[name] = value
    return result


@pytest.mark.parametrize("type_name", type_names())
def test_every_property_is_taken(type_name: str) -> None:
    recorder, kind = Recorder(), type_of(type_name)
    first, second = properties(type_name, 1), properties(type_name, 2)

    def target(given: dict[str, Any], physical_id: str = "") -> Target:
        name = given.get(kind.name_property, "made-up")
        return Target("R", "stack", "123456789012", "us-east-1", given, recorder.client, name, physical_id)

    coerced, problems = schema_of(type_name).coerce(first)  # type: ignore[union-attr]
    assert (coerced, problems) == (first, [])
    kind.expected_id(target(first))
    physical_id = kind.create(target(first))
    kind.configure(target(first, physical_id), {})
    assert set(kind.attributes(target(first, physical_id))) <= schema_of(type_name).attributes  # type: ignore[union-attr]
    kind.update(target(second, physical_id), first)
    required = {each.rstrip("!") for each in schema_of(type_name).properties if each.endswith("!")}  # type: ignore[union-attr]
    kept = required | FIXED | {"Definition", "RoutingConfiguration"}
    bare = {name: value for name, value in second.items() if name in kept}
    if type_name != "AWS::S3::Bucket":  # object lock cannot be taken away
        kind.update(target(bare, physical_id), {name: first.get(name, value) for name, value in second.items()})
    kind.delete(target(second, physical_id))


def test_a_property_the_api_does_not_have_is_not_dropped() -> None:
    from local_cloud.services.cloudformation.errors import ResourceError
    from local_cloud.services.cloudformation.resource_types.base import call

    with pytest.raises(ResourceError, match=r"^The property Command\.Nope has no meaning for this resource$"):
        call(Recorder().client("glue"), "create_job", {"Command": {"Name": "x", "Nope": 1}})


def test_the_recorder_raises_as_a_service_would() -> None:
    with pytest.raises(ClientError):
        Recorder().client("s3").head_bucket(Bucket="b")
