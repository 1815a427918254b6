"""Data points on disk: rows of a database, beside moto's list in memory that alarms look at every second."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricAggregatedDatum, MetricDatum, cloudwatch_backends
from moto.core.utils import utcnow

from local_cloud import moto_state
from local_cloud.cloud import Cloud
from local_cloud.database import Database

#: As long as CloudWatch keeps data points of a minute (Metrics retention, in its "Concepts"); an alarm sees seven days.
KEPT_FOR = datetime.timedelta(days=15)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS point (
  number INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT, region TEXT, timestamp TEXT, record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS points_by_age ON point (timestamp);
"""


class Points:
    """The points of all backends. `timestamp` is ISO 8601, in UTC without a zone, so that it sorts.

    Not thread-safe: its users hold moto's state.
    """

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)
        self._oldest = ""
        """No point kept is older."""
        self.close = self._database.close

    def put(self, backend: Any, points: Iterable[Any]) -> None:
        """Write points and add them to the backend's own; drop those that are too old."""
        points = list(points)
        self._database.insert_all(
            "INSERT INTO point (account, region, timestamp, record) VALUES (?, ?, ?, ?)",
            [(backend.account_id, backend.region_name, _utc(point.timestamp), _record(point)) for point in points],
        )
        backend.metric_data.extend(points)
        oldest = (utcnow() - KEPT_FOR).isoformat()
        self._oldest = min([self._oldest, *(_utc(point.timestamp) for point in points)])
        if self._oldest < oldest:
            self._expire(backend, oldest)

    def _expire(self, backend: Any, oldest: str) -> None:
        if self._database.rows("DELETE FROM point WHERE timestamp < ? RETURNING number", oldest):
            backend.metric_data[:] = [point for point in backend.metric_data if _utc(point.timestamp) >= oldest]
        self._oldest = self._database.rows("SELECT min(timestamp) FROM point")[0][0] or oldest

    def load(self) -> None:
        """Give the backends, once they are restored, what was put before the start."""
        rows = self._database.rows("SELECT account, region, record FROM point ORDER BY account, region, number")
        for (account, region), found in groupby(rows, itemgetter(0, 1)):
            cloudwatch_backends[account][region].metric_data[:0] = [_point(record) for _, _, record in found]

    def adopt(self, backends: Iterable[Any]) -> None:
        """Take over the points that an earlier version kept in the saved state."""
        for backend in backends:
            points, backend.metric_data = backend.metric_data, []
            if points and not self._database.rows("SELECT 1 FROM point LIMIT 1"):
                self.put(backend, points)
                backend.metric_data.clear()  # `load` brings them


def install(cloud: Cloud) -> None:
    points = Points(cloud.persistence.folder / "metrics.sqlite")
    put = CloudWatchBackend.put_metric_data

    def put_metric_data(self: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        aside = CloudWatchBackend(self.region_name, self.account_id)
        put(aside, namespace, metric_data)  # checks them all, before any counts
        points.put(self, aside.metric_data)

    def adopt(backends: Iterable[Any]) -> None:
        points.adopt(backends)
        cloud.persistence.changed("cloudwatch")

    def start() -> None:
        with moto_state.held():
            cloudwatch_backends[cloud.settings.account_id][cloud.settings.region]  # restored when it is touched
            points.load()

    CloudWatchBackend.put_metric_data = put_metric_data
    cloud.persistence.register_moto("cloudwatch", without=["metric_data"], not_after=["PutMetricData"])
    cloud.persistence.after_restore("cloudwatch", adopt)
    cloud.on_start(start)
    cloud.on_stop(points.close)


def _utc(moment: datetime.datetime) -> str:
    return (moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment).isoformat()


def _record(point: Any) -> str:
    fields = vars(point) | {
        "timestamp": point.timestamp.isoformat(),
        "dimensions": [{"Name": one.name, "Value": one.value} for one in point.dimensions],
    }
    return json.dumps(fields)


def _point(record: str) -> Any:
    fields = json.loads(record)
    fields["timestamp"] = datetime.datetime.fromisoformat(fields["timestamp"])
    if "value" in fields:
        return MetricDatum(**fields)
    for name in ("min", "max", "sum"):
        fields[f"{name}_stat"] = fields.pop(name)
    return MetricAggregatedDatum(**fields)
