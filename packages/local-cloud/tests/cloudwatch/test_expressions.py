"""Metric math."""

from __future__ import annotations

import re

import pytest

from local_cloud.services.cloudwatch.errors import ExpressionError
from local_cloud.services.cloudwatch.expressions import Series, evaluate

SERIES: dict[str, Series] = {"a": [1, None, 3], "b": [10, 20, None], "none": [None, None, None]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", [1, None, 3]),
        ("a + b", [11, None, None]),
        ("-a * 2", [-2, None, -6]),
        ("(b - 4) / 2", [3, 8, None]),
        ("a / (a - 1)", [None, None, 1.5]),
        ("FILL(a, 0)", [1, 0, 3]),
        ("FILL(a, -1) + FILL(b, 0)", [11, 19, 3]),
        ("FILL(a, REPEAT)", [1, 1, 3]),
        ("FILL(none, 0)", [None, None, None]),
        ("FILL(a, b)", [1, 20, 3]),
        ("SUM(METRICS())", [11, 20, 3]),
        ("SUM(FILL(METRICS(), 0))", [11, 20, 3]),
        ("MAX(METRICS())", [10, 20, 3]),
        ("AVG(a)", [2, 2, 2]),
        ("MIN(b)", [10, 10, 10]),
        ("7", [7, 7, 7]),
    ],
)
def test_metric_math_gives_a_series(expression: str, expected: Series) -> None:
    assert evaluate(expression, SERIES) == expected


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("a +", "'a +' is no metric math"),
        ("c + 1", "the local cloud does not do c in metric math"),
        ("ANOMALY_DETECTION_BAND(a, 2)", "the local cloud does not do ANOMALY_DETECTION_BAND of 2 arguments"),
        ("METRICS()", "'METRICS()' gives several series; an alarm takes one"),
        ("a.__class__", "the local cloud does not do a.__class__ in metric math"),
        ("[a]", "the local cloud does not do [a] in metric math"),
    ],
)
def test_what_is_no_metric_math_or_not_done_here_is_refused(expression: str, complaint: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(complaint)):
        evaluate(expression, SERIES)
