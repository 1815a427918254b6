"""The columns that a file of reviews must have, as schema.sql declares them to Spectrum."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from orchestration import pipelines

_DECLARED = re.compile(r"^ +(\w+) +(VARCHAR|INTEGER|DATE)(?:\((\d+)\))?,?$", re.MULTILINE)


@dataclass(frozen=True)
class Column:
    """One column. `kind` is VARCHAR, INTEGER or DATE; `most_bytes` is the length of a VARCHAR, in UTF-8."""

    name: str
    kind: str
    most_bytes: int = 0

    @property
    def type(self) -> str:
        return f"{self.kind}({self.most_bytes})" if self.most_bytes else self.kind


@cache
def list_columns() -> tuple[Column, ...]:
    """Return the columns of amzreviews.reviews, in order.

    The category is none of them: it is in the folder's name alone.
    """
    sql = (pipelines.load("reviews").folder / "sql" / "schema.sql").read_text(encoding="utf-8")
    body = sql.partition("CREATE EXTERNAL TABLE")[2].partition("PARTITIONED BY")[0]
    return tuple(Column(name, kind, int(most or 0)) for name, kind, most in _DECLARED.findall(body))
