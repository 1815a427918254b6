"""What an alarm compares: the statistic of a metric, or an expression over several, in its latest windows."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Any

from local_cloud.services.cloudwatch import expressions
from local_cloud.services.cloudwatch.errors import AlarmError
from local_cloud.services.cloudwatch.expressions import Series

#: The data points of a metric: namespace, name and dimensions in, moto's MetricDatum out.
Points = Callable[[str, str, frozenset[tuple[str, str]]], Iterable[Any]]

_STATISTICS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")


def of_alarm(alarm: Any, points: Points, *, now: datetime.datetime, windows: int) -> tuple[Series, int]:
    """The values of the latest windows, oldest first, and a window's seconds. AlarmError if it cannot be done.

    A window ends now, the next one before ends where it begins: AWS's begin at whole minutes, a laptop's user
    would wait for that in vain.
    """
    if not alarm.metric_data_queries:
        if not alarm.period or not alarm.metric_name:
            raise AlarmError("the local cloud evaluates alarms on metrics and metric math only")
        dimensions = _key(alarm.dimensions)
        found = points(alarm.namespace, alarm.metric_name, dimensions)
        period = int(alarm.period)
        return _statistic(found, alarm.statistic, period, now=now, windows=windows), period
    return _of_queries(alarm.metric_data_queries, points, now=now, windows=windows)


def _of_queries(queries: list[Any], points: Points, *, now: datetime.datetime, windows: int) -> tuple[Series, int]:
    periods = {int(query.metric_stat.period) for query in queries if query.metric_stat}
    if len(periods) != 1:
        raise AlarmError("the local cloud evaluates metric math over metrics of one period")
    (period,) = periods
    series: dict[str, Series] = {}
    for query in (query for query in queries if query.metric_stat):
        wanted = query.metric_stat
        found = points(wanted.metric.namespace, wanted.metric.metric_name, _key(wanted.metric.dimensions))
        series[query.id] = _statistic(found, wanted.stat, period, now=now, windows=windows)
    for query in (query for query in queries if query.expression):
        series[query.id] = expressions.evaluate(query.expression, series)
    returned = [query for query in queries if query.return_data in (None, True, "true")]
    if len(returned) != 1:
        raise AlarmError("exactly one of an alarm's metrics returns data")
    return series[returned[0].id], period


def _statistic(points: Iterable[Any], statistic: str, period: int, *, now: datetime.datetime, windows: int) -> Series:
    from moto.cloudwatch.models import Statistics

    if statistic not in _STATISTICS:
        raise AlarmError(f"the local cloud knows the statistics {', '.join(_STATISTICS)}, not {statistic}")
    found = [Statistics([statistic], now) for _ in range(windows)]
    for point in points:
        age = (now - _aware(point.timestamp)).total_seconds()
        window = int(age // period)
        if age >= 0 and window < windows:
            found[windows - 1 - window].metric_data.append(point)
    return [float(one.get_statistics_for_type(statistic)) if one.metric_data else None for one in found]


def _aware(moment: datetime.datetime) -> datetime.datetime:
    """moto keeps some times without their zone, all in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _key(dimensions: Iterable[Any]) -> frozenset[tuple[str, str]]:
    return frozenset((one.name, one.value) for one in dimensions)


def matching(data: Iterable[Any], namespace: str, name: str, dimensions: frozenset[tuple[str, str]]) -> list[Any]:
    """The points of one metric: other dimensions make it another metric."""
    return [
        point
        for point in data
        if point.namespace == namespace and point.name == name and _key(point.dimensions) == dimensions
    ]
