"""One COPY, worked out: what is loaded from where into what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from local_cloud.services.redshift.engine import catalog
from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.storage import DataFile, Storage
from local_cloud.services.redshift.sql.load import Copy


@dataclass(frozen=True)
class LoadJob:
    """`table` is DuckDB SQL; `targets` are the columns that the data fills, in the order of the data.

    `numbered`: the files are rewritten, the number of the line is before each record.
    """

    statement: Copy
    storage: Storage
    files: Sequence[DataFile]
    table: str
    targets: Sequence[catalog.Column]
    numbered: bool = False

    @property
    def context(self) -> Context:
        return self.storage.context
