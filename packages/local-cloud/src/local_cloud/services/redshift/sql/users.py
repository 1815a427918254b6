"""Users, roles and privileges, as statements.

https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
"""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.services.redshift.errors import NotSupported
from local_cloud.services.redshift.sql.lexer import Kind
from local_cloud.services.redshift.sql.reader import Reader
from local_cloud.services.redshift.sql.statements import (
    CreateRole,
    CreateUser,
    DatabasePrivileges,
    DropRole,
    DropUser,
    RoleMembership,
    Statement,
    Utility,
)


def _user(reader: Reader) -> str:
    """A user's name, which keeps its case in quotes where other names do not: `"IAMR:role"`.

    https://docs.aws.amazon.com/bedrock/latest/userguide/knowledge-base-prereq-structured-db-access.html
    """
    token = reader.peek()
    folded = reader.identifier()
    assert token is not None
    return token.text[1:-1].replace('""', '"') if token.kind is Kind.QUOTED else folded


def create_user(reader: Reader) -> CreateUser:
    name = _user(reader)
    return CreateUser(name, superuser="CREATEUSER" in reader.rest().upper().split())


def drop_user(reader: Reader) -> DropUser:
    if_exists = reader.accept("IF", "EXISTS")
    return DropUser(_user(reader), if_exists)


def privileges(command: str, *, to: str) -> Callable[[Reader], Statement]:
    """Those on databases; who may do what with a table or a schema is not looked at here."""

    def read(reader: Reader) -> Statement:
        if reader.accept("ROLE"):
            return _role_membership(reader, command, to=to)
        reader.accept("GRANT", "OPTION", "FOR")
        privileges = [reader.next().upper]
        while not reader.at_end and not reader.at("ON"):
            word = reader.next().upper
            if word not in (",", "PRIVILEGES"):
                privileges.append(word)
        if not reader.accept("ON", "DATABASE"):
            reader.rest()
            return Utility(command)
        databases = [reader.identifier()]
        while reader.accept(","):
            databases.append(reader.identifier())
        reader.expect(to)
        users: list[str] = []
        while not users or reader.accept(","):
            if reader.accept_any("GROUP", "ROLE"):
                raise NotSupported(f"{command} … ON DATABASE is for users and PUBLIC in the local warehouse")
            users.append(_user(reader))
        reader.rest()
        return DatabasePrivileges(command == "GRANT", tuple(privileges), tuple(databases), tuple(users))

    return read


def _role_membership(reader: Reader, command: str, *, to: str) -> RoleMembership:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html, "role syntax"."""
    roles = [_user(reader)]
    while reader.accept(","):
        reader.accept("ROLE")
        roles.append(_user(reader))
    reader.expect(to)
    users: list[str] = []
    while not users or reader.accept(","):
        if reader.accept_any("GROUP", "ROLE"):
            raise NotSupported(f"{command} ROLE is for users in the local warehouse")
        users.append(_user(reader))
    if reader.accept("WITH", "ADMIN", "OPTION"):
        raise NotSupported("WITH ADMIN OPTION is not supported by the local warehouse")
    return RoleMembership(command == "GRANT", tuple(roles), tuple(users))


def create_role(reader: Reader) -> CreateRole:
    name = _user(reader)
    if reader.accept("EXTERNALID"):
        raise NotSupported("CREATE ROLE … EXTERNALID is not supported by the local warehouse")
    return CreateRole(name)


def drop_role(reader: Reader) -> DropRole:
    name = _user(reader)
    force = bool(reader.accept("FORCE"))
    if not force:
        reader.accept("RESTRICT")
    return DropRole(name, force)
