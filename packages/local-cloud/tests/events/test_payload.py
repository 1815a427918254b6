"""What a target gets of an event.

The event and its cases are those of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
from typing import Any

import pytest

from local_cloud.services.events import payload

EVENT = {
    "version": "0",
    "detail-type": "EC2 Instance State-change Notification",
    "time": "2015-11-11T21:29:54Z",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {"instance-id": "i-0123456789", "state": 'RUN"NING', "tags": {"a": 1}, "none": None},
}
PATHS = {
    "instance": "$.detail.instance-id",
    "state": "$.detail.state",
    "tags": "$.detail.tags",
    "resource": "$.resources[0]",
    "missing": "$.detail.nothing",
}


def given(target: dict[str, Any]) -> str:
    return payload.of(target, EVENT, rule_name="mine", rule_arn="arn:rule/mine")


def test_without_more_it_is_the_event() -> None:
    assert json.loads(given({})) == EVENT


def test_an_input_is_taken_literally() -> None:
    assert given({"Input": '{"<a>": 1}'}) == '{"<a>": 1}'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", EVENT),
        ("$.detail.tags", {"a": 1}),
        ("$.detail-type", "EC2 Instance State-change Notification"),
        ("$.resources[0]", "arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"),
        ("$.resources[1]", None),
        ("$.detail.none", None),
        ("$.detail.tags.a.b", None),
    ],
)
def test_an_input_path_gives_a_part(path: str, value: Any) -> None:
    assert json.loads(given({"InputPath": path})) == value


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('"<instance> is in state <state>"', '"i-0123456789 is in state RUN\\"NING"'),
        ('{"instance": <instance>, "state": "<state>"}', '{"instance": "i-0123456789", "state": "RUN\\"NING"}'),
        ('"first: <instance>"\n"second: <tags>"', '"first: i-0123456789"\n"second: {\\"a\\": 1}"'),
        (
            '{"tags": <tags>, "at": <aws.events.event.ingestion-time>}',
            '{"tags": {"a": 1}, "at": "2015-11-11T21:29:54Z"}',
        ),
        (
            '{"rule": <aws.events.rule-name>, "arn": "<aws.events.rule-arn>"}',
            '{"rule": "mine", "arn": "arn:rule/mine"}',
        ),
        ('"it has no <missing>, <unknown> stays"', '"it has no , <unknown> stays"'),
        ('"an escaped \\"<instance>\\""', '"an escaped \\"i-0123456789\\""'),
    ],
)
def test_a_template_is_filled_in(template: str, text: str) -> None:
    assert given({"InputTransformer": {"InputPathsMap": PATHS, "InputTemplate": template}}) == text


def test_a_template_may_hold_the_whole_event() -> None:
    found = json.loads(
        given({"InputTransformer": {"InputTemplate": '{"all": <aws.events.event.json>, "head": <aws.events.event>}'}})
    )
    assert found["all"] == EVENT
    assert set(EVENT) - set(found["head"]) == {"detail"}


@pytest.mark.parametrize(
    ("path", "right"),
    [("$", True), ("$.a-b.c_d[0]", True), ("$.a.*", False), ("$.a[*]", False), ("a", False), ("", False)],
)
def test_paths_have_no_wildcards(path: str, right: bool) -> None:
    assert payload.is_path(path) is right
