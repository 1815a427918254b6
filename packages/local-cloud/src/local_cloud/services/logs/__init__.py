"""CloudWatch Logs: groups and streams are moto's, events lie in a database of their own.

So a stream's events survive a restart, cost no memory, and writing one does not rewrite the others.
"""

from __future__ import annotations

from local_cloud.cloud import Cloud
from local_cloud.services.logs.events import Events
from local_cloud.services.logs.writer import LogWriter

__all__ = ["LogWriter", "install"]


def install(cloud: Cloud) -> None:
    from local_cloud.services.logs import patches

    events = Events(cloud.settings.state_dir / "control-plane" / "log-events.sqlite")
    patches.apply(events)
    cloud.persistence.register_moto("logs", not_after=["PutLogEvents"])
    cloud.on_stop(events.close)
