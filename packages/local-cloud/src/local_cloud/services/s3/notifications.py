"""Event notifications of buckets: moto holds the configuration and knows the targets, we tell it what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_cloud import moto_state
from local_cloud.services.s3.bucket import Buckets
from local_cloud.services.s3.storage.catalog import Version


@dataclass(frozen=True)
class _Key:
    """What moto's events read of a key."""

    name: str
    size: int
    etag: str
    version_id: str


class Notifier:
    """`changed` receives the names of services whose state an event may have changed."""

    def __init__(self, account_id: str, buckets: Buckets, *, changed: Callable[[str], None]) -> None:
        self._account_id = account_id
        self._buckets = buckets
        self._changed = changed

    def __call__(self, event: str, version: Version) -> None:
        """Tell the bucket's targets of `event` (s3:ObjectCreated:Put, …), without making the caller wait."""
        bucket = self._buckets.get(version.bucket)
        if bucket.notification_configuration is None:
            return
        key = _Key(version.key, version.size or 0, version.etag, version.version_id)
        threading.Thread(target=self._send, args=(event, bucket, key), name="s3-notification", daemon=True).start()

    def _send(self, event: str, bucket: Any, key: _Key) -> None:
        from moto.s3.notifications import S3NotificationEvent, send_event

        with moto_state.held():
            send_event(self._account_id, S3NotificationEvent(event), bucket, key)
        for service in ("sqs", "sns"):
            self._changed(service)
