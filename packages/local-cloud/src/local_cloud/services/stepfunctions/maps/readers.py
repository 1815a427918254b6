"""ItemReader: the items of a distributed Map, from S3.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from ..integrations.naming import java_name
from ..language.errors import StateError
from ..language.json_values import Json
from ..language.tree import Reader
from ..running.scope import Scope
from ..running.values import fill, number

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_FAILED = "States.ItemReaderFailed"
_SHOWN = ("Key", "Size", "StorageClass")


class ReadError(ValueError):
    """What S3 holds is not what the ReaderConfig says."""


def read_items(scope: Scope, reader: Reader, data: Json, s3: Any, *, given: str | None = None) -> list[Json]:
    """All items, of S3 or of the text that is `given` in its place. Raises StateError (States.ItemReaderFailed)."""
    from botocore.exceptions import BotoCoreError, ClientError

    parameters = fill(scope, reader.parameters, data)
    most = number(scope, reader.most, data, may_be_negative=True)
    if most is not None and most < 0:
        raise StateError(_FAILED, "field MaxItems must be positive")
    try:
        if given is not None:
            items = _parse(given.encode(), {"InputType": "JSON", **reader.config})
        elif reader.action == "listObjectsV2":
            items = _objects(s3, parameters)
        else:
            items = _parse(s3.get_object(**parameters)["Body"].read(), reader.config)
        return list(islice(items, int(most))) if most else list(items)
    except (BotoCoreError, ClientError, UnicodeDecodeError, ReadError) as error:
        raise StateError(_FAILED, str(error)) from None


def _objects(s3: Any, parameters: dict[str, Json]) -> Iterator[Json]:
    for page in s3.get_paginator("list_objects_v2").paginate(**parameters):
        for entry in page.get("Contents", []):
            item = {java_name(name): value for name, value in entry.items() if name in _SHOWN}
            yield item | {"Etag": entry["ETag"], "LastModified": int(entry["LastModified"].timestamp())}


def _parse(body: bytes, config: Mapping[str, Json]) -> Iterator[Json]:
    match config["InputType"]:
        case "JSONL":
            return (_json(line) for line in body.decode().splitlines() if line.strip())
        case "CSV":
            return _rows(body.decode("utf-8-sig"), config)
        case "PARQUET":
            return _parquet(body)
    items = _pointed(_json(body.decode()), config.get("ItemsPointer", ""))
    if isinstance(items, dict):
        return iter([{"Key": key, "Value": value} for key, value in items.items()])
    if not isinstance(items, list):
        raise ReadError("Attempting to map over non-iterable node.")
    return iter(items)


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ReadError(f"The item source is not JSON: {error}") from error


def _pointed(document: Json, pointer: str) -> Json:
    """What a JSON Pointer (RFC 6901) names."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(name)] if isinstance(document, list) else document[name]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ReadError(f"The ItemsPointer '{pointer}' names nothing: there is no '{name}'") from error
    return document


def _rows(body: str, config: Mapping[str, Json]) -> Iterator[dict[str, str]]:
    rows = csv.reader(io.StringIO(body), delimiter=_DELIMITERS[config.get("CSVDelimiter", "COMMA")])
    header = config["CSVHeaders"] if config.get("CSVHeaderLocation") == "GIVEN" else next(rows, [])
    if len(set(header)) < len(header):
        raise ReadError("CSV headers cannot contain duplicates.")
    for row in rows:
        yield {name: row[index] if index < len(row) else "" for index, name in enumerate(header)}


def _parquet(body: bytes) -> Iterator[Json]:
    import duckdb

    with tempfile.NamedTemporaryFile(suffix=".parquet") as file, duckdb.connect() as database:
        file.write(body)
        file.flush()
        try:
            found = database.execute("SELECT to_json(item) FROM read_parquet(?) AS item", [file.name])
        except duckdb.Error as error:
            raise ReadError(f"The item source is not Parquet: {error}") from error
        while row := found.fetchone():
            yield json.loads(row[0])
