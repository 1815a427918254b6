"""The properties of the resource types: validation, coercion, and agreement with AWS's registry and with the APIs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from local_cloud.services.cloudformation.resource_types import type_of
from local_cloud.services.cloudformation.schema import Schema, schema_of, type_names
from local_cloud.services.cloudformation.templates.values import UNKNOWN

#: Attributes that AWS documents for Fn::GetAtt and the registry does not list as read-only.
DOCUMENTED_ATTRIBUTES = {
    "AWS::SNS::Topic": {"TopicName"},
    "AWS::SQS::Queue": {"QueueName"},
    "AWS::SSM::Parameter": {"Type", "Value"},
}


def schema(name: str) -> Schema:
    found = schema_of(name)
    assert found
    return found


def test_every_schema_has_its_type_and_every_name_property_is_one() -> None:
    assert len(type_names()) == 46
    for name in type_names():
        kind = type_of(name)
        assert kind.type == name
        if kind.name_property:
            assert kind.name_property in schema(name).properties or f"{kind.name_property}!" in schema(name).properties
        assert kind.moving_attributes <= schema(name).attributes


@pytest.mark.parametrize(
    "name", ["AWS::Nope::Thing", "AWS::S3::Nope", "AWS::S3", "Custom::Thing", "AWS::../x::Y", "AWS::EC2::Instance"]
)
def test_a_type_that_aws_has_not_has_no_schema(name: str) -> None:
    assert schema_of(name) is None


@pytest.mark.parametrize(
    ("name", "properties", "result"),
    [
        ("AWS::SQS::Queue", {"DelaySeconds": "5", "FifoQueue": "true"}, {"DelaySeconds": 5, "FifoQueue": True}),
        ("AWS::SQS::Queue", {"QueueName": 5, "RedrivePolicy": {"a": 1}}, {"QueueName": "5", "RedrivePolicy": {"a": 1}}),
        ("AWS::SQS::Queue", {"QueueName": True}, {"QueueName": "true"}),
        ("AWS::SQS::Queue", {"QueueName": UNKNOWN, "Tags": UNKNOWN}, {"QueueName": UNKNOWN, "Tags": UNKNOWN}),
        (
            "AWS::Glue::Job",
            {"Role": "r", "Command": {"PythonVersion": 3.9}, "MaxCapacity": "0.0625", "MaxRetries": 1.0},
            {"Role": "r", "Command": {"PythonVersion": "3.9"}, "MaxCapacity": 0.0625, "MaxRetries": 1},
        ),
        (
            "AWS::Lambda::Function",
            {"Role": "r", "Code": {}, "Environment": {"Variables": {"A": 1, "B": False}}},
            {"Role": "r", "Code": {}, "Environment": {"Variables": {"A": "1", "B": "false"}}},
        ),
    ],
)
def test_scalars_come_in_their_types(name: str, properties: dict[str, Any], result: dict[str, Any]) -> None:
    assert schema(name).coerce(properties) == (result, [])


@pytest.mark.parametrize(
    ("name", "properties", "problems"),
    [
        ("AWS::SQS::Queue", {"Nope": 1}, ["#: extraneous key [Nope] is not permitted"]),
        (
            "AWS::Glue::Job",
            {"Command": {"Scriptlocation": "x"}},
            ["#/Command: extraneous key [Scriptlocation] is not permitted", "#: required key [Role] not found"],
        ),
        ("AWS::SQS::Queue", {"DelaySeconds": "soon"}, ["#/DelaySeconds: expected type: Integer, found: String"]),
        ("AWS::SQS::Queue", {"DelaySeconds": 0.5}, ["#/DelaySeconds: expected type: Integer, found: Number"]),
        ("AWS::SQS::Queue", {"FifoQueue": "maybe"}, ["#/FifoQueue: expected type: Boolean, found: String"]),
        ("AWS::SQS::Queue", {"QueueName": ["a"]}, ["#/QueueName: expected type: String, found: JSONArray"]),
        ("AWS::SQS::Queue", {"Tags": {"a": "b"}}, ["#/Tags: expected type: JSONArray, found: JSONObject"]),
        ("AWS::SQS::Queue", {"Tags": [{"Value": "b"}]}, ["#/Tags/0: required key [Key] not found"]),
        ("AWS::SQS::Queue", {"Tags": ["b"]}, ["#/Tags/0: expected type: JSONObject, found: String"]),
        (
            "AWS::S3::Bucket",
            {"ReplicationConfiguration": {}},
            ["#: key [ReplicationConfiguration] is not supported by this local cloud"],
        ),
    ],
)
def test_problems_in_the_words_of_aws(name: str, properties: dict[str, Any], problems: list[str]) -> None:
    assert schema(name).coerce(properties)[1] == problems


def registry() -> Path:
    """cfn-lint carries the registry's schemas; without it there is nothing to compare with."""
    package = importlib.util.find_spec("cfnlint")
    if package is None or not package.submodule_search_locations:
        pytest.skip("cfn-lint is not installed: the schemas are not compared with AWS's registry")
    return Path(package.submodule_search_locations[0]) / "data" / "schemas"


@pytest.mark.parametrize("name", type_names())
def test_names_agree_with_the_registry(name: str) -> None:
    folder = registry()
    index = json.loads((folder / "providers" / "us-east-1.json").read_text())
    theirs = json.loads((folder / "resources" / f"{index[name]}.json").read_text())
    ours = schema(name)
    read_only = {path.split("/")[2] for path in theirs.get("readOnlyProperties", [])}
    read_only -= {path.split("/")[2] for path in theirs.get("readOnlyProperties", []) if path.count("/") > 2}
    nested = {path.split("/")[2] for path in theirs.get("readOnlyProperties", [])} - read_only
    settable = {each for each in theirs["properties"] if each not in read_only}
    settable -= {each for each in nested if each in ("Namespace", "Workgroup", "SnapStartResponse")}
    assert {each.rstrip("!") for each in ours.properties} | ours.unsupported == settable
    assert {each[:-1] for each in ours.properties if each.endswith("!")} == set(theirs.get("required", []))
    replacing = theirs.get("createOnlyProperties", []) + theirs.get("conditionalCreateOnlyProperties", [])
    paths = {path.removeprefix("/properties/") for path in replacing}
    assert ours.replacement == {path for path in paths if path.split("/")[0] not in ours.unsupported}
    hidden = {path.split("/")[2] for path in theirs.get("writeOnlyProperties", []) if "*" not in path}
    partly = {"MetadataConfiguration", "TableInput"}
    assert ours.write_only == (hidden & {each.rstrip("!") for each in ours.properties}) - partly
    _check_inner_names(theirs, {"properties": theirs["properties"]}, ours.properties)
    tops = {attribute.split(".")[0] for attribute in ours.attributes - DOCUMENTED_ATTRIBUTES.get(name, set())}
    assert tops <= read_only | nested


def _check_inner_names(root: dict[str, Any], theirs: dict[str, Any], ours: Any) -> None:
    while "$ref" in theirs:
        path = theirs["$ref"].removeprefix("#/").split("/")
        theirs = root
        for part in path:
            theirs = theirs[part]
    if isinstance(ours, list):
        _check_inner_names(root, theirs["items"], ours[0])
    elif isinstance(ours, dict) and "*" in ours:
        assert theirs["patternProperties"]
    elif isinstance(ours, dict):
        for name, inner in ours.items():
            _check_inner_names(root, theirs["properties"][name.rstrip("!")], inner)
    elif ours != "json" and isinstance(theirs.get("type"), str):
        assert theirs["type"] == ours
