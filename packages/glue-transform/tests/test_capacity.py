"""What a process may use, read from control groups as the kernel shows them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from glue_transform.capacity import Capacity, measure

PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("files", "capacity"),
    [
        ({}, Capacity(PROCESSORS, MEMORY)),
        ({"cpu.max": "max 100000", "memory.max": "max"}, Capacity(PROCESSORS, MEMORY)),
        ({"cpu.max": "25000 100000", "memory.max": "1000000000"}, Capacity(1, 10**9)),
        ({"cpu.max": "100000 100000"}, Capacity(1, MEMORY)),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, Capacity(PROCESSORS, MEMORY)),
        (
            {
                "cpu/cpu.cfs_quota_us": "100000",
                "cpu/cpu.cfs_period_us": "100000",
                "memory/memory.limit_in_bytes": "500000000",
            },
            Capacity(1, 5 * 10**8),
        ),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, Capacity(PROCESSORS, MEMORY)),
        ({"cpu.max": "", "memory.max": "a lot"}, Capacity(PROCESSORS, MEMORY)),
    ],
    ids=["none", "no limits", "a sixteenth", "one", "version 1 without", "version 1", "unlimited", "unreadable"],
)
def test_the_least_of_machine_and_control_groups(tmp_path: Path, files: Mapping[str, str], capacity: Capacity):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    assert measure(tmp_path) == capacity


def test_this_machine_has_some():
    assert measure().threads >= 1
    assert measure().memory > 10**8
