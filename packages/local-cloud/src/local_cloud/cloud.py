"""What every service of the local cloud is given: settings, clients that act as a role, and hooks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_cloud.authorization import SYSTEM_ACCESS_KEY, AllowAll, Authorizer, InProcessAccess
from local_cloud.objects import Objects
from local_cloud.persistence import Persistence
from local_cloud.settings import HOST, Settings
from local_cloud.version import __version__

#: How long the temporary keys last that services and jobs get, as long as AWS allows.
SESSION_SECONDS = 43_200

#: How many clients are kept. Each holds a few megabytes.
MAX_CLIENTS = 64


@dataclass
class Cloud:
    """One running local cloud. Services keep what they need of it in `install(cloud)`."""

    settings: Settings
    persistence: Persistence
    objects: Objects = field(init=False)
    """Set by the s3 service, which is installed first."""
    s3: Any = field(init=False)
    """The HTTP side of it, for the gateway."""
    authorizer: Authorizer = field(default_factory=AllowAll)
    routes: dict[str, Callable[[bytes], tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    start_hooks: list[Callable[[], None]] = field(default_factory=list)
    stop_hooks: list[Callable[[], None]] = field(default_factory=list)
    _session: Any = None
    _clients: dict[tuple[str, str, str], tuple[float, Any]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def on_start(self, hook: Callable[[], None]) -> None:
        """Run `hook` once state is restored and the port answers."""
        self.start_hooks.append(hook)

    def on_stop(self, hook: Callable[[], None]) -> None:
        """Run `hook` before the process ends in good order (not after a kill -9)."""
        self.stop_hooks.append(hook)

    def route(self, path: str, respond: Callable[[bytes], tuple[int, dict[str, Any]]]) -> None:
        """Answer POSTs of JSON to a path under `/_local-cloud/` that is no API of AWS's with a status and JSON."""
        self.routes[path] = respond

    def describe(self) -> dict[str, Any]:
        """Who answers on this port."""
        return {"pid": os.getpid(), "state_dir": str(self.settings.state_dir), "version": __version__}

    def authorize(self, principal: str, action: str, resource: str) -> None:
        """Ask whether a role may do what a service is about to do for it inside the process.

        `principal` is the role's ARN. Raises AccessDenied.
        """
        self.authorizer.check(InProcessAccess(principal, action, resource))

    def credentials(self, role_arn: str, session_name: str) -> dict[str, str]:
        """Temporary keys of a role, as environment variables, for a process that acts as it."""
        from moto.core.utils import utcnow
        from moto.sts.models import sts_backends

        backend = sts_backends[self.settings.account_id]["aws"]
        backend.assumed_roles = [role for role in backend.assumed_roles if role.expiration > utcnow()]
        role = backend.assume_role(
            region_name=self.settings.region,
            role_session_name=session_name[:64],
            role_arn=role_arn,
            policy=None,
            duration=SESSION_SECONDS,
            external_id=None,
        )
        self.persistence.changed("sts")
        return {
            "AWS_ACCESS_KEY_ID": role.access_key_id,
            "AWS_SECRET_ACCESS_KEY": role.secret_access_key,
            "AWS_SESSION_TOKEN": role.session_token,
        }

    def environment(self, role_arn: str, session_name: str) -> dict[str, str]:
        """What a job or function process needs to find this cloud and act as its role."""
        region = self.settings.region
        return {
            "AWS_ENDPOINT_URL": self.settings.endpoint,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY", ""), HOST])),
            **self.credentials(role_arn, session_name),
        }

    def client(self, service: str, *, role_arn: str = "", session_name: str = "local-cloud") -> Any:
        """A boto3 client on this cloud's own endpoint, acting as `role_arn` or, without one, as the system.

        Clients are kept and shared: a new one costs tens of milliseconds.
        """
        key = (service, role_arn, session_name)
        with self._lock:
            made, client = self._clients.pop(key, (0.0, None))
            if client is None or time.monotonic() - made > SESSION_SECONDS / 2:
                made, client = time.monotonic(), self._new_client(*key)
            self._clients[key] = made, client  # the newest last
            if len(self._clients) > MAX_CLIENTS:
                del self._clients[next(iter(self._clients))]
            return client

    def _new_client(self, service: str, role_arn: str, session_name: str) -> Any:
        import boto3
        from botocore.config import Config

        # One session for all: each new one would read botocore's endpoint data again.
        self._session = self._session or boto3.session.Session()
        keys = self.credentials(role_arn, session_name) if role_arn else {}
        return self._session.client(
            service,
            region_name=self.settings.region,
            endpoint_url=self.settings.endpoint,
            aws_access_key_id=keys.get("AWS_ACCESS_KEY_ID", SYSTEM_ACCESS_KEY),
            aws_secret_access_key=keys.get("AWS_SECRET_ACCESS_KEY", "local"),
            aws_session_token=keys.get("AWS_SESSION_TOKEN"),
            config=Config(
                retries={"total_max_attempts": 1},
                read_timeout=3600,
                proxies={},
                inject_host_prefix=False,  # there is no host `sync-127.0.0.1` for StartSyncExecution
            ),
        )
