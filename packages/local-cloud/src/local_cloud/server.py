"""The server process: the gateway on one port of the loopback interface, until it is told to stop."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.persistence import Persistence
from local_cloud.services import SERVICES
from local_cloud.settings import Settings

log = logging.getLogger("local_cloud.server")

#: How long a stop waits for requests in work, in seconds.
PATIENCE = 5.0


def create_app(cloud: Cloud) -> Any:
    """The WSGI application: state read back, our services installed, moto for the rest."""
    os.environ["MOTO_ACCOUNT_ID"] = cloud.settings.account_id
    cloud.persistence.load()
    for name in SERVICES:
        importlib.import_module(f"local_cloud.services.{name}").install(cloud)
    from local_cloud.gateway import Gateway

    return Gateway(cloud)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. PortInUse, StateInUse and StateUnusable before anything is changed."""
    from local_cloud.httpd import Server, listen

    settings.state_dir.mkdir(parents=True, exist_ok=True)
    listener = listen(settings.port)
    cloud = Cloud(settings, Persistence(settings.state_dir / "control-plane"))
    server = Server(listener, create_app(cloud))

    def stop(signum: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for hook in cloud.start_hooks:
        hook()
    log.info("serving %s from %s", settings.endpoint, settings.state_dir)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        if not server.wait_idle(PATIENCE):
            log.warning("stopping although requests are still in work")
        for hook in reversed(cloud.stop_hooks):
            hook()
        cloud.persistence.close()
