"""A laptop: the `elt` and `aws` commands as a user has them, on a local cloud of their own."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Laptop:
    """Commands run in a process of their own, with this laptop's cloud and nobody's AWS settings or command."""

    state: Path
    port: int
    clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def new(cls, folders: pytest.TempPathFactory) -> Laptop:
        """With nothing on it.

        What its cloud unpacks of packages lies beside that of all other laptops of a test run, by what it contains.
        """
        machine = cls(folders.mktemp("laptop") / "elt", free_port())
        (packages := _shared(folders) / "packages").mkdir(exist_ok=True)
        (machine.state / "cache").mkdir(mode=0o700, parents=True)
        (machine.state / "cache" / "packages").symlink_to(packages)
        return machine

    @property
    def env(self) -> dict[str, str]:
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOCAL_CLOUD_", "ELT_"))}
        return keep | {
            "LOCAL_CLOUD_STATE": str(self.state),
            "LOCAL_CLOUD_PORT": str(self.port),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
            "ELT_AWS": "bundled",
        }

    @property
    def sdk(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }

    def run(self, *command: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.env | self.sdk, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
        )

    def elt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("elt", *arguments)

    def succeeds(self, *arguments: str) -> None:
        done = self.elt(*arguments)
        assert done.returncode == 0, done.stderr

    def elt_json(self, *arguments: str) -> Any:
        """The JSON a command that succeeds prints."""
        done = self.elt(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def aws(self, *arguments: str) -> Any:
        done = self.run("aws", *arguments, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.session.Session().client(
                service,
                endpoint_url=self.sdk["AWS_ENDPOINT_URL"],
                region_name="us-east-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",
            )
        return self.clients[service]

    def mails(self) -> list[EmailMessage]:
        """What pipelines sent so far, oldest first: their subjects begin with the environment."""
        return [mail for mail in self._mails() if mail["Subject"].startswith("[local] ")]

    def alarms(self) -> list[EmailMessage]:
        """What CloudWatch's alarms sent so far, oldest first."""
        return [mail for mail in self._mails() if not mail["Subject"].startswith("[local] ")]

    def _mails(self) -> list[EmailMessage]:
        files = sorted((self.state / "mail").glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]  # type: ignore[misc]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        import rs_query

        os_environ = dict(os.environ)
        os.environ.update(self.sdk)
        try:
            return rs_query.run(sql, workgroup="elt-local", database="elt").results[0].fetch()
        finally:
            os.environ.clear()
            os.environ.update(os_environ)

    def outputs(self, stack: str) -> dict[str, str]:
        """What a deployed stack gives out: `artifacts`, `data` or `pipelines`."""
        name = "elt-artifacts" if stack == "artifacts" else f"elt-local-{stack}"
        (found,) = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def set_parameters(self, **values: str | None) -> None:
        """Update the pipelines stack by its parameters alone; None gives one its default again."""
        name, cloudformation = "elt-local-pipelines", self.client("cloudformation")
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        kept = [one["ParameterKey"] for one in stack["Parameters"] if one["ParameterKey"] not in values]
        cloudformation.update_stack(
            StackName=name,
            UsePreviousTemplate=True,
            Parameters=[
                *({"ParameterKey": key, "UsePreviousValue": True} for key in kept),
                *({"ParameterKey": key, "ParameterValue": value} for key, value in values.items() if value),
            ],
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        cloudformation.get_waiter("stack_update_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )

    @contextmanager
    def machine_with(self, change: Callable[[dict[str, Any]], None]) -> Iterator[str]:
        """The deployed machine of yellow trips with something changed, beside it."""
        states = self.client("stepfunctions")
        deployed = states.describe_state_machine(stateMachineArn=self.outputs("pipelines")["YellowTrips"])
        definition = json.loads(deployed["definition"])
        change(definition)
        arn = states.create_state_machine(
            name=f"changed-{time.time_ns()}", definition=json.dumps(definition), roleArn=deployed["roleArn"]
        )["stateMachineArn"]
        yield arn
        states.delete_state_machine(stateMachineArn=arn)

    def finished(self, execution: str) -> dict[str, Any]:
        """The execution as Step Functions describes it, once it has ended."""
        states = self.client("stepfunctions")
        for _ in range(1200):
            found: dict[str, Any] = states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.1)
        raise AssertionError(f"{execution} still runs")

    @property
    def pid(self) -> int:
        return int(json.loads((self.state / "local-cloud.json").read_text())["pid"])


def until(look: Callable[[], Any], *, what: str) -> Any:
    """Return what it gives as soon as that is true."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what} within a minute")


@contextmanager
def deployed(folders: pytest.TempPathFactory, *, here: bool = False) -> Iterator[Laptop]:
    """A laptop of its own, with everything deployed; it is shut down in the end.

    It begins with the state of one that was deployed before, or, `here`, with a deployment that its cloud has seen.
    """
    if here:
        machine = Laptop.new(folders)
    else:
        machine = Laptop(folders.mktemp("laptop") / "elt", free_port())
        shutil.copytree(_deployed_state(folders), machine.state, symlinks=True)
    try:
        machine.succeeds(*(("deploy",) if here else ("local", "up")))
        yield machine
    finally:
        machine.elt("local", "down")


def _deployed_state(folders: pytest.TempPathFactory) -> Path:
    """The state of a laptop on which everything was deployed: once in a test run, whichever of its workers asks."""
    place = _shared(folders) / "deployed"
    with (_shared(folders) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            machine = Laptop.new(folders)
            try:
                machine.succeeds("deploy")
            finally:
                machine.succeeds("local", "down")
            place.symlink_to(machine.state)
    return place.resolve()


def _shared(folders: pytest.TempPathFactory) -> Path:
    """A folder of the test run, whatever the number of its workers."""
    base = folders.getbasetemp()
    # By the folder's name, not by xdist's variable: a pytest that a test starts has that too, and no other workers.
    folder = (base.parent if base.name.startswith("popen-") else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder
