"""moto's streams and groups, with their events in `Events`."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from moto.core.utils import unix_time_millis
from moto.logs import models, responses
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.metric_filters import MetricFilters

from local_cloud import moto_state
from local_cloud.services.logs.events import Event, Events, Position
from local_cloud.services.logs.patterns import Matcher, PatternError, compile_pattern

#: Events one answer holds at most: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
MAX_EVENTS = 10_000

_DAY = 86_400_000

_events: Events


def apply(events: Events) -> None:
    global _events  # noqa: PLW0603 - moto's classes know no cloud either: one process, one cloud
    _events = events
    models.LogStream = Stream
    group_delete = models.LogGroup.delete_log_stream
    backend_delete = models.LogsBackend.delete_log_group
    put_retention = models.LogsBackend.put_retention_policy

    def delete_log_stream(self: Any, log_stream_name: str) -> None:
        stream = self.streams.get(log_stream_name)
        group_delete(self, log_stream_name)
        _events.delete(stream.arn)

    def delete_log_group(self: Any, log_group_name: str) -> None:
        group = self.groups.get(log_group_name)
        backend_delete(self, log_group_name)
        for stream in group.streams.values():
            _events.delete(stream.arn)

    def put_retention_policy(self: Any, log_group_name: str, retention_in_days: Any) -> None:
        if log_group_name not in self.groups:
            raise ResourceNotFoundException()
        put_retention(self, log_group_name, retention_in_days)
        group = self.groups[log_group_name]
        _events.expire([stream.arn for stream in group.streams.values()], before=_oldest(group) or 0)

    add_filter = MetricFilters.add_filter

    def replace_filter(self: Any, filter_name: str, pattern: str, log_group_name: str, transformations: Any) -> None:
        """Put a filter in the place of the one of that name, where moto keeps both."""
        self.delete_filter(filter_name, log_group_name)
        add_filter(self, filter_name, pattern, log_group_name, transformations)

    MetricFilters.add_filter = replace_filter
    models.LogGroup.delete_log_stream = delete_log_stream
    models.LogsBackend.delete_log_group = delete_log_group
    models.LogsBackend.put_retention_policy = put_retention_policy
    models.LogsBackend._find_log_group = _find_log_group
    responses.LogsResponse.filter_log_events = _filter_log_events


def _oldest(group: Any) -> int | None:
    """The earliest timestamp that retention keeps, None where it keeps everything."""
    days = group.retention_in_days
    return int(time.time() * 1000) - int(days) * _DAY if days else None


def _matcher(pattern: str | None) -> Matcher | None:
    try:
        return compile_pattern(pattern or "")
    except PatternError as error:
        raise InvalidParameterException(str(error)) from error


class Stream(models.LogStream):  # type: ignore[misc]  # untyped
    """A stream whose events are rows. moto's live tail and Insights queries read `events`."""

    @property
    def events(self) -> list[Any]:
        found = _events.select([self.arn], start=_oldest(self.log_group), limit=2**31)
        return [_as_moto(event) for event in found]

    @events.setter
    def events(self, value: list[Any]) -> None:
        """moto's constructor empties it."""

    @property
    def stored_bytes(self) -> int:
        return _events.statistics(self.arn).bytes

    @stored_bytes.setter
    def stored_bytes(self, value: int) -> None:
        """moto's constructor sets it to 0."""

    def to_describe_dict(self) -> dict[str, Any]:
        found = _events.statistics(self.arn)
        described = {
            "arn": self.arn,
            "creationTime": int(unix_time_millis(self.creation_time)),
            "logStreamName": self.log_stream_name,
            "storedBytes": 0,  # CloudWatch has not counted by stream since 2019
        }
        if found.count:
            described |= {
                "firstEventTimestamp": found.first,
                "lastEventTimestamp": found.last,
                "lastIngestionTime": found.ingested,
                "uploadSequenceToken": f"{found.ingested:056d}",
            }
        return described

    def put_log_events(self, log_events: list[dict[str, Any]]) -> str:
        events = [(int(event["timestamp"]), str(event["message"])) for event in log_events]
        ingested = _events.add(self.arn, events)
        for subscription in list(self.log_group.subscription_filters.values()):
            matches = _matcher(subscription.filter_pattern)
            chosen = [
                {"id": f"{index:056d}", "timestamp": timestamp, "message": message}
                for index, (timestamp, message) in enumerate(events)
                if matches is None or matches(message)
            ]
            if chosen:
                arn = subscription.destination_arn
                with moto_state.held():
                    self._send_log_events(arn.split(":")[2], arn, subscription.name, chosen)
        return f"{ingested:056d}"

    def get_log_events(
        self, start_time: Any, end_time: Any, limit: Any, next_token: str | None, start_from_head: Any
    ) -> tuple[list[dict[str, Any]], str, str]:
        """One page and the tokens backward and forward. A token at an end is given back as it came."""
        direction, position = _from_token(next_token)
        forward = direction == "f" if direction else bool(start_from_head)
        oldest = _oldest(self.log_group)
        found = _events.select(
            [self.arn],
            start=max(start_time or 0, oldest or 0) or None,
            end=end_time - 1 if end_time else None,
            after=position if forward else None,
            before=None if forward else position,
            newest_first=not forward,
            limit=limit or MAX_EVENTS,
        )
        found.sort(key=lambda event: event.position)
        here = position or Position(0, 0)
        first, last = (found[0].position, found[-1].position) if found else (here, here)
        page = [
            {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingestion_time}
            for event in found
        ]
        return page, _to_token("b", first), _to_token("f", last)


def _filter_log_events(self: Any) -> str:
    """FilterLogEvents: all streams of a group in one sequence by time."""
    group = _find_log_group(self.logs_backend, self._get_param("logGroupIdentifier"), self._get_param("logGroupName"))
    names, prefix = self._get_param("logStreamNames"), self._get_param("logStreamNamePrefix")
    if names and prefix:
        raise InvalidParameterException("Only one of logStreamNames or logStreamNamePrefix can be provided.")
    for name in names or ():
        if name not in group.streams:
            raise ResourceNotFoundException("The specified log stream does not exist.")
    limit = self._get_param("limit") or MAX_EVENTS
    if limit > MAX_EVENTS:
        raise InvalidParameterException(
            constraint=f"Member must have value less than or equal to {MAX_EVENTS}", parameter="limit", value=limit
        )
    streams = {
        stream.arn: name
        for name, stream in group.streams.items()
        if (not names or name in names) and name.startswith(prefix or "")
    }
    _, position = _from_token(self._get_param("nextToken"))
    found = _events.select(
        list(streams),
        start=max(self._get_param("startTime") or 0, _oldest(group) or 0) or None,
        end=self._get_param("endTime"),
        after=position,
        limit=limit + 1,
        matches=_matcher(self._get_param("filterPattern")),
    )
    page = found[:limit]
    answer: dict[str, Any] = {
        "events": [
            {
                "logStreamName": streams[event.stream],
                "timestamp": event.timestamp,
                "message": event.message,
                "ingestionTime": event.ingestion_time,
                "eventId": event.event_id,
            }
            for event in page
        ],
        "searchedLogStreams": [],
    }
    if len(found) > limit:
        answer["nextToken"] = _to_token("f", page[-1].position)
    return json.dumps(answer)


def _find_log_group(self: Any, log_group_id: str | None = None, log_group_name: str | None = None) -> Any:
    """A group by name, or by its ARN with or without the final `:*`."""
    if bool(log_group_name) == bool(log_group_id):
        raise InvalidParameterException("Exactly one of logGroupName and logGroupIdentifier is required.")
    for group in self.groups.values():
        if log_group_name == group.name or (log_group_id or "").removesuffix(":*") in (group.arn, group.name):
            return group
    raise ResourceNotFoundException()


def _as_moto(event: Event) -> Any:
    moto = models.LogEvent(event.ingestion_time, {"timestamp": event.timestamp, "message": event.message})
    moto.event_id = event.event_id
    return moto


def _to_token(direction: str, position: Position) -> str:
    return f"{direction}/{position.timestamp:020d}{position.id:036d}"


def _from_token(token: str | None) -> tuple[str, Position | None]:
    """The direction ("f", "b", or "" without a token) and where it starts."""
    if not token:
        return "", None
    found = re.fullmatch(r"([fb])/(\d{20})(\d{36})", token)
    if not found:
        raise InvalidParameterException("The specified nextToken is invalid.")
    return found[1], Position(int(found[2]), int(found[3]))
