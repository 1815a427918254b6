"""A running local cloud for each test module that asks for one: a real process on a free port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

#: One for all clients: each new one would read botocore's endpoint data again. Making clients is not thread-safe.
_SESSION, _SESSION_LOCK = boto3.session.Session(), threading.Lock()
_HERE: dict[str, Any] = {"config": Config(inject_host_prefix=False)}
"""TestState goes to the host `sync-…` otherwise."""


#: Services that act as roles.
SERVICES = ("cloudformation", "events", "glue", "lambda", "redshift", "scheduler", "states")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


@dataclass
class RunningCloud:
    """One server process, and what a user would reach it with: boto3 and the `aws` command."""

    state_dir: Path
    port: int = field(default_factory=free_port)
    command: tuple[str, ...] = ("-m", "local_cloud")
    settings: dict[str, str] = field(default_factory=dict)
    """Further variables of the server's environment."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        keys = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOCAL_CLOUD_"))}
        return keys | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "LOCAL_CLOUD_STATE": str(self.state_dir),
            "LOCAL_CLOUD_PORT": str(self.port),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def start(self) -> None:
        log = (self.state_dir / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, *self.command], env=self.env | self.settings, stdout=log, stderr=log, cwd=self.state_dir
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._listens():
                return
            assert self.process.poll() is None, (self.state_dir / "server.log").read_text()
            time.sleep(0.05)
        raise AssertionError("the local cloud did not open its port in 30 s")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, signum: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signum)
            self.process.wait(20)
            # A child that was being forked has the listening socket until it runs its program.
            deadline = time.monotonic() + 10
            while self._listens() and time.monotonic() < deadline:
                time.sleep(0.01)

    def client(self, service: str, **kwargs: Any) -> Any:
        with _SESSION_LOCK:
            return _SESSION.client(
                service,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                **(_HERE | kwargs),
            )

    def role(self, name: str, *statements: dict[str, Any], trust: dict[str, Any] | None = None, path: str = "/") -> str:
        """Make a role, or change it, and return its ARN. It may everything, or what the statements say.

        Every service may become it, and everybody in the account, unless `trust` says otherwise.
        """
        iam = self.client("iam")
        services = [f"{name}.amazonaws.com" for name in SERVICES]
        trusted = {"Service": services, "AWS": "arn:aws:iam::123456789012:root"} if trust is None else trust
        said = json.dumps(document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted}))
        try:
            iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=said)
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=said)
        may = statements or ({"Effect": "Allow", "Action": "*", "Resource": "*"},)
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=json.dumps(document(*may)))
        return f"arn:aws:iam::123456789012:role{path}{name}"

    def as_role(self, name: str, service: str, *, session: str = "session") -> Any:
        """A client with temporary keys of a role."""
        arn = self.client("iam").get_role(RoleName=name)["Role"]["Arn"]
        keys = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
        return self.with_keys(service, keys)

    def with_keys(self, service: str, keys: dict[str, str], **kwargs: Any) -> Any:
        with _SESSION_LOCK:
            return _SESSION.client(
                service,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys.get("SecretAccessKey", "x"),
                aws_session_token=keys.get("SessionToken"),
                **(_HERE | kwargs),
            )

    def aws(self, *args: str) -> subprocess.CompletedProcess[str]:
        """The unmodified `aws` command with nothing but the environment."""
        return subprocess.run(["aws", *args], env=self.env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def port() -> int:
    """A port nobody holds."""
    return free_port()


@pytest.fixture
def another_port(port: int) -> int:
    return free_port()


@pytest.fixture(scope="session")
def new_cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RunningCloud]:
    """Makes clouds that are not started yet. They share the environments of jobs, also with the next session."""
    environments = request.config.cache.mkdir("job-environments")

    def make(**fields: Any) -> RunningCloud:
        state_dir = tmp_path_factory.mktemp("cloud")
        (state_dir / "cache").mkdir()
        (state_dir / "cache" / "environments").symlink_to(environments)
        return RunningCloud(state_dir, **fields)

    return make


@pytest.fixture(scope="module")
def cloud(new_cloud: Callable[..., RunningCloud]) -> Iterator[RunningCloud]:
    running = new_cloud()
    running.start()
    yield running
    running.stop()
