"""Where a token of Redshift's SQL begins and ends, and that no value ever leaves its literal."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.services.redshift.data_api import parameters
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql.lexer import Kind, literal, quoted, split, tokenize

TOKENS = [
    ("select 1", [(Kind.WORD, "select"), (Kind.NUMBER, "1")]),
    ("1.5e-3 .5 7.", [(Kind.NUMBER, "1.5e-3"), (Kind.NUMBER, ".5"), (Kind.NUMBER, "7.")]),
    ("#tmp _x Tag$1", [(Kind.WORD, "#tmp"), (Kind.WORD, "_x"), (Kind.WORD, "Tag$1")]),
    ("größe 表", [(Kind.WORD, "größe"), (Kind.WORD, "表")]),
    ("'it''s' 'a\\'b'", [(Kind.STRING, "'it''s'"), (Kind.STRING, "'a\\'b'")]),
    ("'a'  'b'", [(Kind.STRING, "'a'"), (Kind.STRING, "'b'")]),
    ('"a""b" "C"', [(Kind.QUOTED, '"a""b"'), (Kind.QUOTED, '"C"')]),
    ("-- x ' \" $$\n1", [(Kind.NUMBER, "1")]),
    ("/* a /* b */ ' */ 1", [(Kind.NUMBER, "1")]),
    ("$$ ; ' $$ $a$ $$ $a$", [(Kind.DOLLAR, "$$ ; ' $$"), (Kind.DOLLAR, "$a$ $$ $a$")]),
    ("x:=y", [(Kind.WORD, "x"), (Kind.SYMBOL, ":="), (Kind.WORD, "y")]),
    ("a::int", [(Kind.WORD, "a"), (Kind.SYMBOL, "::"), (Kind.WORD, "int")]),
    ("= :a", [(Kind.SYMBOL, "="), (Kind.PARAMETER, ":a")]),
    (":a,:b", [(Kind.PARAMETER, ":a"), (Kind.SYMBOL, ","), (Kind.PARAMETER, ":b")]),
    (":a::date", [(Kind.PARAMETER, ":a"), (Kind.SYMBOL, "::"), (Kind.WORD, "date")]),
    ("s.a:b", [(Kind.WORD, "s"), (Kind.SYMBOL, "."), (Kind.WORD, "a"), (Kind.SYMBOL, ":"), (Kind.WORD, "b")]),
    ("<= >= <> != ||", [(Kind.SYMBOL, text) for text in ("<=", ">=", "<>", "!=", "||")]),
]  # fmt: skip

VALUES = [
    ("'it''s'", "it's"),
    (r"'a\\b'", r"a\b"),
    (r"'\n\t\q'", "\n\tq"),
    ('"A""b"', 'a"b'),
    ("$x$ 'y' $x$", " 'y' "),
    (":name", "name"),
    ("SELECT", "select"),
]

UNENDED = [
    ("select 'a", 'unterminated quoted string at or near "\'a"', 8),
    ("select 'a\\'", "unterminated quoted string at or near \"'a\\'\"", 8),
    ('"a', 'unterminated quoted identifier at or near ""a"', 1),
    ("1 /* a /* b */", 'unterminated /* comment at or near "/* a /* b */"', 3),
    ("$x$ $$", 'unterminated dollar-quoted string at or near "$x$ $$"', 1),
]

SPLITS = [
    ("", []),
    (" ; ;; ", []),
    ("-- nothing\n", []),
    ("a", ["a"]),
    ("a;b", ["a", "b"]),
    (" a ; -- x;\n b ;", ["a", "b"]),
    ("select ';' ; $$;$$ /* ; */ ; \";\"", ["select ';'", "$$;$$", '";"']),
]

USED = [
    ("select :a, :b1 from t where x = :a", {"a", "b1"}),
    ("select ':a', \":b\", $$:c$$ -- :d\n /* :e */", set()),
    ("select a::int, x[1:2]", set()),
    ("select ':a", set()),
    ("select :1", {"1"}),
]

HOSTILE = [
    "x",
    "it's",
    "''",
    "\\",
    "\\'",
    "'; drop table t; --",
    "' or '1'='1",
    "$$",
    "/*",
    "--",
    ":a",
    "\n\r\t",
    "\x01\x1f",
    "naïve 表 🚕",
    "a\u2028b",
    "\\x27",
    "%s {0} {{",
    "?",
    "x" * 60_000,
]


@pytest.mark.parametrize(("sql", "expected"), TOKENS)
def test_tokens(sql: str, expected: list[tuple[Kind, str]]) -> None:
    assert [(token.kind, token.text) for token in tokenize(sql)] == expected


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text: str, value: str) -> None:
    (token,) = tokenize(text)
    assert token.value == value


@pytest.mark.parametrize(("sql", "message", "position"), UNENDED)
def test_what_is_not_ended(sql: str, message: str, position: int) -> None:
    with pytest.raises(SqlError) as raised:
        tokenize(sql)
    assert str(raised.value) == f"ERROR: {message}\n  Position: {position}"


@pytest.mark.parametrize(("sql", "statements"), SPLITS)
def test_split(sql: str, statements: list[str]) -> None:
    assert split(sql) == statements


@pytest.mark.parametrize(("sql", "names"), USED)
def test_parameters_of_a_statement(sql: str, names: set[str]) -> None:
    assert parameters.names(sql) == names


@given(st.text())
def test_any_text_is_read_whole_or_refused(sql: str) -> None:
    try:
        tokens = tokenize(sql)
    except SqlError:
        return
    assert all(sql[token.start : token.end] == token.text for token in tokens)
    assert all(before.end <= after.start for before, after in pairwise(tokens))


@given(st.text())
def test_a_literal_is_one_token_with_its_value(value: str) -> None:
    (token,) = tokenize(literal(value))
    assert (token.kind, token.value) == (Kind.STRING, value)


@given(st.text(min_size=1))
def test_a_quoted_name_is_one_token(name: str) -> None:
    (token,) = tokenize(quoted(name))
    assert (token.kind, token.value) == (Kind.QUOTED, name.lower())


@given(st.text(st.characters(exclude_characters="\0"), min_size=1))
def test_a_value_never_changes_the_shape_of_its_statement(value: str) -> None:
    sql = "select a from t where b = :v and c in (:v, 'x') -- :v"
    plain = [token for token in tokenize(sql) if token.kind is not Kind.PARAMETER]
    bound = tokenize(parameters.bind(sql, {"v": value}))
    assert [t.text for t in bound if t.text != literal(value)] == [t.text for t in plain]
    assert sum(t.text == literal(value) for t in bound) == 2


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_arrives_as_it_was_sent(db, value: str) -> None:
    assert db.run(parameters.bind("select :v as v", {"v": value})) == [(value,)]
    db.run("create table t (v varchar(65535))")
    db.run(parameters.bind("insert into t values (:v)", {"v": value}))
    assert db.run(parameters.bind("select count(*) from t where v = :v", {"v": value})) == [(1,)]


def test_a_value_that_no_string_holds() -> None:
    with pytest.raises(SqlError, match="invalid byte sequence"):
        parameters.bind("select :v", {"v": "a\0b"})
    with pytest.raises(SqlError, match="zero length value"):
        parameters.bind("select :v", {"v": ""})
