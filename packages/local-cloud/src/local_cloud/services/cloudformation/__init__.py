"""CloudFormation: templates deployed through this cloud's own API, so that every resource is what a user would get.

A small engine of our own in place of moto's, imported by the first CloudFormation request.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_cloud.cloud import Cloud
from local_cloud.commits import was_made
from local_cloud.database import Database

if TYPE_CHECKING:
    from local_cloud.services.cloudformation.engine import Engine


class Service:
    """The engine, made when it is first needed."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        with self._lock:
            if self._engine is None:
                from local_cloud.services.cloudformation.engine import Engine
                from local_cloud.services.cloudformation.store import Store

                self._engine = Engine(self.cloud, Store(self._file))
            return self._engine

    @property
    def _file(self) -> Path:
        return self.cloud.settings.state_dir / "control-plane" / "cloudformation.sqlite"

    def check(self) -> None:
        """What was saved can be read, long before it is. StateUnusable."""
        if was_made(self._file):
            Database(self._file, "").close()

    def stop(self) -> None:
        if self._engine:
            self._engine.stop()

    @property
    def flask_paths(self) -> dict[str, Any]:
        """What moto's dispatcher asks a backend for."""
        from local_cloud.services.cloudformation.api import make_dispatch

        return {"/": make_dispatch(self.engine)}


def install(cloud: Cloud) -> None:
    """Answer the requests that moto would send to its own CloudFormation."""
    import moto.backends

    service = Service(cloud)
    service.check()
    get_backend = moto.backends.get_backend

    def get(name: str) -> Any:
        return {"global": service} if name == "cloudformation" else get_backend(name)

    moto.backends.get_backend = get
    cloud.on_stop(service.stop)
