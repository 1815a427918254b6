"""`elt local`, and commands that find the local cloud down, empty, or its port taken."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from laptop import Laptop, free_port

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def fresh(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "elt", free_port())


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if line]


def test_a_port_in_use(fresh: Laptop) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", fresh.port))
        other.listen()
        for command in (("local", "up"), ("verify", "yellow-trips")):
            done = fresh.elt(*command)
            assert done.returncode == 2, done.stderr
            (line,) = lines(done)
            assert line.startswith("elt: ")
            assert str(fresh.port) in line
    assert not (fresh.state / "s3").exists()


def test_up_status_env_down_reset(fresh: Laptop) -> None:
    up = json.loads(fresh.elt("local", "up", "--json").stdout)
    try:
        assert up["running"] is True
        assert up["endpoint"] == f"http://127.0.0.1:{fresh.port}"
        again = json.loads(fresh.elt("local", "up", "--json").stdout)
        assert again["pid"] == up["pid"], "up again is the same cloud"
        status = json.loads(fresh.elt("local", "status", "--json").stdout)
        assert status.pop("bytes")["definitions, logs and histories"] > 0
        assert status == again
        exports = fresh.elt("local", "env").stdout.splitlines()
        assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{fresh.port}" in exports
        unset = fresh.elt("local", "env", "--unset").stdout.splitlines()
        assert set(unset) == {f"unset {name}" for name in fresh.sdk}, "each that has the value it was given"
        elsewhere = fresh.elt("status", "--env", "dev")
        assert elsewhere.returncode == 1
        assert lines(elsewhere)[:2] == [
            f"dev: account 123456789012, region us-east-1, endpoint http://127.0.0.1:{fresh.port}",
            "WARNING: AWS_ENDPOINT_URL is set, so dev is on this machine and not on AWS; "
            'eval "$(elt local env --unset)" points this shell at AWS again',
        ]
    finally:
        down = fresh.elt("local", "down")
    assert down.returncode == 0
    assert json.loads(fresh.elt("local", "status", "--json").stdout)["running"] is False
    (fresh.state / "reports").mkdir()
    kept = fresh.state / "mine.txt"
    kept.write_text("not the cloud's")
    doomed = {path for path in fresh.state.iterdir() if path != kept}
    reset = fresh.elt("local", "reset", "--yes")
    assert reset.returncode == 0
    assert set(lines(reset)) == {f"deleted {path}" for path in doomed}
    assert [*fresh.state.iterdir()] == [kept]
    assert lines(fresh.elt("local", "reset", "--yes")) == [f"nothing to delete in {fresh.state}"]


def test_advice_names_the_command_that_was_typed(fresh: Laptop) -> None:
    try:
        assert fresh.elt("local", "up").returncode == 0
        fresh.client("iam").create_user(UserName="u")
        refused = fresh.elt("local", "up", "--port", str(free_port()))
        assert lines(refused)[0].endswith("Use that port, or stop it first: elt local down.")
    finally:
        fresh.elt("local", "down")
    (fresh.state / "control-plane" / "iam.state").write_bytes(b"")
    refused = fresh.elt("local", "up")
    says = f"{fresh.state}/control-plane/iam.state is damaged; it held roles, users and policies"
    assert (refused.returncode, lines(refused)) == (
        1,
        [f"elt: {says}. `elt local recover` sets it aside, and says what that costs."],
    )
    recovered = fresh.elt("local", "recover")
    assert (recovered.returncode, recovered.stderr) == (0, "")
    assert recovered.stdout.startswith(f"{says}. All control planes are set aside as {fresh.state}/set-aside/")
    assert fresh.elt("local", "recover").stdout == f"nothing is damaged in {fresh.state}\n"


def test_a_command_that_only_reads_starts_the_cloud_and_deploys_nothing(fresh: Laptop) -> None:
    try:
        for command in (["status"], ["logs"], ["verify", "yellow-trips"], ["report"], ["sql", "select 1"]):
            done = fresh.elt(*command)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr == "elt: stack elt-artifacts is not deployed; run `elt deploy --env local` first\n"
    finally:
        fresh.elt("local", "down")
