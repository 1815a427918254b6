"""Every file of a state folder, damaged: the next start names it, what it held and what helps, or sets it aside."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud import Settings, control, recover, recovery
from local_cloud.settings import Typed

from .conftest import RunningCloud

STATE_MACHINE = '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'
ROWS = 1000


@pytest.fixture(scope="module")
def killed(new_cloud: Callable[..., RunningCloud]) -> RunningCloud:
    """A cloud that held something of everything, killed: logs of databases are not written back yet."""
    cloud: RunningCloud = new_cloud()
    cloud.start()
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="raw")
    s3.put_object(Bucket="raw", Key="k", Body=b"bytes", ContentType="text/csv")
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(name="m", definition=STATE_MACHINE, roleArn=cloud.role("worker"))
    started = states.start_execution(stateMachineArn=machine["stateMachineArn"])
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="/g")
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    for number in range(20):
        event = {"timestamp": int(time.time() * 1000), "message": f"line {number}"}
        logs.put_log_events(logGroupName="/g", logStreamName="s", logEvents=[event])
    template = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}}'
    cloud.client("cloudformation").create_stack(StackName="stack", TemplateBody=template)
    cloud.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="stack", WaiterConfig={"Delay": 0.2, "MaxAttempts": 100}
    )
    serverless = cloud.client("redshift-serverless")
    serverless.create_namespace(namespaceName="elt", dbName="dev")
    serverless.create_workgroup(workgroupName="elt", namespaceName="elt")
    sql(cloud, "CREATE TABLE t (a INT)")
    sql(cloud, f"INSERT INTO t VALUES {', '.join(f'({n})' for n in range(ROWS))}")
    sql(cloud, "INSERT INTO t VALUES (-1)")
    while states.describe_execution(executionArn=started["executionArn"])["status"] == "RUNNING":
        time.sleep(0.05)
    cloud.stop(signal.SIGKILL)
    return cloud


def sql(cloud: RunningCloud, text: str) -> Any:
    data = cloud.client("redshift-data")
    number = data.execute_statement(WorkgroupName="elt", Database="dev", Sql=text)["Id"]
    while (found := data.describe_statement(Id=number))["Status"] not in ("FINISHED", "FAILED", "ABORTED"):
        time.sleep(0.02)
    assert found["Status"] == "FINISHED", found
    return data.get_statement_result(Id=number)["Records"] if found["HasResultSet"] else None


@pytest.fixture
def copy(killed: RunningCloud, tmp_path: Path) -> Iterator[RunningCloud]:
    """The same state in a folder of its own."""
    state = tmp_path / "state"
    shutil.copytree(killed.state_dir, state, symlinks=True)
    running = RunningCloud(state)
    yield running
    running.stop()
    control.down(settings(running))


def settings(cloud: RunningCloud) -> Settings:
    return Settings.create(state_dir=cloud.state_dir, port=cloud.port, typed=Typed())


def up(cloud: RunningCloud) -> tuple[int, str]:
    command = str(Path(sys.executable).parent / "local-cloud")
    done = subprocess.run([command, "up"], env=cloud.env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def cut_little(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def garbage(file: Path) -> None:
    file.write_bytes(os.urandom(file.stat().st_size))


def missing(file: Path) -> None:
    file.unlink()


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x5A
    file.write_bytes(content)


def garbage_all(file: Path) -> None:
    """The log, too: SQLite takes a page from there before it looks into the file."""
    garbage(file)
    file.with_name(f"{file.name}-wal").unlink()


CONTROL = "All control planes are set aside as .*/control-plane. Objects, tables and mail are kept: deploy again, "
WAREHOUSE = "warehouse/elt/dev.duckdb"
LOST = r"has lost its last \d+ commits, the newest of .* UTC: its log was cut off, or an older file put in its place"

#: file, what happens to it, what the start says of it and its content, what recovery says
CASES = [
    ("control-plane/iam.state", cut, "is damaged; it held roles, users and policies", CONTROL),
    ("control-plane/iam.state", empty, "is damaged; it held roles, users and policies", CONTROL),
    ("control-plane/s3.state", garbage, "is damaged; it held buckets and their settings", CONTROL),
    ("control-plane/logs.state", missing, "is missing; it held log groups", CONTROL),
    ("control-plane/cloudformation.sqlite", garbage_all, r"is damaged \(.*\); it held stacks", CONTROL),
    ("control-plane/cloudformation.sqlite-wal", cut, LOST, "Goes on without them"),
    ("control-plane/cloudformation.sqlite-wal", missing, LOST, "Goes on without them"),
    ("control-plane/log-events.sqlite", garbage_all, r"is damaged \(.*\); it held log lines", "Set aside as "),
    ("control-plane/log-events.sqlite-wal", garbage, LOST, "Goes on without them"),
    (
        "s3/.local-cloud/catalog.sqlite",
        garbage_all,
        r"is damaged \(.*\); it held metadata",
        "The objects themselves are kept",
    ),
    ("s3/.local-cloud/catalog.sqlite-wal", empty, LOST, "Goes on without them"),
    (f"{WAREHOUSE}.wal", cut, LOST, "Goes on without them"),
    (f"{WAREHOUSE}.wal", cut_little, LOST, "Goes on without them"),
    (f"{WAREHOUSE}.wal", empty, LOST, "Goes on without them"),
    (f"{WAREHOUSE}.wal", garbage, LOST, "Goes on without them"),
    (f"{WAREHOUSE}.wal", missing, LOST, "Goes on without them"),
    (f"{WAREHOUSE}.wal", flipped, "cannot be read: .*; it held the tables of a warehouse", "Its log is set aside as "),
    (WAREHOUSE, empty, "cannot be read: .*; it held the tables of a warehouse", "Load its tables again"),
    (WAREHOUSE, garbage, "cannot be read: .*; it held the tables of a warehouse", "Load its tables again"),
    (WAREHOUSE, missing, LOST, "Goes on without them"),
]


@pytest.mark.parametrize(
    ("name", "damage", "says", "recovers"), CASES, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_damaged_file_is_one_line_and_recovery_one_more(
    copy: RunningCloud, name: str, damage: Callable[[Path], None], says: str, recovers: str
) -> None:
    damage(copy.state_dir / name)
    about = re.escape(str(copy.state_dir / re.sub(r"[-.]wal$", "", name)))
    (found,) = recovery.find(settings(copy))
    line = found.error.said(Typed().command)
    assert re.fullmatch(rf"{about} {says}.*`local-cloud recover`.*", line), line

    (told,) = recover(settings(copy))
    assert re.match(rf"{about} {says}", told)
    assert re.search(recovers, told)
    assert recover(settings(copy)) == []


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("control-plane/iam.state", cut),
        ("control-plane/cloudformation.sqlite", garbage_all),
        ("s3/.local-cloud/catalog.sqlite-wal", cut),
        (f"{WAREHOUSE}.wal", cut),
    ],
)
def test_a_start_stops_at_damage_and_names_it(copy: RunningCloud, name: str, damage: Callable[[Path], None]) -> None:
    damage(copy.state_dir / name)
    (found,) = recovery.find(settings(copy))
    assert up(copy) == (1, f"Error: {found.error}\n")


def test_after_recovery_objects_and_tables_are_there(copy: RunningCloud) -> None:
    garbage(copy.state_dir / "control-plane/iam.state")
    garbage_all(copy.state_dir / "s3/.local-cloud/catalog.sqlite")
    cut_little(copy.state_dir / f"{WAREHOUSE}.wal")
    assert len(recover(settings(copy))) == 3
    copy.start()
    s3 = copy.client("s3")
    assert s3.list_buckets()["Buckets"] == []
    s3.create_bucket(Bucket="raw")
    assert s3.get_object(Bucket="raw", Key="k")["Body"].read() == b"bytes"
    serverless = copy.client("redshift-serverless")
    serverless.create_namespace(namespaceName="elt", dbName="dev")
    serverless.create_workgroup(workgroupName="elt", namespaceName="elt")
    assert sql(copy, "SELECT count(*) FROM t") == [[{"longValue": ROWS}]]


@pytest.mark.parametrize("folder", ["control-plane/executions", "control-plane/redshift-data"])
@pytest.mark.parametrize("damage", [garbage, empty])
def test_a_damaged_record_of_history_is_set_aside_by_itself(
    copy: RunningCloud, folder: str, damage: Callable[[Path], None]
) -> None:
    (file, *_) = sorted((copy.state_dir / folder).iterdir())
    damage(file)
    assert up(copy)[0] == 0
    (notice,) = control.status(settings(copy)).notices
    place = next((copy.state_dir / "set-aside").rglob(file.name))
    what = "the history of one execution" if "executions" in folder else "one statement of the last day"
    assert notice.startswith(f"{file} is damaged; it held {what}. Set aside as {place}")


def test_a_file_that_may_not_be_read_is_named(copy: RunningCloud) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    file = copy.state_dir / "control-plane/iam.state"
    file.chmod(0)
    code, line = up(copy)
    assert (code, line) == (
        1,
        f"Error: The local cloud cannot work in {copy.state_dir}: Permission denied ({file}). "
        "Free some space there, or give it the permission it lacks; then `local-cloud up`.\n",
    )


def test_what_may_go_at_any_time(copy: RunningCloud) -> None:
    for name in ("local-cloud.json", "local-cloud.lock", "local-cloud.log", "server.log"):
        (copy.state_dir / name).unlink(missing_ok=True)
    (copy.state_dir / "local-cloud.json").write_bytes(gzip.compress(b"junk"))
    shutil.rmtree(copy.state_dir / "cache")
    assert up(copy) == (0, "")
    assert sql(copy, "SELECT count(*) FROM t") == [[{"longValue": ROWS + 1}]]
    assert copy.client("s3").get_object(Bucket="raw", Key="k")["ContentType"] == "text/csv"
    assert copy.client("cloudformation").describe_stacks()["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
