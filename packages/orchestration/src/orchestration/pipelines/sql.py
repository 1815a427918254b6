"""The SQL files of pipelines as they are published: what several share is written out for each of them."""

from __future__ import annotations

import string
import textwrap
from pathlib import Path
from typing import Any

import tomllib

from orchestration.errors import PublishError
from orchestration.pipelines import Pipeline, all_pipelines


def render_all(folder: Path, datasets: Path) -> dict[str, str]:
    """Render every SQL file of the pipelines in a folder, by the path under it that it is published at.

    `datasets` is where glue-transform has its datasets. Errors: PublishError.
    """
    return {
        f"{pipeline.folder.name}/sql/{file.name}": render(pipeline, file, datasets)
        for pipeline in all_pipelines(folder)
        for file in pipeline.sql_files
    }


def render(pipeline: Pipeline, file: Path, datasets: Path) -> str:
    """Render a SQL file. In one that pipelines share, `${…}` is what the pipeline's dataset has there.

    Errors: PublishError for a dataset that there is not, and for another name in the braces.
    """
    text = file.read_text(encoding="utf-8")
    if not pipeline.shares_its_machine:
        return text
    values = {"Table": pipeline.table.rpartition(".")[2], **_columns(_dataset(pipeline, datasets))}
    try:
        return string.Template(text).substitute(values)
    except (KeyError, ValueError) as error:
        raise PublishError(f"{file}: {error} stands for nothing; what does: {', '.join(sorted(values))}") from None


def _dataset(pipeline: Pipeline, datasets: Path) -> dict[str, Any]:
    file = datasets / f"{pipeline.dataset}.toml"
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, tomllib.TOMLDecodeError) as error:
        where = pipeline.folder / "pipeline.toml"
        raise PublishError(f"the dataset {pipeline.dataset!r} of {where} cannot be read: {error}") from None


def _columns(dataset: dict[str, Any]) -> dict[str, str]:
    """Return the columns as CREATE TABLE and as COPY list them; the month that a row is of comes last."""
    columns = [*((one["name"], one["type"]) for one in dataset["columns"]), ("source_month", "DATE")]
    width = max(len(name) for name, _ in columns)
    names = textwrap.wrap(", ".join(name for name, _ in columns), 112)
    return {
        "Columns": ",\n    ".join(f"{name:{width}} {type_}" for name, type_ in columns),
        "ColumnNames": "\n    ".join(names),
    }
