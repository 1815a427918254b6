"""Fires schedules when they are due, as long as the local cloud runs.

What was due while it did not run is not made up for. A machine that slept fires what it missed once. When the clock is
set back, what recurs is due at its next time by the clock as it is then.
"""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.scheduler.models import Schedule, ScheduleGroup, scheduler_backends

from local_cloud import moto_state
from local_cloud.cloud import Cloud
from local_cloud.services.scheduler.errors import ExpressionError
from local_cloud.services.scheduler.expressions import Timing
from local_cloud.services.scheduler.firing import Firing

log = logging.getLogger("local_cloud.scheduler")

#: How often the schedules are looked at, in seconds. AWS promises to be on time within 60.
TICK_S = 1.0

#: A clock that goes back by less is being kept right, not set: what is planned stays, so that nothing fires twice.
SET_BACK = datetime.timedelta(minutes=1)


@dataclass(frozen=True)
class _Planned:
    """When a schedule is due next, and what that was computed from."""

    settings: tuple[Any, ...]
    due: datetime.datetime | None


class Ticker:
    """The clock of all schedules."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._started = self._last = datetime.datetime.now(datetime.UTC)
        self._planned: dict[str, _Planned] = {}
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            self._tick_now()

    def _tick_now(self) -> None:
        """One tick; whatever goes wrong in it, the next one comes."""
        try:
            self.tick(datetime.datetime.now(datetime.UTC))
        except Exception:
            log.exception("a tick of the scheduler failed")

    def tick(self, now: datetime.datetime) -> None:
        """Fire all that is due at `now`."""
        if now < self._last - SET_BACK:
            log.warning("the clock was set back from %s to %s: schedules are planned again", self._last, now)
            self._planned = {arn: one for arn, one in self._planned.items() if one.due is None}
        self._last = now
        seen = set()
        for group, schedule in self._schedules():
            seen.add(schedule.arn)
            planned = self._plan(schedule, now)
            if planned.due is None or planned.due > now:
                continue
            following = _Planned(planned.settings, next_due(schedule, now))
            self._planned[schedule.arn] = following
            arguments = (group, schedule, planned.due, following.due is None)
            threading.Thread(target=self._fire, args=arguments, daemon=True).start()
        self._planned = {arn: planned for arn, planned in self._planned.items() if arn in seen}

    def _plan(self, schedule: Schedule, now: datetime.datetime) -> _Planned:
        settings = (
            schedule.schedule_expression,
            schedule.schedule_expression_timezone,
            schedule.start_date,
            schedule.end_date,
            schedule.state,
            schedule.last_modified_date,
        )
        known = self._planned.get(schedule.arn)
        if known is None or known.settings != settings:
            just_before = _moment(schedule.last_modified_date) - datetime.timedelta(microseconds=1)
            known = _Planned(settings, next_due(schedule, min(now, max(self._started, just_before))))
            self._planned[schedule.arn] = known
        return known

    def _fire(self, group: ScheduleGroup, schedule: Schedule, due: datetime.datetime, is_last: bool) -> None:
        try:
            Firing(self._cloud, schedule, due).with_retries()
        except Exception:
            log.exception("schedule %s could not be fired", schedule.name)
        with moto_state.held():
            if is_last and schedule.action_after_completion == "DELETE" and schedule.name in group.schedules:
                group.delete_schedule(schedule.name)
                self._cloud.persistence.changed("scheduler")

    def _schedules(self) -> Iterator[tuple[ScheduleGroup, Schedule]]:
        settings = self._cloud.settings
        backend = scheduler_backends[settings.account_id][settings.region]
        for group in list(backend.schedule_groups.values()):
            for schedule in list(group.schedules.values()):
                yield group, schedule


def next_due(schedule: Schedule, after: datetime.datetime) -> datetime.datetime | None:
    """When an enabled schedule is due next after a moment; None for never."""
    if schedule.state != "ENABLED":
        return None
    try:
        timing = Timing.parse(schedule.schedule_expression, schedule.schedule_expression_timezone)
    except ExpressionError:
        return None
    changed = _moment(schedule.last_modified_date)
    return timing.next_after(
        after,
        anchor=changed if changed - after < SET_BACK else after,  # else it was changed before the clock was set back
        start=_moment(schedule.start_date) if schedule.start_date else None,
        end=_moment(schedule.end_date) if schedule.end_date else None,
    )


def _moment(seconds: float | str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(float(seconds), datetime.UTC)
