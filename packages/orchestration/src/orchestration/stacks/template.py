"""One CloudFormation template out of several files, so that each part can be read by itself.

A file has a template's sections (`Parameters`, `Resources`, …) with only its own entries in them, two blanks in.
Joining keeps the text: comments stay, and what CloudFormation gets reads as if written in one piece. A line that
joining would lose is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from orchestration.errors import DeployError

#: In the order of the joined template.
_SECTIONS = ("Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs")
_SECTION = re.compile(rf"^({'|'.join(_SECTIONS)}):[ ]*\n", re.MULTILINE)
_ENTRY = re.compile(r"^  ([\w:]+):(?=\s|$)", re.MULTILINE)
#: A list's item with what is further in. CloudFormation's loops write entries of a map, never of a list:
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
_ITEM = re.compile(r"^( *)- .*\n(?:\1 +.*\n)*", re.MULTILINE)
_EACH_DATASET = "${EachDataset}"


def join(files: Sequence[Path], *, written: str = "", datasets: Sequence[str] = ()) -> str:
    """Join files to the template that they are together. What stands before the first section is the first file's.

    `written` is a part that is in no file. An item of a list that has `${EachDataset}` is written for each dataset.
    Errors: DeployError when two parts have an entry of the same name in a section, and for a line of no section.
    """
    sections: dict[str, list[str]] = {name: [] for name in _SECTIONS}
    seen: dict[tuple[str, str], Path] = {}
    parts = {file: file.read_text(encoding="utf-8") for file in files} | {Path("pipeline.toml"): written}
    for file, part in parts.items():
        for section, text in _split(part)[1]:
            _require_entries(file, section, text)
            for name in _ENTRY.findall(text):
                if (section, name) in seen:
                    raise DeployError(f"{section} has {name} twice: in {seen[section, name]} and in {file}")
                seen[section, name] = file
            sections[section].append(text)
    for file in files:
        _require_head(file, _split(parts[file])[0], is_first=file == files[0])
    joined = [f"{name}:\n" + "\n".join(texts) for name, texts in sections.items() if texts]
    return _repeat_items("\n".join([_split(parts[files[0]])[0], *joined]), datasets)


def _repeat_items(text: str, datasets: Sequence[str]) -> str:
    def repeat(item: re.Match[str]) -> str:
        return "".join(item[0].replace(_EACH_DATASET, one) for one in datasets) if _EACH_DATASET in item[0] else item[0]

    return _ITEM.sub(repeat, text)


def _require_entries(file: Path, section: str, text: str) -> None:
    """Raise DeployError for a line that is neither an entry, two blanks in, nor within one, further in."""
    for at, line in enumerate(_lines(text)):
        if not (_ENTRY.match(line) or (at > 0 and line.startswith("   "))):
            raise DeployError(
                f"{file}: {line.strip()!r} is no entry of {section}: indent entries by two blanks, and what is in them "
                "by more"
            )


def _require_head(file: Path, head: str, *, is_first: bool) -> None:
    """Raise DeployError for a section with more in its line, and for any line but the first file's."""
    for line in _lines(head):
        if not is_first or line.partition(":")[0] in _SECTIONS:
            raise DeployError(f"{file}: {line.strip()!r} would be lost: it is in none of {', '.join(_SECTIONS)}")


def _lines(text: str) -> list[str]:
    """List the lines that are neither blank nor a comment."""
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def entries(files: Sequence[Path], section: str) -> list[str]:
    """List the names in one section, such as the parameters that a template takes."""
    parts = [part for file in files for part in _split(file.read_text(encoding="utf-8"))[1]]
    return [name for at, text in parts if at == section for name in _ENTRY.findall(text)]


def resources(body: str) -> list[tuple[str, str, str]]:
    """List the name, type and condition ("" for none) of each resource, those of loops too."""
    document = yaml.load(body, _Loader)  # noqa: S506 - a SafeLoader
    found: list[tuple[str, str, str]] = []
    for name, resource in document["Resources"].items():
        if name.startswith("Fn::ForEach::"):
            identifier, parameter, fragment = resource
            for item in document["Parameters"][parameter]["Default"].split(","):
                written = json.loads(json.dumps(fragment).replace(f"${{{identifier}}}", item))
                found += [(name, one["Type"], one.get("Condition", "")) for name, one in written.items()]
        else:
            found.append((name, resource["Type"], resource.get("Condition", "")))
    return found


class _Loader(yaml.SafeLoader):
    """Reads YAML with CloudFormation's short forms, each as what it is given."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _short_form)


def _split(part: str) -> tuple[str, list[tuple[str, str]]]:
    """Split a part into what stands before the first section, and each section's name and text."""
    head, *rest = (text.rstrip() + "\n" for text in _SECTION.split(part))
    return head, [(name.rstrip(), text) for name, text in zip(rest[::2], rest[1::2], strict=True)]
