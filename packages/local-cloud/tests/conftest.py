"""A running local cloud for each test module that asks for one: a real process on a free port."""

from __future__ import annotations

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

#: One for all clients: each new one would read botocore's endpoint data again. Making clients is not thread-safe.
_SESSION, _SESSION_LOCK = boto3.session.Session(), threading.Lock()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningCloud:
    """One server process, and what a user would reach it with: boto3 and the `aws` command."""

    state_dir: Path
    port: int = field(default_factory=free_port)
    command: tuple[str, ...] = ("-m", "local_cloud")
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
            "LOCAL_CLOUD_STATE": str(self.state_dir),
            "LOCAL_CLOUD_PORT": str(self.port),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def start(self) -> None:
        log = (self.state_dir / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, *self.command], env=self.env, stdout=log, stderr=log, cwd=self.state_dir
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, (self.state_dir / "server.log").read_text()
            time.sleep(0.05)
        raise AssertionError("the local cloud did not open its port in 30 s")

    def stop(self, signum: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signum)
            self.process.wait(20)

    def client(self, service: str, **kwargs: Any) -> Any:
        with _SESSION_LOCK:
            return _SESSION.client(
                service,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                **kwargs,
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
