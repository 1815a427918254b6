"""Log output of jobs and functions, written by the services that run them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from local_cloud.cloud import Cloud

_making = threading.Lock()


class LogWriter:
    """Writes lines to one stream, as the process behind it would by PutLogEvents. Cheap, and safe from any thread.

    Group and stream are made when the first line comes.
    """

    def __init__(self, cloud: Cloud, group: str, stream: str) -> None:
        self._cloud = cloud
        self._group = group
        self._stream = stream

    def write(self, lines: Iterable[str]) -> None:
        """Append one event a line, at the time of the call, in order. They are durable when this returns."""
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        if events:
            self._target().put_log_events(events)

    def _target(self) -> Any:
        from moto.logs.models import logs_backends

        settings = self._cloud.settings
        backend = logs_backends[settings.account_id][settings.region]
        group = backend.groups.get(self._group)
        if group is None or self._stream not in group.streams:
            with _making:
                backend.ensure_log_group(self._group)
                backend.ensure_log_stream(self._group, self._stream)
            self._cloud.persistence.save("logs")
            group = backend.groups[self._group]
        return group.streams[self._stream]
