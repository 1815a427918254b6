"""Mathematical functions. https://docs.aws.amazon.com/redshift/latest/dg/Math_functions.html"""

from __future__ import annotations

import datetime
from decimal import Decimal

from sqlglot import exp

from local_cloud.services.redshift.sql import kinds
from local_cloud.services.redshift.sql.functions.table import Call, Function, first, function
from local_cloud.services.redshift.sql.kinds import FLOATS, INTEGERS, Kind, Type, digits


def _whole(call: Call) -> Kind:
    """CEILING and FLOOR keep integers and floats; a DECIMAL loses its fraction."""
    if call.types[0].this is Type.DECIMAL:
        precision, scale = digits(call.types[0])
        return kinds.decimal(max(precision - scale + 1, 1), 0)
    return first(call)


def _scale(call: Call) -> int:
    """The digits after the point that ROUND and TRUNC leave of a DECIMAL."""
    _, scale = digits(call.types[0])
    if len(call.types) == 1:
        return 0
    places = call.node.expressions[1]
    return min(scale, int(places.name)) if isinstance(places, exp.Literal) and places.is_int else scale


def _rounded(call: Call) -> Kind:
    if call.types[0].this is Type.DECIMAL:
        precision, scale = digits(call.types[0])
        # Rounding 9.99 to one place needs a digit more than the value has.
        return kinds.decimal(precision - scale + 1 + _scale(call), _scale(call))
    return first(call)


def _truncated(call: Call) -> Kind:
    kind = call.types[0]
    if kind.this in kinds.STAMPS | kinds.TEXTS | {Type.DATE}:
        return kinds.kind("date")
    if kind.this is Type.DECIMAL:
        precision, scale = digits(kind)
        return kinds.decimal(max(precision - scale + _scale(call), 1), _scale(call))
    return first(call)


def _round(call: Call) -> str:
    value, places = call.arguments[0], call.argument(1, "0")
    kind = call.types[0]
    if kind.this is Type.DECIMAL:
        precision, scale = digits(kind)
        wide = f"CAST({value} AS DECIMAL({min(38, precision + 1)},{scale}))"
        return f"CAST(round({wide}, {places}) AS {_rounded(call).sql()})"
    if kind.this in INTEGERS:
        return f"CAST(round({value}, {places}) AS {kind.sql('duckdb')})"
    return f"round(CAST({value} AS DOUBLE), {places})"


def _trunc(call: Call) -> str:
    kind, value = call.types[0], call.arguments[0]
    if kind.this in kinds.TEXTS:
        return f"redshift_date({value})"
    if kind.this in kinds.STAMPS or kind.this is Type.DATE:
        return f"CAST({value} AS DATE)"
    cut = f"system.main.trunc({value}, {call.argument(1, '0')})"
    if kind.this in INTEGERS:
        return f"CAST({cut} AS {kind.sql('duckdb')})"
    return f"CAST({cut} AS {_truncated(call).sql()})" if kind.this is Type.DECIMAL else cut


def _remainder(call: Call) -> Kind:
    known = all(map(kinds.is_known, call.types))
    return kinds.arithmetic(exp.Mod, *call.types) if known else kinds.UNKNOWN


def _sign(call: Call) -> Kind:
    return kinds.kind("double precision" if call.types[0].this in FLOATS else "int")


def _to_hex(call: Call) -> str:
    if call.types[0].this in kinds.BYTES | kinds.TEXTS:
        return f"lower(hex({call.arguments[0]}))"
    return f"lower(hex(CAST({call.arguments[0]} AS BIGINT)))"


def _float(name: str, sql: str, page: str, *examples: tuple[str, object]) -> Function:
    return function(name, "float", "double precision", sql, page, *examples)


ROWS = (
    function(
        "abs", "number", first, "abs({0})", "r_ABS", ("abs(-38)", 38), ("abs(14-76)", 62), ("abs(-1.5)", Decimal("1.5"))
    ),
    _float("acos", "acos({0})", "r_ACOS", ("round(degrees(acos(.5)), 6)", 60.0)),
    _float("asin", "asin({0})", "r_ASIN", ("asin(1)", 1.5707963267948966)),
    _float("atan", "atan({0})", "r_ATAN", ("atan(1)*4", 3.141592653589793)),
    function(
        "atan2", "float float", "double precision", "atan2({0}, {1})", "r_ATAN2", ("atan2(2,2)*4", 3.141592653589793)
    ),
    _float("cbrt", "cbrt({0})", "r_CBRT", ("round(cbrt(27), 9)", 3.0)),
    function(
        "ceil ceiling",
        "number",
        _whole,
        "ceil({0})",
        "r_CEILING_FLOOR",
        ("ceiling(12.15)", Decimal(13)),
        ("ceil(-1.5)", Decimal(-1)),
        ("ceil(1.5::float)", 2.0),
    ),
    _float("cos", "cos({0})", "r_COS", ("cos(0)", 1.0)),
    _float("cot", "cot({0})", "r_COT", ("round(cot(1), 6)", 0.642093)),
    _float("degrees", "degrees({0})", "r_DEGREES", ("degrees(.5)", 28.64788975654116), ("degrees(pi())", 180.0)),
    _float("exp", "exp({0})", "r_EXP", ("exp(0)", 1.0)),
    _float("dexp", "exp({0})", "r_DEXP", ("dexp(0)", 1.0)),
    _float("ln", "ln({0})", "r_LN", ("ln(1)", 0.0)),
    _float("dlog1", "ln({0})", "r_DLOG1", ("round(dlog1(2.718281828), 6)", 1.0)),
    _float("dlog10", "log10({0})", "r_DLOG10", ("dlog10(100)", 2.0)),
    function(
        "floor", "number", _whole, "floor({0})", "r_FLOOR", ("floor(12.99)", Decimal(12)), ("floor(-1.5)", Decimal(-2))
    ),
    _float("log", "log10({0})", "r_LOG", ("log(100)", 2.0)),
    function(
        "mod",
        "number number",
        _remainder,
        "({0} % {1})",
        "r_MOD",
        ("mod(10, 4)", 2),
        ("mod(-7, 3)", -1),
        ("mod(7.5, 2)", Decimal("1.5")),
    ),
    function("pi", "", "double precision", "pi()", "r_PI", ("pi()", 3.141592653589793)),
    function(
        "power pow",
        "float float",
        "double precision",
        "power({0}, {1})",
        "r_POWER",
        ("power(2, 3)", 8.0),
        ("pow(2, 0.5)", 1.4142135623730951),
    ),
    _float("radians", "radians({0})", "r_RADIANS", ("radians(180)", 3.141592653589793)),
    function("random", "", "double precision", "random()", "r_RANDOM", ("random() between 0 and 1", True)),
    function(
        "round",
        "number int?",
        _rounded,
        _round,
        "r_ROUND",
        ("round(28.05)", Decimal("28")),
        ("round(28.05, 1)", Decimal("28.1")),
        ("round(-1.5)", Decimal("-2")),
        ("round(1234.567, -2)", Decimal("1200.000")),
        ("round(9.99, 1)", Decimal("10.0")),
        ("round(5)", 5),
        ("round(2.5::float)", 3.0),
    ),
    _float("sin", "sin({0})", "r_SIN", ("sin(0)", 0.0)),
    function(
        "sign",
        "number",
        _sign,
        lambda call: f"CAST(sign({call.arguments[0]}) AS {_sign(call).sql('duckdb')})",
        "r_SIGN",
        ("sign(-3)", -1),
        ("sign(1.5::float)", 1.0),
    ),
    _float("sqrt", "sqrt({0})", "r_SQRT", ("sqrt(16)", 4.0)),
    _float("tan", "tan({0})", "r_TAN", ("tan(0)", 0.0)),
    function(
        "trunc",
        "any int?",
        _truncated,
        _trunc,
        "r_TRUNC",
        ("trunc(111.15)", Decimal("111")),
        ("trunc(111.15, 1)", Decimal("111.1")),
        ("trunc(111.15, -1)", Decimal("110.00")),
        ("trunc(-3.5::float)", -3.0),
        ("trunc(timestamp '2011-07-21 10:32:38.248109')", datetime.date(2011, 7, 21)),
    ),
    function(
        "to_hex",
        "any",
        "varchar",
        _to_hex,
        "r_TO_HEX",
        ("to_hex(2147676847)", "8002f2af"),
        ("to_hex('abc'::varbyte)", "616263"),
    ),
    function(
        "strtol",
        "text int",
        "bigint",
        "redshift_strtol({0}, {1})",
        "r_STRTOL",
        ("strtol('0xf',16)", 15),
        ("strtol('abcd1234',16)", 2882343476),
        ("strtol('1234567', 10)", 1234567),
        ("strtol('1234567', 8)", 342391),
        ("strtol('110101', 2)", 53),
        ("strtol('', 2)", 0),
        ("strtol('-ff', 16)", -255),
    ),
    function(
        "text_to_int_alt",
        "text text?",
        "bigint",
        "CAST(redshift_integer({0}) AS BIGINT)",
        "r_TEXT_TO_INT_ALT",
        ("text_to_int_alt('123')", 123),
    ),
)
