# ruff: noqa: E501 - lines of SQL and of tables
"""Conditional expressions and hashes. https://docs.aws.amazon.com/redshift/latest/dg/c_conditional_expressions.html"""

from __future__ import annotations

import datetime
from decimal import Decimal

from local_cloud.services.redshift.errors import NotSupported
from local_cloud.services.redshift.sql import kinds
from local_cloud.services.redshift.sql.functions.table import Call, first, function, widest
from local_cloud.services.redshift.sql.kinds import Kind, Type


def _decode(call: Call) -> str:
    subject, *rest = call.arguments
    if call.types[0].this in kinds.TEXTS:
        subject = f"redshift_compared({subject})"
        rest = [
            f"redshift_compared({value})"
            if i % 2 == 0 and i + 1 < len(rest) and call.types[i + 1].this in kinds.TEXTS
            else value
            for i, value in enumerate(rest)
        ]
    pairs = zip(rest[::2], rest[1::2], strict=False)
    whens = " ".join(f"WHEN {subject} IS NOT DISTINCT FROM {search} THEN {result}" for search, result in pairs)
    default = f" ELSE {rest[-1]}" if len(rest) % 2 else ""
    return f"CASE {whens}{default} END"


def _nullif(call: Call) -> str:
    value, other = call.arguments
    if {kind.this for kind in call.types} <= kinds.TEXTS:
        return f"CASE WHEN redshift_compared({value}) = redshift_compared({other}) THEN NULL ELSE {value} END"
    return f"nullif({value}, {other})"


def _decoded(call: Call) -> Kind:
    rest = list(call.types[1:])
    return kinds.common(rest[1::2] + (rest[-1:] if len(rest) % 2 else []))


#: Bytes of the numbers that FNV_HASH takes, least significant first.
_WIDTHS = {Type.SMALLINT: 2, Type.INT: 4, Type.BIGINT: 8}


def _fnv_hash(call: Call) -> str:
    seed = (
        f"CAST(CASE WHEN {call.arguments[1]} < 0 THEN {call.arguments[1]}::HUGEINT + 18446744073709551616 ELSE {call.arguments[1]} END AS HUGEINT)"
        if len(call) > 1
        else "14695981039346656037::HUGEINT"
    )
    kind, value = call.types[0], call.arguments[0]
    if kind.this in kinds.TEXTS:
        return f"redshift_fnv_text(rtrim({value}, ' '), {seed})"
    if kind.this in _WIDTHS:
        return f"redshift_fnv_integer(CAST({value} AS BIGINT), {_WIDTHS[kind.this]}, {seed})"
    raise NotSupported(f"FNV_HASH of {kind.sql().lower()} is not supported by the local warehouse")


ROWS = (
    function(
        "coalesce nvl",
        "value value*",
        widest,
        lambda call: f"coalesce({', '.join(call.arguments)})",
        "r_NVL_function",
        ("nvl(null, 12.00, 10.00, null, 8)", Decimal("12.00")),
        ("coalesce(null, 2)", 2),
        ("nvl(null::date, '2024-01-01')", datetime.date(2024, 1, 1)),
        column="coalesce",
    ),
    function(
        "isnull",
        "value value",
        widest,
        "coalesce({0}, {1})",
        "r_NVL_function",
        ("isnull(null, 3)", 3),
        column="coalesce",
    ),
    function(
        "nvl2",
        "any value value",
        lambda call: kinds.common(call.types[1:]),
        "CASE WHEN {0} IS NOT NULL THEN {1} ELSE {2} END",
        "r_NVL2",
        ("nvl2(null, 1, 2)", 2),
        ("nvl2(1, 'a', 'b')", "a"),
        column="case",
    ),
    function(
        "nullif",
        "value value",
        first,
        _nullif,
        "r_NULLIF_function",
        ("nullif(1, 1)", None),
        ("nullif(2, 1)", 2),
    ),
    function(
        "greatest",
        "value value*",
        widest,
        lambda call: f"greatest({', '.join(call.arguments)})",
        "r_GREATEST_LEAST",
        ("greatest(1, null, 3)", 3),
        ("greatest('a', 'b')", "b"),
    ),
    function(
        "least",
        "value value*",
        widest,
        lambda call: f"least({', '.join(call.arguments)})",
        "r_GREATEST_LEAST",
        ("least(1, 2)", 1),
    ),
    function(
        "decode",
        "any any any*",
        _decoded,
        _decode,
        "r_DECODE_expression",
        ("decode('b','a',1,'b',2,3)", 2),
        ("decode(null,null,'n','y')", "n"),
        ("decode(7,1,'x')", None),
        column="case",
    ),
    function(
        "fnv_hash",
        "any number?",
        "bigint",
        _fnv_hash,
        "r_FNV_HASH",
        ("fnv_hash(1)", -5968735742475085980),
        ("fnv_hash('Amazon Redshift')", 7783490368944507294),
        ("fnv_hash('Amazon Redshift', fnv_hash(1))", -2202602717770968555),
        ("fnv_hash('abcd')", -281581062704388899),
        ("fnv_hash('cd', fnv_hash('ab'))", -281581062704388899),
        ("fnv_hash(1::smallint)", 589727492704079044),
        ("fnv_hash(1::bigint)", -8517097267634966620),
    ),
    function("db_collation", "", "varchar", "'case_sensitive'", "r_DB_COLLATION", ("db_collation()", "case_sensitive")),
)
