"""JSON, SUPER and arrays. https://docs.aws.amazon.com/redshift/latest/dg/json-functions.html"""

from __future__ import annotations

from sqlglot import exp

from local_cloud.services.redshift.sql.functions.table import Call, Function, function
from local_cloud.services.redshift.sql.kinds import SUPERS


def _json_text(call: Call, *, fixed: int) -> tuple[str, bool]:
    """The JSON of a call, NULL or an error where it is invalid, and whether `null_if_invalid` is given."""
    last = call.node.expressions[-1]
    given = len(call) > fixed and (isinstance(last, exp.Boolean) or call.types[-1].sql() == "BOOLEAN")
    lenient = given and call.literal(len(call) - 1) in ("true", "t")
    how = "redshift_json_or_null" if lenient else "redshift_json"
    return f"{how}({call.arguments[0]})", given


def _path_text(call: Call) -> str:
    text, given = _json_text(call, fixed=2)
    path = call.arguments[1:-1] if given else call.arguments[1:]
    pointer = " || ".join(f"'/' || replace(replace({part}, '~', '~0'), '/', '~1')" for part in path)
    return f"json_extract_string({text}, {pointer})"


def _element_text(call: Call) -> str:
    text, _ = _json_text(call, fixed=2)
    index = call.arguments[1]
    found = f"CASE WHEN {index} >= 0 THEN json_extract_string({text}, '$[' || {index} || ']') END"
    outside = f"{index} < 0 OR {index} >= json_array_length({text})"
    return f"CASE WHEN {outside} THEN '' ELSE {found} END"


def _array_length(call: Call) -> str:
    text, _ = _json_text(call, fixed=1)
    return f"CAST(json_array_length({text}) AS INTEGER)"


def _object(call: Call) -> str:
    return f"json_object({', '.join(call.arguments)})"


def _array(call: Call) -> str:
    return f"json_array({', '.join(call.arguments)})"


def _is(name: str, test: str, *examples: tuple[str, object]) -> Function:
    return function(name, "super", "boolean", f"coalesce({test}, false)", f"r_{name}", *examples)


_NUMBER = "json_type({0}) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')"
_WHOLE = "json_type({0}) IN ('BIGINT', 'UBIGINT')"
_TEXT = "json_extract_string({0}, '$')"

_TYPEOF = (
    "CASE json_type({0}) WHEN 'VARCHAR' THEN 'string' WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'object'"
    " WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' ELSE CASE WHEN {0} IS NOT NULL THEN 'number' END END"
)


def _as_super(call: Call) -> str:
    """JSON_SERIALIZE takes SUPER alone."""
    return f"CAST({call.arguments[0]} AS VARCHAR)"


def _is_super(call: Call) -> bool:
    return call.types[0].this in SUPERS


ROWS = (
    function(
        "json_parse",
        "text",
        "super",
        "json(redshift_json({0}))",
        "JSON_PARSE",
        ("json_parse('[10001,10002,\"abc\"]')", '[10001,10002,"abc"]'),
        ("json_parse('{\"a\": [1]}')", '{"a":[1]}'),
    ),
    function(
        "can_json_parse",
        "text",
        "boolean",
        "redshift_is_json({0})",
        "CAN_JSON_PARSE",
        ("can_json_parse('[10001,10002,\"abc\"]')", True),
        ("can_json_parse('This is a text')", False),
    ),
    function(
        "json_serialize",
        "super",
        "varchar",
        _as_super,
        "JSON_SERIALIZE",
        ("json_serialize(json_parse('[10001,10002,\"abc\"]'))", '[10001,10002,"abc"]'),
    ),
    function(
        "json_serialize_to_varbyte",
        "super",
        "varbyte",
        "encode(CAST({0} AS VARCHAR))",
        "JSON_SERIALIZE_TO_VARBYTE",
        ("json_serialize_to_varbyte(json_parse('[1]'))", b"[1]"),
    ),
    function(
        "json_size",
        "super",
        "int",
        "CAST(strlen(CAST({0} AS VARCHAR)) AS INTEGER)",
        "r_json_size",
        ("json_size(json_parse('[10001,10002,\"abc\"]'))", 19),
    ),
    function(
        "json_extract_path_text",
        "text text any*",
        "varchar",
        _path_text,
        "JSON_EXTRACT_PATH_TEXT",
        ('json_extract_path_text(\'{"f2":{"f3":1},"f4":{"f5":99,"f6":"star"}}\',\'f4\', \'f6\')', "star"),
        ('json_extract_path_text(\'{"f2":{"f3":1},"f4":{"f5":99,"f6":"star"}\',\'f4\', \'f6\',true)', None),
        ("json_extract_path_text('{\"farm\": {\"barn\": {}}}', 'farm', 'barn', 'color')", None),
        ("json_extract_path_text('{\"a b\":{\"brand\":\"Any Brand\"}}', 'a b', 'brand')", "Any Brand"),
        ("json_extract_path_text('{\"a\":{\"b\":1}}', 'a')", '{"b":1}'),
    ),
    function(
        "json_extract_array_element_text",
        "text int any?",
        "varchar",
        _element_text,
        "JSON_EXTRACT_ARRAY_ELEMENT_TEXT",
        ("json_extract_array_element_text('[111,112,113]', 2)", "113"),
        ('json_extract_array_element_text(\'["a",["b",1,["c",2,3,null,]]]\',1,true)', None),
        ("json_extract_array_element_text('[1]', 5)", ""),
    ),
    function(
        "json_array_length",
        "text any?",
        "int",
        _array_length,
        "JSON_ARRAY_LENGTH",
        ('json_array_length(\'[11,12,13,{"f1":21,"f2":[25,26]},14]\')', 5),
        ('json_array_length(\'[11,12,13,{"f1":21,"f2":[25,26]},14\',true)', None),
    ),
    function(
        "is_valid_json",
        "text",
        "boolean",
        "(redshift_is_json({0}) AND json_type(redshift_json_or_null({0})) = 'OBJECT')",
        "IS_VALID_JSON",
        ("is_valid_json('{\"a\":2}')", True),
        ("is_valid_json('{1:\"a\"}')", False),
        ("is_valid_json('[1,2,3]')", False),
    ),
    function(
        "is_valid_json_array",
        "text",
        "boolean",
        "(redshift_is_json({0}) AND json_type(redshift_json_or_null({0})) = 'ARRAY')",
        "IS_VALID_JSON_ARRAY",
        ('is_valid_json_array(\'["a",["b",1]]\')', True),
    ),
    function(
        "json_typeof",
        "super",
        "varchar",
        _TYPEOF,
        "r_json_typeof",
        ("json_typeof(array(1,2))", "array"),
        ('json_typeof(json_parse(\'{"name":"Joe"}\'))', "object"),
        ("json_typeof(object('a',1))", "object"),
        ("json_typeof(json_parse('1.5'))", "number"),
        ("json_typeof(json_parse('null'))", "null"),
    ),
    function(
        "object",
        "any*",
        "super",
        _object,
        "r_object_function",
        ("object('foo', 1, 'bar', true)", '{"foo":1,"bar":true}'),
        ("object()", "{}"),
    ),
    function(
        "array",
        "any*",
        "super",
        _array,
        "r_array",
        ("array(1,50,null,100)", "[1,50,null,100]"),
        ("array(1,'abc',true,3.14)", '[1,"abc",true,3.14]'),
        ("array()", "[]"),
    ),
    function(
        "array_concat",
        "super super",
        "super",
        "redshift_array_concat({0}, {1})",
        "r_array_concat",
        ("array_concat(array(10001,10002),array(10003,10004))", "[10001,10002,10003,10004]"),
        ("array_concat(array('ab','cd'),array('a'))", '["ab","cd","a"]'),
    ),
    function(
        "array_flatten",
        "super",
        "super",
        "redshift_array_flatten({0})",
        "array_flatten",
        ("array_flatten(array(array(1,2,3,4),array(5,6,7,8),array(9,10)))", "[1,2,3,4,5,6,7,8,9,10]"),
    ),
    function(
        "get_array_length",
        "super",
        "int",
        "CAST(CASE WHEN json_type({0}) = 'ARRAY' THEN json_array_length({0}) END AS INTEGER)",
        "get_array_length",
        ("get_array_length(array(1,2,3,4,5,6,7,8,9,10))", 10),
    ),
    function(
        "split_to_array",
        "text text?",
        "super",
        lambda call: f"to_json(string_split({call.arguments[0]}, {call.argument(1, chr(39) + ',' + chr(39))}))",
        "split_to_array",
        ("split_to_array('12|345|6789', '|')", '["12","345","6789"]'),
        ("split_to_array('12,345,6789')", '["12","345","6789"]'),
    ),
    function(
        "subarray",
        "super int int?",
        "super",
        lambda call: f"redshift_subarray({call.arguments[0]}, {call.arguments[1]}, {call.argument(2, '2147483647')})",
        "r_subarray",
        ("subarray(array('a', 'b', 'c', 'd', 'e', 'f'), 2, 3)", '["c","d","e"]'),
    ),
    _is("is_array", "json_type({0}) = 'ARRAY'", ("is_array(array(1,2))", True), ("is_array(json_parse('{}'))", False)),
    _is("is_object", "json_type({0}) = 'OBJECT'", ('is_object(json_parse(\'{"name":"Joe"}\'))', True)),
    _is(
        "is_scalar",
        "json_type({0}) NOT IN ('ARRAY', 'OBJECT', 'NULL')",
        ("is_scalar(json_parse('\"a\"'))", True),
        ("is_scalar(json_parse('{}'))", False),
    ),
    _is("is_boolean", "json_type({0}) = 'BOOLEAN'", ("is_boolean(json_parse('true'))", True)),
    _is("is_bigint", _WHOLE, ("is_bigint(json_parse('5'))", True), ("is_bigint(json_parse('\"5\"'))", False)),
    _is(
        "is_integer",
        f"{_WHOLE} AND TRY_CAST({_TEXT} AS INTEGER) IS NOT NULL",
        ("is_integer(json_parse('5'))", True),
        ("is_integer(json_parse('3000000000'))", False),
    ),
    _is(
        "is_smallint",
        f"{_WHOLE} AND TRY_CAST({_TEXT} AS SMALLINT) IS NOT NULL",
        ("is_smallint(json_parse('5'))", True),
        ("is_smallint(json_parse('70000'))", False),
    ),
    _is(
        "is_decimal",
        f"{_NUMBER} AND NOT contains(lower({_TEXT}), 'e')",
        ("is_decimal(json_parse('1.22'))", True),
        ("is_decimal(json_parse('\"a\"'))", False),
    ),
    _is("is_float", _NUMBER, ("is_float(json_parse('1.5'))", True), ("is_float(json_parse('\"a\"'))", False)),
    _is(
        "is_char",
        f"json_type({{0}}) = 'VARCHAR' AND strlen({_TEXT}) = length({_TEXT})",
        ("is_char(json_parse('\"t\"'))", True),
    ),
    _is(
        "is_varchar",
        "json_type({0}) = 'VARCHAR'",
        ("is_varchar(json_parse('\"t\"'))", True),
        ("is_varchar(json_parse('1'))", False),
    ),
    function(
        "decimal_precision",
        "super",
        "int",
        f"CAST(CASE WHEN {_NUMBER} THEN length(ltrim(regexp_replace({_TEXT}, '[-.]', '', 'g'), '0')) END AS INTEGER)",
        "r_decimal_precision",
        ("decimal_precision(json_parse('3.14159'))", 6),
    ),
    function(
        "decimal_scale",
        "super",
        "int",
        f"CAST(CASE WHEN {_NUMBER} THEN length(split_part({_TEXT}, '.', 2)) END AS INTEGER)",
        "r_decimal_scale",
        ("decimal_scale(json_parse('3.14159'))", 5),
    ),
)
