"""A template's text as data: both languages, every short form, and where it is not well-formed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.templates.documents import load

SHORT = [
    ("!Ref A", {"Ref": "A"}),
    ("!Condition A", {"Condition": "A"}),
    ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
    ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
    ("!Sub 'x ${A}'", {"Fn::Sub": "x ${A}"}),
    ("!Sub ['${A}', {A: !Ref B}]", {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}),
    ("!Join ['-', [a, !Ref B]]", {"Fn::Join": ["-", ["a", {"Ref": "B"}]]}),
    ("!If [C, 1, !Ref AWS::NoValue]", {"Fn::If": ["C", 1, {"Ref": "AWS::NoValue"}]}),
    ("!And [!Condition A, !Not [!Condition B]]", {"Fn::And": [{"Condition": "A"}, {"Fn::Not": [{"Condition": "B"}]}]}),
    ("!Or [!Equals [a, b], !Equals [c, d]]", {"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": ["c", "d"]}]}),
    ("!FindInMap [M, !Ref K, v]", {"Fn::FindInMap": ["M", {"Ref": "K"}, "v"]}),
    ("!Select [0, !Split [',', 'a,b']]", {"Fn::Select": [0, {"Fn::Split": [",", "a,b"]}]}),
    ("!ImportValue x-y", {"Fn::ImportValue": "x-y"}),
    ("!Base64 text", {"Fn::Base64": "text"}),
    ("!Cidr [10.0.0.0/16, 2]", {"Fn::Cidr": ["10.0.0.0/16", 2]}),
    ("!GetAZs ''", {"Fn::GetAZs": ""}),
    ("!Length [a]", {"Fn::Length": ["a"]}),
    ("!ToJsonString {a: 1}", {"Fn::ToJsonString": {"a": 1}}),
]

PLAIN = [
    ("2010-09-09", "2010-09-09"),  # a date is text
    ("'2010-09-09'", "2010-09-09"),
    ("5", 5),
    ("0.0625", 0.0625),
    ("true", True),
    ("yes", True),
    ("'yes'", "yes"),
    ("012345678901", "012345678901"),  # an account number that is no octal number
    ("|\n  a\n  b\n", "a\nb\n"),
    ("{Fn::Sub: x}", {"Fn::Sub": "x"}),
    ("{2012: a}", {"2012": "a"}),
]

MALFORMED = [
    ("A: [1", "Template format error: YAML not well-formed. (line 2, column 1)"),
    ("A: 1\n  B: 2", "Template format error: YAML not well-formed. (line 2, column 4)"),
    ("A: !Reff B", "Template format error: YAML not well-formed. (line 1, column 4) Unknown tag !Reff"),
    ("A: &x 1\nB: *x", "Template error: YAML aliases are not allowed in CloudFormation templates"),
    ("B: {<<: {a: 1}}", "Template format error: YAML not well-formed. (line 1, column 5)"),
    ('{"A": 1,}}', "Template format error: JSON not well-formed. (line 1, column 9)"),
    ("just text", "Template format error: unsupported structure."),
    ("- a list", "Template format error: unsupported structure."),
    ("", "Template format error: unsupported structure."),
]


@pytest.mark.parametrize(("text", "value"), SHORT + PLAIN)
def test_short_forms_in_yaml_are_the_functions(text: str, value: Any) -> None:
    assert load(f"A: {text}") == {"A": value}


@pytest.mark.parametrize("value", [value for _, value in SHORT])
def test_the_long_forms_in_json_are_the_same(value: Any) -> None:
    assert load(json.dumps({"A": value})) == {"A": value}


def test_a_flow_mapping_that_is_no_json_is_yaml() -> None:
    assert load("{Resources: {A: {Type: !Ref B}}}") == {"Resources": {"A": {"Type": {"Ref": "B"}}}}


@pytest.mark.parametrize("text", ["A: {B: 1}\nC: 2\nA: 3", '{"A": {"B": 1}, "C": 2, "A": 3}'])
def test_of_a_key_that_comes_twice_the_last_counts(text: str) -> None:
    assert load(text) == {"A": 3, "C": 2}


@pytest.mark.parametrize(("text", "message"), MALFORMED)
def test_a_malformed_document_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        load(text)
    assert str(refused.value) == message
