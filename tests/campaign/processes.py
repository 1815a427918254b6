"""The processes of a laptop: what its cloud started, and what is left without it. Read from /proc."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from campaign.problem import Problem

if TYPE_CHECKING:
    from campaign.world import World

#: The scripts that local-cloud starts jobs and functions with.
JOB, FUNCTION = "glue/runtime/launcher.py", "awslambda/runtime/bootstrap.py"


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    words: str
    environment: frozenset[bytes]


def below(world: World, script: str) -> list[int]:
    """The processes that the cloud has started with a script of its own."""
    return sorted(one.pid for one in _all() if script in one.words and one.parent == world.machine.pid)


def kill(pid: int, how: int = signal.SIGKILL) -> bool:
    """Send the signal; one that nothing survives is waited for. False where the process has ended before."""
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return False
    while how == signal.SIGKILL and _is_alive(pid):
        time.sleep(0.01)
    return True


def _is_alive(pid: int) -> bool:
    """Whether it still runs, and does not only wait for its parent to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def orphans(world: World) -> list[Problem]:
    """Processes of this laptop that are neither its cloud nor below it, nor below this one."""
    mine = f"LOCAL_CLOUD_STATE={world.machine.state}".encode()
    there = {one.pid: one for one in _all()}
    known = {os.getpid(), *([world.machine.pid] if world.is_up else [])}
    return [
        Problem("orphan", f"process {one.pid}: {one.words[:160]}")
        for one in there.values()
        if mine in one.environment and one.words and not known & {*_ancestry(one.pid, there)}
    ]


def _ancestry(pid: int, there: dict[int, _Process]) -> Iterator[int]:
    while pid in there:
        yield pid
        pid = there[pid].parent


def _all() -> Iterator[_Process]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = frozenset((entry / "environ").read_bytes().split(b"\0"))
            except OSError:  # it has ended, or is another user's
                continue
            yield _Process(int(entry.name), parent, words, environment)
