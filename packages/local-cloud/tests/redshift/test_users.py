"""Users of the warehouse, and who of them may make schemas."""

from __future__ import annotations

from typing import Any

import pytest

ADMIN = "elt_admin"
ROLE = "IAMR:loader"
SCHEMA = "create schema mine"
EXTERNAL = "create external schema lake from data catalog database 'lake' iam_role default"
DENIED = "ERROR: permission denied for database dev"


@pytest.fixture
def as_user(fresh_engine: Any) -> Any:
    """Connects as a user, who has logged in."""
    from local_cloud.services.redshift.engine import privileges

    def connect(user: str) -> Any:
        connection = fresh_engine.connect(user=user)
        privileges.log_in(connection.session)
        return connection

    return connect


GRANT = f'grant create on database dev to "{ROLE}"'
CASES = [
    # Statements of the administrator, then whether the role may make schemas.
    ([], False),
    ([GRANT], True),
    ([GRANT.replace("create", "create, temp", 1)], True),
    (["grant all on database dev to public"], True),
    (["grant temp on database dev to public"], False),
    ([GRANT, f'revoke create on database dev from "{ROLE}"'], False),
    (['grant create on database dev to "IAM:loader"'], None),
]


@pytest.mark.parametrize(("granted", "may"), CASES, ids=range(len(CASES)))
@pytest.mark.parametrize("sql", [SCHEMA, EXTERNAL], ids=["local", "external"])
def test_a_schema_takes_create_on_the_database(as_user: Any, sql: str, granted: list[str], may: bool | None) -> None:
    admin, role = as_user(ADMIN), as_user(ROLE)
    if may is None:
        assert [admin.error(each) for each in granted] == ['ERROR: user "IAM:loader" does not exist']
        return
    admin.script(*granted)
    if may:
        role.script(sql)
    else:
        assert role.error(sql) == DENIED
    role.script("create table public.t (a int)", "create temp table u (a int)")


def test_users_before_and_after_their_first_login(as_user: Any) -> None:
    admin = as_user(ADMIN)
    admin.script(f'create user "{ROLE}" password disable', GRANT)
    assert admin.run("select usename, usesuper from pg_user order by 1") == [(ROLE, False), (ADMIN, True)]
    assert admin.run("select identity_name, privilege_type from svv_database_privileges") == [(ROLE, "CREATE")]
    as_user(ROLE).script(EXTERNAL)
    assert admin.error(f'create user "{ROLE}" password disable') == f'ERROR: user "{ROLE}" already exists'
    assert "has a privilege" in admin.error(f'drop user "{ROLE}"')
    admin.script(f'revoke create on database dev from "{ROLE}"', f'drop user "{ROLE}"')
    assert admin.run("select usename from pg_user") == [(ADMIN,)]


@pytest.mark.parametrize(
    "sql",
    [
        "create user a password disable",
        "drop user a",
        "grant create on database dev to a",
        "create role a",
        "drop role a",
        "grant role a to a",
    ],
)
def test_only_a_superuser_makes_users_and_grants(as_user: Any, sql: str) -> None:
    assert as_user(ROLE).error(sql) == "ERROR: must be superuser to do that"


def test_a_role_is_made_given_taken_and_dropped(as_user: Any) -> None:
    admin, _ = as_user(ADMIN), as_user(ROLE)
    admin.script("create role readers", "create role writers", f'grant role readers, role writers to "{ROLE}"')
    admin.script(f'grant role readers to "{ROLE}"')
    assert admin.run("select role_name from svv_roles order by 1") == [("readers",), ("writers",)]
    granted = "select role_name, user_name from svv_user_grants order by 1"
    assert admin.run(granted) == [("readers", ROLE), ("writers", ROLE)]
    assert "cannot be dropped because users have it" in admin.error("drop role readers")
    admin.script(f'revoke role readers from "{ROLE}"', "drop role readers", "drop role writers force")
    assert admin.run(granted) == admin.run("select role_name from svv_roles") == []


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("create role readers", 'role "readers" already exists'),
        ("drop role writers", 'role "writers" does not exist'),
        (f'grant role writers to "{ROLE}"', 'role "writers" does not exist'),
        ("grant role readers to nobody", 'user "nobody" does not exist'),
        ("grant role readers to role readers", "GRANT ROLE is for users in the local warehouse"),
        (f'grant role readers to "{ROLE}" with admin option', "WITH ADMIN OPTION is not supported"),
    ],
)
def test_a_role_that_cannot_be_made_or_given(as_user: Any, sql: str, reason: str) -> None:
    admin, _ = as_user(ADMIN), as_user(ROLE)
    admin.script("create role readers")
    assert reason in admin.error(sql)
