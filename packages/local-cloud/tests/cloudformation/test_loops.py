"""Fn::ForEach writes a part of the template once for each item of a list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.parameters import ParameterValue
from local_cloud.services.cloudformation.templates.template import Template

TOPIC = {"Type": "AWS::SNS::Topic"}


def parsed(sections: dict[str, Any], **values: str) -> Template:
    text = json.dumps({"Transform": "AWS::LanguageExtensions", **sections})
    return Template.parse(text, {name: ParameterValue(name, value) for name, value in values.items()})


def topics(*loop: Any, **sections: Any) -> dict[str, Any]:
    return {"Resources": {"Fn::ForEach::Topics": list(loop)}} | sections


def test_a_resource_for_each_item() -> None:
    template = parsed(
        topics(
            "Name",
            ["Red", "Blue"],
            {"Topic${Name}": TOPIC | {"Properties": {"TopicName": {"Fn::Sub": "${Name}-${AWS::Region}"}}}},
        )
    )
    assert {name: each.properties for name, each in template.resources.items()} == {
        "TopicRed": {"TopicName": {"Fn::Sub": "Red-${AWS::Region}"}},
        "TopicBlue": {"TopicName": {"Fn::Sub": "Blue-${AWS::Region}"}},
    }


def test_the_item_by_ref_in_a_mapping_and_in_the_name_of_a_resource() -> None:
    template = parsed(
        {
            "Mappings": {"Displayed": {"Red": {"Text": "warm"}, "Blue": {"Text": "cold"}}},
            "Resources": {
                "Fn::ForEach::Topics": [
                    "Name",
                    ["Red", "Blue"],
                    {
                        "Topic${Name}": TOPIC
                        | {"Properties": {"DisplayName": {"Fn::FindInMap": ["Displayed", {"Ref": "Name"}, "Text"]}}}
                    },
                ]
            },
            "Outputs": {
                "Fn::ForEach::Arns": [
                    "Name",
                    ["Red", "Blue"],
                    {"Arn${Name}": {"Value": {"Fn::GetAtt": [{"Fn::Sub": "Topic${Name}"}, "TopicArn"]}}},
                ]
            },
        }
    )
    assert template.resources["TopicRed"].properties == {"DisplayName": {"Fn::FindInMap": ["Displayed", "Red", "Text"]}}
    assert {name: each.value for name, each in template.outputs.items()} == {
        "ArnRed": {"Fn::GetAtt": ["TopicRed", "TopicArn"]},
        "ArnBlue": {"Fn::GetAtt": ["TopicBlue", "TopicArn"]},
    }


def test_a_loop_in_a_loop_and_in_properties_and_conditions() -> None:
    template = parsed(
        {
            "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
            "Conditions": {
                "Fn::ForEach::Stages": [
                    "S",
                    ["dev", "prod"],
                    {"Is${S}": {"Fn::Equals": [{"Ref": "Stage"}, {"Ref": "S"}]}},
                ]
            },
            "Resources": {
                "Fn::ForEach::Colours": [
                    "Colour",
                    ["Red"],
                    {
                        "Fn::ForEach::Sizes": [
                            "Size",
                            ["S", "L"],
                            {
                                "${Colour}${Size}": TOPIC
                                | {
                                    "Condition": "Isprod",
                                    "Properties": {
                                        "Fn::ForEach::Names": [
                                            "Property",
                                            ["TopicName", "DisplayName"],
                                            {"${Property}": {"Fn::Sub": "${Colour}-${Size}"}},
                                        ]
                                    },
                                }
                            },
                        ]
                    },
                ]
            },
        }
    )
    assert list(template.conditions) == ["Isdev", "Isprod"]
    assert template.conditions["Isprod"] == {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
    assert {name: each.properties for name, each in template.resources.items()} == {
        "RedS": {"TopicName": "Red-S", "DisplayName": "Red-S"},
        "RedL": {"TopicName": "Red-L", "DisplayName": "Red-L"},
    }


def test_letters_and_digits_alone_make_a_key() -> None:
    template = parsed(topics("Cidr", ["10.0.0.0/24"], {"At&{Cidr}": TOPIC | {"Metadata": {"Of": "${Cidr} &{Cidr}"}}}))
    assert {name: each.metadata for name, each in template.resources.items()} == {
        "At1000024": {"Of": "10.0.0.0/24 &{Cidr}"}
    }


@pytest.mark.parametrize(
    ("values", "names"), [({}, ["TopicA", "TopicB"]), ({"Names": "X, Y,Z"}, ["TopicX", "TopicY", "TopicZ"])]
)
def test_the_items_of_a_parameter(values: dict[str, str], names: list[str]) -> None:
    declared = {"Names": {"Type": "CommaDelimitedList", "Default": "A,B"}}
    text = json.dumps(
        {
            "Transform": "AWS::LanguageExtensions",
            **topics("N", {"Ref": "Names"}, {"Topic${N}": TOPIC}, Parameters=declared),
        }
    )
    template = Template.parse(text)
    assert list(template.resources) == ["TopicA", "TopicB"]
    given = {"Names": ParameterValue("Names", values.get("Names", "A,B"))}
    assert list(template.with_values(given).resources) == names


def test_items_that_are_not_known_yet_are_no_error() -> None:
    declared = {"Names": {"Type": "CommaDelimitedList"}}
    used = {"One": {"Value": {"Ref": "TopicA"}}}
    text = json.dumps(
        {
            "Transform": "AWS::LanguageExtensions",
            **topics("N", {"Ref": "Names"}, {"Topic${N}": TOPIC}, Parameters=declared, Outputs=used),
        }
    )
    template = Template.parse(text)
    assert template.resources == {}
    with pytest.raises(ValidationError, match="TopicA"):
        template.with_values({"Names": ParameterValue("Names", "B")})


FAILED = "Transform AWS::LanguageExtensions failed with: "


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        (
            topics("N", ["A"]),
            "Fn::ForEach::Topics requires a list of three elements: identifier, collection and fragment",
        ),
        (topics("a b", ["A"], {}), "Fn::ForEach::Topics: the identifier must be an alphanumeric string"),
        (
            topics("N", "A", {"T${N}": TOPIC}),
            "Fn::ForEach::Topics: the collection must be a list, or a Ref to a list parameter",
        ),
        (topics("N", [["A"]], {"T${N}": TOPIC}), "Fn::ForEach::Topics: every item of the collection must be a string"),
        (topics("N", ["A"], {"T": TOPIC}), "Fn::ForEach::Topics: the key T must contain ${N} or &{N}"),
        (topics("N", ["A", "A"], {"T${N}": TOPIC}), "Fn::ForEach::Topics: duplicate key TA"),
        (topics("N", [], []), "Fn::ForEach::Topics: the fragment must be a map"),
        (
            topics("N", {"Fn::GetAtt": ["A", "B"]}, {"T${N}": TOPIC}),
            "Fn::ForEach::Topics: Fn::GetAtt cannot be resolved in a collection",
        ),
        (
            topics("N", ["A"], {"T${N}": TOPIC}, Parameters={"N": {"Type": "String", "Default": ""}}),
            "Fn::ForEach::Topics: the identifier N is the name of a parameter or of a loop around it",
        ),
        (
            topics("N", {"Ref": "P"}, {"T${N}": TOPIC}, Parameters={"P": {"Type": "String", "Default": ""}}),
            "the parameter P of a loop must be a list",
        ),
        ({"Resources": {"TA": TOPIC, "Fn::ForEach::L": ["N", ["A"], {"T${N}": TOPIC}]}}, "duplicate key TA"),
        (
            {"Resources": {"L": TOPIC, "Fn::ForEach::L": ["N", ["A"], {"T${N}": TOPIC}]}},
            "the loop name L is not unique within the template",
        ),
        (
            {"Resources": {"Fn::ForEach::a-b": ["N", ["A"], {"T${N}": TOPIC}]}},
            "the loop name 'a-b' is non alphanumeric",
        ),
    ],
)
def test_a_loop_that_cannot_be_written_out(sections: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Template.parse(json.dumps({"Transform": "AWS::LanguageExtensions", **sections}))
    assert str(refused.value) == f"{FAILED}{reason}."


def test_a_loop_needs_the_transform() -> None:
    with pytest.raises(ValidationError, match="Resource name Fn::ForEach::Topics is non alphanumeric"):
        Template.parse(json.dumps(topics("N", ["A"], {"T${N}": TOPIC})))


def test_a_stack_follows_the_list(cloud: Any) -> None:
    cloudformation, sns = cloud.client("cloudformation"), cloud.client("sns")
    text = json.dumps(
        {
            "Transform": "AWS::LanguageExtensions",
            "Parameters": {"Names": {"Type": "CommaDelimitedList"}},
            "Resources": {
                "Fn::ForEach::Topics": [
                    "N",
                    {"Ref": "Names"},
                    {"Topic${N}": TOPIC | {"Properties": {"TopicName": {"Fn::Sub": "loop-${N}"}}}},
                ]
            },
        }
    )
    assert cloudformation.validate_template(TemplateBody=text)["DeclaredTransforms"] == ["AWS::LanguageExtensions"]
    stack = {"StackName": "loop", "TemplateBody": text, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]}

    def there() -> list[str]:
        names = [each["TopicArn"].rpartition(":")[2] for each in sns.list_topics()["Topics"]]
        return sorted(name for name in names if name.startswith("loop-"))

    cloudformation.create_stack(**stack, Parameters=[{"ParameterKey": "Names", "ParameterValue": "a,b"}])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="loop", WaiterConfig={"Delay": 1})
    assert there() == ["loop-a", "loop-b"]
    cloudformation.update_stack(**stack, Parameters=[{"ParameterKey": "Names", "ParameterValue": "b,c"}])
    cloudformation.get_waiter("stack_update_complete").wait(StackName="loop", WaiterConfig={"Delay": 1})
    assert there() == ["loop-b", "loop-c"]
    processed = cloudformation.get_template(StackName="loop")["TemplateBody"]
    assert sorted(processed["Resources"]) == ["Topicb", "Topicc"]
    original = cloudformation.get_template(StackName="loop", TemplateStage="Original")["TemplateBody"]
    assert list(original["Resources"]) == ["Fn::ForEach::Topics"]


def test_a_transform_is_used_by_permission(cloud: Any) -> None:
    """`cloudformation:CreateChangeSet` on the transform's own ARN, also where no change set is asked for."""
    stack_actions = {"Effect": "Allow", "Action": ["cloudformation:CreateStack"], "Resource": "*"}
    topic_actions = {"Effect": "Allow", "Action": "sns:*", "Resource": "*"}
    cloud.role("loops", stack_actions, topic_actions)
    stack = {
        "StackName": "loop-by-role",
        "TemplateBody": json.dumps({"Transform": "AWS::LanguageExtensions", "Resources": {"T": TOPIC}}),
        "Capabilities": ["CAPABILITY_AUTO_EXPAND"],
    }
    with pytest.raises(ClientError) as refused:
        cloud.as_role("loops", "cloudformation").create_stack(**stack)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    arn = "arn:aws:cloudformation:us-east-1:aws:transform/LanguageExtensions"
    assert f"is not authorized to perform: cloudformation:CreateChangeSet on resource: {arn}" in str(refused.value)
    transform = {"Effect": "Allow", "Action": "cloudformation:CreateChangeSet", "Resource": arn}
    cloud.role("loops", stack_actions, topic_actions, transform)
    cloud.as_role("loops", "cloudformation").create_stack(**stack)
