# ruff: noqa: E501 - lines of SQL and of tables
"""Functions of dates and times. https://docs.aws.amazon.com/redshift/latest/dg/Date_functions_header.html"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql import formats, kinds, zones
from local_cloud.services.redshift.sql.functions.table import Call, Function, function
from local_cloud.services.redshift.sql.kinds import Kind, Type

#: Date parts and their abbreviations.
#: https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
PARTS = {
    spelling: part
    for part, spellings in {
        "millennium": "millennia mil mils",
        "century": "centuries c cent cents",
        "decade": "decades dec decs",
        "epoch": "",
        "year": "years y yr yrs",
        "quarter": "quarters qtr qtrs",
        "month": "months mon mons",
        "week": "weeks w",
        "dow": "dayofweek dw weekday",
        "doy": "dayofyear dy yearday",
        "day": "days d",
        "hour": "hours h hr hrs",
        "minute": "minutes m min mins",
        "second": "seconds s sec secs",
        "millisecond": "milliseconds ms msec msecs msecond mseconds millisec millisecs millisecon",
        "microsecond": "microseconds us usec usecs usecond useconds microsec microsecs microsecon",
        "timezone": "",
        "timezone_hour": "",
        "timezone_minute": "",
    }.items()
    for spelling in [part, *spellings.split()]
}

_YEARS = {"year": 1, "decade": 10, "century": 100, "millennium": 1000}
_STEPS = {
    "quarter": "to_months(CAST(3 * ({n}) AS INTEGER))",
    "month": "to_months(CAST({n} AS INTEGER))",
    "week": "to_days(CAST(7 * ({n}) AS INTEGER))",
    "day": "to_days(CAST({n} AS INTEGER))",
    "hour": "to_hours(CAST({n} AS BIGINT))",
    "minute": "to_minutes(CAST({n} AS BIGINT))",
    "second": "to_seconds(CAST({n} AS DOUBLE))",
    "millisecond": "to_milliseconds(CAST({n} AS DOUBLE))",
    "microsecond": "to_microseconds(CAST({n} AS BIGINT))",
}


def part_of(written: str) -> str:
    """The date part that an abbreviation names."""
    part = PARTS.get(written.strip().lower())
    if part is None:
        raise SqlError(f'timestamp units "{written.lower()}" not recognized')
    return part


def _moved(call: Call) -> Kind:
    kind = call.types[2]
    return kind if kind.this in {Type.TIME, Type.TIMETZ, Type.TIMESTAMPTZ} else kinds.kind("timestamp")


def _dateadd(call: Call) -> str:
    part, count, value = part_of(call.literal(0)), call.arguments[1], call.arguments[2]
    if call.types[2].this is Type.DATE or not kinds.is_known(call.types[2]):
        value = f"CAST({value} AS TIMESTAMP)"
    if part in _YEARS:
        later = f"{value} + to_years(CAST({_YEARS[part]} * ({count}) AS INTEGER))"
        # February 29 a year later is March 1; a month later it is the month's last day.
        return f"(CASE WHEN day({later}) < day({value}) THEN {later} + INTERVAL 1 DAY ELSE {later} END)"
    if part not in _STEPS:
        raise SqlError(f'date part "{part}" is not supported for DATEADD')
    return f"({value} + {_STEPS[part].format(n=count)})"


def _datediff(call: Call) -> str:
    part = part_of(call.literal(0))
    if part not in _YEARS and part not in _STEPS:
        raise SqlError(f'date part "{part}" is not supported for DATEDIFF')
    begin, end = call.arguments[1:]
    if Type.TIMETZ in (call.types[1].this, call.types[2].this):
        begin, end = (f"redshift_utc_time({value})" for value in (begin, end))
    return f"date_diff('{part}', {begin}, {end})"


#: Parts that DuckDB counts otherwise, or does not cut to the part alone.
_EXTRACTED = {
    "millennium": "((year({0}) - 1) // 1000 + 1)",
    "century": "((year({0}) - 1) // 100 + 1)",
    "decade": "(year({0}) // 10 + 1)",
    "second": "system.main.floor(date_part('second', {0}))",
    "millisecond": "(date_part('microsecond', {0}) // 1000 % 1000)",
    "microsecond": "(date_part('microsecond', {0}) % 1000000)",
    "epoch": "system.main.floor(epoch({0}))",
}


def extract(part: str, value: str, kind: Kind) -> str:
    """One part of a moment, as an integer."""
    if kind.this in kinds.TIMES and part in ("epoch", "day", "month", "year", "week", "dow", "doy"):
        raise SqlError(f'"time" units "{part}" not recognized')
    text = _EXTRACTED.get(part, f"date_part('{part}', {{0}})").format(value)
    return f"CAST({text} AS {'BIGINT' if part == 'epoch' else 'INTEGER'})"


def _date_part(call: Call) -> str:
    part, value = part_of(call.literal(0)), call.arguments[1]
    if part == "second":
        return f"CAST(date_part('microsecond', {value}) / 1e6 AS DOUBLE)"
    if part == "epoch":
        return f"CAST(epoch({value}) AS DOUBLE)"
    return f"CAST({extract(part, value, call.types[1])} AS DOUBLE)"


def _date_trunc(call: Call) -> str:
    part, value = part_of(call.literal(0)), call.arguments[1]
    if part in ("century", "millennium"):
        years = _YEARS[part]
        return f"make_timestamp((year({value}) - 1) // {years} * {years} + 1, 1, 1, 0, 0, 0.0)"
    return f"date_trunc('{part}', {value})"


def _trunc_kind(call: Call) -> Kind:
    return call.types[1] if call.types[1].this is Type.TIMESTAMPTZ else kinds.kind("timestamp")


def _compare(left: str, right: str, page: str, name: str, *examples: Any) -> Function:
    """`-1`, `0` or `1`; a date beside a timestamp is its midnight."""
    sql = (
        "CASE WHEN CAST({0} AS TIMESTAMP) < CAST({1} AS TIMESTAMP) THEN -1"
        " WHEN CAST({0} AS TIMESTAMP) > CAST({1} AS TIMESTAMP) THEN 1"
        " WHEN CAST({0} AS TIMESTAMP) = CAST({1} AS TIMESTAMP) THEN 0 END"
    )
    return function(name, f"{left} {right}", "int", sql, page, *examples)


def _convert_timezone(call: Call) -> str:
    source = "UTC" if len(call) == 2 else None
    *named, value = call.arguments
    value = f"CAST({value} AS TIMESTAMP)"
    indexes = [None, 0] if source else [0, 1]
    begin = zones.to_utc(value, "'UTC'" if indexes[0] is None else named[0], _zone_literal(call, indexes[0]))
    return f"CAST({zones.from_utc(begin, named[-1], _zone_literal(call, indexes[1]))} AS TIMESTAMP)"


def _zone_literal(call: Call, index: int | None) -> str | None:
    if index is None:
        return "UTC"
    try:
        return call.literal(index) if index else _plain(call, index)
    except NotSupported:
        return None


def _plain(call: Call, index: int) -> str | None:
    node = call.node.expressions[index]
    return node.name if isinstance(node, exp.Literal) else None


def _timezone(call: Call) -> str:
    zone, value = call.arguments
    return zones.at(value, call.types[1], zone, _plain(call, 0))


def _timezone_kind(call: Call) -> Kind:
    return kinds.kind("timestamp" if call.types[1].this is Type.TIMESTAMPTZ else "timestamptz")


def stamp(value: datetime.datetime) -> str:
    """A moment as DuckDB SQL."""
    return f"CAST('{value.isoformat(sep=' ')}' AS TIMESTAMP)"


_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _next_day(call: Call) -> str:
    written = call.literal(1).lower()
    found = [index for index, day in enumerate(_DAYS, 1) if len(written) >= 2 and day.startswith(written)]
    if written == "t" or not found:
        raise SqlError(f'invalid day of week: "{written}"')
    value = call.arguments[0]
    return f"CAST({value} + to_days(CAST((({found[0]} - isodow({value}) + 6) % 7) + 1 AS INTEGER)) AS DATE)"


def at(*parts: int) -> datetime.datetime:
    day, time = parts[:3], parts[3:] or (0,)
    return datetime.datetime.combine(datetime.date(*day), datetime.time(*time))  # type: ignore[arg-type]


def utc(*parts: int) -> datetime.datetime:
    return at(*parts).replace(tzinfo=datetime.timezone.utc)


def day(*parts: int) -> datetime.date:
    return datetime.date(*parts)


ROWS = (
    function(
        "dateadd date_add",
        "part number when",
        _moved,
        _dateadd,
        "r_DATEADD_function",
        ("dateadd(month,18,'2008-02-28')", at(2009, 8, 28)),
        ("dateadd(m,30,'2008-02-28')", at(2008, 2, 28, 0, 30)),
        ("dateadd(hour, 8, time '13:24:55')", datetime.time(21, 24, 55)),
        ("dateadd(hour, 12, time '13:24:55')", datetime.time(1, 24, 55)),
        ("dateadd(month,1,'2008-04-30')", at(2008, 5, 30)),
        ("dateadd(month,12,'2016-02-29')", at(2017, 2, 28)),
        ("dateadd(year, 1, '2016-02-29')", at(2017, 3, 1)),
        ("dateadd('qtr', -1, date '2008-02-28')", at(2007, 11, 28)),
        column="date_add",
    ),
    function(
        "datediff date_diff",
        "part when when",
        "bigint",
        _datediff,
        "r_DATEDIFF_function",
        ("datediff(week,'2009-01-01','2009-12-31')", 52),
        ("datediff(hour, '2023-01-01', '2023-01-03 05:04:03')", 53),
        ("datediff(qtr, '1998-07-01', date '2008-07-02')", 40),
        ("datediff(minute, time '20:00:00', time '21:00:00')", 60),
        ("datediff(year, '2008-12-31', '2009-01-01')", 1),
        column="date_diff",
    ),
    function(
        "date_part pgdate_part",
        "part when",
        "double precision",
        _date_part,
        "r_DATE_PART_function",
        ("date_part(minute, timestamp '20230104 04:05:06.789')", 5.0),
        ("date_part(week, timestamp '20220502 04:05:06.789')", 18.0),
        ("date_part(dayofweek, timestamp '20220502 04:05:06.789')", 1.0),
        ("date_part(millennium, timestamp '20220502 04:05:06.789')", 3.0),
        ("date_part(microsecond, timestamp '20220502 04:05:06.789')", 789000.0),
        ("date_part(month, date '20220502')", 5.0),
        ("date_part(sec, timestamp '2009-09-21 11:10:03.189717')", 3.189717),
        column="pgdate_part",
    ),
    function(
        "date_part_year",
        "date",
        "int",
        "CAST(year({0}) AS INTEGER)",
        "r_DATE_PART_YEAR",
        ("date_part_year(date '20220502 04:05:06.789')", 2022),
    ),
    function(
        "date_trunc",
        "part stamp",
        _trunc_kind,
        _date_trunc,
        "r_DATE_TRUNC",
        ("date_trunc('second', timestamp '20200430 04:05:06.789')", at(2020, 4, 30, 4, 5, 6)),
        ("date_trunc('quarter', timestamp '20200430 04:05:06.789')", at(2020, 4, 1)),
        ("date_trunc('millennium', timestamp '20200430 04:05:06.789')", at(2001, 1, 1)),
        ("date_trunc('week', timestamp '20220430 04:05:06.789')", at(2022, 4, 25)),
        ("date_trunc('month', date '2020-04-30')", at(2020, 4, 1)),
    ),
    function(
        "add_months",
        "stamp int",
        "timestamp",
        "redshift_add_months({0}, {1})",
        "r_ADD_MONTHS",
        ("add_months('2008-03-31',1)", at(2008, 4, 30)),
        ("add_months('2008-04-30',1)", at(2008, 5, 31)),
    ),
    function(
        "last_day",
        "date",
        "date",
        "last_day({0})",
        "r_LAST_DAY",
        ("last_day('2004-01-15'::date)", day(2004, 1, 31)),
        ("last_day(timestamp '2014-01-02 03:04:05')", day(2014, 1, 31)),
    ),
    function(
        "next_day",
        "date literal",
        "date",
        _next_day,
        "r_NEXT_DAY",
        ("next_day('2014-08-20','Tuesday')", day(2014, 8, 26)),
        ("next_day(date '2014-08-19','Tu')", day(2014, 8, 26)),
    ),
    function(
        "months_between",
        "stamp stamp",
        "double precision",
        "redshift_months_between({0}, {1})",
        "r_MONTHS_BETWEEN_function",
        ("months_between('1969-01-18', '1969-03-18')", -2.0),
        ("months_between('2024-03-31', '2024-02-29')", 1.0),
        ("round(months_between('2008-12-25 15:00:00', '2008-01-21 19:30:00'), 2)", 11.12),
    ),
    _compare(
        "date",
        "date",
        "r_DATE_CMP",
        "date_cmp",
        ("date_cmp('2008-01-01','2008-01-04')", -1),
        ("date_cmp('2008-01-05','2008-01-04')", 1),
    ),
    _compare(
        "date",
        "stamp",
        "r_DATE_CMP_TIMESTAMP",
        "date_cmp_timestamp",
        ("date_cmp_timestamp('2008-06-18', '2008-01-24 06:43:29')", 1),
    ),
    _compare(
        "date",
        "stamp",
        "r_DATE_CMP_TIMESTAMPTZ",
        "date_cmp_timestamptz",
        ("date_cmp_timestamptz('2008-06-18', '2008-06-18 00:00:00')", 0),
    ),
    _compare(
        "stamp",
        "stamp",
        "r_TIMESTAMP_CMP",
        "timestamp_cmp",
        ("timestamp_cmp('2008-01-24 06:43:29', '2008-01-24 06:43:29')", 0),
    ),
    _compare(
        "stamp",
        "date",
        "r_TIMESTAMP_CMP_DATE",
        "timestamp_cmp_date",
        ("timestamp_cmp_date('2008-01-24 06:43:29', '2008-06-18')", -1),
    ),
    _compare(
        "stamp",
        "stamp",
        "r_TIMESTAMP_CMP_TIMESTAMPTZ",
        "timestamp_cmp_timestamptz",
        ("timestamp_cmp_timestamptz('2008-01-24', '2008-01-23')", 1),
    ),
    _compare(
        "stamp", "stamp", "r_TIMESTAMPTZ_CMP", "timestamptz_cmp", ("timestamptz_cmp('2008-01-24', '2008-01-23')", 1)
    ),
    _compare(
        "stamp",
        "date",
        "r_TIMESTAMPTZ_CMP_DATE",
        "timestamptz_cmp_date",
        ("timestamptz_cmp_date('2008-01-24', '2008-01-24')", 0),
    ),
    _compare(
        "stamp",
        "stamp",
        "r_TIMESTAMPTZ_CMP_TIMESTAMP",
        "timestamptz_cmp_timestamp",
        ("timestamptz_cmp_timestamp('2008-01-22', '2008-01-23')", -1),
    ),
    function(
        "interval_cmp",
        "text text",
        "int",
        "CASE WHEN CAST({0} AS INTERVAL) < CAST({1} AS INTERVAL) THEN -1 WHEN CAST({0} AS INTERVAL) > CAST({1} AS INTERVAL) THEN 1"
        " WHEN CAST({0} AS INTERVAL) = CAST({1} AS INTERVAL) THEN 0 END",
        "r_INTERVAL_CMP",
        ("interval_cmp('3 days','1 year')", -1),
        ("interval_cmp('7 days','1 week')", 0),
    ),
    function(
        "convert_timezone",
        "text text stamp?",
        "timestamp",
        _convert_timezone,
        "CONVERT_TIMEZONE",
        ("convert_timezone('EST', 'PST', '20080305 12:25:29')", at(2008, 3, 5, 9, 25, 29)),
        ("convert_timezone('America/New_York', timestamp '2013-02-01 08:00:00')", at(2013, 2, 1, 3)),
        ("convert_timezone('America/New_York', '2013-06-01 08:00:00')", at(2013, 6, 1, 4)),
        ("convert_timezone('GMT','NEWZONE +2','2014-05-17 12:00:00')", at(2014, 5, 17, 10)),
        ("convert_timezone('GMT','NEWZONE-2:15','2014-05-17 12:00:00')", at(2014, 5, 17, 14, 15)),
        ("convert_timezone('GMT','America/Los_Angeles+2','2014-05-17 12:00:00')", at(2014, 5, 17, 10)),
        ("convert_timezone('GMT','GMT+2','2014-05-17 12:00:00')", at(2014, 5, 17, 10)),
        ("convert_timezone('PST', timestamp '2008-08-24 09:36:12')", at(2008, 8, 24, 1, 36, 12)),
        ("convert_timezone('US/Pacific', timestamp '2008-08-24 09:36:12')", at(2008, 8, 24, 2, 36, 12)),
    ),
    function(
        "timezone",
        "text stamp",
        _timezone_kind,
        _timezone,
        "r_TIMEZONE",
        ("timezone('MST', timestamptz '2001-02-16 20:38:40-05')", at(2001, 2, 16, 18, 38, 40)),
    ),
    function(
        "getdate",
        "",
        "timestamp",
        lambda call: stamp(call.moment.statement.replace(microsecond=0)),
        "r_GETDATE",
        ("getdate() - getdate()", datetime.timedelta(0)),
    ),
    function(
        "sysdate",
        "",
        "timestamp",
        lambda call: stamp(call.moment.transaction),
        "r_SYSDATE",
        ("sysdate = sysdate", True),
        column="timestamp",
    ),
    function(
        "now",
        "",
        "timestamptz",
        lambda call: f"CAST({stamp(call.moment.transaction)} AS TIMESTAMPTZ)",
        "Date_functions_header",
        ("now() = now()", True),
    ),
    function(
        "timeofday",
        "",
        "varchar",
        lambda call: "strftime(now(), '%a %b %d %H:%M:%S.%f %Y UTC')",
        "r_TIMEOFDAY_function",
        ("len(timeofday())", 35),
    ),
    function(
        "to_char",
        "any literal",
        "varchar",
        lambda call: formats.to_char(call.arguments[0], call.types[0], call.literal(1)),
        "r_TO_CHAR",
        ("to_char(timestamp '2009-12-31 23:15:59', 'MONTH-DY-DD-YYYY HH12:MIPM')", "DECEMBER -THU-31-2009 11:15PM"),
        ("to_char(timestamp '2009-12-31 23:15:59', 'DDD')", "365"),
        ("to_char(timestamp '2022-05-16 23:15:59', 'ID')", "1"),
        ("to_char(date '2009-12-31', 'MONTH')", "DECEMBER "),
        ("to_char(timestamp '2008-01-25 14:30:00', 'MON-DD-YYYY HH12:MIPM')", "JAN-25-2008 02:30PM"),
        ("to_char(timestamp '2009-12-31 23:15:59','HH24:MI:SS')", "23:15:59"),
        ("to_char(-125.8, '999D99S')", "125.80-"),
        ("to_char(-125.88, '$S999D99')", "$-125.88"),
        ("to_char(-125.88, '$999D99PR')", "$<125.88>"),
        ("to_char(125, 'RN')", "           CXXV"),
        ("to_char(618.80, 'rn')", "          dcxix"),
        ("to_char(618.80, 'l99999D99')", "$   618.80"),
        ("to_char(55.25, 'l99999D99')", "$    55.25"),
        ("to_char(timestamp '2008-02-18 02:36:48', 'cc')", "21"),
        ("to_char(timestamp '2008-01-25 02:30:00', 'HH12:MI:SS TZ')", "02:30:00 UTC"),
        ("to_char(timestamp '2015-04-10 18:45:09.325143', 'HH24:MI:SS.MS')", "18:45:09.325"),
        ("to_char(timestamp '2015-04-10 18:45:09.325143', 'HH24:MI:SS:US')", "18:45:09:325143"),
        ("to_char(date '2024-09-01','D Q')", "1 3"),
        ("to_char(date '2024-09-01','FMMonth')", "September"),
        ("to_char(date '2024-09-01','FMDay')", "Sunday"),
        ("to_char(timestamp '2024-09-01 13:04:05','HH:MI pm')", "01:04 pm"),
        ("to_char(date '2024-09-01','W')", "1"),
        ("to_char(date '2024-09-01','Y,YYY')", "2,024"),
        ("to_char(1234.5,'9,999.99')", " 1,234.50"),
        ("to_char(1234.5,'FM9,999.00')", "1,234.50"),
        ("to_char(timestamp '2024-09-01 13:05:06','Q-WW-IW-J')", "3-35-35-2460555"),
        ("to_char(12, '999')", "  12"),
        ("to_char(1234, '999')", " ###"),
        ("to_char(0.1, '0.9')", " 0.1"),
        ("to_char(-1, 'SG99')", "- 1"),
        ("to_char(7, 'FM000')", "007"),
        ("to_char(1, '9\"th\"')", " 1th"),
    ),
    function(
        "to_date",
        "text literal literal?",
        "date",
        lambda call: formats.to_date(call.arguments[0], call.literal(1), strict=call.literal(2) in ("true", "t")),
        "r_TO_DATE_function",
        ("to_date('02 Oct 2001', 'DD Mon YYYY')", day(2001, 10, 2)),
        ("to_date('20010631', 'YYYYMMDD', FALSE)", day(2001, 7, 1)),
        ("to_date('31.12.99', 'DD.MM.YY')", day(1999, 12, 31)),
        ("to_date('2024-060', 'YYYY-DDD')", day(2024, 2, 29)),
    ),
    function(
        "to_timestamp",
        "text literal literal?",
        "timestamptz",
        lambda call: formats.to_timestamp(call.arguments[0], call.literal(1), strict=call.literal(2) in ("true", "t")),
        "r_TO_TIMESTAMP",
        ("to_timestamp('2017','YYYY')", utc(2017, 1, 1)),
        ("to_timestamp('2011-12-18 24:38:15', 'YYYY-MM-DD HH24:MI:SS')", utc(2011, 12, 19, 0, 38, 15)),
        ("to_timestamp(timestamp '2021-04-05 19:27:53.281812', 'YYYY-MM-DD HH24:MI:SS')", utc(2021, 4, 5, 19, 27, 53)),
        ("to_timestamp('05:06 PM 2024-01-02', 'HH12:MI AM YYYY-MM-DD')", utc(2024, 1, 2, 17, 6)),
    ),
    function(
        "to_number",
        "text literal",
        lambda call: formats.number_kind(call.literal(1)),
        lambda call: formats.to_number(call.arguments[0], call.literal(1)),
        "r_TO_NUMBER",
        ("to_number('12,454.8-', '99G999D9S')", Decimal("-12454.8")),
        ("to_number('$ 12,454.88', 'L 99G999D99')", Decimal("12454.88")),
        ("to_number('12.345','99D999')", Decimal("12.345")),
    ),
)
