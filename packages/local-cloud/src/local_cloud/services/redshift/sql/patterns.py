"""Patterns of SIMILAR TO and texts of intervals, as DuckDB takes them."""

from __future__ import annotations

import re

from local_cloud.services.redshift.errors import SqlError


def similar(pattern: str) -> str:
    """The regular expression of a SIMILAR TO pattern: `%` any text, `_` any character, `\\` escapes."""
    out, escaped, bracket = [], False, False
    for character in pattern:
        if escaped:
            out.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        elif bracket:
            bracket = character != "]"
            out.append(character)
        elif character == "[":
            bracket = True
            out.append(character)
        elif character == "%":
            out.append("(?s:.*)")
        elif character == "_":
            out.append("(?s:.)")
        elif character in ".^$":
            out.append("\\" + character)
        else:
            out.append(character)
    return "".join(out)


_UNITS = {
    unit: name
    for name, units in {
        "millennia": "millennium millennia mil mils",
        "centuries": "century centuries c cent",
        "decades": "decade decades dec decs",
        "years": "year years y yr yrs",
        "months": "month months mon mons",
        "weeks": "week weeks w",
        "days": "day days d",
        "hours": "hour hours h hr hrs",
        "minutes": "minute minutes m min mins",
        "seconds": "second seconds s sec secs",
        "milliseconds": "millisecond milliseconds ms msec msecs msecond mseconds",
        "microseconds": "microsecond microseconds us usec usecs",
    }.items()
    for unit in units.split()
}
_QUANTITY = re.compile(r"\s*,?\s*([+-]?\d*\.?\d+)\s*([A-Za-z]*)|\s*([+-]?\d+:\d{2}(?::\d{2}(?:\.\d+)?)?)")


def interval(written: str) -> str:
    """An interval's text with the units that DuckDB knows.

    https://docs.aws.amazon.com/redshift/latest/dg/r_interval_literals.html
    """
    parts, place = [], 0
    text = written.strip()
    while place < len(text):
        match = _QUANTITY.match(text, place)
        clock = re.compile(r"\s*([+-]?\d+:\d{2}(?::\d{2}(?:\.\d+)?)?)").match(text, place)
        if clock:
            parts.append(clock[1])
            place = clock.end()
            continue
        unit = _UNITS.get((match[2] or "seconds").lower()) if match and match[1] else None
        if match is None or unit is None:
            raise SqlError(f'invalid input syntax for type interval: "{written}"')
        parts.append(f"{match[1]} {unit}")
        place = match.end()
    return " ".join(parts) or "0 seconds"
