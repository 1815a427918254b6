"""The server process: moto's dispatcher with our services installed, on one port of the loopback interface."""

from __future__ import annotations

import importlib
import os
import signal
import threading
from types import FrameType
from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.persistence import Persistence
from local_cloud.services import SERVICES
from local_cloud.settings import HOST, Settings


def create_app(cloud: Cloud) -> Any:
    """The WSGI application: our services first where they take a request, moto for the rest."""
    os.environ["MOTO_ACCOUNT_ID"] = cloud.settings.account_id
    for name in SERVICES:
        importlib.import_module(f"local_cloud.services.{name}").install(cloud)
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    return DomainDispatcherApplication(create_backend_app)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    class Handler(MotoRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, *args: Any, **kwargs: Any) -> None:
            """Keep the log for what goes wrong; CloudTrail is not part of this cloud."""

    cloud = Cloud(settings, Persistence(settings.state_dir / "control-plane"))
    server = make_server(HOST, settings.port, create_app(cloud), threaded=True, request_handler=Handler)

    def stop(signum: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for hook in cloud.start_hooks:
        hook()
    server.serve_forever()
    for hook in reversed(cloud.stop_hooks):
        hook()
