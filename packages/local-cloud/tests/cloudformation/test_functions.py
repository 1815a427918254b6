"""Every intrinsic function and condition, as a table: what goes in, what comes out, how it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.templates.documents import load
from local_cloud.services.cloudformation.templates.evaluator import Evaluator
from local_cloud.services.cloudformation.templates.values import NO_VALUE, UNKNOWN

NAMES: dict[str, Any] = {
    "Env": "prod",
    "List": ["a", "b", "c"],
    "Empty": "",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": NO_VALUE,
}
CONDITIONS = load(
    """
    Prod: !Equals [!Ref Env, prod]
    Big: !Equals [!Ref Env, big]
    Number: !Equals [1, "1"]
    Both: !And [!Condition Prod, !Condition Number]
    Neither: !Not [!Or [!Condition Prod, !Condition Big]]
    Round: !Not [!Condition Trip]
    Trip: !Not [!Condition Round]
    Word: plain
    Few: !And [!Condition Prod]
    Lists: !Equals [!Ref List, !Split [",", "a,b,c"]]
    Mapped: !Equals [!FindInMap [Regions, !Ref AWS::Region, Size], 2]
    """
)
MAPPINGS = {"Regions": {"us-east-1": {"Size": 2, "Zones": ["x", "y"]}}}


class Made:
    """One resource that exists and one that is still to be made."""

    def ref(self, logical_id: str) -> Any:
        return {"Queue": "https://queue", "Later": UNKNOWN}[logical_id]

    def attribute(self, logical_id: str, name: Any) -> Any:
        return {"Queue": f"{logical_id}/{name}", "Later": UNKNOWN}[logical_id]


def evaluator(*, extensions: bool = True) -> Evaluator:
    def exported(name: str) -> str:
        if name != "net-id":
            raise ValidationError(f"No export named {name} found.")
        return "vpc-1"

    return Evaluator(
        names=NAMES,
        mappings=MAPPINGS,
        condition_definitions=CONDITIONS,
        resources=Made(),
        import_value=exported,
        language_extensions=extensions,
    )


def evaluate(text: str, *, extensions: bool = True) -> Any:
    return evaluator(extensions=extensions).evaluate(load(f"value: {text}")["value"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Env", "prod"),
        ("!Ref List", ["a", "b", "c"]),
        ("!Ref Queue", "https://queue"),
        ("!GetAtt Queue.Arn", "Queue/Arn"),
        ("!GetAtt Queue.Endpoint.Address", "Queue/Endpoint.Address"),
        ("!GetAtt [Queue, Arn]", "Queue/Arn"),
        ("!GetAtt [Queue, !Ref Env]", "Queue/prod"),
        ("{Fn::GetAtt: Queue.Arn}", "Queue/Arn"),
        ("!Sub '${Env}-${AWS::Region}-${Queue}-${Queue.Arn}'", "prod-us-east-1-https://queue-Queue/Arn"),
        ("!Sub '${!Env} ${ Env }'", "${Env} prod"),
        ("!Sub ['${Env} ${x}', {x: !GetAtt Queue.Arn, Env: mine}]", "mine Queue/Arn"),
        ("!Sub ['${n} ${f} ${b}', {n: 3, f: 0.5, b: true}]", "3 0.5 true"),
        ("!Sub 'arn:${!aws:username} ${Env}'", "arn:${aws:username} prod"),
        ("!Join ['-', [a, !Ref Env, 3, true]]", "a-prod-3-true"),
        ("!Join [',', !Ref List]", "a,b,c"),
        ("!Join ['', []]", ""),
        ("!Join [',', [a, !Ref AWS::NoValue, b]]", "a,b"),
        ("!Select [1, !Ref List]", "b"),
        ("!Select ['2', [x, y, z]]", "z"),
        ("!Select [0, [known, !Ref Later]]", "known"),
        ("!Split [',', 'a,b,,c']", ["a", "b", "", "c"]),
        ("!Select [1, !Split ['/', !Sub 'a/${Env}/c']]", "prod"),
        ("!FindInMap [Regions, !Ref AWS::Region, Size]", 2),
        ("!FindInMap [Regions, us-east-1, Zones]", ["x", "y"]),
        ("!FindInMap [Regions, mars, Size, {DefaultValue: 9}]", 9),
        ("!FindInMap [None, mars, Size, {DefaultValue: !Ref Env}]", "prod"),
        ("!ImportValue net-id", "vpc-1"),
        ("!ImportValue {'Fn::Join': ['-', [net, id]]}", "vpc-1"),
        ("!Base64 hello", "aGVsbG8="),
        ("!Base64 {'Fn::Sub': '${Env}'}", "cHJvZA=="),
        ("!GetAZs ''", ["us-east-1a", "us-east-1b", "us-east-1c"]),
        ("!GetAZs eu-west-1", ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ("!Cidr [10.0.0.0/16, 3, 8]", ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ("!If [Prod, yes-prod, no]", "yes-prod"),
        ("!If [Big, big, !If [Number, number, none]]", "number"),
        ("[a, !If [Big, b, !Ref AWS::NoValue], c]", ["a", "c"]),
        ("{keep: 1, drop: !If [Big, x, !Ref AWS::NoValue], deep: {gone: !Ref AWS::NoValue}}", {"keep": 1, "deep": {}}),
        ("!Length [a, b]", 2),
        ("!Length {Ref: List}", 3),
        ("!ToJsonString {a: [1, !Ref Env]}", '{"a":[1,"prod"]}'),
        ("{Condition: {StringEquals: {a: !Ref Env}}}", {"Condition": {"StringEquals": {"a": "prod"}}}),
        ("{'Fn::Sub': x, other: y}", {"Fn::Sub": "x", "other": "y"}),
    ],
)
def test_functions_have_the_values_of_aws(text: str, value: Any) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "!Ref Later",
        "!GetAtt Later.Arn",
        "!Sub 'x-${Later}'",
        "!Sub ['${a}', {a: !GetAtt Later.Arn}]",
        "!Join [',', [a, !Ref Later]]",
        "!Select [1, [a, !Ref Later]]",
        "!Select [0, !Split [',', !Ref Later]]",
        "!Base64 {Ref: Later}",
        "!ToJsonString {a: !Ref Later}",
        "!GetAtt [Later, !Ref Env]",
    ],
)
def test_what_a_resource_still_to_be_made_is_part_of_is_unknown(text: str) -> None:
    assert evaluate(text) is UNKNOWN


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!Ref [a]", "every Ref object must have a single String value."),
        ("!Sub '${List}'", "variable List in Fn::Sub expression does not resolve to a string"),
        ("!Select [3, [a, b]]", "Fn::Select cannot select nonexistent value at index 3"),
        ("!Select [x, [a]]", "Fn::Select requires a list argument with two elements: an integer index and a list"),
        ("!Select [0]", "Fn::Select requires a list argument with two elements: an integer index and a list"),
        ("!FindInMap [Nope, a, b]", "Mapping named 'Nope' is not present in the 'Mappings' section of template."),
        ("!FindInMap [Regions, mars, Size]", "Unable to get mapping for Regions::mars::Size"),
        ("!FindInMap [Regions, us-east-1, Nope]", "Unable to get mapping for Regions::us-east-1::Nope"),
        ("!If [Nope, a, b]", "unresolved condition dependency Nope in Fn::If"),
        ("!If [Prod, a]", "Fn::If requires a list argument with three elements"),
        ("!If [Round, a, b]", "Circular dependency between conditions: [Round]"),
        ("!Equals [a, a]", "Fn::Equals is not supported here"),
        ("!Transform {Name: x}", "Fn::Transform is not supported here"),
        ("!GetAtt OnlyOnePart", "every Fn::GetAtt object requires two non-empty parameters"),
    ],
)
def test_a_function_that_cannot_be_evaluated_says_why(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        evaluate(text)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["!Join [a]", "!Join [',', text]", "!Join [1, [a]]", "!Split ['', a]", "!Split [',']", "!Base64 [a]", "!Sub [a]",
     "!Sub [a, b]", "!Cidr [10.0.0.0/24, 9, 5]", "!Cidr [nonsense, 1]", "!Cidr [10.0.0.0/8, 300, 8]", "!Length text",
     "!ToJsonString text", "!ImportValue [a]", "!FindInMap [a, b]", "!Cidr [192.168.0.0/24, 2]"],
)  # fmt: skip
def test_arguments_of_the_wrong_kind(text: str) -> None:
    with pytest.raises(ValidationError, match="Template error"):
        evaluate(text)


def test_an_unknown_export() -> None:
    with pytest.raises(ValidationError, match=r"^No export named other found\.$"):
        evaluate("!ImportValue other")


@pytest.mark.parametrize("text", ["!Length [a]", "!ToJsonString {a: 1}"])
def test_language_extensions_need_their_transform(text: str) -> None:
    with pytest.raises(ValidationError, match="requires the transform AWS::LanguageExtensions"):
        evaluate(text, extensions=False)


@pytest.mark.parametrize(
    ("name", "holds"),
    [("Prod", True), ("Big", False), ("Number", True), ("Both", True), ("Neither", False), ("Lists", True),
     ("Mapped", True)],
)  # fmt: skip
def test_conditions_hold_by_parameters_and_other_conditions(name: str, holds: bool) -> None:
    assert evaluator().condition(name) is holds


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Word", "Conditions can only be boolean operations on parameters and other conditions"),
        ("Few", "every Fn::And object requires a list of at least 2 and at most 10 boolean parameters."),
        ("Round", "Circular dependency between conditions"),
    ],
)
def test_conditions_that_are_none(name: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        evaluator().condition(name)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("!Contains [!Ref List, b]", True),
        ("!Contains [[x], b]", False),
        ("!EachMemberIn [[a, b], !Ref List]", True),
        ("!EachMemberIn [[a, z], !Ref List]", False),
        ("!EachMemberEquals [[a, a], a]", True),
        ("!EachMemberEquals [!Ref List, a]", False),
    ],
)
def test_the_functions_of_rules(text: str, holds: bool) -> None:
    assert evaluator().holds(load(f"value: {text}")["value"]) is holds
