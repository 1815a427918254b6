"""Functions of Redshift that DuckDB lacks, as macros of the warehouse. Stored defaults may use them too."""

from __future__ import annotations

MACROS = (
    "getdate() AS CAST(date_trunc('second', now() AT TIME ZONE 'UTC') AS TIMESTAMP)",
    "sysdate() AS CAST(now() AT TIME ZONE 'UTC' AS TIMESTAMP)",
    # CAST to VARCHAR(n) and CHAR(n) cuts; the n counts bytes, and a character is never cut in two.
    """redshift_truncate(t, n) AS CASE
        WHEN strlen(t) <= n THEN t
        WHEN strlen(t) = length(t) THEN left(t, n)
        ELSE left(t, list_max(list_filter(range(0, length(t) + 1), lambda k: strlen(left(t, k)) <= n))) END""",
    """redshift_convert_timezone(source, target, t) AS
        CAST(CAST(t AS TIMESTAMP) AT TIME ZONE source AT TIME ZONE target AS TIMESTAMP)""",
    # A CHAR's trailing blanks count for nothing.
    "redshift_char(t, n) AS rtrim(redshift_truncate(rtrim(t), n))",
    "trunc(x TIMESTAMP) AS CAST(x AS DATE), (x) AS system.main.trunc(x), (x, n) AS system.main.trunc(x, n)",
    """add_months(t, n) AS CASE WHEN CAST(t AS DATE) = last_day(CAST(t AS DATE))
        THEN last_day(CAST(t AS DATE) + to_months(CAST(n AS INTEGER))) + (CAST(t AS TIMESTAMP) - CAST(t AS DATE))
        ELSE CAST(t AS TIMESTAMP) + to_months(CAST(n AS INTEGER)) END""",
    "date_cmp(a, b) AS CAST(sign(CAST(a AS DATE) - CAST(b AS DATE)) AS INTEGER)",
    """timestamp_cmp(a, b) AS CASE WHEN CAST(a AS TIMESTAMP) < CAST(b AS TIMESTAMP) THEN -1
        WHEN CAST(a AS TIMESTAMP) > CAST(b AS TIMESTAMP) THEN 1 WHEN a IS NOT NULL AND b IS NOT NULL THEN 0 END""",
    r"initcap(t) AS array_to_string(list_transform(regexp_extract_all(t, '[[:alnum:]]+|[^[:alnum:]]+'),"
    " lambda w: upper(left(w, 1)) || lower(substring(w, 2))), '')",
    """months_between(a, b) AS date_diff('month', CAST(b AS DATE), CAST(a AS DATE))
        + CASE WHEN CAST(a AS DATE) = last_day(CAST(a AS DATE)) AND CAST(b AS DATE) = last_day(CAST(b AS DATE))
            THEN 0.0 ELSE (day(CAST(a AS DATE)) - day(CAST(b AS DATE))) / 31.0::DOUBLE END""",
    """strtol(t, base) AS CAST(CASE base WHEN 16 THEN '0x' || t WHEN 2 THEN '0b' || t WHEN 10 THEN t
        ELSE error('STRTOL with base ' || base || ' is not supported here') END AS BIGINT)""",
    "regexp_count(t, p) AS CAST(len(regexp_extract_all(t, p)) AS INTEGER)",
    "to_hex(n) AS lower(hex(n))",
    "btrim(t) AS trim(t), (t, c) AS trim(t, c)",
    "charindex(needle, t) AS CAST(strpos(t, needle) AS INTEGER)",
    "len(t) AS CAST(length(t) AS INTEGER)",
    "octet_length(t VARCHAR) AS CAST(strlen(t) AS INTEGER), (t BLOB) AS CAST(system.main.octet_length(t) AS INTEGER)",
    "quote_literal(t) AS '''' || replace(t, '''', '''''') || ''''",
    "quote_ident(t) AS '\"' || replace(t, '\"', '\"\"') || '\"'",
    "pg_sleep(n) AS 0",
)
