"""Evaluates the alarms again and again, and carries out their actions when a state changes."""

from __future__ import annotations

import datetime
import json
import logging
import threading
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud import moto_state, targets
from local_cloud.cloud import Cloud
from local_cloud.services.cloudwatch import messages, metrics, series, states
from local_cloud.services.cloudwatch.errors import AlarmError

log = logging.getLogger("local_cloud.cloudwatch")

#: How often, in seconds. AWS does it once a minute.
TICK_S = 1.0

#: How many of an alarm's changes of state are remembered.
HISTORY = 100


class Watch:
    """All alarms of the cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="alarms", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            self.tick(datetime.datetime.now(datetime.UTC))

    def tick(self, now: datetime.datetime) -> None:
        """Evaluate every metric alarm as of `now`."""
        backend = self._backend()
        for alarm in list(backend.alarms.values()):
            if alarm.rule:
                continue
            try:
                with moto_state.held():
                    self._evaluate(alarm, backend, now)
            except Exception:  # the others and the next tick are worth the same
                log.exception("alarm %s could not be evaluated", alarm.name)

    def _backend(self) -> Any:
        from moto.cloudwatch.models import cloudwatch_backends

        return cloudwatch_backends[self._cloud.settings.account_id][self._cloud.settings.region]

    def _evaluate(self, alarm: Any, backend: Any, now: datetime.datetime) -> None:
        periods = int(alarm.evaluation_periods)
        to_alarm = int(alarm.datapoints_to_alarm or periods)

        def points(namespace: str, name: str, dimensions: frozenset[tuple[str, str]]) -> list[Any]:
            data = backend.metric_data
            if namespace == "AWS/SQS":
                data = metrics.queue_metrics(backend.account_id, backend.region_name, now=now.replace(tzinfo=None))
            return series.matching(data, namespace, name, dimensions)

        try:
            windows = periods + states.EXTRA_PERIODS
            values, _ = series.of_alarm(alarm, points, now=now, windows=windows)
            compare = _comparison(alarm)
        except AlarmError as error:
            if alarm.state_reason != str(error):
                self._change(alarm, states.INSUFFICIENT_DATA, str(error), values=[])
            return
        threshold = float(alarm.threshold)
        found = states.decide(
            [None if value is None else compare(value, threshold) for value in values],
            current=alarm.state_value,
            periods=periods,
            to_alarm=to_alarm,
            missing=alarm.treat_missing_data or "missing",
        )
        if found != alarm.state_value:
            recent = [value for value in values if value is not None][-periods:]
            self._change(alarm, found, messages.reason(alarm, found, recent), values=recent)

    def _change(self, alarm: Any, state: str, reason: str, *, values: list[float]) -> None:
        before = alarm.state_value
        data = {"version": "1.0", "recentDatapoints": values, "threshold": alarm.threshold}
        alarm.update_state(reason, json.dumps(data), state)
        del alarm.history[:-HISTORY]
        self._cloud.persistence.changed("cloudwatch")
        self.act(alarm, before)

    def act(self, alarm: Any, before: str) -> None:
        """Carry out the actions of the state an alarm is in now, unless it was in it `before`."""
        if not alarm.actions_enabled or before == alarm.state_value:
            return
        for action in _actions(alarm):
            try:
                self._carry_out(action, alarm, before)
            except (ClientError, BotoCoreError, targets.UnsupportedTarget) as error:
                log.warning("alarm %s: %s: %s", alarm.name, action, error)

    def _carry_out(self, action: str, alarm: Any, before: str) -> None:
        notice = messages.document(alarm, before, account_id=self._cloud.settings.account_id)
        if targets.service_of(action) != "sns":
            targets.deliver(self._cloud, action, json.dumps(notice))
            return
        texts = {"default": json.dumps(notice), "email": messages.mail(alarm, before, notice)}
        self._cloud.client("sns").publish(
            TopicArn=action, Subject=messages.subject(alarm), Message=json.dumps(texts), MessageStructure="json"
        )


def _comparison(alarm: Any) -> Any:
    try:
        return states.COMPARISONS[alarm.comparison_operator]
    except KeyError:
        raise AlarmError(f"the local cloud does not do {alarm.comparison_operator}") from None


def _actions(alarm: Any) -> list[str]:
    by_state = {
        states.ALARM: alarm.alarm_actions,
        states.OK: alarm.ok_actions,
        states.INSUFFICIENT_DATA: alarm.insufficient_data_actions,
    }
    return list(by_state[alarm.state_value] or [])
