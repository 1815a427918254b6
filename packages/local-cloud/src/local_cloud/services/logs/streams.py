"""Streams and their events, both rows of a database: moto's groups hold none of them.

So a stream costs no memory and survives a restart, and making one does not rewrite the others.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import ItemsView, Iterable, Iterator, MutableMapping, ValuesView
from typing import Any

from moto.core.utils import unix_time_millis
from moto.logs import models
from moto.logs.exceptions import InvalidParameterException

from local_cloud import moto_state
from local_cloud.services.logs.events import Event, Events, Position
from local_cloud.services.logs.patterns import Matcher, PatternError, compile_pattern

#: Events one answer holds at most: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
MAX_EVENTS = 10_000

_DAY = 86_400_000

_events: Events


def keep_in(events: Events) -> None:
    """Use this database from now on: moto's classes know no cloud, so a process has one."""
    global _events  # noqa: PLW0603
    _events = events
    models.LogStream = Stream
    models.LogGroup.streams = property(Streams, lambda self, value: None)  # moto's constructor sets {}


def adopt(backends: Iterable[Any]) -> None:
    """Take over the streams that an earlier version kept in the groups themselves."""
    for group in (group for backend in backends for group in backend.groups.values()):
        for stream in vars(group).pop("streams", {}).values():
            group.streams[stream.log_stream_name] = stream


class Streams(MutableMapping[str, "Stream"]):
    """The streams of one group by name, in the order they were made."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self._prefix = f"{group.arn}:log-stream:"

    def __getitem__(self, name: str) -> Stream:
        created = _events.created(self._prefix + name)
        if created is None:
            raise KeyError(name)
        return Stream(self._group, name, created=created)

    def __setitem__(self, name: str, stream: Stream) -> None:
        _events.create(stream.arn, created=int(unix_time_millis(stream.creation_time)))

    def __delitem__(self, name: str) -> None:
        _events.delete(self._prefix + name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __contains__(self, name: object) -> bool:
        return _events.created(f"{self._prefix}{name}") is not None

    def items(self) -> ItemsView[str, Stream]:
        """Found by one query, where the mapping's own would take one a stream."""
        return self._all().items()

    def values(self) -> ValuesView[Stream]:
        return self._all().values()

    def _all(self) -> dict[str, Stream]:
        names = ((arn.removeprefix(self._prefix), created) for arn, created in _events.streams(self._prefix))
        return {name: Stream(self._group, name, created=created) for name, created in names}


class Stream(models.LogStream):  # type: ignore[misc]  # untyped
    """A stream whose events are rows. moto's live tail and Insights queries read `events`."""

    def __init__(self, log_group: Any, name: str, *, created: int | None = None) -> None:
        """`created` in Unix milliseconds: now unless given."""
        super().__init__(log_group, name)
        if created is not None:
            self.creation_time = datetime.datetime.fromtimestamp(created / 1000, datetime.UTC).replace(tzinfo=None)

    @property
    def events(self) -> list[Any]:
        found = _events.select([self.arn], start=oldest(self.log_group), limit=2**31)
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
            matches = matcher(subscription.filter_pattern)
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
        direction, position = from_token(next_token)
        forward = direction == "f" if direction else bool(start_from_head)
        earliest = oldest(self.log_group)
        found = _events.select(
            [self.arn],
            start=max(start_time or 0, earliest or 0) or None,
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
        return page, to_token("b", first), to_token("f", last)


def oldest(group: Any) -> int | None:
    """The earliest timestamp that retention keeps, None where it keeps everything."""
    days = group.retention_in_days
    return int(time.time() * 1000) - int(days) * _DAY if days else None


def matcher(pattern: str | None) -> Matcher | None:
    try:
        return compile_pattern(pattern or "")
    except PatternError as error:
        raise InvalidParameterException(str(error)) from error


def _as_moto(event: Event) -> Any:
    moto = models.LogEvent(event.ingestion_time, {"timestamp": event.timestamp, "message": event.message})
    moto.event_id = event.event_id
    return moto


def to_token(direction: str, position: Position) -> str:
    return f"{direction}/{position.timestamp:020d}{position.id:036d}"


def from_token(token: str | None) -> tuple[str, Position | None]:
    """The direction ("f", "b", or "" without a token) and where it starts."""
    if not token:
        return "", None
    found = re.fullmatch(r"([fb])/(\d{20})(\d{36})", token)
    if not found:
        raise InvalidParameterException("The specified nextToken is invalid.")
    return found[1], Position(int(found[2]), int(found[3]))
