"""What Redshift does not run inside a transaction, and what ends one."""

from __future__ import annotations

import re

from rs_query.lexer import skeleton

#: Why it is refused → how such a statement's skeleton begins. The pages that say so
#: (https://docs.aws.amazon.com/redshift/latest/dg/…) are named beside them.
_REFUSED = {
    "TRUNCATE commits the transaction it runs in; use DELETE": r"TRUNCATE\b",  # r_TRUNCATE.html
    "VACUUM can't run inside a transaction": r"VACUUM\b",  # r_VACUUM_command.html
    # r_CREATE_EXTERNAL_SCHEMA.html, r_CREATE_EXTERNAL_TABLE.html, r_DROP_TABLE.html, r_ALTER_TABLE_external-table.html
    "external DDL can't run inside a transaction": r"(CREATE|ALTER|DROP) EXTERNAL (TABLE|SCHEMA|DATABASE|VIEW)\b"
    r"|ALTER TABLE .*\b((ADD|DROP) (IF (NOT )?EXISTS )?PARTITION|SET (LOCATION|FILE FORMAT|TABLE PROPERTIES))\b"
    r"|DROP SCHEMA .*\bDROP EXTERNAL DATABASE\b",
    # r_GRANT.html, r_REVOKE.html
    "permissions of external objects can't be changed inside a transaction": r"(GRANT|REVOKE) .*\bON EXTERNAL\b",
    # r_ALTER_TABLE_APPEND.html
    "ALTER TABLE APPEND commits by itself and can't run inside a transaction": r"ALTER TABLE .*\bAPPEND FROM\b",
    "ALTER COLUMN can't run inside a transaction": r"ALTER TABLE .*\bALTER COLUMN\b",  # r_ALTER_TABLE.html
    # r_CREATE_DATABASE.html, r_ALTER_DATABASE.html, r_DROP_DATABASE.html
    "database DDL can't run inside a transaction": r"(CREATE|ALTER|DROP) DATABASE\b",
    # r_CREATE_LIBRARY.html, r_DROP_LIBRARY.html
    "library DDL can't run inside a transaction": r"(CREATE (OR REPLACE )?|DROP )LIBRARY\b",
    "the run is one transaction already; leave transaction control out of the file": (
        r"(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT)\b"
    ),
}
_RULES = tuple((reason, re.compile(pattern)) for reason, pattern in _REFUSED.items())


def refusal(statement_text: str) -> str | None:
    """Return why this statement can't be part of one transaction, or None."""
    words = skeleton(statement_text)
    return next((reason for reason, rule in _RULES if rule.match(words)), None)
