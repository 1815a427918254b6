"""Every function of Redshift that the local warehouse has, and the names of those that it refuses."""

from __future__ import annotations

from local_cloud.services.redshift.sql.functions import aggregates, conditional, dates, json_super, numbers, text
from local_cloud.services.redshift.sql.functions.table import Function

ROWS: tuple[Function, ...] = (
    *text.ROWS,
    *numbers.ROWS,
    *dates.ROWS,
    *conditional.ROWS,
    *json_super.ROWS,
    *aggregates.ROWS,
)

FUNCTIONS = {name: row for row in ROWS for name in row.names}
