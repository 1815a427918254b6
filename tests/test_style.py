"""No source file has a word that docs/style.md replaces."""

from __future__ import annotations

import re

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


@pytest.mark.parametrize("word", BANNED)
def test_docs_style_replaces_a_word(word: str) -> None:
    pattern = re.compile(rf"\b{word}\b", re.IGNORECASE)
    sources = (ROOT / "packages").glob("*/src/**/*.py")
    having = [file.relative_to(ROOT).as_posix() for file in sources if pattern.search(file.read_text(encoding="utf-8"))]
    assert sorted(having) == [], f"docs/style.md: say {BANNED[word]}"
