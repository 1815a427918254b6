"""Schedule expressions: cron(…), rate(…) and at(…), and when they are due next."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from dataclasses import dataclass

from local_cloud.services.scheduler.cron import Cron
from local_cloud.services.scheduler.errors import CronError, ExpressionError

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class Timing:
    """When a schedule is due. All moments are aware, in UTC."""

    kind: str
    cron: Cron | None
    period_s: int
    at: datetime.datetime | None
    zone: zoneinfo.ZoneInfo

    @classmethod
    def parse(cls, expression: str, time_zone: str) -> Timing:
        """Parse an expression with its time zone. ExpressionError when it is none."""
        try:
            zone = zoneinfo.ZoneInfo(time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            raise ExpressionError(f"Invalid Schedule Expression Timezone {time_zone}.") from None
        found = re.fullmatch(r"(cron|rate|at)\((.*)\)", expression.strip())
        if not found:
            raise ExpressionError(f"Invalid Schedule Expression {expression}: give cron(…), rate(…) or at(…).")
        kind, inside = found[1], found[2].strip()
        try:
            return cls(
                kind=kind,
                cron=Cron.parse(inside) if kind == "cron" else None,
                period_s=_period(inside) if kind == "rate" else 0,
                at=datetime.datetime.strptime(inside, "%Y-%m-%dT%H:%M:%S") if kind == "at" else None,  # noqa: DTZ007
                zone=zone,
            )
        except (CronError, ValueError) as error:
            reason = str(error) if isinstance(error, CronError) or kind == "rate" else "give at(yyyy-mm-ddThh:mm:ss)"
            raise ExpressionError(f"Invalid Schedule Expression {expression}: {reason}.") from None

    def next_after(
        self,
        moment: datetime.datetime,
        *,
        anchor: datetime.datetime,
        start: datetime.datetime | None,
        end: datetime.datetime | None,
    ) -> datetime.datetime | None:
        """The first time due after `moment`, or None.

        A rate counts from `start`, or from `anchor`, its creation, when it fires for the first time. One-time
        schedules know no start and end.
        """
        if self.kind == "at":
            assert self.at is not None
            due = _in_utc(self.at, self.zone) or _in_utc(self.at + datetime.timedelta(hours=1), self.zone)
            return due if due and due > moment else None
        if self.kind == "rate":
            due = self._next_of_rate(moment, start or anchor)
        else:
            just_before = start - datetime.timedelta(microseconds=1) if start else moment
            due = self._next_of_cron(max(moment, just_before))
        return due if due and (end is None or due <= end) else None

    def _next_of_rate(self, moment: datetime.datetime, first: datetime.datetime) -> datetime.datetime:
        if moment < first:
            return first
        periods = int((moment - first).total_seconds() // self.period_s) + 1
        return first + datetime.timedelta(seconds=periods * self.period_s)

    def _next_of_cron(self, moment: datetime.datetime) -> datetime.datetime | None:
        """A local time that the clocks skip in spring does not occur; one they repeat in autumn occurs once.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
        """
        assert self.cron is not None
        local = moment.astimezone(self.zone).replace(tzinfo=None)
        for candidate in self.cron.after(local):
            due = _in_utc(candidate, self.zone)
            if due and due > moment:
                return due
        return None


def _period(inside: str) -> int:
    found = re.fullmatch(r"(\d+) (minute|hour|day)(s?)", inside)
    if not found or int(found[1]) == 0:
        raise ValueError("give a number and minutes, hours or days")
    return int(found[1]) * _UNITS[found[2]]


def _in_utc(local: datetime.datetime, zone: zoneinfo.ZoneInfo) -> datetime.datetime | None:
    """The (first) moment of that local time; None when the clocks skip it."""
    moment = local.replace(tzinfo=zone).astimezone(datetime.UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None
