# ruff: noqa: E501 - lines of SQL and of tables
"""Functions of texts. https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html"""

from __future__ import annotations

import re
from collections.abc import Callable

from local_cloud.services.redshift.errors import NotSupported
from local_cloud.services.redshift.sql import kinds, operators
from local_cloud.services.redshift.sql.functions.table import Call, first, function
from local_cloud.services.redshift.sql.kinds import Kind


def _literal_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _of_bytes(call: Call) -> bool:
    return call.types[0].this in kinds.BYTES


def _text_or_bytes(call: Call) -> Kind:
    return first(call) if _of_bytes(call) else kinds.kind("varchar")


def substring(call: Call) -> str:
    """A start before the first character takes as many characters less."""
    value, start = operators.to_text(call.arguments[0], call.types[0]), f"CAST({call.arguments[1]} AS BIGINT)"
    if _of_bytes(call):
        value = call.arguments[0]
        size = f"system.main.octet_length({value})"
        begin = f"greatest({start}, 1)"
        end = f"least({start} + CAST({call.arguments[2]} AS BIGINT), {size} + 1)" if len(call) == 3 else f"({size} + 1)"
        return f"unhex(substr(hex({value}), 2 * {begin} - 1, greatest(0, 2 * ({end} - {begin}))))"
    if len(call) == 2:
        return f"substring({value}, greatest({start}, 1))"
    size = f"CAST({call.arguments[2]} AS BIGINT)"
    return f"substring({value}, greatest({start}, 1), greatest(least({start}, 1) + {size} - 1, 0))"


def _length(call: Call) -> str:
    if _of_bytes(call):
        return f"CAST(system.main.octet_length({call.arguments[0]}) AS INTEGER)"
    return f"CAST(length({operators.to_text(call.arguments[0], call.types[0])}) AS INTEGER)"


def _concat(call: Call) -> str:
    """NULL when a part is; DuckDB's skips it."""
    parts = [
        part if kind.this in kinds.BYTES else operators.to_text(part, kind)
        for part, kind in zip(call.arguments, call.types, strict=True)
    ]
    return f"({' || '.join(parts)})"


# Regular expressions


def _pattern(call: Call, flags: str) -> str:
    """The pattern as RE2 takes it. Look-around of PCRE is none of it."""
    if "p" in flags and re.search(r"\(\?<?[=!]", call.literal(1)):
        raise NotSupported(f"{call.name.upper()} with a look-around of PCRE is not supported by the local warehouse")
    return f"'(?{'i' if 'i' in flags else ''}s)' || {call.arguments[1]}" if "i" in flags else call.arguments[1]


def _from(call: Call, position: str) -> str:
    return (
        call.arguments[0]
        if position == "1"
        else f"substring({call.arguments[0]}, greatest(CAST({position} AS BIGINT), 1))"
    )


def _group(call: Call, flags: str) -> int:
    """1 where the parameter `e` asks for the pattern's first subexpression, if it has one."""
    return int("e" in flags and bool(re.search(r"(?<!\\)\((?!\?)", call.literal(1))))


def _regexp_count(call: Call) -> str:
    flags = call.literal(3)
    return f"CAST(len(regexp_extract_all({_from(call, call.argument(2, '1'))}, {_pattern(call, flags)})) AS INTEGER)"


def _regexp_substr(call: Call) -> str:
    flags = call.literal(4)
    source, occurrence = _from(call, call.argument(2, "1")), call.argument(3, "1")
    found = f"regexp_extract_all({source}, {_pattern(call, flags)}, {_group(call, flags)})"
    return f"CASE WHEN {source} IS NOT NULL AND {call.arguments[1]} IS NOT NULL THEN coalesce(list_extract({found}, {occurrence}), '') END"


def _regexp_instr(call: Call) -> str:
    """The place of a match: the lengths of what precedes it, matches and texts between them."""
    flags = call.literal(5)
    source, pattern = _from(call, call.argument(2, "1")), _pattern(call, flags)
    occurrence, option = call.argument(3, "1"), call.argument(4, "0")
    if _group(call, flags):
        raise NotSupported("REGEXP_INSTR with the parameter e is not supported by the local warehouse")
    return f"redshift_regexp_instr({source}, {pattern}, {occurrence}, {option}, {call.argument(2, '1')})"


def _regexp_replace(call: Call) -> str:
    flags = call.literal(4)
    position = call.argument(3, "1")
    replacement = call.argument(2, "''")
    if len(call) > 2:
        # Redshift refers to a group by $1, RE2 by \1.
        replacement = f"regexp_replace(replace({replacement}, '\\', '\\\\'), '\\$(\\d)', '\\\\\\1', 'g')"
    done = f"regexp_replace({_from(call, position)}, {_pattern(call, flags)}, {replacement}, 'g')"
    if position == "1":
        return done
    return f"(substring({call.arguments[0]}, 1, greatest(CAST({position} AS BIGINT), 1) - 1) || {done})"


def _insensitive(call: Call) -> str:
    how = call.literal(1).lower()
    if how not in ("case_sensitive", "case_insensitive"):
        raise NotSupported(f'collation "{how}" is not supported; case_sensitive and case_insensitive are')
    return f"({call.arguments[0]} COLLATE NOCASE)" if how == "case_insensitive" else call.arguments[0]


_COMPARED = "CASE WHEN rtrim({0}, ' ') < rtrim({1}, ' ') THEN -1 WHEN rtrim({0}, ' ') > rtrim({1}, ' ') THEN 1 WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN 0 END"


def _hash2(call: Call) -> str:
    bits = call.literal(1)
    if bits in ("0", "256"):
        return f"sha256({call.arguments[0]})"
    if bits not in ("224", "384", "512"):
        return "NULL"
    raise NotSupported(f"SHA2 with {bits} bits is not supported by the local warehouse; 256 is")


def _trimmed(how: str) -> Callable[[Call], str]:
    return lambda call: f"{how}({', '.join([*call.arguments, *([] if len(call) > 1 else [_literal_text(' ')])])})"


def _pad(how: str) -> Callable[[Call], str]:
    return lambda call: (
        f"{how}({call.arguments[0]}, greatest(CAST({call.arguments[1]} AS INTEGER), 0), {call.argument(2, _literal_text(' '))})"
    )


def _to_bytes(value: str, form: str) -> str:
    form = form.lower().replace("-", "")
    if form == "hex":
        return f"unhex(CASE WHEN length({value}) % 2 = 1 THEN '0' || {value} ELSE {value} END)"
    if form == "utf8":
        return f"encode({value})"
    if form == "binary":
        return f"unbin({value})"
    raise NotSupported(
        f"TO_VARBYTE with the format {form} is not supported by the local warehouse; hex, binary and utf8 are"
    )


def _from_bytes(call: Call) -> str:
    value = call.arguments[0] if _of_bytes(call) else f"encode({call.arguments[0]})"
    form = call.literal(1).lower().replace("-", "")
    if form == "hex":
        return f"lower(hex({value}))"
    if form == "utf8":
        return f"decode({value})"
    if form == "binary":
        return f"CAST(CAST({value} AS BIT) AS VARCHAR)"
    raise NotSupported(
        f"FROM_VARBYTE with the format {form} is not supported by the local warehouse; hex, binary and utf8 are"
    )


ROWS = (
    function(
        "len",
        "any",
        "int",
        _length,
        "r_LEN",
        ("len('français')", 8),
        ("len('cat   ')", 6),
        ("len('abc'::varbyte)", 3),
        ("len(null::varchar)", None),
    ),
    function("length", "any", "int", _length, "r_LENGTH", ("length('cat')", 3), column="length"),
    function("char_length", "text", "int", _length, "r_CHAR_LENGTH", ("char_length('é')", 1)),
    function("character_length", "text", "int", _length, "r_CHARACTER_LENGTH", ("character_length('é')", 1)),
    function("textlen", "text", "int", _length, "r_TEXTLEN", ("textlen('ab')", 2)),
    function(
        "octet_length",
        "any",
        "int",
        lambda call: (
            f"CAST({'system.main.octet_length' if _of_bytes(call) else 'strlen'}({call.arguments[0]}) AS INTEGER)"
        ),
        "r_OCTET_LENGTH",
        ("octet_length('français')", 9),
        ("octet_length('abc'::varbyte)", 3),
    ),
    function(
        "octetindex",
        "text text",
        "int",
        "CAST(CASE WHEN strpos({1}, {0}) = 0 THEN 0 ELSE strlen(left({1}, strpos({1}, {0}) - 1)) + 1 END AS INTEGER)",
        "OCTETINDEX",
        ("octetindex('AWS', 'Amazon AWS')", 8),
        ("octetindex('AWS', 'Άμαζον AWS')", 14),
        ("octetindex('x', 'abc')", 0),
    ),
    function("upper", "text", "varchar", "upper({0})", "r_UPPER", ("upper('aé')", "AÉ")),
    function("lower", "text", "varchar", "lower({0})", "r_LOWER", ("lower('AÉ')", "aé")),
    function(
        "initcap",
        "text",
        "varchar",
        "redshift_initcap({0})",
        "r_INITCAP",
        ("initcap('AMAZON redshift-spectrum')", "Amazon Redshift-Spectrum"),
        ("initcap('urna.Ut@egetdictumplacerat.edu')", "Urna.Ut@Egetdictumplacerat.Edu"),
        ("initcap('all non-musical theatre')", "All Non-Musical Theatre"),
    ),
    function("left", "text int", "varchar", "left({0}, {1})", "r_LEFT", ("left('Chicago',5)", "Chica")),
    function("right", "text int", "varchar", "right({0}, {1})", "r_LEFT", ("right('Chicago',5)", "icago")),
    function(
        "substring substr",
        "any int int?",
        _text_or_bytes,
        substring,
        "r_SUBSTRING",
        ("substring('caterpillar',6,4)", "pill"),
        ("substring('caterpillar',6,8)", "pillar"),
        ("substring('caterpillar',-2,6)", "cat"),
        ("substring('caterpillar',-5,4)", ""),
        ("substring('abc'::varbyte, -3)", b"abc"),
        ("substring('abc'::varbyte, 2, 10)", b"bc"),
        ("substring('abc'::varbyte, 2, 1)", b"b"),
        ("substring(timestamp '2008-01-24 06:43:29', 6, 2)", "01"),
        ("substring('caterpillar' from 6 for 4)", "pill"),
        ("substr('abc', 0)", "abc"),
    ),
    function(
        "charindex",
        "text text",
        "int",
        "CAST(strpos({1}, {0}) AS INTEGER)",
        "r_CHARINDEX",
        ("charindex('fish', 'dogfish')", 4),
        ("charindex('x','abc')", 0),
    ),
    function(
        "position",
        "text text",
        "int",
        "CAST(strpos({1}, {0}) AS INTEGER)",
        "r_POSITION",
        ("position('fish' in 'dogfish')", 4),
    ),
    function(
        "strpos", "text text", "int", "CAST(strpos({0}, {1}) AS INTEGER)", "r_STRPOS", ("strpos('dogfish', 'fish')", 4)
    ),
    function("textpos", "text text", "int", "CAST(strpos({0}, {1}) AS INTEGER)", "r_STRPOS"),
    function(
        "replace",
        "text text text",
        "varchar",
        "replace({0}, {1}, {2})",
        "r_REPLACE",
        ("replace('Shows', 'Shows', 'Theatre')", "Theatre"),
    ),
    function(
        "translate",
        "text text text",
        "varchar",
        "translate({0}, {1}, {2})",
        "r_TRANSLATE",
        ("translate('mint tea', 'inea', 'osin')", "most tin"),
        ("translate('your.email@example.com', '@.', '')", "youremailexamplecom"),
        ("translate('St. George', ' .', '_')", "St_George"),
    ),
    function(
        "reverse", "text", "varchar", "reverse({0})", "r_REVERSE", ("reverse('abc')", "cba"), ("reverse(20)", "02")
    ),
    function("repeat", "text int", "varchar", "repeat({0}, {1})", "r_REPEAT", ("repeat('abc', 2)", "abcabc")),
    function("replicate", "text int", "varchar", "repeat({0}, {1})", "r_REPLICATE", ("replicate('a', 3)", "aaa")),
    function(
        "lpad",
        "text int text?",
        "varchar",
        _pad("lpad"),
        "r_LPAD",
        ("lpad('Salome', 8)", "  Salome"),
        ("lpad('The Book of Mormon', 3)", "The"),
        ("lpad('a', -1)", ""),
    ),
    function(
        "rpad",
        "text int text?",
        "varchar",
        _pad("rpad"),
        "r_LPAD",
        ("rpad('Salome',20,'0123456789')", "Salome01234567890123"),
    ),
    function(
        "ltrim",
        "text text?",
        "varchar",
        _trimmed("ltrim"),
        "r_LTRIM",
        ("ltrim('2008-01-24','2008-')", "1-24"),
        ("ltrim('  a ')", "a "),
    ),
    function(
        "rtrim",
        "text text?",
        "varchar",
        _trimmed("rtrim"),
        "r_RTRIM",
        ("rtrim('The Home Depot Center','Park')", "The Home Depot Cente"),
        ("rtrim(' a  ')", " a"),
    ),
    function(
        "btrim trim",
        "text text?",
        "varchar",
        _trimmed("trim"),
        "r_BTRIM",
        ("btrim('xyzaxyzbxyzcxyz', 'xyz')", "axyzbxyzc"),
        ("btrim('     abc     ')", "abc"),
        ("trim('\"' FROM '\"dog\"')", "dog"),
        ("trim('Columbia Park', 'CDG')", "olumbia Park"),
        column="btrim",
    ),
    function(
        "concat",
        "any any",
        _text_or_bytes,
        _concat,
        "r_CONCAT",
        ("concat('December 25, ', '2008')", "December 25, 2008"),
        ("concat('a', null)", None),
        ("concat('abc'::varbyte, 'def'::varbyte)", b"abcdef"),
        ("concat(' seats ', nvl(null, 0))", " seats 0"),
    ),
    function(
        "split_part",
        "text text int",
        "varchar",
        lambda call: f"redshift_split_part({', '.join(call.arguments)})",
        "SPLIT_PART",
        ("split_part('abc$def$ghi','$',2)", "def"),
        ("split_part('abc$def$ghi','$',4)", ""),
        ("split_part('2008-03-05 12:25:29','-',2)", "03"),
    ),
    function("chr", "int", "varchar", "chr(CAST({0} AS INTEGER))", "r_CHR", ("chr(65)", "A")),
    function("ascii", "text", "int", "ascii({0})", "r_ASCII", ("ascii('amazon')", 97), ("ascii('')", 0)),
    function(
        "quote_literal",
        "text",
        "varchar",
        "'''' || replace({0}, '''', '''''') || ''''",
        "r_QUOTE_LITERAL",
        ("quote_literal('it''s')", "'it''s'"),
    ),
    function(
        "quote_ident",
        "text",
        "varchar",
        "'\"' || replace({0}, '\"', '\"\"') || '\"'",
        "r_QUOTE_IDENT",
        ("quote_ident('MLB')", '"MLB"'),
    ),
    function(
        "bpcharcmp",
        "text text",
        "int",
        _COMPARED,
        "r_BPCHARCMP",
        ("bpcharcmp('Rafael','Taylor')", -1),
        ("bpcharcmp('Chase ','Chase')", 0),
    ),
    function(
        "bttext_pattern_cmp", "text text", "int", _COMPARED, "r_BTTEXT_PATTERN_CMP", ("bttext_pattern_cmp('b','a')", 1)
    ),
    function(
        "collate",
        "text literal",
        "varchar",
        _insensitive,
        "r_COLLATE",
        ("collate('Daniel','case_insensitive') = 'DANIEL'", True),
    ),
    function(
        "regexp_count",
        "text text int? literal?",
        "int",
        _regexp_count,
        "REGEXP_COUNT",
        ("regexp_count('abcdefghijklmnopqrstuvwxyz', '[a-z]{3}')", 8),
        ("regexp_count('the fox', 'FOX', 1, 'i')", 1),
        ("regexp_count('aaa', 'a', 3)", 1),
    ),
    function(
        "regexp_instr",
        "text text int? int? int? literal?",
        "int",
        _regexp_instr,
        "REGEXP_INSTR",
        ("regexp_instr('the fox', 'FOX', 1, 1, 0, 'i')", 5),
        ("regexp_instr('a@b.c', '@[^.]*')", 2),
        ("regexp_instr('a@b.c', '@[^.]*', 1, 1, 1)", 4),
        ("regexp_instr('abab', 'b', 1, 2)", 4),
        ("regexp_instr('abab', 'b', 3)", 4),
        ("regexp_instr('abc', 'z')", 0),
    ),
    function(
        "regexp_replace",
        "text text text? int? literal?",
        "varchar",
        _regexp_replace,
        "REGEXP_REPLACE",
        ("regexp_replace('the fox', 'FOX', 'quick brown fox', 1, 'i')", "the quick brown fox"),
        ("regexp_replace('a@b.org', '@.*\\\\.(org|gov)$')", "a"),
        ("regexp_replace('aXbXc','X','-',3)", "aXb-c"),
        ("regexp_replace('a1b','([0-9])','<$1>')", "a<1>b"),
    ),
    function(
        "regexp_substr",
        "text text int? int? literal?",
        "varchar",
        _regexp_substr,
        "REGEXP_SUBSTR",
        ("regexp_substr('the fox', 'FOX', 1, 1, 'i')", "fox"),
        ("regexp_substr('abc','z')", ""),
        ("regexp_substr('THE SECRET CODE IS THE LOWERCASE PART OF 1931abc0EZ.', '[a-z]+', 1, 1, 'c')", "abc"),
        ("regexp_substr('This is a cat, this is a dog. This is a mouse.', 'this is a (\\\\w+)', 1, 2, 'ie')", "dog"),
        ("regexp_substr('a@b.c','@[^.]*')", "@b"),
    ),
    function(
        "soundex",
        "text",
        "varchar",
        "redshift_soundex({0})",
        "SOUNDEX",
        ("soundex('AWS Amazon')", "A252"),
        ("soundex('+-*/%')", ""),
        ("soundex('Amazon')", "A525"),
    ),
    function(
        "difference",
        "text text",
        "int",
        "redshift_difference({0}, {1})",
        "DIFFERENCE",
        ("difference('Amazon', '+-*/%')", 0),
        ("difference('AC/DC', 'Ay See Dee See')", 4),
    ),
    function(
        "md5", "any", "varchar", "md5({0})", "r_MD5", ("md5('Amazon Redshift')", "f7415e33f972c03abd4f3fed36748f7a")
    ),
    function(
        "sha sha1 func_sha1",
        "any",
        "varchar",
        "sha1({0})",
        "FUNC_SHA1",
        ("sha1('a')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    ),
    function(
        "sha2",
        "any literal",
        "varchar",
        _hash2,
        "SHA2",
        ("sha2('Amazon Redshift', 256)", "15013dc10bc5b293f1f66ea28d818387f191cafeb26f89639fae0b4acf9c8772"),
    ),
    function(
        "to_varbyte",
        "text literal",
        "varbyte",
        lambda call: _to_bytes(call.arguments[0], call.literal(1)),
        "r_TO_VARBYTE",
        ("to_varbyte('6162', 'hex')", b"ab"),
        ("to_varbyte('01001101', 'binary')", b"M"),
        ("to_varbyte('a', 'utf8')", b"a"),
        ("to_varbyte('4', 'hex')", b"\x04"),
    ),
    function(
        "from_varbyte",
        "any literal",
        "varchar",
        _from_bytes,
        "r_FROM_VARBYTE",
        ("from_varbyte('ab', 'hex')", "6162"),
        ("from_varbyte(from_hex('4d'), 'binary')", "01001101"),
        ("from_varbyte('ab'::varbyte, 'utf-8')", "ab"),
    ),
    function("from_hex", "text", "varbyte", "unhex({0})", "r_FROM_HEX", ("from_hex('6162')", b"ab")),
    function(
        "getbit get_bit",
        "bytes int",
        "int",
        "CAST(get_bit(CAST({0} AS BIT), CAST(system.main.octet_length({0}) * 8 - 1 - {1} AS INTEGER)) AS INTEGER)",
        "r_GETBIT",
        ("getbit(from_hex('4d'), 2)", 1),
        ("getbit(from_hex('4d'), 7)", 0),
        ("getbit(from_hex('4d'), 6)", 1),
    ),
)
