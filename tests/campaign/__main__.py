"""`python -m campaign --kills 200 --seed 1`: exit code 1 where anything was wrong after any kill."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from campaign import world
from campaign.campaign import Campaign, write
from campaign.report import table
from campaign.scenarios import CYCLE, Scenario
from laptop import ROOT, Laptop, free_port


def main() -> int:
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="what everything is drawn from (default: 1)")
    parser.add_argument("--first", type=int, default=1, help="the number of the first (default: 1)")
    parser.add_argument("--only", type=int, metavar="N", help="the kill of this number alone, again")
    parser.add_argument(
        "--scenario", action="append", help="kills of this kind only, such as 'promote'; may be repeated"
    )
    parser.add_argument("--log", type=Path, default=ROOT / ".elt" / "campaign.jsonl", help="one line of JSON a kill")
    parser.add_argument("--port", type=int, default=0, help="the cloud's port (default: a free one)")
    parser.add_argument("--keep", action="store_true", help="keep the folder, and its cloud up, at the first problem")
    chosen = parser.parse_args()
    numbers = [chosen.only] if chosen.only else range(chosen.first, chosen.first + chosen.kills)
    cycle = [one for one in CYCLE if not chosen.scenario or one.name in chosen.scenario]
    if not cycle:
        parser.error(f"there is no such scenario; there are {', '.join(sorted({one.name for one in CYCLE}))}")
    chosen.log.parent.mkdir(parents=True, exist_ok=True)
    return _run(Path(tempfile.mkdtemp(prefix="campaign-")), numbers, cycle, chosen)


def _run(folder: Path, numbers: Iterable[int], cycle: Sequence[Scenario], chosen: argparse.Namespace) -> int:
    machine = Laptop(folder / "state", chosen.port or free_port())
    began = time.monotonic()
    try:
        built = world.build(folder / "world", machine, with_releases=any(one.releases for one in cycle))
        campaign = Campaign(built, cycle, chosen.seed, None if chosen.keep else world.Kept(built))
        _tell(f"built in {time.monotonic() - began:.0f} s, in {folder}")
        for kill in campaign.kills(numbers):
            write(chosen.log, kill, seed=chosen.seed)
            _tell(f"{kill} ({kill.seconds} s)")
            if chosen.keep and kill.problems:
                _tell(f"kept: {folder}, port {machine.port}")
                return 1
        last = campaign.end()
        print(table(campaign.done))
        for problem in last:
            print(f"at the end: {problem.kind}: {problem.text}")
    finally:
        if not chosen.keep:
            machine.elt("local", "down")
            shutil.rmtree(folder)
    return 1 if last or any(kill.problems for kill in campaign.done) else 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
