"""A column as CREATE TABLE and ALTER TABLE define it."""

from __future__ import annotations

from dataclasses import dataclass

from local_cloud.services.redshift.sql.types import RedshiftType


@dataclass(frozen=True)
class Column:
    """One column of a definition. `default` is Redshift SQL; `identity` is (seed, step); `diststyle` is its table's."""

    name: str
    type: RedshiftType
    default: str = ""
    not_null: bool = False
    identity: tuple[int, int] | None = None
    by_default: bool = False
    encode: str = ""
    distkey: bool = False
    diststyle: str = ""
    sortkey: int = 0
    comment: str | None = None
