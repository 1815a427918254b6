"""What this process may use of its machine: processors and memory, as the system says and its control groups allow.

A Glue job's capacity is its container's: 1 DPU has 4 vCPU and 16 GB, the smallest job 1/16 of it
(https://docs.aws.amazon.com/glue/latest/dg/add-job-python.html).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Where the kernel shows control groups, of version 2 and 1.
_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Capacity:
    """Whole processors, at least one, and bytes of memory."""

    threads: int
    memory: int


def measure(root: Path = _CGROUPS) -> Capacity:
    """Return the capacity of this process: the least of what the machine has and what its control groups allow."""
    processors = [float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)]
    memory = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for group in _groups(root):
        quota, period = _quota(group)
        if quota > 0 and period > 0:
            processors.append(quota / period)
        limits = (_number(group / name) for name in ("memory.max", "memory.limit_in_bytes"))
        memory += [limit for limit in limits if limit > 0]
    return Capacity(max(1, int(min(processors))), min(memory))


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of this process's control groups and of those that they are in, up to the root."""
    try:
        lines = Path("/proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    yield from (root, root / "cpu", root / "memory")
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            folder = root / controller / path.lstrip("/")
            while folder != root / controller:
                yield folder
                folder = folder.parent


def _quota(group: Path) -> tuple[int, int]:
    """Microseconds of processor time in each period of so many; of version 2 in one file, of version 1 in two."""
    try:
        quota, period = (group / "cpu.max").read_text("utf-8").split()
        return (int(quota) if quota.isdigit() else 0), int(period)
    except (OSError, ValueError):
        return _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")


def _number(file: Path) -> int:
    """Return the number in a file; 0 where there is none, or it says `max`."""
    try:
        text = file.read_text("utf-8").strip()
    except OSError:
        return 0
    return int(text) if text.lstrip("-").isdigit() else 0
