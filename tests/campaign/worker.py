"""One worker of a campaign: kills on a laptop of its own. A module, so that a process of its own can import it."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from campaign import world
from campaign.campaign import Campaign, scenario_of, write
from campaign.problem import Problem
from campaign.scenarios import CYCLE
from laptop import Laptop, free_port


def work(numbers: Sequence[int], seed: int, log: Path, *, port: int = 0, keep: bool = False) -> list[Problem]:
    """Do the kills of these numbers on a laptop of their own, and log them; what is wrong at the end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the laptop goes with its campaign
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="campaign-"))
    machine = Laptop(folder / "state", port or free_port())
    try:
        releases = any(scenario_of(number, CYCLE).releases for number in numbers)
        built = world.build(folder / "world", machine, with_releases=releases)
        campaign = Campaign(built, CYCLE, seed, None if keep else world.Kept(built))
        tell(f"built in {time.monotonic() - began:.0f} s, in {folder}")
        for kill in campaign.kills(numbers):
            write(log, kill)
            tell(f"{kill} ({kill.seconds} s)")
            if keep and kill.problems:
                tell(f"kept: {folder}, port {machine.port}")
                return []
        return campaign.end()
    finally:
        if not (keep and campaign.done and campaign.done[-1].problems):
            machine.elt("local", "down")
            shutil.rmtree(folder)


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
