"""COPY and UNLOAD ask for every step in S3 whether the role may take it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_cloud.permissions.errors import AccessDenied
from local_cloud.services.redshift.authorized import objects_for
from local_cloud.services.redshift.errors import SqlError

ROLE = "arn:aws:iam::123456789012:role/copier"
ROOT = "arn:aws:iam::123456789012:root"


class Policy:
    """Remembers what was asked, and refuses the actions in `denied`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.denied: set[str] = set()

    def check_role(
        self, principal: str, action: str, resource: str, *, session_name: str, s3__prefix: str = ""
    ) -> None:
        assert session_name == "RedshiftIamRoleSession"
        assert (s3__prefix != "") == (action == "s3:ListBucket"), "policies may name the prefix that is listed"
        self.asked.append((principal, action, resource))
        if action in self.denied:
            raise AccessDenied(f"{principal} may not {action}")


@pytest.fixture
def policy() -> Policy:
    return Policy()


@pytest.fixture
def db(fresh_engine, policy: Policy) -> Any:
    cloud: Any = SimpleNamespace(
        objects=fresh_engine.s3, permissions=policy, settings=SimpleNamespace(account_id="123456789012")
    )
    fresh_engine.s3.parquet("in/a", "select 1 as a")
    fresh_engine.s3.manifest("m", "in/a")
    connection = fresh_engine.connect(objects=objects_for(cloud))
    connection.script("create table t (a int)", "insert into t values (2)")
    return connection


LIST, GET, PUT, DELETE = "s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"
BUCKET = "arn:aws:s3:::b"
STEPS = [
    ("copy t from 's3://b/in/' iam_role default parquet", [(ROLE, LIST, BUCKET), (ROLE, GET, f"{BUCKET}/in/a")]),
    (
        f"copy t from 's3://b/m' iam_role '{ROLE}' parquet manifest",
        [(ROLE, GET, f"{BUCKET}/m"), (ROLE, GET, f"{BUCKET}/in/a")],
    ),
    (
        "copy t from 's3://b/in/' access_key_id 'a' secret_access_key 'b' parquet",
        [(ROOT, LIST, BUCKET), (ROOT, GET, f"{BUCKET}/in/a")],
    ),
    (
        f"copy t from 's3://b/in/' iam_role '{ROLE},arn:aws:iam::9:role/next' parquet",
        [("arn:aws:iam::9:role/next", LIST, BUCKET), ("arn:aws:iam::9:role/next", GET, f"{BUCKET}/in/a")],
    ),
    (
        "unload ('select a from t') to 's3://b/out/' iam_role default csv parallel off manifest",
        [(ROLE, LIST, BUCKET), (ROLE, PUT, f"{BUCKET}/out/000"), (ROLE, PUT, f"{BUCKET}/out/manifest")],
    ),
]


@pytest.mark.parametrize(("statement", "steps"), STEPS, ids=range(len(STEPS)))
def test_every_step_is_asked_for(db, policy: Policy, statement: str, steps: list[tuple[str, str, str]]) -> None:
    db.run(statement)
    assert policy.asked == steps


REFUSALS = [(statement, action) for statement, steps in STEPS for action in {step[1] for step in steps}]


@pytest.mark.parametrize(("statement", "action"), REFUSALS, ids=range(len(REFUSALS)))
def test_a_refused_step_ends_the_statement(db, policy: Policy, statement: str, action: str, tmp_path: Path) -> None:
    policy.denied = {action}
    with pytest.raises(SqlError) as raised:
        db.run(statement)
    assert raised.value.message.startswith("S3ServiceException:Access Denied,Status 403,Error AccessDenied,")
    assert db.run("select count(*) from t") == [(1,)]


def test_cleanpath_needs_leave_to_delete(db, policy: Policy, fresh_engine) -> None:
    unload = "unload ('select a from t') to 's3://b/out/' iam_role default csv parallel off"
    db.run(unload)
    policy.denied = {DELETE}
    assert "Access Denied" in db.error(f"{unload} cleanpath")
    assert fresh_engine.s3.keys("out/") == ["out/000"]
