"""What a Map state reads from, writes to and makes batches of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..language.jsonata_text import expression_of
from .expressions import template_problems
from .fields import JSONATA
from .jsonata import jsonata_problems
from .problem import SCHEMA, Problem, field_problem

_NOT_IN_LABELS = re.compile(r"[\s?*<>{}\[\]:;,\\|^~$#%&`\"\x00-\x1f\x7f-\x9f]")
_S3 = "arn:aws:states:::s3:"
_READER = {"Resource", "ReaderConfig", "Parameters", "Arguments"}
_READER_CONFIG = {
    "InputType",
    "CSVDelimiter",
    "CSVHeaderLocation",
    "CSVHeaders",
    "ItemsPointer",
    "MaxItems",
    "MaxItemsPath",
}
_WRITER = {"Resource", "WriterConfig", "Parameters", "Arguments"}
_BATCHER = {
    "BatchInput",
    "MaxItemsPerBatch",
    "MaxItemsPerBatchPath",
    "MaxInputBytesPerBatch",
    "MaxInputBytesPerBatchPath",
}
_CHOICES = {
    "InputType": ("CSV", "JSON", "JSONL", "PARQUET"),
    "CSVDelimiter": ("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
    "CSVHeaderLocation": ("FIRST_ROW", "GIVEN"),
    "Transformation": ("NONE", "COMPACT", "FLATTEN"),
    "OutputType": ("JSON", "JSONL"),
    "Mode": ("INLINE", "DISTRIBUTED"),
    "ExecutionType": ("STANDARD", "EXPRESS"),
}


def map_problems(state: dict[str, Any], location: str, *, language: str) -> Iterator[Problem]:
    """Of Label, ProcessorConfig, ItemReader, ItemBatcher and ResultWriter."""
    label = state.get("Label")
    if isinstance(label, str) and not 1 <= len(label) <= 40:
        yield Problem(SCHEMA, "A label has 1 to 40 characters", f"{location}/Label")
    elif isinstance(label, str) and (wrong := _NOT_IN_LABELS.search(label)):
        yield Problem(SCHEMA, f"Label contains invalid character: {wrong[0]!r}", f"{location}/Label")
    processor = "Iterator" if "Iterator" in state else "ItemProcessor"
    inner = state.get(processor)
    if isinstance(inner, dict) and "ProcessorConfig" in inner:
        config = inner["ProcessorConfig"]
        modes = {"Mode", "ExecutionType"} if isinstance(config, dict) and config.get("Mode") != "INLINE" else {"Mode"}
        yield from _object_problems(config, modes, f"{location}/{processor}/ProcessorConfig")
    for name, problems in (("ItemReader", _reader), ("ItemBatcher", _batcher), ("ResultWriter", _writer)):
        if name in state:
            yield from problems(state[name], f"{location}/{name}", language)


def _reader(reader: Any, location: str, language: str) -> Iterator[Problem]:
    yield from _object_problems(reader, _READER, location)
    if not isinstance(reader, dict):
        return
    action = str(reader.get("Resource", "")).removeprefix(_S3)
    if action not in ("getObject", "listObjectsV2"):
        message = f"The value must be one of the following: [{_S3}getObject, {_S3}listObjectsV2]"
        yield Problem(SCHEMA, message, f"{location}/Resource")
    config = reader.get("ReaderConfig", {})
    place = f"{location}/ReaderConfig"
    yield from _object_problems(config, _READER_CONFIG, place)
    if action == "getObject" and isinstance(config, dict) and "InputType" not in config:
        yield Problem(SCHEMA, "These fields are required: [InputType]", place)
    if isinstance(config, dict) and config.get("CSVHeaderLocation") == "GIVEN" and not config.get("CSVHeaders"):
        yield Problem(SCHEMA, "These fields are required: [CSVHeaders]", place)
    yield from _target_problems(reader, location, language)


def _batcher(batcher: Any, location: str, language: str) -> Iterator[Problem]:
    yield from _object_problems(batcher, _BATCHER, location)
    if not isinstance(batcher, dict):
        return
    if not any(name.startswith("Max") for name in batcher):
        limits = ", ".join(sorted(_BATCHER - {"BatchInput"}))
        yield Problem(SCHEMA, f"One of these fields is required: [{limits}]", location)
    if "BatchInput" in batcher:
        yield from _template_problems(batcher["BatchInput"], f"{location}/BatchInput", language)


def _writer(writer: Any, location: str, language: str) -> Iterator[Problem]:
    yield from _object_problems(writer, _WRITER, location)
    if not isinstance(writer, dict):
        return
    if "Resource" not in writer and "WriterConfig" not in writer:
        yield Problem(SCHEMA, "One of these fields is required: [Resource, WriterConfig]", location)
    if writer.get("Resource", f"{_S3}putObject") != f"{_S3}putObject":
        yield Problem(SCHEMA, f"The value must be {_S3}putObject", f"{location}/Resource")
    if "WriterConfig" in writer:
        yield from _object_problems(
            writer["WriterConfig"], {"Transformation", "OutputType"}, f"{location}/WriterConfig"
        )
    if "Resource" in writer:
        yield from _target_problems(writer, location, language)


def _target_problems(target: dict[str, Any], location: str, language: str) -> Iterator[Problem]:
    """Of the object in S3 that is read or written."""
    right, wrong = ("Arguments", "Parameters") if language == JSONATA else ("Parameters", "Arguments")
    if wrong in target:
        yield field_problem(wrong, location)
    given = target.get(right, {})
    yield from _template_problems(given, f"{location}/{right}", language)
    names = {name.removesuffix(".$") for name in given} if isinstance(given, dict) else {"Bucket"}
    if "Bucket" not in names:
        yield Problem(SCHEMA, "These fields are required: [Bucket]", f"{location}/{right}")


def _template_problems(template: Any, location: str, language: str) -> Iterator[Problem]:
    if language == JSONATA:
        yield from jsonata_problems(template, location)
    else:
        yield from template_problems(template, location)


def _object_problems(value: Any, known: set[str], location: str) -> Iterator[Problem]:
    """That a value is an object of known fields, and that each has a value it may have."""
    if not isinstance(value, dict):
        yield Problem(SCHEMA, "Expected value of type object", location)
        return
    for name, item in value.items():
        if name not in known:
            yield field_problem(name, location)
        elif name in _CHOICES and item not in _CHOICES[name]:
            message = f"Value should be one of the following: [{', '.join(_CHOICES[name])}]"
            yield Problem(SCHEMA, message, f"{location}/{name}")
        elif name.startswith("Max") and not name.endswith("Path"):
            least = 0 if name == "MaxItems" else 1
            if not _is_limit(item, least):
                yield Problem(SCHEMA, f"Expected a whole number of at least {least}", f"{location}/{name}")


def _is_limit(value: Any, least: int) -> bool:
    return expression_of(value) is not None or (
        isinstance(value, int) and not isinstance(value, bool) and value >= least
    )
