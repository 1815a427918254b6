# ruff: noqa: E501 - lines of SQL and of tables
"""Macros of the warehouse: what the translations of `sql.functions` and `sql.operators` are written with.

Stored defaults may use them too.
"""

from __future__ import annotations

_ERROR = "error('{words}: \"' || t || '\"')"


def _reader(name: str, good: str, value: str, words: str) -> str:
    """A macro that reads a text by Redshift's rules, and names the text that it cannot read."""
    fault = _ERROR.format(words=words)
    return f"{name}(t) AS CASE WHEN t IS NULL THEN NULL WHEN {good} THEN {value} ELSE {fault} END"


def _moment_reader(name: str, value: str, words: str) -> str:
    """The same for a moment: one that is written well but cannot be is out of range."""
    written = r"regexp_full_match(t, '\s*\d{4}-\d{1,2}-\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d*)?)?)?\s*')"
    outside = _ERROR.format(words="date/time field value out of range")
    good = f"redshift_moment(t) IS NOT NULL THEN {value} WHEN {written}"
    return _reader(name, good, outside, f"invalid input syntax for type {words}")


_BLANK = r"\s*"
_DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%y", "%m-%d-%y", "%m.%d.%y", "%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y",
    "%B %d, %Y", "%B %d %Y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%B-%Y", "%b-%d-%Y", "%B-%d-%Y",
    "%Y-%b-%d", "%Y-%B-%d", "%Y %b %d", "%Y %B %d", "%d%b%Y", "%d-%b-%y", "%b-%d-%y", "%y%m%d",
)  # fmt: skip
_FORMATS = "[" + ", ".join(f"'{form}'" for form in _DATE_FORMATS) + "]"

#: A day, and behind it what may follow: a time with or without seconds, AM or PM, and a zone.
_TIME = r"(\d{1,2}:\d{2}(?::\d{2}(?:\.\d*)?)?)\s*([AaPp][Mm]\b|[AaPp]\.[Mm]\.)?"
_NAMES = "[Uu][Tt][Cc]|[Gg][Mm][Tt]|[Zz]|(?:[ECMPecmp][SDsd]|[Aa][Kk][SDsd]|[Hh][Ss]|[Jj][Ss]|[Mm][Ss])[TtKk]|[Cc][Ee][Ss]?[Tt]|[Bb][Ss][Tt]"
_ZONE = rf"\s*({_NAMES}|[+-]\d{{1,2}}(?::?\d{{2}})?|[A-Za-z]+(?:/[A-Za-z_]+)+)?"
_STAMP = rf"^\s*(.*?\d|epoch)(?:\s+[Bb][Cc])?(?:(?:\s+|\s*[Tt])(?:{_TIME}|(\d{{6}})(?:\.\d*)?){_ZONE})?\s*$"


def _part(number: int, pattern: str = _STAMP) -> str:
    return f"regexp_extract(t, '{pattern}', {number})"


MACROS = (
    "getdate() AS CAST(date_trunc('second', now() AT TIME ZONE 'UTC') AS TIMESTAMP)",
    "sysdate() AS CAST(now() AT TIME ZONE 'UTC' AS TIMESTAMP)",
    # CAST to VARCHAR(n) and CHAR(n) cuts; the n counts bytes, and a character is never cut in two.
    """redshift_truncate(t, n) AS CASE
        WHEN strlen(t) <= n THEN t
        WHEN strlen(t) = length(t) THEN left(t, n)
        ELSE left(t, list_max(list_filter(range(0, length(t) + 1), lambda k: strlen(left(t, k)) <= n))) END""",
    # A CHAR's trailing blanks count for nothing.
    "redshift_char(t, n) AS rtrim(redshift_truncate(rtrim(t, ' '), n), ' ')",
    # What of a text counts where texts are compared.
    "redshift_compared(t) AS CASE WHEN suffix(t, ' ') THEN rtrim(t, ' ') ELSE t END",
    # Reading texts.
    *(
        _reader(
            f"redshift_{kind}",
            r"regexp_full_match(t, '\s*[+-]?[0-9]+\s*')",
            "CAST(trim(t) AS HUGEINT)",
            f"invalid input syntax for {kind}",
        )
        for kind in ("integer", "bigint")
    ),
    _reader(
        "redshift_numeric",
        r"regexp_full_match(t, '\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*') OR lower(trim(t)) IN ('nan', 'infinity', '-infinity', 'inf', '-inf')",
        "trim(t)",
        "invalid input syntax for type numeric",
    ),
    _reader(
        "redshift_boolean",
        "lower(trim(t)) IN ('t', 'true', 'y', 'yes', '1', 'on', 'f', 'false', 'n', 'no', '0', 'off')",
        "lower(trim(t)) IN ('t', 'true', 'y', 'yes', '1', 'on')",
        "invalid input syntax for type boolean",
    ),
    f"""redshift_day(t) AS CASE
        WHEN regexp_full_match(t, '\\d{{4}}-\\d{{2}}-\\d{{2}}') THEN TRY_CAST(t AS DATE)
        WHEN regexp_full_match(t, '[Jj]\\d+') THEN DATE '2000-01-01' + (CAST(substr(t, 2) AS INTEGER) - 2451545)
        WHEN lower(t) = 'epoch' THEN DATE '1970-01-01'
        ELSE CAST(try_strptime(regexp_replace(t, '\\s+', ' ', 'g'), {_FORMATS}) AS DATE) END""",
    r"""redshift_clock(t, mark) AS CASE WHEN t = '' THEN INTERVAL 0 SECONDS
        WHEN mark <> '' AND CAST(split_part(t, ':', 1) AS INTEGER) NOT BETWEEN 1 AND 12 THEN NULL
        WHEN CAST(split_part(t, ':', 1) AS INTEGER) > 24 OR CAST(split_part(t, ':', 2) AS INTEGER) > 59 THEN NULL
        WHEN TRY_CAST(nullif(split_part(t, ':', 3), '') AS DOUBLE) >= 61 THEN NULL
        ELSE to_hours(CAST(split_part(t, ':', 1) AS BIGINT) % CASE WHEN mark = '' THEN 100 ELSE 12 END
                + CASE WHEN lower(left(mark, 1)) = 'p' THEN 12 ELSE 0 END)
            + to_minutes(CAST(split_part(t, ':', 2) AS BIGINT))
            + to_microseconds(CAST(round(coalesce(TRY_CAST(nullif(split_part(t, ':', 3), '') AS DECIMAL(18,9)), 0) * 1000000) AS BIGINT)) END""",
    f"""redshift_moment(t) AS CASE
        WHEN regexp_full_match(t, '\\d{{4}}-\\d{{2}}-\\d{{2}}(?: \\d{{2}}:\\d{{2}}:\\d{{2}}(?:\\.\\d{{1,6}})?)?') THEN TRY_CAST(t AS TIMESTAMP)
        ELSE CAST(redshift_day({_part(1)}) AS TIMESTAMP) + redshift_clock(
            CASE WHEN {_part(4)} <> '' THEN regexp_replace({_part(4)}, '(..)(..)(..)', '\\1:\\2:\\3') ELSE {_part(2)} END, {_part(3)}) END""",
    f"redshift_zone(t) AS CASE WHEN regexp_full_match(t, '.*:\\d{{2}}') THEN '' ELSE {_part(5)} END",
    """redshift_offset(zone) AS CASE WHEN zone IN ('', 'Z', 'z', 'UTC', 'utc', 'GMT', 'gmt') THEN INTERVAL 0 SECONDS
        ELSE to_minutes(CASE WHEN zone[1] = '-' THEN -1 ELSE 1 END * (
            CAST(regexp_extract(zone, '^[+-](\\d{1,2})', 1) AS BIGINT) * 60
            + CAST(coalesce(nullif(regexp_extract(zone, '^[+-]\\d{1,2}:?(\\d{2})$', 1), ''), '0') AS BIGINT))) END""",
    """redshift_abbreviation(zone) AS coalesce(map_extract_value(MAP {
        'est': '-05', 'edt': '-04', 'cst': '-06', 'cdt': '-05', 'mst': '-07', 'mdt': '-06', 'pst': '-08', 'pdt': '-07',
        'cet': '+01', 'cest': '+02', 'bst': '+01', 'jst': '+09', 'msk': '+03', 'akst': '-09', 'akdt': '-08', 'hst': '-10'}, lower(zone)), zone)""",
    """redshift_moment_utc(t) AS CASE
        WHEN regexp_matches(redshift_abbreviation(redshift_zone(t)), '^([+-].*|[Zz]|UTC|utc|GMT|gmt|)$')
            THEN (redshift_moment(t) - redshift_offset(redshift_abbreviation(redshift_zone(t)))) AT TIME ZONE 'UTC'
        ELSE redshift_moment(t) AT TIME ZONE redshift_zone(t) END""",
    _moment_reader("redshift_timestamp", "redshift_moment(t)", "timestamp"),
    _moment_reader("redshift_timestamptz", "redshift_moment_utc(t)", "timestamp with time zone"),
    _moment_reader("redshift_date", "CAST(redshift_moment(t) AS DATE)", "date"),
    f"""redshift_time(t) AS CASE WHEN t IS NULL THEN NULL
        WHEN regexp_full_match(t, '\\d{{2}}:\\d{{2}}:\\d{{2}}(?:\\.\\d{{1,6}})?') AND TRY_CAST(t AS TIME) IS NOT NULL THEN CAST(t AS TIME)
        WHEN regexp_full_match(t, '\\s*{_TIME}{_ZONE}\\s*') AND redshift_moment('1970-01-01 ' || trim(t)) IS NOT NULL
            THEN CAST(redshift_moment('1970-01-01 ' || trim(t)) AS TIME)
        WHEN redshift_moment(t) IS NOT NULL THEN CAST(redshift_moment(t) AS TIME)
        ELSE error('invalid input syntax for type time: "' || t || '"') END""",
    f"""redshift_timetz(t) AS CASE WHEN t IS NULL THEN NULL
        WHEN regexp_full_match(t, '\\s*{_TIME}{_ZONE}\\s*') THEN CAST(CAST(redshift_moment_utc('1970-01-01 ' || trim(t)) AT TIME ZONE 'UTC' AS TIME) AS TIMETZ)
        WHEN redshift_moment(t) IS NOT NULL THEN CAST(CAST(redshift_moment_utc(t) AT TIME ZONE 'UTC' AS TIME) AS TIMETZ)
        ELSE error('invalid input syntax for type time with time zone: "' || t || '"') END""",
    "redshift_utc_time(t) AS CAST(t AS TIME)",
    # PostgreSQL 8's float8out: as many digits as %g shows, no zeros behind them.
    "redshift_float_text(x, n) AS CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END"
    " WHEN n = 6 THEN printf('%.6g', CAST(x AS DOUBLE)) ELSE printf('%.15g', CAST(x AS DOUBLE)) END",
    # a / b with n digits behind the point, as text, which becomes a decimal exactly.
    """redshift_padded(digits, n) AS lpad(digits, CAST(greatest(length(digits), CAST(n AS INTEGER) + 1) AS INTEGER), '0')""",
    """redshift_pointed(q, n) AS CASE WHEN q[1] = '-' THEN '-' ELSE '' END
        || left(redshift_padded(ltrim(q, '-'), n), -CAST(n AS INTEGER)) || '.' || right(redshift_padded(ltrim(q, '-'), n), CAST(n AS INTEGER))""",
    """redshift_quotient(a, b, n) AS CASE WHEN b = 0 THEN error('Divide by zero') WHEN n = 0 THEN CAST(a // b AS VARCHAR) ELSE redshift_pointed(CAST(
        (a // b) * CAST(rpad('1', n + 1, '0') AS HUGEINT) + ((a % b) * CAST(rpad('1', n + 1, '0') AS HUGEINT)) // b AS VARCHAR), n) END""",
    # Dates.
    """redshift_add_months(t, n) AS CASE WHEN CAST(t AS DATE) = last_day(CAST(t AS DATE))
        THEN last_day(CAST(t AS DATE) + to_months(CAST(n AS INTEGER))) + (CAST(t AS TIMESTAMP) - CAST(t AS DATE))
        ELSE CAST(t AS TIMESTAMP) + to_months(CAST(n AS INTEGER)) END""",
    """redshift_months_between(a, b) AS CAST((year(a) - year(b)) * 12 + month(a) - month(b) AS DOUBLE)
        + CASE WHEN CAST(a AS DATE) = last_day(CAST(a AS DATE)) AND CAST(b AS DATE) = last_day(CAST(b AS DATE)) THEN 0.0
            WHEN day(a) = day(b) THEN 0.0
            ELSE (day(a) - day(b)) / 31.0::DOUBLE + (epoch(CAST(a AS TIMESTAMP) - CAST(CAST(a AS DATE) AS TIMESTAMP))
                - epoch(CAST(b AS TIMESTAMP) - CAST(CAST(b AS DATE) AS TIMESTAMP))) / 86400.0::DOUBLE / 31.0::DOUBLE END""",
    # Texts.
    r"redshift_initcap(t) AS array_to_string(list_transform(regexp_extract_all(t, '[[:alnum:]]+|[^[:alnum:]]+'),"
    " lambda w: upper(left(w, 1)) || lower(substring(w, 2))), '')",
    "redshift_split_part(t, d, n) AS CASE WHEN n < 1 THEN error('field position must be greater than zero') ELSE split_part(t, d, n) END",
    """redshift_regexp_instr(t, p, n, option, start) AS CAST(CASE WHEN t IS NULL OR p IS NULL THEN NULL
        WHEN len(regexp_extract_all(t, p)) < n THEN 0
        ELSE greatest(start, 1) + list_sum(list_transform(range(1, CAST(n AS BIGINT) + 1), lambda i: length(list_extract(string_split_regex(t, p), i))))
            + coalesce(list_sum(list_transform(range(1, CAST(n AS BIGINT) + CASE WHEN option = 0 THEN 0 ELSE 1 END), lambda i: length(list_extract(regexp_extract_all(t, p), i)))), 0) END AS INTEGER)""",
    """redshift_digit(c) AS CASE WHEN c BETWEEN '0' AND '9' THEN ascii(c) - 48 WHEN c BETWEEN 'a' AND 'z' THEN ascii(c) - 87 ELSE 99 END""",
    r"""redshift_strtol(t, base) AS CASE WHEN t IS NULL THEN NULL WHEN t = '' THEN 0
        WHEN base NOT BETWEEN 2 AND 36 THEN error('Invalid base, must be between 2 and 36')
        WHEN list_bool_or(list_transform(string_split(regexp_replace(lower(trim(t)), CASE WHEN base = 16 THEN '^[+-]?(0x)?' ELSE '^[+-]?' END, ''), ''),
            lambda c: redshift_digit(c) >= base)) THEN error('The input ' || t || ' is not valid to be converted to base ' || base)
        ELSE CAST(list_reduce(list_prepend(CAST(0 AS HUGEINT), list_transform(string_split(regexp_replace(lower(trim(t)),
            CASE WHEN base = 16 THEN '^[+-]?(0x)?' ELSE '^[+-]?' END, ''), ''), lambda c: CAST(redshift_digit(c) AS HUGEINT))),
            lambda total, d: total * base + d) * CASE WHEN trim(t)[1] = '-' THEN -1 ELSE 1 END AS BIGINT) END""",
    # American Soundex: H and W are looked through, vowels part equal codes.
    """redshift_soundex_coded(letters) AS translate(left(letters, 1) || regexp_replace(substr(letters, 2), '[HW]', '', 'g'),
        'BFPVCGJKQSXZDTLMNRAEIOUYHW', '11112222222233455600000000')""",
    """redshift_squeezed(codes) AS array_to_string(list_transform(regexp_extract_all(codes, '1+|2+|3+|4+|5+|6+|0'),
        lambda run: left(run, 1)), '')""",
    """redshift_soundex(t) AS CASE WHEN t IS NULL THEN NULL WHEN NOT regexp_matches(t, '[A-Za-z]') THEN '' ELSE
        rpad(left(regexp_replace(upper(t), '[^A-Z]', '', 'g'), 1) || left(replace(substr(redshift_squeezed(redshift_soundex_coded(
            regexp_replace(upper(t), '[^A-Z]', '', 'g'))), 2), '0', ''), 3), 4, '0') END""",
    """redshift_difference(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN redshift_soundex(a) = '' OR redshift_soundex(b) = '' THEN 0
        ELSE CAST(list_sum(list_transform(range(1, 5), lambda i: CASE WHEN redshift_soundex(a)[i] = redshift_soundex(b)[i] THEN 1 ELSE 0 END)) AS INTEGER) END""",
    # JSON. yyjson takes a comma before a closing bracket, Redshift does not.
    r"""redshift_is_json(t) AS json_valid(t) AND NOT regexp_matches(regexp_replace(t, '"(?:\\.|[^"\\])*"', '""', 'g'), ',\s*[\]}]')""",
    "redshift_json(t) AS CASE WHEN t IS NULL OR redshift_is_json(t) THEN t ELSE error('JSON parsing error: invalid json object ' || t) END",
    "redshift_json_or_null(t) AS CASE WHEN redshift_is_json(t) THEN t END",
    "redshift_elements(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN json_extract(j, '$[*]') END",
    "redshift_names(j) AS CASE WHEN json_type(j) = 'OBJECT' THEN json_keys(j) END",
    "redshift_values(j) AS list_transform(redshift_names(j), lambda k: json_extract(j, '/' || replace(replace(k, '~', '~0'), '/', '~1')))",
    "redshift_array_concat(a, b) AS to_json(list_concat(redshift_elements(a), redshift_elements(b)))",
    "redshift_array_flatten(a) AS to_json(flatten(list_transform(redshift_elements(a), lambda e: CASE WHEN json_type(e) = 'ARRAY' THEN json_extract(e, '$[*]') ELSE [e] END)))",
    "redshift_subarray(a, start, n) AS to_json(list_slice(redshift_elements(a), CAST(start AS BIGINT) + 1, CAST(start AS BIGINT) + CAST(n AS BIGINT)))",
    "redshift_super_number(j) AS CASE WHEN json_type(j) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE') THEN CAST(json_extract_string(j, '$') AS DOUBLE) END",
    "redshift_super_text(j) AS CASE WHEN json_type(j) = 'VARCHAR' THEN json_extract_string(j, '$') END",
    "redshift_number_super(x) AS CAST(CASE WHEN x = system.main.trunc(x) AND abs(x) < 1e15 THEN CAST(CAST(x AS BIGINT) AS VARCHAR) ELSE CAST(x AS VARCHAR) END AS JSON)",
    # FNV-1a of 64 bits.
    """redshift_signed(h) AS CAST(CASE WHEN h > 9223372036854775807 THEN h - 18446744073709551616::HUGEINT ELSE h END AS BIGINT)""",
    """redshift_fnv(bytes, seed) AS redshift_signed(list_reduce(list_prepend(CAST(seed AS HUGEINT), bytes),
        lambda h, b: (xor(h, b) * 1099511628211::HUGEINT) % 18446744073709551616::HUGEINT))""",
    """redshift_fnv_text(t, seed) AS redshift_fnv(list_transform(range(0, CAST(strlen(t) AS BIGINT)),
        lambda i: CAST('0x' || substr(hex(encode(t)), 2 * i + 1, 2) AS HUGEINT)), seed)""",
    """redshift_fnv_integer(n, width, seed) AS redshift_fnv(list_transform(range(0, CAST(width AS BIGINT)),
        lambda i: (n >> CAST(8 * i AS BIGINT)) & 255), seed)""",
)
