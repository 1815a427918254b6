"""Tells from its first words what a statement is, and reads it into the dataclass of its kind."""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.services.redshift.errors import NotSupported, SqlSyntaxError
from local_cloud.services.redshift.sql import external, load, procedures, show, tables, users
from local_cloud.services.redshift.sql.lexer import Kind
from local_cloud.services.redshift.sql.reader import Reader
from local_cloud.services.redshift.sql.statements import (
    AlterDatabase,
    Begin,
    Comment,
    Commit,
    CreateDatabase,
    CreateSchema,
    CreateView,
    Drop,
    DropDatabase,
    Explain,
    Lock,
    MergeWithoutDuplicates,
    Query,
    Rollback,
    SetParameter,
    ShowParameter,
    Statement,
    Truncate,
    Utility,
)
from local_cloud.services.redshift.sql.tables import Name


def parse(sql: str) -> Statement:
    """One statement, parsed. SqlSyntaxError where Redshift would not read it."""
    reader = Reader(sql)
    if reader.at_end:
        raise SqlSyntaxError("syntax error at end of input", position=1)
    for words, read in _COMMANDS:
        if reader.accept(*words.split()):
            statement = read(reader)
            reader.end()
            return statement
    first = reader.peek()
    assert first is not None
    verb = first.upper
    if first.text == "(":
        verb = "SELECT"
    if verb not in _QUERIES:
        raise reader.error()
    _check_commas(reader)
    if reader.accept("MERGE") and [token.upper for token in reader.tokens[-2:]] == ["REMOVE", "DUPLICATES"]:
        return MergeWithoutDuplicates(sql[first.start : reader.tokens[-3].end])
    text = sql[first.start : reader.tokens[-1].end]
    if reader.accept("DELETE") and not reader.at("FROM"):
        text = f"DELETE FROM {text[len('DELETE') :]}"
    return Query(text, verb)


_QUERIES = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES")


def _check_commas(reader: Reader) -> None:
    """Refuse what sqlglot would let pass: a comma with nothing after it, and a parameter without a value."""
    for index, token in enumerate(reader.tokens):
        if token.kind is Kind.PARAMETER:
            raise SqlSyntaxError('syntax error at or near ":"', position=token.start + 1)
        if token.text == "," and token.kind is Kind.SYMBOL:
            reader.index = index + 1
            if reader.at_end or any(reader.at(word) for word in (",", ")", "FROM", "WHERE", "GROUP", "ORDER")):
                raise reader.error()
    reader.index = 0


def _begin(reader: Reader) -> Begin:
    reader.accept_any("WORK", "TRANSACTION")
    while reader.accept_any(
        "ISOLATION LEVEL SERIALIZABLE",
        "ISOLATION LEVEL READ COMMITTED",
        "ISOLATION LEVEL READ UNCOMMITTED",
        "ISOLATION LEVEL REPEATABLE READ",
        "ISOLATION LEVEL SNAPSHOT",
        "READ WRITE",
        "READ ONLY",
        ",",
    ):
        pass
    return Begin()


def _commit(reader: Reader) -> Commit:
    reader.accept_any("WORK", "TRANSACTION")
    return Commit()


def _rollback(reader: Reader) -> Rollback:
    reader.accept_any("WORK", "TRANSACTION")
    return Rollback()


def _names(reader: Reader) -> tuple[Name, ...]:
    names = [reader.name()]
    while reader.accept(","):
        names.append(reader.name())
    return tuple(names)


def _lock(reader: Reader) -> Lock:
    reader.accept("TABLE")
    return Lock(_names(reader))


def _truncate(reader: Reader) -> Truncate:
    reader.accept("TABLE")
    return Truncate(reader.name())


def _explain(reader: Reader) -> Explain:
    reader.accept("VERBOSE")
    return Explain(reader.rest())


def _create_view(*, replace: bool) -> Callable[[Reader], CreateView]:
    def read(reader: Reader) -> CreateView:
        name = reader.name()
        columns = reader.identifiers() if reader.at("(") else ()
        reader.expect("AS")
        query, binding = reader.rest(), True
        tail = Reader(query)
        words = [token.upper for token in tail.tokens[-4:]]
        if words == ["WITH", "NO", "SCHEMA", "BINDING"]:
            query, binding = query[: tail.tokens[-5].end], False
        return CreateView(name, replace, columns, query, binding)

    return read


def _unsupported(what: str) -> Callable[[Reader], Statement]:
    def read(reader: Reader) -> Statement:
        raise NotSupported(f"{what} is not supported by the local warehouse")

    return read


def _drop(kind: str) -> Callable[[Reader], Drop]:
    def read(reader: Reader) -> Drop:
        if_exists = reader.accept("IF", "EXISTS")
        names = _names(reader)
        reader.accept_any("DROP EXTERNAL DATABASE")
        cascade = reader.accept_any("CASCADE", "RESTRICT") == "CASCADE"
        return Drop(kind, names, if_exists, cascade)

    return read


def _create_schema(reader: Reader) -> CreateSchema:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.identifier()
    if reader.accept("AUTHORIZATION"):
        reader.identifier()
    if reader.accept("QUOTA"):
        reader.rest()
    return CreateSchema(name, if_not_exists)


def _isolation(reader: Reader) -> bool:
    reader.expect("ISOLATION", "LEVEL")
    level = reader.accept_any("SERIALIZABLE", "SNAPSHOT")
    if not level:
        raise reader.error()
    return level == "SERIALIZABLE"


def _create_database(reader: Reader) -> CreateDatabase:
    name, serializable = reader.identifier(), False
    reader.accept("WITH")
    while not reader.at_end:
        if reader.at("ISOLATION"):
            serializable = _isolation(reader)
        elif reader.accept_any("OWNER", "CONNECTION LIMIT", "COLLATE"):
            reader.accept("=")
            reader.next()
        else:
            raise reader.error()
    return CreateDatabase(name, serializable)


def _alter_database(reader: Reader) -> AlterDatabase:
    return AlterDatabase(reader.identifier(), _isolation(reader))


def _comment(reader: Reader) -> Comment:
    kind = reader.accept_any("TABLE", "COLUMN", "VIEW", "DATABASE", "SCHEMA", "CONSTRAINT")
    if not kind:
        raise reader.error()
    name = reader.name()
    if kind == "COLUMN" and len(name) < 2:
        raise SqlSyntaxError("column name must be qualified")
    if kind == "CONSTRAINT":
        reader.expect("ON")
        reader.name()
    reader.expect("IS")
    text = None if reader.accept("NULL") else reader.string()
    return Comment(kind, name, text)


def _set(reader: Reader) -> SetParameter:
    local = reader.accept_any("SESSION", "LOCAL") == "LOCAL"
    if reader.accept("SESSION", "AUTHORIZATION"):
        return SetParameter("session_authorization", reader.next().value, local)
    name = ".".join(reader.name())
    if name == "time" and reader.accept("ZONE"):
        name = "timezone"
    elif not reader.accept_any("TO", "="):
        raise reader.error()
    values = [_setting(reader)]
    while reader.accept(","):
        values.append(_setting(reader))
    default = len(values) == 1 and values[0].lower() == "default"
    return SetParameter(name, None if default else ", ".join(values), local)


def _setting(reader: Reader) -> str:
    token = reader.peek()
    if token is not None and (token.kind is Kind.NUMBER or token.text == "-"):
        return reader.number()
    return reader.next().value


def _reset(reader: Reader) -> SetParameter:
    return SetParameter(".".join(reader.name()), None)


def _show(reader: Reader) -> ShowParameter:
    return ShowParameter("timezone" if reader.accept("TIME", "ZONE") else ".".join(reader.name()))


def _vacuum(reader: Reader) -> Utility:
    reader.accept_any("FULL", "SORT ONLY", "DELETE ONLY", "REINDEX", "RECLUSTER")
    target = () if reader.at_end or reader.at("TO") else reader.name()
    reader.rest()
    return Utility("VACUUM", target, outside=True)


def _analyze(reader: Reader) -> Utility:
    reader.accept("VERBOSE")
    reader.accept("COMPRESSION")
    target = () if reader.at_end or reader.at("PREDICATE") else reader.name()
    reader.rest()
    return Utility("ANALYZE", target)


def _utility(command: str) -> Callable[[Reader], Utility]:
    def read(reader: Reader) -> Utility:
        reader.rest()
        return Utility(command)

    return read


def _alter_table(reader: Reader) -> Statement:
    return external.alter_table(reader) or tables.alter_table(reader)


#: What SHOW shows of the catalog on Redshift, and here from the system views alone.
_OTHER_SHOWS = (
    *("TABLES", "SCHEMAS", "COLUMNS", "DATABASES", "DATASHARES", "EXTERNAL TABLE", "FUNCTIONS", "GRANTS", "MODEL"),
    *("PARAMETERS", "POLICIES", "PROCEDURE", "PROCEDURES", "TABLE", "VIEW"),
)

_COMMANDS: tuple[tuple[str, Callable[[Reader], Statement]], ...] = (
    ("BEGIN", _begin),
    ("START TRANSACTION", _begin),
    ("COMMIT", _commit),
    ("END", _commit),
    ("ROLLBACK", _rollback),
    ("ABORT", _rollback),
    ("LOCK", _lock),
    ("TRUNCATE", _truncate),
    ("COPY", load.copy),
    ("UNLOAD", load.unload),
    ("EXPLAIN", _explain),
    ("CALL", procedures.call),
    ("CREATE OR REPLACE PROCEDURE", procedures.create(replace=True)),
    ("CREATE PROCEDURE", procedures.create(replace=False)),
    ("DROP PROCEDURE", procedures.drop),
    ("CREATE EXTERNAL SCHEMA", external.create_schema),
    ("CREATE EXTERNAL TABLE", external.create_table),
    ("CREATE MATERIALIZED VIEW", _unsupported("CREATE MATERIALIZED VIEW")),
    ("CREATE OR REPLACE FUNCTION", _unsupported("CREATE FUNCTION")),
    ("CREATE FUNCTION", _unsupported("CREATE FUNCTION")),
    ("CREATE LIBRARY", _unsupported("CREATE LIBRARY")),
    ("CREATE MODEL", _unsupported("CREATE MODEL")),
    ("CREATE DATASHARE", _unsupported("CREATE DATASHARE")),
    ("PREPARE", _unsupported("PREPARE")),
    ("DECLARE", _unsupported("DECLARE CURSOR")),
    ("CREATE OR REPLACE VIEW", _create_view(replace=True)),
    ("CREATE VIEW", _create_view(replace=False)),
    ("CREATE SCHEMA", _create_schema),
    ("CREATE DATABASE", _create_database),
    ("ALTER DATABASE", _alter_database),
    ("DROP DATABASE", lambda reader: DropDatabase(reader.identifier())),
    ("CREATE USER", users.create_user),
    ("CREATE GROUP", _utility("CREATE GROUP")),
    ("CREATE ROLE", users.create_role),
    ("ALTER USER", _utility("ALTER USER")),
    ("ALTER GROUP", _utility("ALTER GROUP")),
    ("ALTER ROLE", _utility("ALTER ROLE")),
    ("ALTER SCHEMA", _utility("ALTER SCHEMA")),
    ("ALTER DEFAULT PRIVILEGES", _utility("ALTER DEFAULT PRIVILEGES")),
    ("DROP USER", users.drop_user),
    ("DROP GROUP", _utility("DROP GROUP")),
    ("DROP ROLE", users.drop_role),
    ("GRANT", users.privileges("GRANT", to="TO")),
    ("REVOKE", users.privileges("REVOKE", to="FROM")),
    ("CREATE", tables.create_table),
    ("ALTER TABLE", _alter_table),
    ("DROP TABLE", _drop("TABLE")),
    ("DROP VIEW", _drop("VIEW")),
    ("DROP SCHEMA", _drop("SCHEMA")),
    ("COMMENT ON", _comment),
    ("SET", _set),
    ("RESET", _reset),
    ("SHOW TABLES FROM SCHEMA", lambda reader: Query(show.tables(reader), "SELECT")),
    ("SHOW SCHEMAS FROM DATABASE", lambda reader: Query(show.schemas(reader), "SELECT")),
    ("SHOW COLUMNS FROM TABLE", lambda reader: Query(show.columns(reader), "SELECT")),
    *((f"SHOW {kind}", _unsupported(f"SHOW {kind}")) for kind in _OTHER_SHOWS),
    ("SHOW", _show),
    ("VACUUM", _vacuum),
    ("ANALYZE", _analyze),
    ("ANALYSE", _analyze),
    ("DISCARD", _utility("DISCARD")),
)
