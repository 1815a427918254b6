"""What every service of the local cloud is given: settings, clients that act as a role, and hooks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_cloud import moto_state
from local_cloud.api_request import INTERNAL_AGENT
from local_cloud.caches import Needs
from local_cloud.objects import Objects
from local_cloud.permissions.callers import SYSTEM_ACCESS_KEY
from local_cloud.permissions.enforcer import Enforcer
from local_cloud.permissions.errors import CannotAssume
from local_cloud.persistence import Persistence
from local_cloud.settings import HOST, Settings
from local_cloud.upkeep import Upkeep
from local_cloud.version import __version__

#: How long the temporary keys last that services and jobs get, as long as AWS allows.
SESSION_SECONDS = 43_200

#: How many clients are kept. Each holds a few megabytes.
MAX_CLIENTS = 64


@dataclass(frozen=True)
class Role:
    """A role that a service becomes to act for somebody's resource: a machine, a schedule, a function.

    `service` is its principal, "states.amazonaws.com", or the ARN of the role that becomes it in its turn;
    `source_arn` the resource and `external_id` the external id, where the service tells them.
    """

    arn: str
    service: str
    session_name: str
    source_arn: str = ""
    external_id: str = ""


@dataclass(frozen=True)
class Key:
    """Whoever made the request that a service is at work on."""

    access_key: str


#: As whom a service calls other services.
Actor = Role | Key


@dataclass
class Cloud:
    """One running local cloud. Services keep what they need of it in `install(cloud)`."""

    settings: Settings
    persistence: Persistence
    objects: Objects = field(init=False)
    """Set by the s3 service, which is installed first."""
    s3: Any = field(init=False)
    """The HTTP side of it, for the gateway."""
    permissions: Enforcer = field(init=False)
    """Asked about every request, and by services before they do something as a role inside the process."""
    upkeep: Upkeep = field(default_factory=Upkeep)
    """What is done again and again, so that what the cloud keeps does not only grow."""
    cache_users: list[Needs] = field(default_factory=list)
    """Asked which entries of the cache are needed, before others go (see `caches`)."""
    routes: dict[str, Callable[[bytes], tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    apis: dict[str, Callable[[str, bytes], tuple[int, dict[str, str], str]]] = field(default_factory=dict)
    """By the name of their package in moto, JSON APIs answered without it, from operation and body."""
    start_hooks: list[Callable[[], None]] = field(default_factory=list)
    stop_hooks: list[Callable[[], None]] = field(default_factory=list)
    _core: Any = None
    """botocore's session behind `_session`."""
    _session: Any = None
    _clients: dict[tuple[str, Actor | None], Any] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.permissions = Enforcer(account_id=self.settings.account_id, region=self.settings.region)

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
        """Who answers on this port, and what of its state is not on disk."""
        problem = self.persistence.saving.problem()
        return {
            "pid": os.getpid(),
            "state_dir": str(self.settings.state_dir),
            "version": __version__,
            "unsaved": problem.as_json() if problem else None,
            "notices": [
                *self.persistence.notices,
                *(f"{name} is lost at the next stop: {why}" for name, why in self.persistence.unsavable.items()),
            ],
        }

    def credentials(
        self,
        role_arn: str,
        session_name: str,
        *,
        service: str,
        source_arn: str = "",
        seconds: int = SESSION_SECONDS,
    ) -> dict[str, str]:
        """Temporary keys of a role, as environment variables, for a process that acts as it for so many seconds.

        `service` is the principal that becomes the role, "glue.amazonaws.com", for the resource `source_arn`. Raises
        CannotAssume where the role does not trust it.
        """
        self.permissions.check_trust(role_arn, service, **({"aws__sourcearn": source_arn} if source_arn else {}))
        role = self._assumed(role_arn, session_name, seconds)
        return {
            "AWS_ACCESS_KEY_ID": role.access_key_id,
            "AWS_SECRET_ACCESS_KEY": role.secret_access_key,
            "AWS_SESSION_TOKEN": role.session_token,
        }

    def _assumed(self, role_arn: str, session_name: str, seconds: int = SESSION_SECONDS) -> Any:
        """moto's new session of a role."""
        from moto.sts.models import sts_backends

        backend = sts_backends[self.settings.account_id]["aws"]

        def assume() -> Any:
            with moto_state.held():
                return backend.assume_role(
                    region_name=self.settings.region,
                    role_session_name=session_name[:64],
                    role_arn=role_arn,
                    policy=None,
                    duration=seconds,
                    external_id=None,
                )

        with moto_state.released():  # a full disk makes it wait
            return self.persistence.saving.until_done(f"sessions of {role_arn}", assume)

    def environment(
        self,
        role_arn: str,
        session_name: str,
        *,
        service: str,
        source_arn: str = "",
        seconds: int = SESSION_SECONDS,
    ) -> dict[str, str]:
        """What a job or function process needs to find this cloud and act as its role. As `credentials`."""
        region = self.settings.region
        return {
            "AWS_ENDPOINT_URL": self.settings.endpoint,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY", ""), HOST])),
            **self.credentials(role_arn, session_name, service=service, source_arn=source_arn, seconds=seconds),
        }

    def client(self, service: str, *, actor: Actor | None = None) -> Any:
        """A boto3 client on this cloud's own endpoint, acting as a role or, without an actor, as the cloud itself.

        Clients are kept and shared: a new one costs tens of milliseconds. A role's renews its keys by itself before a
        call, by the clock that they end by: the wall's, which goes on while the machine sleeps. Raises botocore's
        ClientError, as STS would, where the actor's service may not assume the role.
        """
        if isinstance(actor, Role):
            self._check_trust(actor)
        key = (service, actor)
        with moto_state.released(), self._lock:
            client = self._clients.pop(key, None) or self._new_client(service, actor)
            self._clients[key] = client  # the newest last
            if len(self._clients) > MAX_CLIENTS:
                del self._clients[next(iter(self._clients))]
            return client

    def _check_trust(self, role: Role) -> None:
        from botocore.exceptions import ClientError

        conditions = {"aws__sourcearn": role.source_arn, "sts__externalid": role.external_id}
        keys = {name: value for name, value in conditions.items() if value}
        try:
            self.permissions.check_trust(role.arn, role.service, **keys)
        except CannotAssume as error:
            answer = {
                "Error": {"Code": "AccessDenied", "Message": str(error)},
                "ResponseMetadata": {"HTTPStatusCode": 403},
            }
            raise ClientError(answer, "AssumeRole") from None

    def _new_client(self, service: str, actor: Actor | None) -> Any:
        import boto3
        import botocore.session
        from botocore.config import Config

        if self._session is None:
            self._core = botocore.session.Session()
            self._session = boto3.session.Session(botocore_session=self._core)
        session, keys = self._session, {}
        if isinstance(actor, Role):
            session = self._session_of(actor)
        else:
            access_key = actor.access_key if actor else SYSTEM_ACCESS_KEY
            keys = {"aws_access_key_id": access_key, "aws_secret_access_key": "local"}
            if token := self.permissions.callers.session_token(access_key):
                keys["aws_session_token"] = token
        client = session.client(
            service,
            region_name=self.settings.region,
            endpoint_url=self.settings.endpoint,
            **keys,
            config=Config(
                retries={"total_max_attempts": 1},
                read_timeout=3600,
                proxies={},
                user_agent_extra=INTERNAL_AGENT,
                inject_host_prefix=False,  # there is no host `sync-127.0.0.1` for StartSyncExecution
            ),
        )
        if isinstance(actor, Role):
            client.meta.events.register("needs-retry", _again_with_new_keys(session.get_credentials()))
        return client

    def _session_of(self, role: Role) -> Any:
        """A session that acts as a role. It shares botocore's data about services with all others: reading is slow."""
        import boto3
        import botocore.session

        own = botocore.session.Session()
        for component in ("data_loader", "endpoint_resolver"):
            own.register_component(component, self._core.get_component(component))
        own.register_component("credential_provider", _Keys(lambda: self._assumed(role.arn, role.session_name)))
        return boto3.session.Session(botocore_session=own)


def _again_with_new_keys(keys: Any) -> Callable[..., float | None]:
    """A handler of `needs-retry`: a call whose keys are refused as expired is made again, once, with new ones."""

    def decide(response: tuple[Any, dict[str, Any]] | None, attempts: int, **_: Any) -> float | None:
        code = response[1].get("Error", {}).get("Code") if response else None
        if attempts > 1 or code not in ("ExpiredToken", "ExpiredTokenException"):
            return None
        keys.refused = True
        return 0.0  # seconds to wait

    return decide


@dataclass(frozen=True)
class _Keys:
    """Gives botocore a role's keys, and new ones a quarter of an hour before those end, or once they are refused."""

    assume: Callable[[], Any]

    def load_credentials(self) -> Any:
        from botocore.credentials import RefreshableCredentials

        class Renewed(RefreshableCredentials):  # type: ignore[misc]
            refused = False

            def refresh_needed(self, refresh_in: int | None = None) -> bool:
                return self.refused or bool(super().refresh_needed(refresh_in))

            def get_frozen_credentials(self) -> Any:
                # Who waits for another thread to renew them must not hold what that thread needs for it.
                with moto_state.released():
                    return super().get_frozen_credentials()

        def renew() -> dict[str, str]:
            keys.refused = False
            return self._metadata()

        keys = Renewed.create_from_metadata(self._metadata(), refresh_using=renew, method="local-cloud")
        return keys

    def _metadata(self) -> dict[str, str]:
        role = self.assume()
        return {
            "access_key": role.access_key_id,
            "secret_key": role.secret_access_key,
            "token": role.session_token,
            "expiry_time": f"{role.expiration.isoformat()}Z",  # moto keeps it in UTC and says so nowhere
        }
