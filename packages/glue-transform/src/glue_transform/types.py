"""The Redshift types that a table's columns may have.

COPY FROM PARQUET widens and converts nothing, so Parquet must hold exactly their like: integers of 16, 32 and 64 bits,
doubles, decimals of the same precision and scale, UTF-8 text, booleans, dates, timestamps in microseconds without zone
(https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: More digits make a decimal of fixed-length bytes, which DuckDB writes at 16 bytes and COPY wants as short as the
#: precision allows (`invalid type length`, https://github.com/G-Research/ParquetSharp/issues/252).
MOST_DIGITS = 18

#: Bytes of the longest VARCHAR (https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html).
LONGEST_TEXT = 65535

#: How a dataset writes them.
CHOICES = (
    f"SMALLINT, INTEGER, BIGINT, DECIMAL(p,s) of at most {MOST_DIGITS} digits, DOUBLE PRECISION, BOOLEAN, "
    f"VARCHAR(n) of at most {LONGEST_TEXT} bytes, DATE, TIMESTAMP"
)

_PLAIN = ("SMALLINT", "INTEGER", "BIGINT", "DOUBLE PRECISION", "BOOLEAN", "DATE", "TIMESTAMP")
_SIZED = re.compile(r"(?:VARCHAR\((\d{1,5})\)|DECIMAL\((\d{1,2}), ?(\d{1,2})\))")
_BITS = {"SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}


@dataclass(frozen=True)
class ColumnType:
    """One type: `size` is the bytes of a VARCHAR or the digits of a DECIMAL, `scale` how many of these are decimals."""

    name: str
    size: int = 0
    scale: int = 0

    def __str__(self) -> str:
        if self.name == "DECIMAL":
            return f"DECIMAL({self.size},{self.scale})"
        return f"VARCHAR({self.size})" if self.name == "VARCHAR" else self.name

    @property
    def sql(self) -> str:
        """The type's name in SQL that both engines read."""
        if self.name == "VARCHAR":
            return "STRING"
        return "DOUBLE" if self.name == "DOUBLE PRECISION" else str(self)

    @property
    def whole_range(self) -> tuple[int, int]:
        """The smallest and the largest whole number that it holds; of integers and decimals."""
        if self.name == "DECIMAL":
            most = 10 ** (self.size - self.scale) - 1
            return -most, most
        half = 1 << (_BITS[self.name] - 1)
        return -half, half - 1


def parse(text: str) -> ColumnType | None:
    """Read a type as a dataset writes it; None for what is none."""
    if text in _PLAIN:
        return ColumnType(text)
    found = _SIZED.fullmatch(text)
    if not found:
        return None
    length, digits, scale = (int(group or 0) for group in found.groups())
    if text.startswith("VARCHAR"):
        return ColumnType("VARCHAR", length) if 1 <= length <= LONGEST_TEXT else None
    return ColumnType("DECIMAL", digits, scale) if 1 <= digits <= MOST_DIGITS and scale <= digits else None
