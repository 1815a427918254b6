"""Lifecycle rules carried out: objects expire, old versions, markers and unfinished uploads go.

S3 does it once a day, some time after the midnight that each is rounded to; here it is done at the start, every hour
(see `upkeep`), and soon after a configuration was put. Transitions are kept and given back: there is one storage class.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from local_cloud.services.s3.lifecycle import rules as lifecycle_rules
from local_cloud.services.s3.lifecycle.rules import Due, Rule
from local_cloud.services.s3.storage.catalog import Version
from local_cloud.services.s3.storage.store import Store

log = logging.getLogger("local_cloud.s3")

Notify = Callable[[str, Version], None]


class _Changed(Exception):
    """Somebody has written the key since it was looked at."""


class Lifecycle:
    """The configurations of all buckets, in the store's catalog. `changed()` asks for a run soon."""

    def __init__(self, store: Store, *, notify: Notify, changed: Callable[[], None]) -> None:
        self._store = store
        self._notify = notify
        self._changed = changed
        self._rules = {
            bucket: lifecycle_rules.in_force(json.loads(text)["rules"])
            for bucket, text in store.catalog.lifecycles().items()
        }

    def put(self, bucket: str, configuration: Mapping[str, Any]) -> None:
        """Keep a configuration: `rules` as `document.read` gives them, and what else is to be given back."""
        self._store.catalog.set_lifecycle(bucket, json.dumps(configuration))
        self._rules[bucket] = lifecycle_rules.in_force(configuration["rules"])
        self._changed()

    def get(self, bucket: str) -> Any:
        """What was put, None where nothing was."""
        text = self._store.catalog.lifecycles().get(bucket)
        return json.loads(text) if text else None

    def delete(self, bucket: str) -> None:
        self._store.catalog.set_lifecycle(bucket, None)
        self._rules.pop(bucket, None)

    def expiration_header(self, version: Version) -> dict[str, str]:
        """`x-amz-expiration`, for a current object that a rule ends."""
        found = lifecycle_rules.expiration(version, self._rules.get(version.bucket, ()))
        if found is None:
            return {}
        when, rule = found
        date = when.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return {"x-amz-expiration": f'expiry-date="{date}", rule-id="{quote(rule.id, safe="")}"'}

    def run(self, now: datetime.datetime | None = None) -> None:
        """Carry out what is due."""
        now = now or datetime.datetime.now(datetime.UTC)
        for bucket, rules in list(self._rules.items()):
            ended = sum(self._end(one) for one in self._due(bucket, rules, now))
            uploads = [one for one in self._store.catalog.uploads(bucket) if lifecycle_rules.abandoned(one, rules, now)]
            for upload in uploads:
                self._store.forget_upload(upload)
            if ended or uploads:
                log.info("lifecycle of %s: %d versions ended, %d uploads aborted", bucket, ended, len(uploads))

    def _due(self, bucket: str, rules: tuple[Rule, ...], now: datetime.datetime) -> list[Due]:
        found: list[Due] = []
        prefix = os.path.commonprefix([rule.prefix for rule in rules])  # noqa: RUF071 - keys are no paths
        for key in self._store.all_keys(bucket, prefix=prefix):
            versions = self._store.versions(bucket, key)
            if versions and versions[0][1]:
                found += lifecycle_rules.due([version for version, _ in versions], rules, now)
        return found

    def _end(self, due: Due) -> bool:
        version, store = due.version, self._store

        def unchanged(found: Version | None) -> None:
            if found is None or found.seq != version.seq:
                raise _Changed

        try:
            if due.for_good:
                store.delete_version(version.bucket, version.key, version.version_id, condition=unchanged)
                event = "s3:LifecycleExpiration:Delete"
            else:
                done = store.delete(version.bucket, version.key, condition=unchanged)
                event = f"s3:LifecycleExpiration:{'DeleteMarkerCreated' if done.marker else 'Delete'}"
        except _Changed:
            return False
        if not version.is_delete_marker:
            self._notify(event, version)
        return True
