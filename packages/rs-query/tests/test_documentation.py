"""The README says what there is: every command, option, error and name, and its examples are true."""

from __future__ import annotations

import argparse
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rs_query
from rs_query import errors
from rs_query.cli import _parser

README = (Path(__file__).parents[1] / "README.md").read_text()
PUBLIC_ERRORS = {
    name for name, thing in vars(errors).items() if inspect.isclass(thing) and thing.__module__ == errors.__name__
} - {"_OfStatement"}


def commands() -> dict[str, argparse.ArgumentParser]:
    (subparsers,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(subparsers.choices)


@pytest.mark.parametrize("command", commands())
def test_every_command_and_option_is_documented(command: str) -> None:
    assert re.search(rf"rs-query {command} (FILE|FILE_OR_S3_URI|ID)\b", README)
    for action in commands()[command]._actions:
        for option in action.option_strings:
            if option.startswith("--") and option != "--help":
                assert f"    {option} " in README or f" {option} " in README, option


def test_every_documented_option_exists() -> None:
    usage = README[README.index("rs-query run FILE_OR_S3_URI") :].split("```")[0]
    existing = {option for parser in commands().values() for a in parser._actions for option in a.option_strings}
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", usage)) <= existing


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn = inspect.getdoc(errors)
    assert drawn is not None
    tree = drawn[drawn.index("RsQueryError\n") : drawn.index("\n\nThe message")]
    assert tree in README
    parents = {0: "Exception"}
    for line in tree.splitlines():
        found = re.match(r"([│├└─ ]*)(\w+)", line)
        assert found is not None
        depth = len(found[1]) // 4
        parents[depth + 1] = found[2]
        assert parents[depth] in {base.__name__ for base in getattr(errors, found[2]).__mro__[1:]}
    assert set(re.findall(r"(?m)^[│├└─ ]*(\w+)", tree)) == PUBLIC_ERRORS


def test_everything_public_is_exported() -> None:
    modules = {name for name, thing in vars(rs_query).items() if inspect.ismodule(thing)}
    assert set(rs_query.__all__) == {name for name in vars(rs_query) if not name.startswith("_")} - modules
    assert set(rs_query.__all__) >= PUBLIC_ERRORS


def test_the_example_of_an_unterminated_string_is_true() -> None:
    command = f"""printf "SELECT 1;\\nSELECT 'a; -- ;" | {sys.executable} -m rs_query split -"""
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() in README


def test_the_table_of_values_is_true() -> None:
    from rs_query.literals import literal

    for value, sql in ((12, "12"), (True, "TRUE"), (0.1, "CAST('0.1' AS DOUBLE PRECISION)"), (None, "NULL")):
        assert literal(value, "x") == sql
        assert f"`{sql}`" in README
