"""Parameters: declarations, constraints, and where a value comes from."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.parameters import Parameter, ParameterValue, choose
from local_cloud.services.cloudformation.templates.documents import load


def declared(text: str) -> dict[str, Parameter]:
    return {name: Parameter.parse(name, value) for name, value in load(text).items()}


def stored(name: str) -> str:
    return {"/images/base": "ami-1", "/zones": "a, b"}[name]


def chosen(text: str, *given: dict[str, Any], previous: dict[str, str] | None = None) -> dict[str, Any]:
    parameters = declared(text)
    before = {name: ParameterValue(name, value) for name, value in (previous or {}).items()}
    values = choose(parameters, list(given), previous=before, read_stored=stored)
    return {name: parameters[name].value(value.text) for name, value in values.items()}


def given(name: str, value: str) -> dict[str, str]:
    return {"ParameterKey": name, "ParameterValue": value}


def kept(name: str) -> dict[str, Any]:
    return {"ParameterKey": name, "UsePreviousValue": True}


@pytest.mark.parametrize(
    ("declaration", "value", "result"),
    [
        ("{Type: String}", "x", "x"),
        ("{Type: String}", "", ""),
        ("{Type: Number}", "5", "5"),
        ("{Type: Number}", "-0.5", "-0.5"),
        ("{Type: CommaDelimitedList}", "a, b,c", ["a", "b", "c"]),
        ("{Type: List<Number>}", "1,2", ["1", "2"]),
        ("{Type: 'List<AWS::EC2::Subnet::Id>'}", "subnet-1,subnet-2", ["subnet-1", "subnet-2"]),
        ("{Type: AWS::EC2::KeyPair::KeyName}", "me", "me"),
        ("{Type: AWS::SSM::Parameter::Name}", "/images/base", "/images/base"),
        ("{Type: 'AWS::SSM::Parameter::Value<String>'}", "/images/base", "ami-1"),
        ("{Type: 'AWS::SSM::Parameter::Value<List<String>>'}", "/zones", ["a", "b"]),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "abc", "abc"),
        ("{Type: String, MinLength: 2, MaxLength: '3'}", "abc", "abc"),
        ("{Type: CommaDelimitedList, AllowedValues: [a, b]}", "a,b,a", ["a", "b", "a"]),
        ("{Type: Number, AllowedValues: [1, 2.5]}", "2.5", "2.5"),
    ],
)
def test_a_given_value_that_fits_is_taken(declaration: str, value: str, result: Any) -> None:
    assert chosen(f"P: {declaration}", given("P", value)) == {"P": result}


@pytest.mark.parametrize(
    ("declaration", "value", "message"),
    [
        ("{Type: Number}", "five", "Parameter 'P' must be a number."),
        ("{Type: Number}", "0x10", "Parameter 'P' must be a number."),
        ("{Type: List<Number>}", "1,two", "Parameter 'P' must be a number."),
        ("{Type: String, AllowedValues: [dev, prod]}", "test", "Parameter 'P' must be one of AllowedValues"),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "abC", "Parameter 'P' must match pattern [a-z]+"),
        ("{Type: String, MinLength: 3}", "ab", "Parameter 'P' must contain at least 3 characters"),
        ("{Type: String, MaxLength: 3}", "abcd", "Parameter 'P' must contain at most 3 characters"),
        ("{Type: Number, MinValue: 3}", "2", "Parameter 'P' must be a number not less than 3"),
        ("{Type: Number, MaxValue: 0.5}", "1", "Parameter 'P' must be a number not greater than 0.5"),
        (
            "{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: lower case only}",
            "A",
            "Parameter 'P' failed to satisfy constraint: lower case only",
        ),
    ],
)
def test_a_value_that_breaks_the_declaration_is_refused(declaration: str, value: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        chosen(f"P: {declaration}", given("P", value))
    assert str(refused.value) == message


def test_defaults_given_and_previous_values() -> None:
    text = "A: {Type: String, Default: 1}\nB: {Type: String, Default: b}\nC: {Type: String}"
    assert chosen(text, given("C", "c")) == {"A": "1", "B": "b", "C": "c"}
    assert chosen(text, given("A", "x"), kept("C"), previous={"A": "y", "C": "z"}) == {"A": "x", "B": "b", "C": "z"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "Parameters: [A, C] must have values"),
        ([given("A", "1"), given("C", "2"), given("Z", "3"), given("Y", "4")],
         "Parameters: [Y, Z] do not exist in the template"),
        ([given("A", "1"), kept("C")],
         "Invalid input for parameter key C. Cannot specify usePreviousValue as true for a parameter key not in the "
         "previous template"),
        ([given("A", "1"), given("C", "2") | kept("C")],
         "Invalid input for parameter key C. Cannot specify usePreviousValue as true and non empty value for a "
         "parameter"),
    ],
)  # fmt: skip
def test_missing_and_undeclared(parameters: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        chosen("A: {Type: String}\nC: {Type: String}", *parameters)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("{Default: a}", "Template format error: [/Parameters/P] Every Parameters object must contain a Type member."),
        ("text", "Template format error: [/Parameters/P] Every Parameters object must contain a Type member."),
        ("{Type: Strin}", "Template format error: Unrecognized parameter type: Strin"),
        ("{Type: String, Defalt: a}", "Invalid template parameter property 'Defalt'"),
        ("{Type: String, Default: [a]}",
         "Template format error: [/Parameters/P/Default] Every Default member must be a string."),
        ("{Type: String, AllowedValues: a}",
         "Template format error: [/Parameters/P] Every AllowedValues value must be a list."),
        ("{Type: String, MinLength: few}", "Template format error: [/Parameters/P] MinLength must be a number"),
        ("{Type: String, Default: c, AllowedValues: [a, b]}", "Parameter 'P' must be one of AllowedValues"),
    ],
)  # fmt: skip
def test_a_declaration_that_makes_no_sense_is_refused(declaration: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        declared(f"P: {declaration}")
    assert str(refused.value) == message
