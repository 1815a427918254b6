from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from local_cloud.processes import children

#: Watches its lifeline, starts a child of its own, and says both ids.
CHILD = f"""
import subprocess, sys, time
sys.path.insert(0, {str(children.CHILD_PATH)!r})
import lifeline
lifeline.watch()
import os
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), grandchild.pid, flush=True)
time.sleep(600)
"""


def spawn(folder: Path, code: str = CHILD) -> tuple[children.Child, list[int]]:
    child = children.spawn([sys.executable, "-c", code], folder=folder, env=children.host_environment())
    return child, [int(pid) for pid in child.process.stdout.readline().split()]


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(_alive(pid) for pid in pids):
            return True
        time.sleep(0.01)
    return False


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_closing_ends_the_child_and_what_it_started(tmp_path):
    child, pids = spawn(tmp_path)
    child.close()
    child.close()
    assert gone(pids)
    assert child.process.returncode == -signal.SIGKILL


def test_stopping_asks_first(tmp_path):
    child, _ = spawn(
        tmp_path,
        CHILD.replace("time.sleep(600)\n", "\n").replace(
            "import os\n", "import os, signal; signal.signal(signal.SIGTERM, lambda *_: os._exit(5))\n"
        )
        + "time.sleep(600)",
    )
    child.stop(20)
    assert child.process.returncode == 5


def test_a_child_ends_with_its_parent_however_that_ends(tmp_path):
    parent = textwrap.dedent(f"""
        import os, signal, sys
        from pathlib import Path
        from local_cloud.processes import children
        child = children.spawn([sys.executable, "-c", {CHILD!r}], folder=Path({str(tmp_path)!r}), env={{}})
        sys.stdout.buffer.write(child.process.stdout.readline())
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert gone([int(pid) for pid in done.stdout.split()])


def test_an_orphan_is_found_by_its_lock_and_killed(tmp_path):
    child, pids = spawn(tmp_path)
    try:
        assert children.kill_orphan(tmp_path)
        assert gone(pids)
    finally:
        child.close()
    assert not children.kill_orphan(tmp_path), "nobody holds the lock any more"
    assert not children.kill_orphan(tmp_path / "nowhere")


def test_only_what_is_on_the_list_is_handed_down(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    environment = children.host_environment()
    assert environment["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert environment["PATH"] == os.environ["PATH"]
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert set(environment) <= set(children.HOST_VARIABLES)


def test_a_command_that_is_not_there_leaves_nothing_open(tmp_path):
    before = len([*Path("/proc/self/fd").iterdir()])
    with pytest.raises(FileNotFoundError):
        children.spawn(["/nowhere/python"], folder=tmp_path, env={})
    assert len([*Path("/proc/self/fd").iterdir()]) == before
    assert not children.kill_orphan(tmp_path)
