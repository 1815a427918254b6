"""COPY of JSON: objects by name, by a jsonpaths file, or whole into a SUPER column.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html#copy-json
"""

from __future__ import annotations

import json
import re
from typing import Any

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.copy.delimited import failed
from local_cloud.services.redshift.engine.copy.job import LoadJob
from local_cloud.services.redshift.engine.copy.options import compression
from local_cloud.services.redshift.engine.storage import paths
from local_cloud.services.redshift.errors import LoadErrorDetail, NotSupported, SqlError
from local_cloud.services.redshift.sql.lexer import quoted


def load(job: LoadJob) -> int:
    """Append the documents of the files to the table. The number of rows."""
    if int(job.statement.options.get("MAXERROR", "0")):
        raise NotSupported("COPY of JSON with MAXERROR is not supported by the local warehouse")
    source = (
        f"read_json_objects({paths(job.files)}, format = 'unstructured', compression = '{compression(job.statement)}')"
    )
    values = ", ".join(_value(target, path) for target, path in zip(job.targets, _paths(job), strict=True))
    names = ", ".join(quoted(target.name) for target in job.targets)
    try:
        result = job.context.query(f"INSERT INTO {job.table} ({names}) SELECT {values} FROM {source}")
    except Exception as error:
        job.context.check()
        raise failed(job, [LoadErrorDetail(job.files[0].url, 1200, str(error).splitlines()[0])]) from None
    return int(result.fetchone()[0])


def _paths(job: LoadJob) -> list[str]:
    """Where in a document each column's value is, as DuckDB writes it."""
    argument = job.statement.format_argument
    if argument.startswith("s3://"):
        return _paths_of_file(job, argument)
    if argument.lower() == "noshred":
        if len(job.targets) != 1 or job.targets[0].type.name != "super":
            raise SqlError("COPY with JSON 'noshred' needs exactly one SUPER column")
        return ["$"]
    if argument.lower() != "auto":
        raise NotSupported(
            f"COPY with JSON '{argument}' is not supported here; 'auto', 'noshred' and a jsonpaths file are"
        )
    return [f"$.{quoted(target.name)}" for target in job.targets]


def _paths_of_file(job: LoadJob, url: str) -> list[str]:
    try:
        document: Any = json.loads(job.storage.read(url))
        written = [str(path) for path in document["jsonpaths"]]
    except (ValueError, KeyError, TypeError):
        raise SqlError(
            f"Invalid JSONPath format. Supported notations are 'dot-notation' and 'bracket-notation': {url}"
        ) from None
    if len(written) != len(job.targets):
        raise SqlError(
            f"Number of jsonpaths and the number of columns should match. JSONPath size: {len(written)}, "
            f"Number of columns in table or column list: {len(job.targets)}"
        )
    return [re.sub(r"\[\s*'([^']*)'\s*\]", r'."\1"', path) for path in written]


def _value(target: catalog.Column, path: str) -> str:
    written = "'" + path.replace("'", "''") + "'"
    if target.type.name == "super":
        return f"json_extract(json, {written})"
    text = f"json_extract_string(json, {written})"
    return text if target.type.is_string else f"CAST({text} AS {target.type.duckdb})"
