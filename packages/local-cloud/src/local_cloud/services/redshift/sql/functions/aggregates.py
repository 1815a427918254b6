"""Aggregates and window functions.

https://docs.aws.amazon.com/redshift/latest/dg/c_Aggregate_Functions.html
https://docs.aws.amazon.com/redshift/latest/dg/c_Window_functions.html
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql import kinds
from local_cloud.services.redshift.sql.functions.table import Call, Function, Pieces, Returns, first, function
from local_cloud.services.redshift.sql.kinds import INTEGERS, Kind, Type, digits
from local_cloud.services.redshift.sql.operators import quotient


def aggregate(
    names: str,
    takes: str,
    returns: Returns,
    pieces: Callable[[Call], Pieces] | str,
    page: str,
    *examples: Any,
    **more: Any,
) -> Function:
    """A row; `pieces` is one aggregate of DuckDB's as a template, or what makes the pieces of a call."""
    if isinstance(pieces, str):
        template = pieces
        return aggregate(
            names, takes, returns, lambda call: Pieces((template.format(*call.arguments),)), page, *examples, **more
        )
    return function(names, takes, returns, pieces, page, *examples, aggregate=True, **more)


def _sum_kind(call: Call) -> Kind:
    """BIGINT of SMALLINT and INTEGER, NUMERIC(38,0) of BIGINT, 19 or 38 digits of NUMERIC."""
    kind = call.types[0]
    if kind.this is Type.BIGINT:
        return kinds.decimal(38, 0)
    if kind.this in INTEGERS:
        return kinds.kind("bigint")
    if kind.this is Type.DECIMAL:
        precision, scale = digits(kind)
        return kinds.decimal(19 if precision <= 19 else 38, scale)
    return (
        kind
        if kind.this is Type.INTERVAL
        else kinds.kind("double precision")
        if kinds.is_known(kind)
        else kinds.UNKNOWN
    )


def _sum(call: Call) -> Pieces:
    kind = _sum_kind(call)
    if kind.this in INTEGERS:
        return Pieces((f"sum({call.arguments[0]})",), lambda done: f"CAST({done[0]} AS BIGINT)")
    if kind.this is Type.DECIMAL:
        # Redshift's sum of 64-bit decimals may grow beyond 19 digits here; it keeps its scale.
        return Pieces((f"sum({call.arguments[0]})",), lambda done: f"CAST({done[0]} AS DECIMAL(38,{digits(kind)[1]}))")
    return Pieces((f"sum({call.arguments[0]})",))


def _avg_kind(call: Call) -> Kind:
    kind = call.types[0]
    if kind.this in INTEGERS:
        return kinds.kind("bigint")
    return _sum_kind(call)


def _avg(call: Call) -> Pieces:
    kind, value = call.types[0], call.arguments[0]
    if kind.this in INTEGERS:
        return Pieces(
            (f"sum({value})", f"count({value})"), lambda done: f"CAST({done[0]} // nullif({done[1]}, 0) AS BIGINT)"
        )
    if kind.this is Type.DECIMAL:
        scale = digits(kind)[1]
        return Pieces(
            (f"sum({value})", f"count({value})"),
            lambda done: quotient(
                (done[0], scale), (f"nullif({done[1]}, 0)", 0), target=f"DECIMAL(38,{scale})", scale=scale
            ),
        )
    return Pieces((f"avg({value})",))


def _count(call: Call) -> Pieces:
    arguments = ", ".join(call.arguments)
    if call.distinct and len(call) > 1:
        return Pieces((f"count(DISTINCT ({arguments.removeprefix('DISTINCT ')}))",))
    return Pieces((f"count({arguments})",))


def _listagg(call: Call) -> Pieces:
    separator = call.argument(1, "''")
    value = call.arguments[0].removeprefix("DISTINCT ")
    joined = f"nullif({value}, '')"
    if not call.distinct:
        return Pieces((f"string_agg({joined}, {separator}{call.order})",))
    # DuckDB orders distinct values by nothing but themselves.
    order = call.order.replace(value, joined) if all(item == value for item, _ in call.ordered) else call.order
    return Pieces((f"string_agg(DISTINCT {joined}, {separator}{order})",))


def _percentile(name: str) -> Callable[[Call], Pieces]:
    def pieces(call: Call) -> Pieces:
        if len(call.ordered) != 1:
            raise SqlError(f"WITHIN GROUP is missing or has no single ORDER BY expression for {call.name.upper()}")
        value, descending = call.ordered[0]
        share = f"(1 - {call.arguments[0]})" if descending else call.arguments[0]
        return Pieces((f"{name}({value}, {share})",))

    return pieces


def _percentile_kind(call: Call) -> Kind:
    return kinds.kind("double precision")


def _ordered_kind(call: Call) -> Kind:
    return call.ordered_kind


def _windowed(names: str, takes: str, returns: Returns, page: str, *examples: Any) -> Function:
    def pieces(call: Call) -> Pieces:
        return Pieces((f"{call.name}({', '.join(call.arguments)}{call.nulls})",))

    return function(names, takes, returns, pieces, page, *examples, aggregate=True, window=True)


def _ratio(call: Call) -> Pieces:
    value = call.arguments[0]
    return Pieces((f"sum({value})",), lambda done: f"(CAST({value} AS DOUBLE) / {done[0]})")


def _float(name: str, sql: str, page: str, *examples: Any) -> Function:
    return aggregate(name, "number", "double precision", sql, page, *examples)


ROWS = (
    aggregate(
        "count", "any*", "bigint", _count, "r_COUNT", ("count(*)", 1), ("count(distinct 1)", 1), ("count(null)", 0)
    ),
    aggregate(
        "approximate_count", "any*", "bigint", _count, "r_COUNT", ("approximate count(distinct 1)", 1), column="count"
    ),
    aggregate(
        "sum",
        "number",
        _sum_kind,
        _sum,
        "r_SUM",
        ("sum(1)", 1),
        ("sum(1.5::decimal(10,2))", Decimal("1.50")),
        ("sum(1::bigint)", Decimal(1)),
        ("sum(1.5::float)", 1.5),
    ),
    aggregate(
        "avg",
        "number",
        _avg_kind,
        _avg,
        "r_AVG",
        ("avg(1)", 1),
        ("avg(1.50::decimal(10,2))", Decimal("1.50")),
        ("avg(1.5::float)", 1.5),
        ("avg(null::int)", None),
    ),
    aggregate("min", "any", first, "min({0})", "r_MIN", ("min(1)", 1)),
    aggregate("max", "any", first, "max({0})", "r_MAX", ("max('a')", "a")),
    aggregate(
        "median",
        "number",
        "double precision",
        lambda call: Pieces((f"median({call.arguments[0]})",), lambda done: f"CAST({done[0]} AS DOUBLE)"),
        "r_MEDIAN",
        ("median(1)", 1.0),
    ),
    aggregate(
        "listagg",
        "text text?",
        "varchar",
        _listagg,
        "r_LISTAGG",
        ("listagg('a', ',') within group (order by 1)", "a"),
        ("listagg('')", None),
    ),
    aggregate("any_value", "any", first, "any_value({0})", "r_ANY_VALUE", ("any_value(1)", 1)),
    aggregate(
        "percentile_cont",
        "number",
        _percentile_kind,
        _percentile("quantile_cont"),
        "r_PERCENTILE_CONT",
        ("percentile_cont(0.5) within group (order by 1)", 1.0),
    ),
    aggregate("percentile_disc", "number", _ordered_kind, _percentile("quantile_disc"), "r_WF_PERCENTILE_DISC"),
    aggregate(
        "approximate_percentile_disc",
        "number",
        _ordered_kind,
        _percentile("quantile_disc"),
        "r_APPROXIMATE_PERCENTILE_DISC",
        ("approximate percentile_disc(0.5) within group (order by 1)", 1),
        column="percentile_disc",
    ),
    _float("stddev_samp stddev", "stddev_samp({0})", "r_STDDEV_functions", ("stddev_samp(1)", None)),
    _float("stddev_pop", "stddev_pop({0})", "r_STDDEV_functions", ("stddev_pop(1)", 0.0)),
    _float("var_samp variance", "var_samp({0})", "r_VARIANCE_functions", ("variance(1)", None)),
    _float("var_pop", "var_pop({0})", "r_VARIANCE_functions", ("var_pop(1)", 0.0)),
    aggregate("bool_and", "bool", "boolean", "bool_and({0})", "r_BOOL_AND", ("bool_and(true)", True)),
    aggregate("bool_or", "bool", "boolean", "bool_or({0})", "r_BOOL_OR", ("bool_or(false)", False)),
    aggregate("bit_and", "number", first, "bit_and({0})", "r_BIT_AND", ("bit_and(3)", 3)),
    aggregate("bit_or", "number", first, "bit_or({0})", "r_BIT_OR", ("bit_or(3)", 3)),
    aggregate(
        "grouping",
        "any any*",
        "int",
        lambda call: Pieces((f"grouping({', '.join(call.arguments)})",), lambda done: f"CAST({done[0]} AS INTEGER)"),
        "r_GROUP_BY_aggregation-extensions",
    ),
    aggregate(
        "ratio_to_report",
        "number",
        "double precision",
        _ratio,
        "r_WF_RATIO_TO_REPORT",
        ("ratio_to_report(1) over ()", 1.0),
        window=True,
    ),
    _windowed("row_number", "", "bigint", "r_WF_ROW_NUMBER", ("row_number() over (order by 1)", 1)),
    _windowed("rank", "", "bigint", "r_WF_RANK", ("rank() over (order by 1)", 1)),
    _windowed("dense_rank", "", "bigint", "r_WF_DENSE_RANK", ("dense_rank() over (order by 1)", 1)),
    _windowed("percent_rank", "", "double precision", "r_WF_PERCENT_RANK", ("percent_rank() over (order by 1)", 0.0)),
    _windowed("cume_dist", "", "double precision", "r_WF_CUME_DIST", ("cume_dist() over (order by 1)", 1.0)),
    _windowed("ntile", "int", "bigint", "r_WF_NTILE", ("ntile(2) over (order by 1)", 1)),
    _windowed("lag", "any int? any?", first, "r_WF_LAG", ("lag(1) over (order by 1)", None)),
    _windowed("lead", "any int? any?", first, "r_WF_LEAD", ("lead(1) over (order by 1)", None)),
    _windowed(
        "first_value",
        "any",
        first,
        "r_WF_first_value",
        ("first_value(1) over (order by 1 rows unbounded preceding)", 1),
    ),
    _windowed(
        "last_value",
        "any",
        first,
        "r_WF_first_value",
        ("last_value(1 ignore nulls) over (order by 1 rows unbounded preceding)", 1),
    ),
    _windowed(
        "nth_value", "any int", first, "r_WF_NTH", ("nth_value(1, 1) over (order by 1 rows unbounded preceding)", 1)
    ),
)
