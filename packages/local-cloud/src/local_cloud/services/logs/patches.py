"""The parts of moto's Logs API that look at groups as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.logs import models, responses
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.metric_filters import MetricFilters

from local_cloud import moto_state
from local_cloud.services.logs.events import Events
from local_cloud.services.logs.streams import MAX_EVENTS, from_token, keep_in, matcher, oldest, to_token


def apply(events: Events, *, account_id: str, region: str) -> Callable[[], None]:
    """Answer from a database of events. Returns what deletes the events that retention no longer keeps."""
    keep_in(events)
    backend_delete = models.LogsBackend.delete_log_group
    put_retention = models.LogsBackend.put_retention_policy

    def delete_log_group(self: Any, log_group_name: str) -> None:
        group = self.groups.get(log_group_name)
        backend_delete(self, log_group_name)
        group.streams.clear()

    def put_retention_policy(self: Any, log_group_name: str, retention_in_days: Any) -> None:
        if log_group_name not in self.groups:
            raise ResourceNotFoundException()
        put_retention(self, log_group_name, retention_in_days)
        expire(self.groups[log_group_name])

    def filter_log_events(self: Any) -> str:
        return _filter_log_events(self, events)

    def expire(group: Any) -> None:
        if before := oldest(group):
            events.expire([stream.arn for stream in group.streams.values()], before=before)

    add_filter = MetricFilters.add_filter

    def replace_filter(self: Any, filter_name: str, pattern: str, log_group_name: str, transformations: Any) -> None:
        """Put a filter in the place of the one of that name, where moto keeps both."""
        self.delete_filter(filter_name, log_group_name)
        add_filter(self, filter_name, pattern, log_group_name, transformations)

    MetricFilters.add_filter = replace_filter
    models.LogsBackend.delete_log_group = delete_log_group
    models.LogsBackend.put_retention_policy = put_retention_policy
    models.LogsBackend._find_log_group = _find_log_group
    responses.LogsResponse.filter_log_events = filter_log_events

    def expire_all() -> None:
        with moto_state.held():
            for group in models.logs_backends[account_id][region].groups.values():
                expire(group)

    return expire_all


def _filter_log_events(self: Any, events: Events) -> str:
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
    _, position = from_token(self._get_param("nextToken"))
    found = events.select(
        list(streams),
        start=max(self._get_param("startTime") or 0, oldest(group) or 0) or None,
        end=self._get_param("endTime"),
        after=position,
        limit=limit + 1,
        matches=matcher(self._get_param("filterPattern")),
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
        answer["nextToken"] = to_token("f", page[-1].position)
    return json.dumps(answer)


def _find_log_group(self: Any, log_group_id: str | None = None, log_group_name: str | None = None) -> Any:
    """A group by name, or by its ARN with or without the final `:*`."""
    if bool(log_group_name) == bool(log_group_id):
        raise InvalidParameterException("Exactly one of logGroupName and logGroupIdentifier is required.")
    for group in self.groups.values():
        if log_group_name == group.name or (log_group_id or "").removesuffix(":*") in (group.arn, group.name):
            return group
    raise ResourceNotFoundException()
