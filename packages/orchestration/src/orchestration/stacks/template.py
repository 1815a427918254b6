"""One CloudFormation template out of several files, so that each part can be read by itself.

A file has a template's sections (`Parameters`, `Resources`, …) with only its own entries in them. Joining keeps the
text: comments stay, and what CloudFormation gets reads as if written in one piece.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from orchestration.errors import DeployError

#: In the order of the joined template.
_SECTIONS = ("Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs")
_SECTION = re.compile(rf"^({'|'.join(_SECTIONS)}):[ ]*\n", re.MULTILINE)
_ENTRY = re.compile(r"^  (\w+):", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^    (Type|Condition): (\S+)$", re.MULTILINE)


def join(files: Sequence[Path]) -> str:
    """The template that the files are together. What stands before the first section is kept of the first file only.

    Errors: DeployError when two files have an entry of the same name in a section.
    """
    sections: dict[str, list[str]] = {name: [] for name in _SECTIONS}
    seen: dict[tuple[str, str], Path] = {}
    for file in files:
        for section, text in _split(file)[1]:
            for name in _ENTRY.findall(text):
                if (section, name) in seen:
                    raise DeployError(f"{section} has {name} twice: in {seen[section, name]} and in {file}")
                seen[section, name] = file
            sections[section].append(text)
    joined = [f"{name}:\n" + "\n".join(texts) for name, texts in sections.items() if texts]
    return "\n".join([_split(files[0])[0], *joined])


def entries(files: Sequence[Path], section: str) -> list[str]:
    """The names in one section, such as the parameters a template takes."""
    return [name for file in files for at, text in _split(file)[1] if at == section for name in _ENTRY.findall(text)]


def resources(files: Sequence[Path]) -> list[tuple[str, str, str]]:
    """Name, type and condition ("" for none) of each resource."""
    found = []
    for file in files:
        for section, text in _split(file)[1]:
            if section == "Resources":
                names = list(_ENTRY.finditer(text))
                ends = [*(name.start() for name in names[1:]), len(text)]
                for name, end in zip(names, ends, strict=True):
                    values = dict(_ATTRIBUTE.findall(text[name.end() : end]))
                    found.append((name[1], values["Type"], values.get("Condition", "")))
    return found


def _split(file: Path) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the first section, then each section's name and text."""
    head, *parts = (part.rstrip() + "\n" for part in _SECTION.split(file.read_text(encoding="utf-8")))
    return head, [(name.rstrip(), text) for name, text in zip(parts[::2], parts[1::2], strict=True)]
