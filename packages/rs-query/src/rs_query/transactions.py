"""What Redshift does not run inside a transaction, and what ends one."""

from __future__ import annotations

import re

from rs_query.lexer import skeleton

#: Beginning of a statement's skeleton → why it is refused. The page that says so is named after each.
_REFUSED = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        # r_TRUNCATE.html: "commits the transaction in which it is run"
        (r"TRUNCATE\b", "TRUNCATE commits the transaction it runs in; use DELETE"),
        # r_VACUUM_command.html
        (r"VACUUM\b", "VACUUM can't run inside a transaction"),
        # r_CREATE_EXTERNAL_TABLE.html, r_DROP_TABLE.html, r_ALTER_TABLE_external-table.html
        (r"(CREATE|ALTER|DROP) EXTERNAL (TABLE|SCHEMA|DATABASE|VIEW)\b", "external DDL can't run inside a transaction"),
        (r"ALTER TABLE .*\b(ADD|DROP) (IF (NOT )?EXISTS )?PARTITION\b", "external DDL can't run inside a transaction"),
        (
            r"ALTER TABLE .*\bSET (LOCATION|FILE FORMAT|TABLE PROPERTIES)\b",
            "external DDL can't run inside a transaction",
        ),
        (r"DROP SCHEMA .*\bDROP EXTERNAL DATABASE\b", "external DDL can't run inside a transaction"),
        # r_ALTER_TABLE_APPEND.html
        (r"ALTER TABLE .*\bAPPEND FROM\b", "ALTER TABLE APPEND commits by itself and can't run inside a transaction"),
        # r_ALTER_TABLE.html: column sizes, encodings, sort and distribution keys
        (
            r"ALTER TABLE .*\bALTER (COLUMN|DISTKEY|DISTSTYLE|SORTKEY|COMPOUND SORTKEY|ENCODE)\b",
            "this ALTER TABLE can't run inside a transaction",
        ),
        # r_CREATE_DATABASE.html, r_DROP_DATABASE.html, r_ALTER_DATABASE.html
        (r"(CREATE|DROP|ALTER) DATABASE\b", "database DDL can't run inside a transaction"),
        # r_CREATE_LIBRARY.html, r_DROP_LIBRARY.html
        (r"(CREATE( OR REPLACE)?|DROP) LIBRARY\b", "library DDL can't run inside a transaction"),
        (
            r"(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT)\b",
            "the run is one transaction already; leave BEGIN and COMMIT out of the file",
        ),
    )
)


def refusal(statement_text: str) -> str | None:
    """Why this statement can't be part of one transaction, or None."""
    words = skeleton(statement_text)
    for pattern, reason in _REFUSED:
        if pattern.match(words):
            return reason
    return None
