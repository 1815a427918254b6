"""CloudWatch Logs: groups are moto's, streams and events lie in a database of their own.

So they survive a restart, cost no memory, and writing one does not rewrite the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.services.logs.events import Events
from local_cloud.services.logs.writer import LogWriter

__all__ = ["LogWriter", "install"]


def install(cloud: Cloud) -> None:
    from local_cloud.services.logs import patches, streams

    def adopt(backends: Iterable[Any]) -> None:
        streams.adopt(backends)
        cloud.persistence.changed("logs")

    events = Events(cloud.settings.state_dir / "control-plane" / "log-events.sqlite")
    expire = patches.apply(events, account_id=cloud.settings.account_id, region=cloud.settings.region)
    cloud.upkeep.add("retention of logs", expire)
    cloud.persistence.register_moto("logs", not_after=["CreateLogStream", "DeleteLogStream", "PutLogEvents"])
    cloud.persistence.after_restore("logs", adopt)
    cloud.on_stop(events.close)
