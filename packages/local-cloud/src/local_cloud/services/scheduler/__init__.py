"""EventBridge Scheduler: schedules are moto's, and fire."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line imports this package and must not load a cloud for it
    from local_cloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    """Check schedules when they are made, fire them when they are due, let them be fired by hand."""
    from local_cloud.services.scheduler import byhand, command, requests
    from local_cloud.services.scheduler.ticker import Ticker

    requests.patch(cloud)
    ticker = Ticker(cloud)
    cloud.route(command.PATH, lambda body: byhand.respond(cloud, body))
    cloud.on_start(ticker.start)
    cloud.on_stop(ticker.stop)
