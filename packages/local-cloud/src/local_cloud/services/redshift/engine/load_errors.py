"""What COPY refused, kept for SYS_LOAD_ERROR_DETAIL also when its transaction is rolled back.

https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.locks import table_id
from local_cloud.services.redshift.engine.warehouse import INTERNAL
from local_cloud.services.redshift.errors import LoadErrorDetail
from local_cloud.services.redshift.sql.lexer import quoted
from local_cloud.services.redshift.sql.tables import Name


def record(context: Context, table: Name, details: Sequence[LoadErrorDetail], *, transaction: int) -> None:
    """Add a row for each detail. The empty table is none; `transaction` may have been rolled back."""
    if not details:
        return
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    number = table_id(context.key(table)) if table else 0
    rows = [
        [
            context.query_id,
            transaction,
            context.process,
            context.database.name,
            number,
            now,
            detail.file_name,
            detail.line_number,
            detail.column_name,
            detail.column_type,
            detail.column_length,
            detail.position,
            detail.error_code,
            detail.error_message,
        ]
        for detail in details
    ]
    with context.apart() as cursor:
        cursor.executemany(
            f"INSERT INTO {quoted(context.database.catalog)}.{INTERNAL}.load_errors VALUES"
            " (100, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
