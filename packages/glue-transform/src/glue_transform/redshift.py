"""The table as Redshift sees it."""

from __future__ import annotations

import textwrap

from glue_transform.datasets import Dataset


def create_table(dataset: Dataset) -> str:
    """Return the table's DDL, ending in a newline.

    No column is NOT NULL: COPY matches Parquet columns by position and type, and eras lack columns.
    """
    columns = ",\n".join(f"    {column.name} {column.type}" for column in dataset.columns)
    return f"CREATE TABLE IF NOT EXISTS {dataset.table} (\n{columns}\n);\n"


def copy_columns(dataset: Dataset) -> str:
    """Return the column list of COPY, in the order of the Parquet files' columns."""
    return ", ".join(column.name for column in dataset.columns)


def copy_list(dataset: Dataset) -> str:
    """Write the column list of COPY in lines, from parenthesis to parenthesis, with a newline at its end."""
    columns = textwrap.fill(copy_columns(dataset), 116, initial_indent="    ", subsequent_indent="    ")
    return f"(\n{columns}\n)\n"
