"""CloudFormation: templates deployed through this cloud's own API, so that every resource is what a user would get.

A small engine of our own in place of moto's. It is imported by the first CloudFormation request, or by a start
that finds stacks to take up.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from local_cloud.cloud import Cloud

if TYPE_CHECKING:
    from local_cloud.services.cloudformation.engine import Engine

PART = "cloudformation"


class Service:
    """The engine, made when it is first needed."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._engine: Engine | None = None
        self._saved: bytes = b""
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        with self._lock:
            if self._engine is None:
                from local_cloud.services.cloudformation.engine import Engine

                engine = Engine(self.cloud, changed=lambda: self.cloud.persistence.changed(PART))
                if self._saved:
                    engine.restore(self._saved)
                self._engine = engine
            return self._engine

    def save(self) -> bytes:
        return self._engine.save() if self._engine else self._saved

    def restore(self, saved: bytes) -> None:
        self._saved = saved

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
    get_backend = moto.backends.get_backend

    def get(name: str) -> Any:
        return {"global": service} if name == "cloudformation" else get_backend(name)

    moto.backends.get_backend = get
    cloud.persistence.register(PART, save=service.save, restore=service.restore)
    cloud.on_stop(service.stop)
