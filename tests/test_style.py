"""The rules of docs/style.md that can be checked: words, names of functions, first sentences of docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from laptop import ROOT

#: Word → what to say in its place.
BANNED = {
    r"told": "reported, returned or logged",
    r"anew": "again",
    r"mend(s|ed|ing)?": "fix or patch",
    r"of ours": "the project's, or the name of the thing",
    r"put right": "restored",
    r"brought about": "caused or made",
}
#: Folders whose names and docstrings are not held to the rules yet. This only gets shorter.
REMAINING = ("local-cloud/src/local_cloud",)

#: Participles that do not end in -ed, as far as functions have been named after them.
PARTICIPLES = {
    *("begun", "bound", "broken", "built", "cut", "done", "drawn", "found", "gone", "got", "had", "held", "hidden"),
    *("kept", "known", "left", "lost", "made", "meant", "met", "overtaken", "said", "seen", "sent", "set", "shown"),
    *("shrunk", "spent", "stuck", "taken", "thrown", "told", "understood", "unknown", "withdrawn", "written"),
}
#: First words that are also verbs, and what they stand for.
VERBS = {"set", "cut", "embed", "exceed", "feed", "need", "proceed", "seed"}
#: How no sentence begins that says what a function does. (A predicate's begins with `Whether`.)
NO_VERBS = {
    *("The", "A", "An", "All", "Every", "Each", "One", "These", "Those", "Some", "No", "None", "What", "Which", "Who"),
    *("How", "Why", "Where", "When", "Whether", "True", "False", "Of", "As", "By", "In", "It", "Its", "From", "That"),
    *("With", "Without", "Within", "Errors"),
}
LONGEST = 100


class Function(NamedTuple):
    """A function of a package's source, where it is defined, and its docstring."""

    where: str
    node: ast.FunctionDef | ast.AsyncFunctionDef

    @property
    def first_word(self) -> str:
        """The first word of its name."""
        return self.node.name.strip("_").split("_")[0]

    @property
    def is_property(self) -> bool:
        return any("property" in ast.unparse(one) for one in self.node.decorator_list)

    @property
    def is_command(self) -> bool:
        """Whether its docstring is the help of a command."""
        return any("command" in ast.unparse(one) or "group" in ast.unparse(one) for one in self.node.decorator_list)

    @property
    def is_predicate(self) -> bool:
        return self.node.returns is not None and ast.unparse(self.node.returns) == "bool"

    @property
    def first_sentence(self) -> str:
        """That of its docstring, "" where it has none; a colon or semicolon ends one, too."""
        paragraph = " ".join((ast.get_docstring(self.node) or "").split("\n\n")[0].split())
        return re.split(r"(?<=[.:;!?])\s", paragraph)[0]


def functions() -> Iterator[Function]:
    packages = ROOT / "packages"
    for file in sorted(packages.glob("*/src/**/*.py")):
        path = file.relative_to(packages).as_posix()
        if path.startswith(REMAINING):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(f"{path}:{node.lineno} {node.name}", node)


def is_participle(word: str) -> bool:
    return word not in VERBS and (word in PARTICIPLES or (word.endswith("ed") and len(word) > 3))


@pytest.mark.parametrize("word", BANNED)
def test_docs_style_replaces_a_word(word: str) -> None:
    pattern = re.compile(rf"\b{word}\b", re.IGNORECASE)
    sources = (ROOT / "packages").glob("*/src/**/*.py")
    having = [file.relative_to(ROOT).as_posix() for file in sources if pattern.search(file.read_text(encoding="utf-8"))]
    assert sorted(having) == [], f"docs/style.md: say {BANNED[word]}"


def test_no_function_is_named_by_a_participle() -> None:
    wrong = [one.where for one in functions() if is_participle(one.first_word) and not one.is_property]
    assert wrong == [], "docs/style.md: a function is a verb phrase"


def test_a_docstring_begins_with_a_verb() -> None:
    wrong = [
        f"{one.where}: {one.first_sentence}"
        for one in functions()
        if re.split(r"\W", one.first_sentence, maxsplit=1)[0] in NO_VERBS - ({"Whether"} if one.is_predicate else set())
        if not (one.is_property or one.is_command)
    ]
    assert wrong == [], "docs/style.md: a docstring begins with verb and object"


def test_a_docstrings_first_sentence_is_short() -> None:
    wrong = [f"{one.where}: {one.first_sentence}" for one in functions() if len(one.first_sentence) >= LONGEST]
    assert wrong == [], f"docs/style.md: one sentence under {LONGEST} characters"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("told", True),
        ("kept", True),
        ("loaded", True),
        ("need", False),
        ("load", False),
        ("set", False),
        ("bed", False),
    ],
)
def test_a_participle_is_known_by_its_end_or_by_name(word: str, expected: bool) -> None:
    assert is_participle(word) is expected


def test_folders_that_are_not_held_to_the_rules_are_there() -> None:
    assert [folder for folder in REMAINING if not Path(ROOT / "packages" / folder).is_dir()] == []
