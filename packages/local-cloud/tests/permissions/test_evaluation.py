"""What policies say to one action on one resource: tables of the evaluator, which knows of nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_cloud.permissions.documents import MalformedPolicy, parse
from local_cloud.permissions.evaluation import (
    Policies,
    Policy,
    Principal,
    Question,
    decide,
    decide_by_resource,
    delegates_to_identities,
)

ROLE = "arn:aws:iam::123456789012:role/worker"
SESSION = "arn:aws:sts::123456789012:assumed-role/worker/shift"
ACCOUNT = ("arn:aws:iam::123456789012:root", "123456789012")
WORKER = Principal("AWS", (SESSION, ROLE), account_names=ACCOUNT)
JOB = "arn:aws:glue:us-east-1:123456789012:job/ingest"
KEY = "arn:aws:s3:::raw/yellow/2024"


def policy(*statements: dict[str, Any], owner: str = ROLE) -> Policy:
    return Policy(owner, "p", parse(json.dumps({"Version": "2012-10-17", "Statement": list(statements)})))


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


def ask(action: str, resource: str | None, *statements: dict[str, Any], **context: tuple[str, ...]) -> str:
    """ "" for a yes, else why not."""
    keys = {name.replace("__", ":").replace("_slash_", "/"): values for name, values in context.items()}
    return decide(Question(action, resource, keys), WORKER, Policies((policy(*statements),))).refusal


NO = "because no identity-based policy allows the glue:StartJobRun action"
NEVER = "with an explicit deny in an identity-based policy"


@pytest.mark.parametrize(
    ("statements", "refusal"),
    [
        ([], NO),
        ([allow("glue:StartJobRun", JOB)], ""),
        ([allow("GLUE:startjobrun", JOB)], ""),
        ([allow("glue:*", JOB)], ""),
        ([allow("glue:Start*Run", JOB)], ""),
        ([allow("glue:StartJobRu?", JOB)], ""),
        ([allow("*")], ""),
        ([allow("glue:StartJob", JOB)], NO),
        ([allow(["glue:GetJob", "glue:StartJobRun"], [f"{JOB}-2", JOB])], ""),
        ([allow("glue:StartJobRun", f"{JOB}-2")], NO),
        ([allow("glue:StartJobRun", "arn:aws:glue:*:123456789012:job/in*")], ""),
        ([allow("glue:StartJobRun", "arn:aws:glue:*:123456789012:job/inges?")], ""),
        ([allow("glue:StartJobRun", JOB.upper())], NO),
        ([allow("glue:*"), deny("glue:StartJobRun", JOB)], NEVER),
        ([deny("glue:StartJobRun", f"{JOB}-2"), allow("glue:*")], ""),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], ""),
        ([{"Effect": "Allow", "NotAction": ["glue:*"], "Resource": "*"}], NO),
        ([{"Effect": "Allow", "Action": "glue:*", "NotResource": f"{JOB}-2"}], ""),
        ([{"Effect": "Allow", "Action": "glue:*", "NotResource": [JOB]}], NO),
        ([{"Effect": "Deny", "NotAction": "glue:*", "Resource": "*"}, allow("*")], ""),
        ([allow("glue:StartJobRun", "arn:aws:glue:us-east-1:123456789012:job/${aws:PrincipalTag/job}")], ""),
        ([allow("glue:StartJobRun", "arn:aws:glue:us-east-1:123456789012:job/${aws:PrincipalTag/other}")], NO),
        (
            [allow("glue:StartJobRun", "arn:aws:glue:us-east-1:123456789012:job/${aws:PrincipalTag/other, 'ingest'}")],
            "",
        ),
        ([allow("glue:StartJobRun", "arn:aws:glue:us-east-1:123456789012:job/${*}")], NO),
    ],
)
def test_identity_policies_allow_unless_one_denies(statements: list[dict[str, Any]], refusal: str) -> None:
    assert ask("glue:StartJobRun", JOB, *statements, aws__principaltag_slash_job=("ingest",)) == refusal


def test_a_variable_stands_for_itself() -> None:
    """`*` in a value is no wildcard, and `${*}` is a star."""
    own = allow("s3:GetObject", "arn:aws:s3:::raw/${aws:username}/*")
    assert ask("s3:GetObject", "arn:aws:s3:::raw/ada/x", own, aws__username=("ada",)) == ""
    assert ask("s3:GetObject", "arn:aws:s3:::raw/ada/x", own, aws__username=("*",)) != ""
    assert ask("s3:GetObject", "arn:aws:s3:::raw/*/x", own, aws__username=("*",)) == ""
    assert ask("s3:GetObject", "arn:aws:s3:::raw/a*", allow("s3:*", "arn:aws:s3:::raw/a${*}")) == ""
    assert ask("s3:GetObject", "arn:aws:s3:::raw/ab", allow("s3:*", "arn:aws:s3:::raw/a${*}")) != ""


def test_where_it_is_not_known_which_resource_every_one_fits() -> None:
    assert ask("dynamodb:GetItem", None, allow("dynamodb:GetItem", "arn:aws:dynamodb:*:*:table/t")) == ""
    assert ask("dynamodb:GetItem", None, allow("dynamodb:PutItem")) != ""


def limited(*, boundary: Any = None, session: Any = None, resource: Any = None) -> str:
    everything = (policy(allow("*")),)
    own = Policies(
        everything,
        resource=policy(*resource, owner="arn:aws:s3:::raw") if resource is not None else None,
        boundary=policy(*boundary) if boundary is not None else None,
        session=(policy(*session),) if session is not None else None,
    )
    return decide(Question("s3:GetObject", KEY), WORKER, own).refusal


def to(principal: Any, statement: dict[str, Any]) -> dict[str, Any]:
    return statement | {"Principal": principal}


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [
        ({}, ""),
        ({"boundary": [allow("s3:*")]}, ""),
        ({"boundary": [allow("glue:*")]}, "because no permissions boundary allows the s3:GetObject action"),
        ({"boundary": [allow("*"), deny("s3:*")]}, "with an explicit deny in a permissions boundary"),
        ({"session": [allow("s3:*", KEY)]}, ""),
        ({"session": [allow("glue:*")]}, "because no session policy allows the s3:GetObject action"),
        ({"session": [deny("s3:*")]}, "with an explicit deny in a session policy"),
        ({"resource": [to("*", deny("s3:*"))]}, "with an explicit deny in a resource-based policy"),
        ({"resource": [to({"AWS": ACCOUNT[0]}, deny("s3:*"))]}, "with an explicit deny in a resource-based policy"),
        ({"resource": [to({"AWS": ACCOUNT[1]}, deny("s3:*"))]}, "with an explicit deny in a resource-based policy"),
        ({"resource": [to({"AWS": "arn:aws:iam::123456789012:role/other"}, deny("s3:*"))]}, ""),
        ({"resource": [to({"Service": "glue.amazonaws.com"}, deny("s3:*"))]}, ""),
        ({"resource": [{**deny("s3:*"), "NotPrincipal": {"AWS": ROLE}}]}, ""),
        (
            {"resource": [{**deny("s3:*"), "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:role/other"}}]},
            "with an explicit deny in a resource-based policy",
        ),
        # What a resource grants to the role stays within the limits, what it grants to the session does not.
        (
            {"session": [allow("glue:*")], "resource": [to({"AWS": ROLE}, allow("s3:*"))]},
            "because no session policy allows the s3:GetObject action",
        ),
        ({"session": [allow("glue:*")], "resource": [to({"AWS": SESSION}, allow("s3:*"))]}, ""),
    ],
)
def test_limits_and_resources(limits: dict[str, Any], refusal: str) -> None:
    assert limited(**limits) == refusal


@pytest.mark.parametrize(
    ("principal", "granted", "delegated"),
    [
        ("*", True, False),
        ({"AWS": "*"}, True, False),
        ({"AWS": ROLE}, True, False),
        ({"AWS": SESSION}, True, False),
        ({"AWS": [ACCOUNT[0]]}, False, True),
        ({"AWS": ACCOUNT[1]}, False, True),
        ({"AWS": "arn:aws:iam::123456789012:role/other"}, False, False),
        ({"Service": "glue.amazonaws.com"}, False, False),
    ],
)
def test_whom_a_resource_grants_what(principal: Any, granted: bool, delegated: bool) -> None:
    """An account in a principal grants nothing by itself: it leaves the decision to the identity's own policies."""
    found = policy(to(principal, allow("s3:GetObject", "arn:aws:s3:::raw/*")), owner="arn:aws:s3:::raw")
    question = Question("s3:GetObject", KEY)
    assert decide_by_resource(question, WORKER, found).allowed is granted
    assert delegates_to_identities(found, question, WORKER) is delegated
    assert decide(question, WORKER, Policies((), resource=found)).allowed is granted


def test_a_decision_names_the_statement() -> None:
    decided = decide(
        Question("glue:StartJobRun", JOB), WORKER, Policies((policy(allow("s3:*"), allow("glue:*", Sid="J")),))
    )
    assert decided.statement is not None
    assert (decided.statement.index, decided.statement.sid, decided.policy.name if decided.policy else "") == (
        1,
        "J",
        "p",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"Statement": [{}]}',
        '{"Statement": {"Effect": "Perhaps"}}',
        '{"Statement": {"Effect": "Allow", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "s3:*", "NotAction": "s3:*", "Resource": "*"}}',
    ],
)
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(MalformedPolicy):
        parse(text)


@pytest.mark.parametrize("version", [{}, {"Version": "2008-10-17"}])
def test_an_old_policy_has_no_variables(version: dict[str, str]) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html"""
    where = "arn:aws:s3:::home/${aws:username}/*"
    old = Policy(ROLE, "p", parse(json.dumps(version | {"Statement": allow("s3:GetObject", where)})))

    def may(key: str) -> bool:
        asked = Question("s3:GetObject", f"arn:aws:s3:::home/{key}", {"aws:username": ("ann",)})
        return not decide(asked, WORKER, Policies((old,))).refusal

    assert (may("ann/a"), may("${aws:username}/a")) == (False, True)
