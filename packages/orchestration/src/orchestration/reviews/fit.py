"""Whether a Parquet file fits the columns that Spectrum reads, and what is cast where it does not.

Spectrum widens nothing: a file whose types are others fails every load. A column that a file lacks is NULL to it, one
that it has beyond those is not read, and names are matched in lower case.
https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.reviews import footers
from orchestration.reviews.columns import Column, list_columns
from orchestration.reviews.footers import Field, Footer

CATEGORY = "product_category"
#: What Spectrum reads as a column of each kind: physical types, with what they are to DuckDB.
_EXACT = {
    "VARCHAR": {("BYTE_ARRAY", "VARCHAR")},
    "INTEGER": {("INT32", "INTEGER")},
    "DATE": {("INT32", "DATE")},
}
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_TIMES = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"}
#: How a column of a kind comes of a field that is none of it: SQL giving NULL for what would lose something.
_CASTS = (
    ("INTEGER", _WHOLE, "TRY_CAST({0} AS INTEGER)"),
    ("INTEGER", {"FLOAT", "DOUBLE", "DECIMAL"}, "CASE WHEN {0} = floor({0}) THEN TRY_CAST({0} AS INTEGER) END"),
    ("INTEGER", {"VARCHAR"}, "CASE WHEN regexp_full_match({0}, '[0-9]{{1,9}}') THEN CAST({0} AS INTEGER) END"),
    ("DATE", _TIMES, "CASE WHEN {0} = date_trunc('day', {0}) THEN CAST({0} AS DATE) END"),
    (
        "DATE",
        {"VARCHAR"},
        "CASE WHEN regexp_full_match({0}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN TRY_CAST({0} AS DATE) END",
    ),
)
#: Texts that are numbers by their nature. Of other ids (a book's product_id is its ISBN) a number has lost the zeros
#: that it began with.
_NUMBERS = {"customer_id", "product_parent"}
#: A column without a value in it, as pandas writes one of missing values.
_NOTHING = '"NULL"'


@dataclass(frozen=True)
class Fit:
    """A file beside the declared columns.

    `faults` say what cannot be, column by column. `casts` are SQL by column, over the file's own columns, and None
    where the file can be put in place as it is. `given` are its columns by declared names; `extra` ones are not read.
    """

    faults: tuple[str, ...]
    casts: dict[str, str] | None
    given: dict[str, str]
    extra: tuple[str, ...]


def fit(footer: Footer, category: str) -> Fit:
    """Return how a file in the folder of `category` fits."""
    doubled = set(footers.find_doubled(footer))
    by_name = {field.name.lower(): field for field in footer.fields}
    faults, casts = [], {}
    for column in list_columns():
        field = by_name.get(column.name)
        if column.name in doubled:
            faults.append(f"has more than one column {column.name}; it must have one, {column.type}")
        elif field:
            cast = _cast(column, field)
            if cast is None:
                faults.append(f"has {field.name} as {field.kind}; it must be {column.type}")
            casts[column.name] = cast or ""
        elif column.name == "year":
            casts["year"] = "NULL"  # it is that of review_date
        else:
            faults.append(f"has no column {column.name}; it must have one, {column.type}")
    held = by_name.get(CATEGORY)
    if held and (CATEGORY in doubled or held.kind not in ("VARCHAR", _NOTHING)):
        faults.append(f"has {CATEGORY} as {held.kind}; it must be left out, or name the folder's category as VARCHAR")
    known = {column.name for column in list_columns()}
    extra = tuple(field.name for field in footer.fields if field.name.lower() not in known | {CATEGORY})
    given = {name: field.name for name, field in by_name.items() if name in known | {CATEGORY}}
    as_it_is = not faults and _is_exact(by_name) and _is_of(held, category)
    return Fit(tuple(faults), None if as_it_is else casts, given, extra)


def _is_exact(by_name: dict[str, Field]) -> bool:
    """Whether Spectrum reads the file, and the load loses no row of it, by what the footer says."""
    for column in list_columns():
        field = by_name.get(column.name)
        if not field or field.name != column.name or (field.physical, field.kind) not in _EXACT[column.kind]:
            return False
    return all(by_name[name].nulls == 0 for name in ("review_id", "year"))


def _is_of(held: Field | None, category: str) -> bool:
    """Whether all rows are of the folder's category, which a file need not say again."""
    return held is None or (held.least == held.greatest and (held.least or "").replace(" ", "_") == category)


def _cast(column: Column, field: Field) -> str | None:
    """SQL that gives the column, NULL where a value is none of its kind; None where it cannot come of such a field."""
    value, kind = quote(field.name), field.kind.partition("(")[0]
    if kind == _NOTHING:
        return f"CAST(NULL AS {column.kind})"
    if (field.physical, kind) in _EXACT[column.kind]:
        return value
    if column.kind == "VARCHAR":
        return f"CAST({value} AS VARCHAR)" if kind in _WHOLE and column.name in _NUMBERS else None
    found = (sql for target, kinds, sql in _CASTS if target == column.kind and kind in kinds)
    return next((sql.format(value) for sql in found), None)


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
