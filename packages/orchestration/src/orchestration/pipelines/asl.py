"""State machines as they are written, in YAML or JSON, and the plain JSON that is published, deployed and tested.

In YAML a block is written once, anchored (`&name`) and repeated by alias (`*name`). The blocks that several machines
share are in `blocks.yaml`, each under the name that its aliases have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

import yaml

from orchestration.errors import InvalidDefinition

SUFFIXES = (".asl.yaml", ".asl.json")
_BLOCKS = "blocks.yaml"
_PREFIX = "tag:yaml.org,2002:"
_TYPES = {"str", "int", "float", "bool", "null", "seq", "map", "timestamp"}  # the last for a message of its own
#: https://states-language.net/spec.html#toplevelfields and the query language of 2024.
_FIELDS = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}


def find(folder: Path) -> dict[str, Path]:
    """Return the definitions in a folder of pipelines, by the path under it that each is published at.

    Errors: InvalidDefinition for one that is there in YAML and in JSON.
    """
    found: dict[str, Path] = {}
    for file in sorted(file for suffix in SUFFIXES for file in folder.glob(f"*/*{suffix}")):
        name = file.relative_to(folder).with_suffix(".json").as_posix()
        if name in found:
            raise InvalidDefinition(f"{found[name]} is there as {file.name} too: keep one of them")
        found[name] = file
    return found


def read(file: Path) -> str:
    """Return the JSON of the definition in a file. Errors: InvalidDefinition, with file and line."""
    if file.name.endswith(".json"):
        return _read_json(file)
    definition = yaml.constructor.SafeConstructor().construct_document(compose(file))
    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"


def _read_json(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    try:
        definition = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidDefinition(f"{file}:{error.lineno}: not JSON: {error.msg}") from None
    if not isinstance(definition, dict) or "States" not in definition:
        raise InvalidDefinition(f"{file}:1: no state machine: there are no States")
    return text


def compose(file: Path) -> yaml.MappingNode:
    """Return the nodes of a definition in YAML, each with the file and line it is from. Errors: InvalidDefinition."""
    blocks = file.parent.parent / _BLOCKS
    shared = _nodes(blocks) if blocks.is_file() else None
    if shared is not None and not isinstance(shared, yaml.MappingNode):
        _refuse(shared, "not blocks by their names")
    node = _nodes(file, {key.value: block for key, block in shared.value} if shared else {})
    if not isinstance(node, yaml.MappingNode) or "States" not in {key.value for key, _ in node.value}:
        raise InvalidDefinition(f"{file}:1: no state machine: there are no States")
    _check(node)
    for key, _ in node.value:
        if key.value not in _FIELDS:
            _refuse(
                key,
                f"{key.value!r} is no field of a state machine, and would be in its JSON: anchor a block where it is "
                f"first used, or put it into {_BLOCKS}",
            )
    return node


def _nodes(file: Path, anchors: Mapping[str, yaml.Node] = MappingProxyType({})) -> yaml.Node | None:
    """Return the nodes of a file. `anchors` are those that it may use beside its own. Errors: InvalidDefinition."""
    try:
        composer = yaml.SafeLoader(file.read_text(encoding="utf-8"))
        composer.name = str(file)
        composer.anchors = dict(anchors)
        return composer.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(text for text in (error.context, error.problem) if text)
        raise InvalidDefinition(f"{file}:{mark.line + 1 if mark else 1}: {problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidDefinition(f"{file}: {' '.join(str(error).split())}") from None


def _check(node: yaml.Node, within: tuple[yaml.Node, ...] = ()) -> None:
    """Refuse what YAML reads otherwise than it looks, or JSON has not."""
    if node in within:
        _refuse(node, "a block that holds itself")
    if node.tag.removeprefix(_PREFIX) not in _TYPES:
        _refuse(node, f"the tag {node.tag.removeprefix(_PREFIX)} is nothing that JSON has: leave it out")
    if isinstance(node, yaml.ScalarNode):
        _check_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _check(one, (*within, node))
    else:
        lines: dict[str, int] = {}
        for key, value in node.value:
            _check(key, (*within, node))
            if key.tag != _PREFIX + "str":
                _refuse(key, "a key that is no text: put it in quotes")
            if key.value in lines:
                _refuse(key, f"{key.value!r} is there twice, first in line {lines[key.value]}")
            lines[key.value] = key.start_mark.line + 1
            _check(value, (*within, node))


def _check_scalar(node: yaml.ScalarNode) -> None:
    """Refuse a scalar without quotes that YAML and JSON differ on: yes, 2024-09-01, 010, 1e3, nothing at all."""
    if node.style is not None:
        return
    try:
        json.loads(node.value)
        is_json = True
    except ValueError:
        is_json = False
    if is_json == (node.tag == _PREFIX + "str"):
        read_as = "a number to JSON" if is_json else f"a {node.tag.removeprefix(_PREFIX)} to YAML"
        _refuse(node, f"{node.value or 'no value'} is {read_as}: write what JSON has, a text in quotes")


def _refuse(node: yaml.Node, problem: str) -> NoReturn:
    raise InvalidDefinition(f"{node.start_mark.name}:{node.start_mark.line + 1}: {problem}")
