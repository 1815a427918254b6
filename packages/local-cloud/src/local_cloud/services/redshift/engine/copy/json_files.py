"""COPY of JSON: objects by name, by a jsonpaths file, or whole into a SUPER column.

Numbers keep the digits that the document has.
https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html#copy-json
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path as File
from typing import IO, Any

from local_cloud.services.redshift.engine.copy import delimited
from local_cloud.services.redshift.engine.copy.job import LoadJob
from local_cloud.services.redshift.engine.copy.records import INVALID_TEXT, Fault, Record, is_text, opened
from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql.load import Copy

#: Keys and indexes from the document down to a value.
Path = list["str | int"]

#: https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
_LONGEST = 4 << 20
_CHUNK = 1 << 20
_STEP = re.compile(r"""\.([^.\[\]'"\s]+)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]""")


class _Number(str):
    """A number as the document writes it."""

    __slots__ = ()


def load(job: LoadJob) -> int:
    """Append the documents of the files to the table. The number of rows."""
    paths = _paths(job)
    fold = job.statement.format_argument.lower() == "auto ignorecase"
    raw = [target.type.name == "super" for target in job.targets]
    read = functools.partial(_records, statement=job.statement, paths=paths, raw=raw, fold=fold)
    return delimited.load_rewritten(job, read)


def _paths(job: LoadJob) -> list[Path]:
    """Where in a document each column's value is."""
    argument = job.statement.format_argument
    if argument.startswith("s3://"):
        return _paths_of_file(job, argument)
    if argument.lower() == "noshred":
        if len(job.targets) != 1 or job.targets[0].type.name != "super":
            raise SqlError("COPY with JSON 'noshred' needs exactly one SUPER column")
        return [[]]
    if argument.lower() not in ("auto", "auto ignorecase"):
        raise NotSupported(
            f"COPY with JSON '{argument}' is not supported here;"
            " 'auto', 'auto ignorecase', 'noshred' and a jsonpaths file are"
        )
    return [[target.name] for target in job.targets]


def _paths_of_file(job: LoadJob, url: str) -> list[Path]:
    fault = SqlError(f"Invalid JSONPath format. Supported notations are 'dot-notation' and 'bracket-notation': {url}")
    try:
        document: Any = json.loads(job.storage.read(url))
        written = [str(path) for path in document["jsonpaths"]]
    except (ValueError, KeyError, TypeError):
        raise fault from None
    if len(written) != len(job.targets):
        raise SqlError(
            f"Number of jsonpaths and the number of columns should match. JSONPath size: {len(written)}, "
            f"Number of columns in table or column list: {len(job.targets)}"
        )
    found: list[Path] = []
    for path in written:
        if not re.fullmatch(rf"\$(?:{_STEP.pattern})*", path):
            raise fault
        found.append([int(index) if index else dot or one or two for dot, one, two, index in _STEP.findall(path)])
    return found


def _records(
    file: File, *, statement: Copy, paths: Sequence[Path], raw: Sequence[bool], fold: bool
) -> Iterator[Record]:
    whole = statement.format_argument.lower() == "noshred"
    by_name = statement.format_argument.lower().startswith("auto")
    with opened(file, statement) as stream:
        for line, document in _documents(stream):
            if isinstance(document, Fault):
                yield line, document
            elif not isinstance(document, dict) and not whole and (by_name or not isinstance(document, list)):
                yield line, Fault(1224, "Invalid JSONPath format: Member is not an object.")
            else:
                if fold and isinstance(document, dict):
                    document = {name.lower(): value for name, value in document.items()}  # noqa: PLW2901
                pairs = zip(paths, raw, strict=True)
                fields = [_text(_found(document, path), raw=keep) for path, keep in pairs]
                fit = all(is_text(field) for field in fields if field)
                yield line, fields if fit else INVALID_TEXT


def _number(written: str) -> _Number:
    return _Number(written)


def _constant(written: str) -> Any:
    raise ValueError(written)


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_constant)
_BLANKS = re.compile(r"[ \t\r\n]*")


def _documents(stream: IO[str]) -> Iterator[tuple[int, Any]]:
    """Each document with the line it begins on; after one that is none, the next line is tried."""
    held, at, line, ended = "", 0, 1, False
    while True:
        blank = _BLANKS.match(held, at)
        start = blank.end() if blank else at
        line += held.count("\n", at, start)
        at = start
        if at == len(held) and ended:
            return
        try:
            document, end = _DECODER.raw_decode(held, at)
            # What ends with the text that is read so far may go on.
            if end < len(held) or ended:
                yield line, document
                line += held.count("\n", at, end)
                at = end
                continue
        except (ValueError, RecursionError):
            if ended or len(held) - at > _LONGEST:
                yield line, Fault(1224, "Invalid JSON value")
                newline = held.find("\n", at)
                line, at = (line + 1, newline + 1) if newline >= 0 else (line, len(held))
                continue
        chunk = stream.read(_CHUNK)
        held, at, ended = held[at:] + chunk, 0, not chunk


def _found(document: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            if not isinstance(document, list) or step >= len(document):
                return None
            document = document[step]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return None
    return document


def _text(value: Any, *, raw: bool) -> str | None:
    """A value as a field's text; as JSON where it is `raw`, an object or an array."""
    if value is None:
        return None
    return str(value) if isinstance(value, str) and not raw else _json(value)


def _json(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(str(name))}:{_json(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
