"""Log output of jobs and functions, written by the services that run them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

from local_cloud import moto_state
from local_cloud.cloud import Cloud
from local_cloud.permissions.errors import AccessDenied

log = logging.getLogger("local_cloud.logs")


class LogWriter:
    """Writes lines to one stream, as the process behind it would by PutLogEvents. Cheap, and safe from any thread.

    Group and stream are made when the first line comes. All of it is done as a role; lines that it may not write are
    lost, as on AWS, and the cloud's own log says so.
    """

    def __init__(self, cloud: Cloud, group: str, stream: str, *, role_arn: str, session_name: str) -> None:
        self._cloud = cloud
        self._group = group
        self._stream = stream
        self._role_arn = role_arn
        self._session_name = session_name
        self._told = False

    def write(self, lines: Iterable[str]) -> None:
        """Append one event a line, at the time of the call, in order. They are durable when this returns."""
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        if not events:
            return
        try:
            self._ask("PutLogEvents", self._stream)
            target = self._target()
        except AccessDenied as error:
            if not self._told:
                log.warning("no logs in %s: %s", self._group, error)
            self._told = True
        else:
            saving = self._cloud.persistence.saving
            saving.until_done(f"log group {self._group}", lambda: target.put_log_events(events))

    def _ask(self, operation: str, stream: str = "") -> None:
        settings = self._cloud.settings
        resource = f"arn:aws:logs:{settings.region}:{settings.account_id}:log-group:{self._group}:log-stream:{stream}"
        self._cloud.permissions.check_role(
            self._role_arn, f"logs:{operation}", resource, session_name=self._session_name
        )

    def _target(self) -> Any:
        from moto.logs.models import logs_backends

        settings = self._cloud.settings
        backend = logs_backends[settings.account_id][settings.region]
        group = backend.groups.get(self._group)
        if group is None or self._stream not in group.streams:
            if group is None:
                self._ask("CreateLogGroup")
            self._ask("CreateLogStream", self._stream)
            with moto_state.held():
                backend.ensure_log_group(self._group)
            if group is None:
                self._cloud.persistence.save("logs", patient=True)
            self._cloud.persistence.saving.until_done(f"log group {self._group}", lambda: self._make_stream(backend))
            group = backend.groups[self._group]
        return group.streams[self._stream]

    def _make_stream(self, backend: Any) -> None:
        with moto_state.held():
            backend.ensure_log_stream(self._group, self._stream)
