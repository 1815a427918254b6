"""Which state values mean: the tables of AWS's own page on missing data, and what follows from them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import pytest

from local_cloud.services.cloudwatch.states import decide

VALUES = {"X": True, "0": False, "-": None}
CURRENT = "the state it is in"


def states(row: str, *, periods: int, to_alarm: int) -> list[str]:
    windows = [VALUES[sign] for sign in row.split()]
    return [
        decide(windows, current=CURRENT, periods=periods, to_alarm=to_alarm, missing=missing)
        for missing in ("missing", "ignore", "breaching", "notBreaching")
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("0 - X - X", ["OK", "OK", "OK", "OK"]),
        ("0 - - - -", ["OK", "OK", "OK", "OK"]),
        ("- - - - -", ["INSUFFICIENT_DATA", CURRENT, "ALARM", "OK"]),
        ("0 X X - X", ["ALARM"] * 4),
        ("- - X - -", ["ALARM", CURRENT, "ALARM", "OK"]),
    ],
)
def test_three_of_three(row: str, expected: list[str]) -> None:
    assert states(row, periods=3, to_alarm=3) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("0 - X - X", ["ALARM"] * 4),
        ("0 0 X 0 X", ["ALARM"] * 4),
        ("0 - X - -", ["OK", "OK", "ALARM", "OK"]),
        ("- - - - 0", ["OK", "OK", "ALARM", "OK"]),
        ("- - - X -", ["ALARM", CURRENT, "ALARM", "OK"]),
    ],
)
def test_two_of_three(row: str, expected: list[str]) -> None:
    assert states(row, periods=3, to_alarm=2) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("- - X", ["ALARM"] * 4),
        ("X X 0", ["OK"] * 4),
        ("0 - -", ["OK"] * 4),  # an old value counts as long as there is no newer one
        ("X - -", ["ALARM"] * 4),
        ("- - -", ["INSUFFICIENT_DATA", CURRENT, "ALARM", "OK"]),
    ],
)
def test_one_of_one(row: str, expected: list[str]) -> None:
    assert states(row, periods=1, to_alarm=1) == expected
