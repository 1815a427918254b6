"""What a statement is: Redshift's lexical rules as tables of cases, properties, and an independent judge."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot.dialects.redshift import Redshift
from sqlglot.tokens import TokenType

from rs_query import LexicalError, split

CASES = {
    "nothing": ("", []),
    "only space": (" \t\r\n\f", []),
    "only comments": ("-- a;\n/* b; */", []),
    "only semicolons": (";; ;\n;", []),
    "one without an end": ("SELECT 1", ["SELECT 1"]),
    "one with an end": ("SELECT 1;", ["SELECT 1"]),
    "empty pieces between": ("a;;b; /* ; */ ;c", ["a", "b", "c"]),
    "space around": ("\n  a  \n;\n b \n", ["a", "b"]),
    "CRLF": ("a\r\n;\r\nb;\r\n", ["a", "b"]),
    "BOM": ("\ufeffSELECT 1;", ["SELECT 1"]),
    "BOM and nothing": ("\ufeff", []),
    "comment before": ("-- x\nSELECT 1", ["SELECT 1"]),
    "comment after": ("SELECT 1 -- x\n;", ["SELECT 1"]),
    "comment inside": ("SELECT /* ; */ 1 -- ;\n + 2;", ["SELECT /* ; */ 1 -- ;\n + 2"]),
    "comment ended by CR": ("a -- ;\rb;c", ["a -- ;\rb", "c"]),
    "comment to the end of the file": ("a; -- b", ["a"]),
    "nested comments": ("/* a /* b; */ c; */ SELECT 1; /* /**/;*/ SELECT 2", ["SELECT 1", "SELECT 2"]),
    "comments back to back": ("/*/**/;*/ SELECT 1; /*/ ; */ SELECT 2", ["SELECT 1", "SELECT 2"]),
    "comment opened in a line comment": ("-- /*\na; b", ["a", "b"]),
    "line comment in a comment": ("/* -- */ a; b", ["a", "b"]),
    "quote in a comment": ("/* it's */ a; -- it's\nb", ["a", "b"]),
    "string": ("SELECT ';'; b", ["SELECT ';'", "b"]),
    "doubled quote": ("SELECT 'it''s; x'; b", ["SELECT 'it''s; x'", "b"]),
    "empty string": ("SELECT ''; b", ["SELECT ''", "b"]),
    "backslash quote": (r"SELECT 'it\'s; x'; b", [r"SELECT 'it\'s; x'", "b"]),
    "backslash backslash": (r"SELECT '\\'; b", [r"SELECT '\\'", "b"]),
    "backslashes and quotes": (r"SELECT '\\\';'; b", [r"SELECT '\\\';'", "b"]),
    "E string": (r"SELECT E'\';'; b", [r"SELECT E'\';'", "b"]),
    "newline in a string": ("SELECT 'a\n;\nb'; c", ["SELECT 'a\n;\nb'", "c"]),
    "comment in a string": ("SELECT '--', '/*'; b", ["SELECT '--', '/*'", "b"]),
    "quoted identifier": ('SELECT ";"; b', ['SELECT ";"', "b"]),
    "doubled double quote": ('SELECT "a"";"; b', ['SELECT "a"";"', "b"]),
    "no backslash in an identifier": ('SELECT "a\\"; b', ['SELECT "a\\"', "b"]),
    "dollar body": ("AS $$ a; 'b $$; c", ["AS $$ a; 'b $$", "c"]),
    "tagged dollar body": ("AS $x$ a; $$ ; $X$ ; $x$; c", ["AS $x$ a; $$ ; $X$ ; $x$", "c"]),
    "dollar body in a dollar body": ("AS $a$ $b$ ; $a$; c", ["AS $a$ $b$ ; $a$", "c"]),
    "tag of letters beyond ASCII": ("$été$;$été$;b", ["$été$;$été$", "b"]),
    "dollars in a name": ("SELECT a$$ ; b$$c ; d", ["SELECT a$$", "b$$c", "d"]),
    "dollar body after a number": ("SELECT 1$$;$$; b", ["SELECT 1$$;$$", "b"]),
    "dollar body after an operator": ("SELECT ($$;$$); b", ["SELECT ($$;$$)", "b"]),
    "name after a number": ("SELECT 1a$$;b$$", ["SELECT 1a$$", "b$$"]),
    "positional parameters": ("SELECT $1, $2; b", ["SELECT $1, $2", "b"]),
    "temporary table": ("CREATE TABLE #t (a int); SELECT * FROM #t", ["CREATE TABLE #t (a int)", "SELECT * FROM #t"]),
    "cast and assignment": ("SELECT a::int; CALL p(x := 1)", ["SELECT a::int", "CALL p(x := 1)"]),
    "no break space is a letter": ("\u00a0;a", ["\u00a0", "a"]),
    "minus and slash alone": ("SELECT 4 - 2 / 1; b", ["SELECT 4 - 2 / 1", "b"]),
    "letters beyond the BMP": ("SELECT '😀;', \"😀;\"; b", ["SELECT '😀;', \"😀;\"", "b"]),
    "procedure": (
        "CREATE OR REPLACE PROCEDURE p(n int) AS $$\nDECLARE x int := 1;\nBEGIN\n"
        "  IF n > 0 THEN\n    INSERT INTO t VALUES (1, 'a;''b');\n  END IF;\nEND;\n$$ LANGUAGE plpgsql;\nCALL p(1);",
        [
            "CREATE OR REPLACE PROCEDURE p(n int) AS $$\nDECLARE x int := 1;\nBEGIN\n"
            "  IF n > 0 THEN\n    INSERT INTO t VALUES (1, 'a;''b');\n  END IF;\nEND;\n$$ LANGUAGE plpgsql",
            "CALL p(1)",
        ],
    ),
    "procedure in a string": (
        "CREATE PROCEDURE p() AS 'BEGIN DELETE FROM t WHERE a = ''x;''; END;' LANGUAGE plpgsql; CALL p()",
        ["CREATE PROCEDURE p() AS 'BEGIN DELETE FROM t WHERE a = ''x;''; END;' LANGUAGE plpgsql", "CALL p()"],
    ),
    "Python UDF": (
        "CREATE FUNCTION f(s varchar) RETURNS varchar STABLE AS $py$\n  # it's; fine\n  return s.split(';')[0]\n"
        "$py$ LANGUAGE plpythonu;\nSELECT f('a;b');",
        [
            "CREATE FUNCTION f(s varchar) RETURNS varchar STABLE AS $py$\n  # it's; fine\n  return s.split(';')[0]\n"
            "$py$ LANGUAGE plpythonu",
            "SELECT f('a;b')",
        ],
    ),
}


@pytest.mark.parametrize(("text", "statements"), CASES.values(), ids=CASES)
def test_a_script_is_split_into_its_statements(text: str, statements: list[str]) -> None:
    found = split(text)
    assert [statement.text for statement in found] == statements
    assert [text[statement.start : statement.end] for statement in found] == statements


PLACES = {
    "first": ("SELECT 1", [(1, 1, 1, 0)]),
    "BOM has no column": ("\ufeffSELECT 1;\nb", [(1, 1, 1, 1), (2, 2, 1, 11)]),
    "one line": ("a; b;c", [(1, 1, 1, 0), (2, 1, 4, 3), (3, 1, 6, 5)]),
    "after comments": ("/* x\ny */ a;\n-- b\n  c", [(1, 2, 6, 10), (2, 4, 3, 20)]),
    "CRLF is one line end": ("a;\r\nb;\r\n\r\n c", [(1, 1, 1, 0), (2, 2, 1, 4), (3, 4, 2, 11)]),
    "characters, not bytes": ("SELECT 'é😀'; b", [(1, 1, 1, 0), (2, 1, 14, 13)]),
    "lines within statements": ("a\n\nb; c", [(1, 1, 1, 0), (2, 3, 4, 6)]),
}


@pytest.mark.parametrize(("text", "places"), PLACES.values(), ids=PLACES)
def test_says_where_statements_are(text: str, places: list[tuple[int, int, int, int]]) -> None:
    assert [(s.index, s.line, s.column, s.start) for s in split(text)] == places


UNTERMINATED = {
    "string": ("SELECT 1;\n  'abc", "x.sql:2:3: unterminated string"),
    "string after a backslash": ("SELECT 'abc\\'", "x.sql:1:8: unterminated string"),
    "string at its last backslash": ("'\\", "x.sql:1:1: unterminated string"),
    "doubled quote at the end": ("'a''", "x.sql:1:1: unterminated string"),
    "identifier": ('a;\r\nb "c', "x.sql:2:3: unterminated quoted identifier"),
    "identifier at a doubled quote": ('"a""', "x.sql:1:1: unterminated quoted identifier"),
    "comment": ("/* a", "x.sql:1:1: unterminated comment"),
    "nested comment": ("\n /* a /* b */", "x.sql:2:2: unterminated comment"),
    "dollar body": ("AS $$ a; $", "x.sql:1:4: unterminated $$ body"),
    "tag in other letters": ("AS $a$ $A$", "x.sql:1:4: unterminated $a$ body"),
    "after a BOM": ("\ufeff'", "x.sql:1:1: unterminated string"),
}


@pytest.mark.parametrize(("text", "message"), UNTERMINATED.values(), ids=UNTERMINATED)
def test_names_what_is_unterminated(text: str, message: str) -> None:
    with pytest.raises(LexicalError) as caught:
        split(text, "x.sql")
    assert str(caught.value) == message
    assert message.startswith(f"{caught.value.name}:{caught.value.line}:{caught.value.column}: ")


HOSTILE = {
    "a literal of 5 MB": "'" + "a" * 5_000_000 + "'",
    "an unterminated literal of 5 MB": "'" + "a" * 5_000_000,
    "a million doubled quotes": "'" + "''" * 1_000_000 + "'",
    "a million backslashes": "'" + "\\'" * 1_000_000 + "'",
    "100,000 nested comments": "/*" * 100_000 + "*/" * 100_000 + "SELECT 1",
    "100,000 open comments": "/*" * 100_000,
    "dollars in names": "a$$" * 300_000,
    "dollars after numbers": "1$a$" * 200_000,
    "a long word before a dollar": "a" * 1_000_000 + "$" * 1_000,
    "300,000 statements on a line": "a;" * 300_000,
    "parameters and casts": ":a ::b " * 100_000,
    "spaces": " " * 2_000_000 + "a" + " " * 2_000_000,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_time_is_linear_in_the_text(text: str) -> None:
    """Each takes under a second; a scanner of quadratic time would take hours."""
    with suppress(LexicalError):
        assert split(text)


# Pieces that are hard to tell apart, to be put together at random.
PIECES = st.sampled_from(
    [
        *("'a;b'", "''", "'it''s'", r"'\''", r"'\\'", '"q;"', '"a""b"', "$$;$$", "$t$$$'$t$", "a$$b", "#tmp", "x::int"),
        *("/*;*/", ";", ";", ";", "(", ")", ",", "=", "-", "1", ":=", ":p", "😀", "é"),
        *("SELECT", "CALL", "UNLOAD", "vacuum", "COPY"),
        *("-- c;'\n", "/* /* ' */ ; */", " ", "\n", "\r\n", "$$ ' ; $$", "'\n;'", ':"p"'),
    ]
)


@given(st.lists(PIECES, max_size=25))
@settings(max_examples=300, deadline=None)
def test_nothing_is_lost_and_nothing_is_invented(pieces: list[str]) -> None:
    text = " ".join(pieces)
    statements = split(text)
    position = 0
    for index, statement in enumerate(statements, 1):
        assert statement.index == index
        assert statement.text == text[statement.start : statement.end]
        assert not split(text[position : statement.start]), "what lies between statements is no statement"
        position = statement.end
    assert not split(text[position:])
    assert [s.text for s in split(";\n".join(s.text + "\n" for s in statements))] == [s.text for s in statements]
    for statement in statements:
        assert [s.text for s in split(statement.text)] == [statement.text]


@given(st.text(alphabet="';\"$-/*\\a1:_ \n#tE", max_size=40))
@settings(max_examples=500, deadline=None)
def test_any_text_splits_or_says_what_is_unterminated(text: str) -> None:
    try:
        statements = split(text)
    except LexicalError as error:
        assert "unterminated" in str(error) or "\\" in text
    else:
        assert all(statement.text == text[statement.start : statement.end] for statement in statements)


class _Judge(Redshift.Tokenizer):
    """sqlglot's Redshift tokenizer, kept from swallowing the rest of a statement after CALL, UNLOAD and others."""

    COMMANDS: ClassVar[set[TokenType]] = set()


def _judged(text: str) -> list[str]:
    """The statements by sqlglot's tokens: from the first to the last token between two semicolons."""
    statements: list[str] = []
    bounds: list[int] = []
    for token in [*_Judge(dialect="redshift").tokenize(text), None]:
        if token is None or token.token_type == TokenType.SEMICOLON:
            if bounds:
                statements.append(text[bounds[0] : bounds[-1]])
            bounds = []
        else:
            bounds += (token.start, token.end + 1)
    return statements


@pytest.mark.parametrize(
    "text",
    [
        text
        for name, (text, _) in CASES.items()
        # sqlglot keeps a BOM, ends no comment at CR, drops NBSP, reads `/*/*` and `1a$$` in its own way
        if not any(word in name for word in ("BOM", "CR", "break space", "number", "in a name", "back to back"))
    ],
)
def test_sqlglot_splits_the_same_scripts_alike(text: str) -> None:
    assert [statement.text for statement in split(text)] == _judged(text)


@given(st.lists(PIECES.filter(lambda piece: "a$$b" not in piece), max_size=25))
@settings(max_examples=300, deadline=None)
def test_sqlglot_agrees_on_anything_put_together(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert [statement.text for statement in split(text)] == _judged(text)


NO_SQL = {
    "set": (
        "SELECT 1;\n\\set day '2024-09-01'\nSELECT 2",
        "x.sql:2:1: \\set is a command of psql or RSQL, not SQL: take the line out",
    ),
    "after blanks": ("  \\timing on", "x.sql:1:3: \\timing is a command of psql or RSQL, not SQL: take the line out"),
    "RSQL's": ("\r\n\\if :a\r\nSELECT 1", "x.sql:2:1: \\if is a command of psql or RSQL, not SQL: take the line out"),
    "in a statement": ("SELECT 1\n\\g\n", "x.sql:2:1: \\g is a command of psql or RSQL, not SQL: take the line out"),
    "the end of data": (
        "COPY t FROM stdin;\n1\n\\.\n",
        "x.sql:3:1: \\ is a command of psql or RSQL, not SQL: take the line out",
    ),
    "elsewhere": ("SELECT a \\ b", "x.sql:1:10: a backslash outside of a string is no SQL"),
}


@pytest.mark.parametrize(("text", "message"), NO_SQL.values(), ids=NO_SQL)
def test_a_backslash_outside_of_strings_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(LexicalError) as caught:
        split(text, "x.sql")
    assert str(caught.value) == message
