"""Which database user somebody is, and who may read."""

from __future__ import annotations

import dataclasses

import pytest

from orchestration import environments
from orchestration.stacks import grants


@pytest.mark.parametrize(
    ("arn", "user"),
    [
        ("arn:aws:iam::123456789012:user/alice", "IAM:alice"),
        ("arn:aws:iam::123456789012:user/team/alice", "IAM:alice"),
        ("arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/Analysts", "IAMR:Analysts"),
        ("arn:aws-us-gov:iam::123456789012:role/Analysts", "IAMR:Analysts"),
        ("arn:aws:sts::123456789012:assumed-role/elt-plan-prod/GitHubActions", "IAMR:elt-plan-prod"),
    ],
)
def test_the_database_user_of_an_identity_has_its_name_without_path_and_session(arn: str, user: str) -> None:
    assert grants.user_of(arn) == user


def test_readers_are_those_of_the_settings_and_the_role_that_plans() -> None:
    prod = dataclasses.replace(environments.load("prod"), readers=["arn:aws:iam::123456789012:user/alice"])
    assert grants.readers(prod) == {"IAM:alice", "IAMR:elt-plan-prod"}
