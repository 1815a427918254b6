"""ItemReader: the items of a distributed Map, from S3.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..integrations.naming import java_name
from ..patches.failing_states import failure

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


class ReadError(ValueError):
    """What S3 holds is not what the ReaderConfig says."""


def read_items(env: Any, settings: Any, s3: Any) -> list[Any]:
    """All items. Fails the state as States.ItemReaderFailed."""
    from botocore.exceptions import BotoCoreError, ClientError

    reader = settings.reader
    config = reader.get("ReaderConfig", {})
    parameters = settings.template(env, reader.get("Parameters", reader.get("Arguments", {})))
    most = settings.number(env, config, "MaxItems")
    action = reader["Resource"].rpartition(":")[2]
    try:
        if action == "listObjectsV2":
            items: Iterator[Any] = _objects(s3, parameters)
        else:
            body = s3.get_object(**parameters)["Body"].read().decode()
            items = _parse(body, config)
        return list(islice(items, int(most))) if most else list(items)
    except (BotoCoreError, ClientError, UnicodeDecodeError, ReadError) as error:
        raise failure(env, "States.ItemReaderFailed", str(error)) from None


def _objects(s3: Any, parameters: dict[str, Any]) -> Iterator[Any]:
    for page in s3.get_paginator("list_objects_v2").paginate(**parameters):
        for entry in page.get("Contents", []):
            item = {java_name(name): value for name, value in entry.items() if name in _SHOWN}
            yield item | {"Etag": entry["ETag"], "LastModified": int(entry["LastModified"].timestamp())}


_SHOWN = ("Key", "Size", "StorageClass")


def _parse(body: str, config: dict[str, Any]) -> Iterator[Any]:
    match config.get("InputType", "JSON"):
        case "JSON":
            items = _json(body)
            if isinstance(items, dict):
                items = [{"Key": key, "Value": value} for key, value in items.items()]
            if not isinstance(items, list):
                raise ReadError("Attempting to map over non-iterable node.")
            return iter(items)
        case "JSONL":
            return (_json(line) for line in body.splitlines() if line.strip())
        case "CSV":
            return _rows(body, config)
        case other:
            raise ReadError(f"The local cloud reads items from JSON, JSONL and CSV, not from {other}.")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ReadError(f"The item source is not JSON: {error}") from error


def _rows(body: str, config: dict[str, Any]) -> Iterator[dict[str, str]]:
    rows = csv.reader(io.StringIO(body), delimiter=_DELIMITERS[config.get("CSVDelimiter", "COMMA")])
    header = config["CSVHeaders"] if config.get("CSVHeaderLocation") == "GIVEN" else next(rows, [])
    if len(set(header)) < len(header):
        raise ReadError("CSV headers cannot contain duplicates.")
    for row in rows:
        yield {name: row[index] if index < len(row) else "" for index, name in enumerate(header)}
