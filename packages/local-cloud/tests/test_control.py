"""`local-cloud up|down|status|reset|env`: whole outputs and exit codes, on real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import pytest

import local_cloud
from local_cloud import Settings, control, lifetime

from .conftest import free_port

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, port: int) -> Iterator[Run]:
    """The command, with a state folder and a port of its own; what it leaves running is stopped."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOCAL_CLOUD_"))}
    env |= {"LOCAL_CLOUD_STATE": str(tmp_path / "state"), "LOCAL_CLOUD_PORT": str(port)}
    command = str(Path(sys.executable).parent / "local-cloud")

    def run(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments], env=env | extra, capture_output=True, text=True, timeout=60, cwd=tmp_path
        )

    yield run
    for folder in [path for path in tmp_path.iterdir() if path.is_dir()]:
        control.down(Settings.create(state_dir=folder, port=port))


def settings(tmp_path: Path, port: int) -> Settings:
    return Settings.create(state_dir=tmp_path / "state", port=port)


def client(port: int, service: str) -> Any:
    return boto3.session.Session().client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def ended(run: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return run.returncode, run.stdout, run.stderr


def test_a_whole_life(run: Run, tmp_path: Path, port: int, another_port: int) -> None:
    state, endpoint = tmp_path / "state", f"http://127.0.0.1:{port}"
    down = f"not running (state in {state})\n"
    assert ended(run("status")) == (0, down, "")
    assert ended(run("down")) == (0, down, "")

    started = run("up")
    who = r"running at %s \(pid (\d+), since (\S+), state in %s\)\n" % (re.escape(endpoint), re.escape(str(state)))
    found = re.fullmatch(who, started.stdout)
    assert (started.returncode, started.stderr) == (0, "")
    assert found
    assert ended(run("up")) == ended(run("status")) == (0, started.stdout, "")
    assert json.loads(run("status", "--json").stdout) == {
        "running": True,
        "pid": int(found[1]),
        "port": port,
        "endpoint": endpoint,
        "state": str(state),
        "since": found[2],
        "unsaved": None,
        "notices": [],
    }
    assert ended(run("env")) == (
        0,
        f"export AWS_ENDPOINT_URL={endpoint}\n"
        "export AWS_ACCESS_KEY_ID=test\n"
        "export AWS_SECRET_ACCESS_KEY=test\n"
        "export AWS_REGION=us-east-1\n"
        "export AWS_DEFAULT_REGION=us-east-1\n"
        "export AWS_DISABLE_HOST_PREFIX_INJECTION=true\n"
        "unset AWS_PROFILE AWS_SESSION_TOKEN\n",
        "",
    )
    refused = f"Error: A local cloud already works on {state} at {endpoint} (pid {found[1]}). "
    assert ended(run("reset", "--yes")) == (2, "", f"{refused}Use that one, or stop it: local-cloud down.\n")
    use_it = f"{refused}Use that port, or stop it first: local-cloud down.\n"
    assert ended(run("up", "--port", str(another_port))) == (2, "", use_it)
    assert ended(run("down")) == (0, "stopped\n", "")
    assert lifetime.process_start(int(found[1])) == ""
    assert ended(run("status")) == (0, down, "")
    assert json.loads(run("status", "--json").stdout)["running"] is False


def test_reset_deletes_the_clouds_own_files_and_no_others(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state"
    run("up")
    (state / "mine.txt").write_text("not the cloud's")
    doomed = [state / name for name in ("s3", "control-plane", "local-cloud.lock", "local-cloud.log")]
    asked = "".join(f"  {path}\n" for path in [*doomed[:2], state / "local-cloud.json", *doomed[2:]])
    aborted = run("reset", "--stop")
    assert (aborted.returncode, aborted.stdout) == (1, "")
    assert aborted.stderr == f"This deletes\n{asked}Go on? [y/N]: Aborted!\n"
    assert "running at" in run("status").stdout
    deleted = run("reset", "--stop", "--yes")
    assert ended(deleted) == (0, "".join(f"deleted {path}\n" for path in doomed), "")
    assert [path.name for path in state.iterdir()] == ["mine.txt"]
    assert ended(run("reset", "--yes")) == (0, f"nothing to delete in {state}\n", "")


def test_a_port_that_somebody_else_holds(run: Run, tmp_path: Path, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        who = f"{Path('/proc/self/comm').read_text().strip()} (pid {os.getpid()})"
        expected = f"Error: Port {port} is in use by {who}. "
        cure = "Stop that, or choose another port with --port or LOCAL_CLOUD_PORT.\n"
        assert ended(run("up")) == (2, "", expected + cure)
    assert not (tmp_path / "state").exists()


def test_a_port_that_another_cloud_holds(run: Run, tmp_path: Path, port: int) -> None:
    run("up")
    pid = json.loads((tmp_path / "state/local-cloud.json").read_text())["pid"]
    refused = run("up", LOCAL_CLOUD_STATE=str(tmp_path / "second"))
    assert ended(refused) == (
        2,
        "",
        f"Error: Port {port} serves the local cloud of {tmp_path / 'state'} (pid {pid}). "
        "Stop that, or choose another port with --port or LOCAL_CLOUD_PORT.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "extra", "says"),
    [
        (("up", "--port", "99999"), {}, "99999 is not in the range 1<=x<=65535"),
        (("up",), {"LOCAL_CLOUD_PORT": "http"}, "LOCAL_CLOUD_PORT is 'http': give a port from 1 to 65535."),
        (("up",), {"LOCAL_CLOUD_PORT": "70000"}, "LOCAL_CLOUD_PORT is '70000': give a port from 1 to 65535."),
        (
            ("status",),
            {"LOCAL_CLOUD_STATE": "/dev/null"},
            "/dev/null is a file: give LOCAL_CLOUD_STATE, or --state, a folder.",
        ),
        (("up", "--state", __file__), {}, "is a file"),
        (("sideways",), {}, "No such command 'sideways'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    run: Run, arguments: tuple[str, ...], extra: dict[str, str], says: str
) -> None:
    code, out, err = ended(run(*arguments, **extra))
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_of_two_starts_at_once_one_wins_and_both_succeed(run: Run, tmp_path: Path, port: int) -> None:
    command = [sys.executable, "-c", "from local_cloud.cli import main; main()", "up"]
    env = os.environ | {"LOCAL_CLOUD_STATE": str(tmp_path / "state"), "LOCAL_CLOUD_PORT": str(port)}
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1] == run("status").stdout


def test_what_a_killed_process_left_behind_is_no_obstacle(run: Run, tmp_path: Path, port: int) -> None:
    run("up")
    file = tmp_path / "state/local-cloud.json"
    left = json.loads(file.read_text())
    os.kill(left["pid"], signal.SIGKILL)
    while lifetime.is_held(settings(tmp_path, port)):
        pass
    assert file.exists()
    assert run("status").stdout.startswith("not running")
    # The pid is somebody else's by now: this process, which must not be stopped for it.
    file.write_text(json.dumps(left | {"pid": os.getpid()}))
    assert run("down").stdout.startswith("not running")
    assert run("up").stdout.startswith("running")


@pytest.mark.parametrize(
    "versions", [(b'"moto": "', b'"moto": "9.'), (b'"format": 1', b'"format": 2')], ids=["moto", "local-cloud"]
)
def test_state_of_another_version_is_set_aside_and_what_it_held_is_made_again(
    run: Run, tmp_path: Path, port: int, versions: tuple[bytes, bytes]
) -> None:
    """Objects are kept; so is all that was set aside."""
    run("up")
    s3 = client(port, "s3")
    s3.create_bucket(Bucket="raw")
    s3.put_object(Bucket="raw", Key="k", Body=b"bytes", ContentType="text/csv")
    run("down")
    control_planes = tmp_path / "state/control-plane"
    for file in control_planes.glob("*.state"):
        file.write_bytes(file.read_bytes().replace(*versions, 1))
    saved = {file.name: file.read_bytes() for file in control_planes.iterdir()}

    started = run("up")
    place = next((tmp_path / "state/set-aside").glob("*/control-plane"))
    assert started.returncode == 0
    assert re.fullmatch(
        rf"{re.escape(str(control_planes))} was written by local-cloud \S+ with moto \S+, "
        r"which local-cloud \S+ with moto \S+ cannot read\. "
        rf"All control planes are set aside as {re.escape(str(place))}\. "
        "Objects, tables and mail are kept: deploy again, and make again what no stack made\n",
        started.stderr,
    )
    assert run("status").stdout == started.stdout + started.stderr
    assert {file.name: file.read_bytes() for file in place.iterdir()} == saved
    assert s3.list_buckets()["Buckets"] == []
    s3.create_bucket(Bucket="raw")
    found = s3.get_object(Bucket="raw", Key="k")
    assert (found["Body"].read(), found["ContentType"]) == (b"bytes", "text/csv")
    run("down")
    assert ended(run("up"))[2] == "", "it is said once"


def test_state_of_another_release_with_the_same_form_is_used(run: Run, tmp_path: Path, port: int) -> None:
    run("up")
    client(port, "iam").create_user(UserName="u")
    run("down")
    file = tmp_path / "state/control-plane/iam.state"
    header, _, state = file.read_bytes().partition(b"\n")
    written = json.loads(header) | {"local_cloud": "0.0.9"}
    del written["format"]  # as the first ones wrote it
    file.write_bytes(json.dumps(written).encode() + b"\n" + state)
    assert run("up").stderr == ""
    assert [user["UserName"] for user in client(port, "iam").list_users()["Users"]] == ["u"]


def test_advice_names_the_command_as_it_was_typed(run: Run, tmp_path: Path, port: int) -> None:
    folder, number = str(tmp_path / "a state"), str(port)
    run("up", "--state", folder, "--port", number)
    refused = run("up", "--state", folder, "--port", str(free_port()))
    assert refused.stderr.endswith(f"Use that port, or stop it first: local-cloud down --state '{folder}'.\n")
    run("down", "--state", folder)
    (tmp_path / "a state/control-plane/sns.state").write_bytes(b"")
    refused = run("up", "--state", folder, "--port", number)
    advice = f"`local-cloud recover --state '{folder}'` sets it aside, and says what that costs."
    assert refused.stderr.endswith(f"sns.state is damaged; it held topics and subscriptions. {advice}\n")
    recovered = run("recover", "--state", folder)
    assert (recovered.returncode, recovered.stderr) == (0, "")
    assert run("recover", "--state", folder).stdout == f"nothing is damaged in {folder}\n"
    assert run("up", "--state", folder, "--port", number).returncode == 0


def modes(folder: Path) -> set[str]:
    """Who but the owner may do what, in a folder and all that is in it."""
    paths = [folder, *folder.rglob("*")]
    return {
        f"{path}: {path.stat().st_mode:o}" for path in paths if not path.is_symlink() and path.stat().st_mode & 0o077
    }


def test_the_state_folder_is_its_owners_alone_also_where_it_was_open_before(
    run: Run, tmp_path: Path, port: int
) -> None:
    state = tmp_path / "state"
    (state / "s3/old").mkdir(parents=True)
    (state / "s3/old/object").write_text("x")
    script = state / "s3/old/script"
    script.write_text("#!/bin/sh")
    for path in (state, state / "s3", state / "s3/old", state / "s3/old/object", script):
        path.chmod(0o755)
    outside = tmp_path / "outside"
    outside.write_text("not the cloud's")
    outside.chmod(0o644)
    (state / "link").symlink_to(outside)
    run("up")
    client(port, "s3").create_bucket(Bucket="new")
    client(port, "s3").put_object(Bucket="new", Key="folder/k", Body=b"x")
    run("down")
    assert modes(state) == set()
    assert (script.stat().st_mode & 0o700, outside.stat().st_mode & 0o777) == (0o700, 0o644)


def test_a_state_folder_of_somebody_else_is_refused(run: Run, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 12345, -1)
    assert ended(run("up")) == (
        1,
        "",
        f"Error: {state} belongs to uid 12345, and this process to root (uid 0). "
        "Run it as that user, or choose another state folder with LOCAL_CLOUD_STATE.\n",
    )
    assert [path.name for path in state.iterdir()] == []


def test_the_library_does_the_same(tmp_path: Path, port: int) -> None:
    chosen = settings(tmp_path, port)
    assert not local_cloud.status(chosen).running
    started = local_cloud.up(chosen)
    try:
        assert started == local_cloud.up(chosen) == local_cloud.status(chosen)
        assert (started.running, started.port, started.endpoint) == (True, port, chosen.endpoint)
        with pytest.raises(local_cloud.StateInUse):
            local_cloud.reset(chosen)
    finally:
        assert local_cloud.down(chosen) is True
    assert local_cloud.down(chosen) is False
    assert local_cloud.reset(chosen)
    assert not chosen.state_dir.exists()


def test_the_users_aws_settings_do_not_reach_the_server(run: Run, tmp_path: Path, port: int) -> None:
    (tmp_path / "config").write_text("[default]\nregion = mars-north-1\n")
    started = run("up", AWS_PROFILE="no-such-profile", AWS_CONFIG_FILE=str(tmp_path / "config"))
    assert started.returncode == 0
    assert client(port, "s3").list_buckets()["Buckets"] == []


def test_every_name_is_exported() -> None:
    raised = {kind.__name__ for kind in (local_cloud.LocalCloudError, *local_cloud.LocalCloudError.__subclasses__())}
    assert raised <= set(local_cloud.__all__)
    for name in local_cloud.__all__:
        assert getattr(local_cloud, name)
    assert local_cloud.__version__ == version("local-cloud")
