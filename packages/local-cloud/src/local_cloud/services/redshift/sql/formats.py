# ruff: noqa: E501 - lines of SQL and of tables
"""TO_CHAR, TO_DATE, TO_TIMESTAMP and TO_NUMBER: a format, worked out before the query runs, as DuckDB SQL.

https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html
https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_formating.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from local_cloud.services.redshift.errors import NotSupported
from local_cloud.services.redshift.sql import kinds
from local_cloud.services.redshift.sql.kinds import Kind

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
_ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _one_of(names: list[str], number: str) -> str:
    return f"list_extract([{', '.join(text(name) for name in names)}], CAST({number} AS INTEGER))"


def _cased(names: list[str], token: str) -> list[str]:
    if token.isupper():
        return [name.upper() for name in names]
    return [name.lower() if token.islower() else name for name in names]


def _padded(names: list[str], *, width: int) -> list[str]:
    return [name.ljust(width) for name in names]


def _digits(number: str, width: int) -> str:
    return f"lpad(CAST({number} AS VARCHAR), {width}, '0')"


#: Numbers of a moment `{x}`: expression and width.
_NUMBERS = {
    "YYYY": ("year({x})", 4),
    "YYY": ("year({x}) % 1000", 3),
    "YY": ("year({x}) % 100", 2),
    "Y": ("year({x}) % 10", 1),
    "IYYY": ("isoyear({x})", 4),
    "IYY": ("isoyear({x}) % 1000", 3),
    "IY": ("isoyear({x}) % 100", 2),
    "I": ("isoyear({x}) % 10", 1),
    "MM": ("month({x})", 2),
    "DDD": ("dayofyear({x})", 3),
    "IDDD": ("(week({x}) - 1) * 7 + isodow({x})", 3),
    "DD": ("day({x})", 2),
    "D": ("dayofweek({x}) + 1", 1),
    "ID": ("isodow({x})", 1),
    "W": ("(day({x}) - 1) // 7 + 1", 1),
    "WW": ("(dayofyear({x}) - 1) // 7 + 1", 2),
    "IW": ("week({x})", 2),
    "Q": ("quarter({x})", 1),
    "CC": ("(year({x}) - 1) // 100 + 1", 2),
    "J": ("date_diff('day', DATE '2000-01-01', CAST({x} AS DATE)) + 2451545", 7),
    "HH24": ("hour({x})", 2),
    "HH12": ("(hour({x}) + 11) % 12 + 1", 2),
    "HH": ("(hour({x}) + 11) % 12 + 1", 2),
    "MI": ("minute({x})", 2),
    "SSSS": ("hour({x}) * 3600 + minute({x}) * 60 + second({x})", 1),
    "SS": ("second({x})", 2),
    "MS": ("date_part('microsecond', {x}) // 1000 % 1000", 3),
    "US": ("date_part('microsecond', {x}) % 1000000", 6),
}
_WORDS = (
    "MONTH",
    "MON",
    "DAY",
    "DY",
    "RM",
    "AM",
    "PM",
    "A.M.",
    "P.M.",
    "BC",
    "AD",
    "B.C.",
    "A.D.",
    "TZ",
    "OF",
    "Y,YYY",
)
_TOKEN = re.compile(
    r'(FM)|"([^"]*)"|(' + "|".join(sorted(map(re.escape, (*_NUMBERS, *_WORDS)), key=len, reverse=True)) + r")(TH)?|(.)",
    re.IGNORECASE | re.DOTALL,
)


def _tokens(written: str) -> Iterator[tuple[str, str, bool, str]]:
    """Token as written, in upper case, whether FM precedes it, and its ordinal suffix. A literal has no upper case."""
    fill = False
    for mark, quoted, token, ordinal, other in _TOKEN.findall(written):
        if mark:
            fill = True
            continue
        if token:
            yield token, token.upper(), fill, ordinal
        else:
            yield quoted or other, "", fill, ""
        fill = False


def to_char(value: str, kind: Kind, written: str) -> str:
    """The text of a moment or of a number."""
    if kind.this in kinds.NUMBERS:
        return _number_to_char(value, kind, written)
    if kind.this in kinds.TEXTS:
        value = f"redshift_timestamp({value})"
    elif kind.this in kinds.TIMES:
        raise NotSupported("TO_CHAR of a TIME is not supported by the local warehouse")
    elif not kinds.is_known(kind):
        value = f"CAST({value} AS TIMESTAMP)"
    parts = [_moment_part(token, name, value, compact=fill, ordinal=th) for token, name, fill, th in _tokens(written)]
    return f"({' || '.join(parts or [text('')])})"


def _moment_part(token: str, name: str, value: str, *, compact: bool, ordinal: str) -> str:  # noqa: PLR0911 - a table of tokens
    if not name:
        return text(token)
    if name in _NUMBERS:
        number, width = _NUMBERS[name]
        number = f"({number.format(x=value)})"
        part = f"CAST({number} AS VARCHAR)" if compact or width == 1 else _digits(number, width)
        return part if not ordinal else f"{part} || {_ordinal(number, ordinal)}"
    if name == "Y,YYY":
        return f"CAST(year({value}) // 1000 AS VARCHAR) || ',' || {_digits(f'(year({value}) % 1000)', 3)}"
    if name in ("MONTH", "DAY"):
        names, number = (_MONTHS, f"month({value})") if name == "MONTH" else (_DAYS, f"dayofweek({value}) + 1")
        cased = _cased(names, token)
        return _one_of(cased if compact else _padded(cased, width=9), number)
    if name in ("MON", "DY"):
        names, number = (_MONTHS, f"month({value})") if name == "MON" else (_DAYS, f"dayofweek({value}) + 1")
        return _one_of(_cased([each[:3] for each in names], token), number)
    if name == "RM":
        cased = _cased(_ROMAN, token)
        return _one_of(cased if compact else _padded(cased, width=4), f"month({value})")
    if name == "TZ":
        return text("UTC" if token.isupper() else "utc")
    if name == "OF":
        return text("+00")
    dotted = "." in name
    first, second = ("AM", "PM") if name[0] in "AP" and "M" in name else ("AD", "BC")
    marks = [f"{each[0]}.{each[1]}." if dotted else each for each in (first, second)]
    marks = marks if token.isupper() else [mark.lower() for mark in marks]
    test = f"hour({value}) < 12" if first == "AM" else f"year({value}) > 0"
    return f"CASE WHEN {test} THEN {text(marks[0])} ELSE {text(marks[1])} END"


def _ordinal(number: str, written: str) -> str:
    suffix = (
        f"CASE WHEN {number} % 100 BETWEEN 11 AND 13 THEN 'th' WHEN {number} % 10 = 1 THEN 'st'"
        f" WHEN {number} % 10 = 2 THEN 'nd' WHEN {number} % 10 = 3 THEN 'rd' ELSE 'th' END"
    )
    return f"upper({suffix})" if written.isupper() else suffix


# Numbers


_NUMBER_TOKEN = re.compile(r'FM|PR|SG|MI|PL|RN|TH|EEEE|V|"[^"]*"|[09.,DGSL$]|.', re.IGNORECASE | re.DOTALL)


class _NumberFormat:
    """A numeric format, taken apart. `whole` and `fraction` hold 9, 0 and, in `whole`, the group separators."""

    def __init__(self, written: str) -> None:
        self.compact = self.roman = self.bracket = False
        self.point = ""
        self.before: list[str] = []
        self.whole: list[str] = []
        self.fraction: list[str] = []
        self.after: list[str] = []
        self.signed = False
        self.lower = written.islower()
        for token in _NUMBER_TOKEN.findall(written):
            self._take(token, token.upper())

    def _take(self, token: str, name: str) -> None:
        outside = self.after if self.whole or self.point else self.before
        if name == "FM":
            self.compact = True
        elif name == "RN":
            self.roman = True
        elif name in ("V", "EEEE", "TH"):
            raise NotSupported(f"the numeric format {name} is not supported by the local warehouse")
        elif name == "PR":
            self.bracket = self.signed = True
        elif name in ("S", "SG", "MI", "PL"):
            self.signed = True
            outside.append(name)
        elif name in ("L", "$"):
            outside.append("$")
        elif name in (".", "D"):
            self.point = "."
        elif name in ("9", "0"):
            (self.fraction if self.point else self.whole).append(name)
        elif name in (",", "G"):
            self.whole.append(",")
        else:
            outside.append("=" + token.strip('"'))

    @property
    def width(self) -> int:
        return sum(part in "90" for part in self.whole)

    @property
    def scale(self) -> int:
        return len(self.fraction)


def _number_to_char(value: str, kind: Kind, written: str) -> str:  # noqa: PLR0912, PLR0915 - the pieces in their order
    form = _NumberFormat(written)
    if form.roman:
        return _roman(value, compact=form.compact, lower=form.lower)
    exact = f"CAST({value} AS DECIMAL(38,{form.scale}))"
    digits = f"CAST(abs({exact}) AS VARCHAR)"
    whole = f"split_part({digits}, '.', 1)"
    # `.5` for 0.5 where the format has no digit that asks for a zero.
    shown = f"(CASE WHEN {whole} = '0' AND {form.scale} > 0 THEN '' ELSE {whole} END)"
    filled = f"lpad({shown}, {form.width}, ' ')"
    pieces, seen, zero = [], 0, False
    for part in form.whole:
        if part == ",":
            left = f"trim(substr({filled}, 1, {seen}))"
            pieces.append("','" if zero else f"CASE WHEN {left} = '' THEN ' ' ELSE ',' END")
            continue
        seen += 1
        zero = zero or part == "0"
        character = f"substr({filled}, {seen}, 1)"
        pieces.append(f"replace({character}, ' ', '0')" if zero else character)
    number = f"({' || '.join(pieces)})" if pieces else "''"
    # Signs and `$S` stand directly before the first digit; blanks come first.
    blanks = f"repeat(' ', length({number}) - length(ltrim({number})))"
    body = f"ltrim({number})"
    if form.scale or form.point:
        fraction = f"split_part({digits}, '.', 2)" if form.scale else "''"
        if form.compact and "9" in form.fraction:
            keep = len("".join(form.fraction).rstrip("9"))
            fraction = f"(left({fraction}, {keep}) || rtrim(substr({fraction}, {keep + 1}), '0'))"
        body += f" || '.' || {fraction}"
    negative = f"({exact} < 0)"
    before = "".join(mark for mark in form.before if mark == "$")
    signs_before = [mark for mark in form.before if mark in ("S", "SG", "MI", "PL")]
    lead = f"CASE WHEN {negative} THEN '-' ELSE ' ' END" if not form.signed else "''"
    result = f"{text(before)} || {blanks} || "
    if form.bracket:
        result += f"CASE WHEN {negative} THEN '<' ELSE ' ' END || {body} || CASE WHEN {negative} THEN '>' ELSE ' ' END"
    elif not form.signed:
        result = f"{text(before)} || {blanks} || {lead} || {body}"
    elif "S" in signs_before:
        result = f"{blanks} || {text(before)} || CASE WHEN {negative} THEN '-' ELSE '+' END || {body}"
    else:
        for mark in signs_before:
            result = f"{_sign(mark, negative)} || {result}"
        result += body
    for mark in form.after:
        if mark in ("S", "SG", "MI", "PL"):
            result += f" || {_sign(mark, negative)}"
        elif mark == "$" or mark.startswith("="):
            result += f" || {text(mark.removeprefix('='))}"
    literal = "".join(mark.removeprefix("=") for mark in form.before if mark.startswith("="))
    if literal:
        result = f"{text(literal)} || {result}"
    if form.compact:
        result = f"trim({result})"
    overflow = "#" * form.width + (form.point and "." + "#" * form.scale)
    pattern = text(overflow)
    if not form.signed and not form.compact:
        pattern = f"CASE WHEN {negative} THEN '-' ELSE ' ' END || {pattern}"
    return f"(CASE WHEN {value} IS NULL THEN NULL WHEN length({whole}) > {form.width} AND {whole} <> '0' THEN {pattern} ELSE {result} END)"


def _sign(mark: str, negative: str) -> str:
    absent = {"S": "+", "SG": "+", "MI": " ", "PL": "+"}[mark]
    present = " " if mark == "PL" else "-"
    return f"CASE WHEN {negative} THEN '{present}' ELSE '{absent}' END"


def _roman(value: str, *, compact: bool, lower: bool) -> str:
    whole = f"CAST(round({value}) AS INTEGER)"
    digits = (
        ["", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"],
        ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"],
        ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"],
    )
    parts = [f"repeat('M', {whole} // 1000)"]
    for names, unit in zip(digits, (100, 10, 1), strict=True):
        parts.append(_one_of(names, f"{whole} // {unit} % 10 + 1"))
    number = f"({' || '.join(parts)})"
    number = f"lower({number})" if lower else number
    number = number if compact else f"lpad({number}, 15, ' ')"
    return f"(CASE WHEN {whole} BETWEEN 1 AND 3999 THEN {number} WHEN {value} IS NOT NULL THEN '###############' END)"


def number_kind(written: str) -> Kind:
    """The DECIMAL that TO_NUMBER reads by a format."""
    form = _NumberFormat(written)
    return kinds.decimal(max(form.width + form.scale, 1), form.scale)


def to_number(value: str, written: str) -> str:
    """A text's digits, its sign before or behind them; an error where there are none."""
    kind = number_kind(written)
    digits = rf"regexp_replace({value}, '[^0-9.]', '', 'g')"
    negative = rf"regexp_matches({value}, '[-<]')"
    return (
        f"CAST(CASE WHEN regexp_full_match({digits}, '[0-9]*[.]?[0-9]*') AND regexp_matches({digits}, '[0-9]')"
        f" THEN CASE WHEN {negative} THEN '-' ELSE '' END || {digits}"
        f" WHEN {value} IS NOT NULL THEN error('invalid input syntax for type numeric: \"' || {value} || '\"') END AS {kind.sql()})"
    )


# Reading moments


_FIELDS = {
    "YYYY": r"\d{1,4}", "YYY": r"\d{1,3}", "YY": r"\d{1,2}", "Y": r"\d", "Y,YYY": r"\d,\d{3}", "MM": r"\d{1,2}", "DD": r"\d{1,2}", "DDD": r"\d{1,3}",
    "HH24": r"\d{1,2}", "HH12": r"\d{1,2}", "HH": r"\d{1,2}", "MI": r"\d{1,2}", "SS": r"\d{1,2}", "MS": r"\d{1,3}", "US": r"\d{1,6}",
    "SSSS": r"\d{1,5}", "J": r"\d+", "Q": r"\d", "D": r"\d", "ID": r"\d", "W": r"\d", "WW": r"\d{1,2}", "IW": r"\d{1,2}", "CC": r"\d{1,2}",
    "MON": "[A-Za-z]{3}", "MONTH": "[A-Za-z]+", "DAY": "[A-Za-z]+", "DY": "[A-Za-z]{3}", "RM": "[IVXivx]+",
    "AM": "[AaPp][Mm]", "PM": "[AaPp][Mm]", "A.M.": r"[AaPp]\.[Mm]\.", "P.M.": r"[AaPp]\.[Mm]\.",
}  # fmt: skip
_SKIPPED = {"Q", "D", "ID", "W", "WW", "IW", "CC", "DAY", "DY"}


class _Reading:
    """A format as a regular expression with a group for each field, and what the groups make of a text."""

    def __init__(self, value: str, written: str) -> None:
        self.value = value
        self.groups: dict[str, int] = {}
        self.exact = False
        pattern = []
        for token, name, _, _ in _tokens(written):
            if not name:
                pattern.append(
                    r"\s*"
                    if token.isspace()
                    else rf"\s*{re.escape(token)}?\s*"
                    if not token.isalnum()
                    else re.escape(token)
                )
                continue
            if name not in _FIELDS:
                raise NotSupported(f"the format {token} is not supported for reading dates by the local warehouse")
            self.groups[name] = len(self.groups) + 1
            pattern.append(f"({_FIELDS[name]})")
        self.pattern = r"\s*" + "".join(pattern)

    def field(self, *names: str) -> str | None:
        for name in names:
            if name in self.groups:
                return f"regexp_extract({self.value}, {text(self.pattern)}, {self.groups[name]})"
        return None

    def number(self, *names: str, default: int) -> str:
        found = self.field(*names)
        return f"CAST(replace({found}, ',', '') AS INTEGER)" if found else str(default)

    def year(self) -> str:
        if two := self.field("YY"):
            number = f"CAST({two} AS INTEGER)"
            return f"({number} + CASE WHEN {number} < 70 THEN 2000 ELSE 1900 END)"
        if three := self.field("YYY"):
            return f"(CAST({three} AS INTEGER) + 2000)"
        if one := self.field("Y"):
            return f"(CAST({one} AS INTEGER) + 2020)"
        return self.number("YYYY", "Y,YYY", default=1)

    def month(self) -> str:
        if name := self.field("MON", "MONTH"):
            names = [each[:3].lower() for each in _MONTHS]
            return f"list_position([{', '.join(map(text, names))}], lower(left({name}, 3)))"
        if roman := self.field("RM"):
            return f"list_position([{', '.join(map(text, _ROMAN))}], upper({roman}))"
        return self.number("MM", default=1)

    def date(self, *, strict: bool) -> str:
        if julian := self.field("J"):
            return f"(DATE '2000-01-01' + (CAST({julian} AS INTEGER) - 2451545))"
        if self.field("DDD"):
            return f"(make_date({self.year()}, 1, 1) + {self.number('DDD', default=1)} - 1)"
        year, month, day = self.year(), self.month(), self.number("DD", default=1)
        if not strict:
            return f"CAST(make_date({year}, 1, 1) + to_months({month} - 1) + to_days({day} - 1) AS DATE)"
        whole = f"{year} || '-' || {month} || '-' || {day}"
        return (
            f"(CASE WHEN TRY(make_date({year}, {month}, {day})) IS NULL AND {self.value} IS NOT NULL"
            f" THEN error('date/time field date value out of range: ' || {whole}) ELSE make_date({year}, {month}, {day}) END)"
        )

    def checked(self, result: str, kind: str) -> str:
        fault = f"error('invalid value for {kind}: \"' || {self.value} || '\"')"
        return f"(CASE WHEN {self.value} IS NULL OR regexp_matches({self.value}, {text('^' + self.pattern)}) THEN {result} ELSE {fault} END)"


def to_date(value: str, written: str, *, strict: bool) -> str:
    reading = _Reading(value, written)
    return f"CAST({reading.checked(reading.date(strict=strict), 'to_date')} AS DATE)"


def to_timestamp(value: str, written: str, *, strict: bool) -> str:
    """TIMESTAMPTZ: parts beyond their range carry over, unless `strict`."""
    reading = _Reading(value, written)
    hour = reading.number("HH24", "HH12", "HH", default=0)
    if mark := reading.field("AM", "PM", "A.M.", "P.M."):
        hour = f"({hour} % 12 + CASE WHEN lower(left({mark}, 1)) = 'p' THEN 12 ELSE 0 END)"
    minute, second = reading.number("MI", default=0), reading.number("SS", default=0)
    micro = "0"
    if found := reading.field("US"):
        micro = f"CAST(rpad({found}, 6, '0') AS INTEGER)"
    elif found := reading.field("MS"):
        micro = f"CAST(rpad({found}, 3, '0') AS INTEGER) * 1000"
    seconds = f"CAST({hour} AS BIGINT) * 3600 + {minute} * 60 + {second} + {reading.number('SSSS', default=0)}"
    moment = f"CAST({reading.date(strict=strict)} AS TIMESTAMP) + to_microseconds(({seconds}) * 1000000 + {micro})"
    if strict:
        outside = f"{hour} > 23 OR {minute} > 59 OR {second} > 59"
        shown = f"{hour} || ':' || {minute} || ':' || {second} || '.0'"
        moment = (
            f"CASE WHEN {outside} THEN error('date/time field time value out of range: ' || {shown}) ELSE {moment} END"
        )
    return f"(CAST({reading.checked(moment, 'to_timestamp')} AS TIMESTAMP) AT TIME ZONE 'UTC')"
