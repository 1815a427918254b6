"""A full disk: what needs it fails or waits, each with the cause in one line; nothing else does, and nothing is lost.

The state folder lies on a small tmpfs of its own, which only root can mount.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_cloud.services.redshift.engine.warehouse import Warehouse

from .conftest import RunningCloud

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
NO_SPACE = "No space left on device"
ONCE = Config(retries={"total_max_attempts": 1})


@dataclass
class Disk:
    """A file system of a few megabytes."""

    folder: Path

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self, *, but: int = 0) -> None:
        """Leave `but` bytes free."""
        room = os.statvfs(self.folder)
        with self._filler.open("ab", buffering=0) as file:
            file.truncate(0)
            try:
                for _ in range(room.f_bavail * room.f_frsize // 4096 - but // 4096 + (0 if but else 1)):
                    file.write(bytes(4096))
            except OSError:
                return

    def grow(self) -> None:
        subprocess.run(["mount", "-o", "remount,size=96m", str(self.folder)], check=True)

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    yield from mounted(tmp_path_factory.mktemp("disk"))


@pytest.fixture
def own_disk(tmp_path: Path) -> Iterator[Disk]:
    yield from mounted(tmp_path)


def mounted(folder: Path) -> Iterator[Disk]:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("only root can mount a file system")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def cloud(disk: Disk) -> Iterator[RunningCloud]:
    state = disk.folder / "state"
    state.mkdir(0o700)
    running = RunningCloud(state)
    start(running)
    yield running
    disk.free()
    running.stop()


@pytest.fixture
def full(disk: Disk, cloud: RunningCloud) -> Iterator[Disk]:
    """A running cloud whose disk is full now."""
    disk.fill()
    yield disk
    disk.free()
    eventually(lambda: status(cloud)["unsaved"] is None)


def status(cloud: RunningCloud) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(command(cloud, "status", "--json").stdout)
    return told


def command(cloud: RunningCloud, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).parent / "local-cloud")
    return subprocess.run([program, *arguments], env=cloud.env, capture_output=True, text=True, timeout=60)


def eventually(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def start(cloud: RunningCloud) -> None:
    """Until it is ready, not only listening."""
    cloud.start()
    eventually(lambda: status(cloud)["running"])


def killed_and_started(cloud: RunningCloud) -> None:
    cloud.stop(signal.SIGKILL)
    start(cloud)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as failed:
        call()
    return str(failed.value.response["Error"]["Message"])


def test_a_change_is_refused_with_the_cause_until_it_can_be_saved(cloud: RunningCloud, full: Disk) -> None:
    iam = cloud.client("iam", config=ONCE)
    assert NO_SPACE in refusal(lambda: iam.create_role(RoleName="first", AssumeRolePolicyDocument=TRUST))
    sqs = cloud.client("sqs", config=ONCE)
    said = refusal(lambda: sqs.create_queue(QueueName="q"))
    assert said.startswith(f"The local cloud cannot save its state in {cloud.state_dir}: {NO_SPACE} (since ")
    assert said.endswith(" UTC, for iam); nothing is changed until that is saved.")
    assert sqs.list_queues().get("QueueUrls", []) == [], "reads are answered"

    told = status(cloud)["unsaved"]
    assert (told["what"], told["cause"]) == (["iam"], NO_SPACE)
    (_, line) = command(cloud, "status").stdout.splitlines()
    assert line == f"cannot save iam since {told['since']}: {NO_SPACE}; changes are refused until it can"

    full.free()
    cloud.client("sqs").create_queue(QueueName="q")
    assert status(cloud)["unsaved"] is None
    killed_and_started(cloud)
    assert [role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]] == ["first"]
    assert len(cloud.client("sqs").list_queues()["QueueUrls"]) == 1


def test_an_object_that_does_not_fit_is_refused_and_the_one_before_stays(disk: Disk, cloud: RunningCloud) -> None:
    s3 = cloud.client("s3", config=ONCE)
    s3.create_bucket(Bucket="objects")
    s3.put_object(Bucket="objects", Key="k", Body=b"first")
    s3.put_object(Bucket="objects", Key="large", Body=bytes(1 << 20))
    disk.fill()
    said = refusal(lambda: s3.put_object(Bucket="objects", Key="k", Body=bytes(1 << 20)))
    assert said.startswith(f"The local cloud cannot do that: {NO_SPACE}")
    assert s3.get_object(Bucket="objects", Key="k")["Body"].read() == b"first"
    assert list((cloud.state_dir / "s3" / ".local-cloud" / "staging").iterdir()) == []
    s3.delete_object(Bucket="objects", Key="large")  # what makes room is possible
    s3.put_object(Bucket="objects", Key="k", Body=b"second")
    disk.free()
    killed_and_started(cloud)
    listed = cloud.client("s3").list_objects_v2(Bucket="objects")["Contents"]
    assert [item["Key"] for item in listed] == ["k"]
    assert cloud.client("s3").get_object(Bucket="objects", Key="k")["Body"].read() == b"second"


def test_an_execution_waits_for_space_and_ends_as_it_would_have(disk: Disk, cloud: RunningCloud) -> None:
    states = cloud.client("stepfunctions")
    definition = {
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "End"}, "End": {"Type": "Succeed"}},
    }
    machine = states.create_state_machine(name="waits", definition=json.dumps(definition), roleArn=cloud.role("waits"))[
        "stateMachineArn"
    ]
    arn = states.start_execution(stateMachineArn=machine, input='{"a": "%s"}' % ("x" * 5000))["executionArn"]
    disk.fill()
    name = f"execution {arn.rpartition(':')[2]}"
    eventually(lambda: name in (status(cloud)["unsaved"] or {"what": []})["what"])
    assert states.describe_execution(executionArn=arn)["status"] == "RUNNING"
    disk.free()
    eventually(lambda: states.describe_execution(executionArn=arn)["status"] == "SUCCEEDED")
    killed_and_started(cloud)
    assert states.describe_execution(executionArn=arn)["status"] == "SUCCEEDED"
    events = states.get_execution_history(executionArn=arn)["events"]
    assert [event["id"] for event in events] == [1, 2, 3, 4, 5, 6]


def test_a_statement_that_does_not_fit_fails_and_the_warehouse_goes_on(disk: Disk, cloud: RunningCloud) -> None:
    serverless = cloud.client("redshift-serverless")
    serverless.create_namespace(namespaceName="space", dbName="dev")
    serverless.create_workgroup(workgroupName="space", namespaceName="space")
    data = cloud.client("redshift-data", config=ONCE)

    def run(sql: str) -> Any:
        found = data.execute_statement(WorkgroupName="space", Database="dev", Sql=sql)
        return eventually(lambda: (d := data.describe_statement(Id=found["Id"]))["Status"] in ENDED and d)

    def count() -> int:
        statement = run("SELECT count(*) FROM t")
        return int(data.get_statement_result(Id=statement["Id"])["Records"][0][0]["longValue"])

    assert run("CREATE TABLE t (a INT, b VARCHAR(100))")["Status"] == "FINISHED"
    assert run("INSERT INTO t VALUES (1, 'x')")["Status"] == "FINISHED"
    disk.fill(but=6 << 20)
    doubled = 0
    while (statement := run("INSERT INTO t SELECT a + 1, md5(b || a::varchar) FROM t"))["Status"] == "FINISHED":
        doubled += 1
    assert NO_SPACE in statement["Error"], statement
    assert "\n" not in statement["Error"]
    disk.free()
    eventually(lambda: status(cloud)["unsaved"] is None)
    assert count() == 2**doubled
    assert run("DELETE FROM t WHERE a > 1")["Status"] == "FINISHED"
    killed_and_started(cloud)
    assert count() == 1
    assert run("DROP TABLE t")["Status"] == "FINISHED"


def test_a_checkpoint_that_does_not_fit_loses_no_commit_and_the_warehouse_goes_on(own_disk: Disk) -> None:
    """DuckDB then closes the database to everybody, until it is attached again."""
    warehouse = Warehouse(own_disk.folder / "warehouse", temp_dir=own_disk.folder / "temp")

    def commit(sql: str) -> None:
        database, cursor = warehouse.connect("elt", "dev", first="dev")
        try:
            cursor.execute("BEGIN")
            cursor.execute(sql)
            warehouse.commit(database, cursor)
        finally:
            warehouse.disconnect(database, cursor)

    commit("CREATE TABLE public.t (a INT, b VARCHAR)")
    rows = 0
    while rows < 17_800:  # a log of over 16 MB, where DuckDB makes a checkpoint
        try:
            commit("INSERT INTO public.t SELECT 1, repeat(md5(random()::VARCHAR), 30) FROM range(100)")
        except duckdb.Error as error:
            assert NO_SPACE in str(error)  # the log itself does not fit: not acknowledged
            break
        rows += 100
        if rows == 10_000:
            own_disk.fill(but=9 << 20)
    own_disk.grow()
    commit("INSERT INTO public.t VALUES (2, 'x')")
    database, cursor = warehouse.connect("elt", "dev", first="dev")
    assert cursor.execute("SELECT count(*) FROM public.t").fetchone() == (rows + 1,)
    warehouse.disconnect(database, cursor)
    warehouse.close()


ENDED = ("FINISHED", "FAILED", "ABORTED")


def test_up_names_a_full_disk(disk: Disk, cloud: RunningCloud) -> None:
    iam = cloud.client("iam")
    iam.create_role(RoleName="before", AssumeRolePolicyDocument=TRUST)
    cloud.stop()
    disk.fill()
    for _ in range(2):
        up = command(cloud, "up")
        assert (up.returncode, up.stdout) == (1, "")
        assert up.stderr == (
            f"Error: The local cloud cannot work in {cloud.state_dir}: {NO_SPACE}. "
            "Free some space there, or give it the permission it lacks; then `local-cloud up`.\n"
        )
    disk.free()
    start(cloud)
    assert iam.get_role(RoleName="before")["Role"]["RoleName"] == "before"


def test_it_stops_in_good_order_on_a_full_disk(disk: Disk, cloud: RunningCloud) -> None:
    cloud.client("ssm").put_parameter(Name="/before", Value="x", Type="String")
    disk.fill()
    refusal(lambda: cloud.client("ssm", config=ONCE).put_parameter(Name="/p", Value="x" * 4000, Type="String"))
    cloud.stop()
    assert cloud.process is not None
    assert cloud.process.returncode == 0
    disk.free()
    start(cloud)
    assert cloud.client("ssm").get_parameter(Name="/before")["Parameter"]["Value"] == "x"
