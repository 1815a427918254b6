"""One CloudFormation template out of several files, so that each part can be read by itself.

A file has a template's sections (`Parameters`, `Resources`, …) with only its own entries in them, two blanks in.
Joining keeps the text: comments stay, and what CloudFormation gets reads as if written in one piece. A line that
joining would lose is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from orchestration.errors import DeployError

#: In the order of the joined template.
_SECTIONS = ("Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs")
_SECTION = re.compile(rf"^({'|'.join(_SECTIONS)}):[ ]*\n", re.MULTILINE)
_ENTRY = re.compile(r"^  ([\w:]+):(?=\s|$)", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^    (Type|Condition): (\S+)$", re.MULTILINE)


def join(files: Sequence[Path]) -> str:
    """Join files to the template that they are together. What stands before the first section is the first file's.

    Errors: DeployError when two files have an entry of the same name in a section, and for a line of no section.
    """
    sections: dict[str, list[str]] = {name: [] for name in _SECTIONS}
    seen: dict[tuple[str, str], Path] = {}
    for file in files:
        for section, text in _split(file)[1]:
            _require_entries(file, section, text)
            for name in _ENTRY.findall(text):
                if (section, name) in seen:
                    raise DeployError(f"{section} has {name} twice: in {seen[section, name]} and in {file}")
                seen[section, name] = file
            sections[section].append(text)
    for file in files:
        _require_head(file, is_first=file == files[0])
    joined = [f"{name}:\n" + "\n".join(texts) for name, texts in sections.items() if texts]
    return "\n".join([_split(files[0])[0], *joined])


def _require_entries(file: Path, section: str, text: str) -> None:
    """Raise DeployError for a line that is neither an entry, two blanks in, nor within one, further in."""
    for at, line in enumerate(_lines(text)):
        if not (_ENTRY.match(line) or (at > 0 and line.startswith("   "))):
            raise DeployError(
                f"{file}: {line.strip()!r} is no entry of {section}: indent entries by two blanks, and what is in them "
                "by more"
            )


def _require_head(file: Path, *, is_first: bool) -> None:
    """Raise DeployError for a section with more in its line, and for any line but the first file's."""
    for line in _lines(_split(file)[0]):
        if not is_first or line.partition(":")[0] in _SECTIONS:
            raise DeployError(f"{file}: {line.strip()!r} would be lost: it is in none of {', '.join(_SECTIONS)}")


def _lines(text: str) -> list[str]:
    """List the lines that are neither blank nor a comment."""
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def entries(files: Sequence[Path], section: str) -> list[str]:
    """List the names in one section, such as the parameters that a template takes."""
    return [name for file in files for at, text in _split(file)[1] if at == section for name in _ENTRY.findall(text)]


def resources(files: Sequence[Path]) -> list[tuple[str, str, str]]:
    """List the name, type and condition ("" for none) of each resource."""
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
    """Split a file into what stands before the first section, and each section's name and text."""
    head, *parts = (part.rstrip() + "\n" for part in _SECTION.split(file.read_text(encoding="utf-8")))
    return head, [(name.rstrip(), text) for name, text in zip(parts[::2], parts[1::2], strict=True)]
