"""Rows of a result set, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """Name and Redshift type (`int4`, `numeric`, `timestamp`, …) of a column; of a numeric its digits, if known."""

    name: str
    type: str
    precision: int | None = None
    scale: int | None = None


@dataclass(frozen=True)
class Page:
    """Some consecutive rows, and what their columns are."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]
