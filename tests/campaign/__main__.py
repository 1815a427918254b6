"""`python -m campaign --kills 200 --seed 1`: exit code 1 where anything was wrong after any kill."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path

from campaign.campaign import read, scenario_of
from campaign.report import table
from campaign.scenarios import CYCLE
from campaign.worker import work
from laptop import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="what everything is drawn from (default: 1)")
    parser.add_argument("--first", type=int, default=1, help="the number of the first (default: 1)")
    parser.add_argument("--only", type=int, metavar="N", help="the kill of this number alone, again")
    parser.add_argument("--scenario", action="append", help="of this kind only, such as 'promote'; may be repeated")
    parser.add_argument("--workers", type=int, default=1, help="laptops at the same time (default: 1)")
    parser.add_argument("--log", type=Path, help="one line of JSON a kill (default: .elt/campaign-SEED.jsonl)")
    parser.add_argument("--port", type=int, default=0, help="the cloud's port (default: a free one)")
    parser.add_argument("--keep", action="store_true", help="keep the folder, and its cloud up, at the first problem")
    chosen = parser.parse_args()
    names = {one.name for one in CYCLE}
    if unknown := {*(chosen.scenario or [])} - names:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(sorted(names))}")
    wanted = (n for n in count(chosen.first) if not chosen.scenario or scenario_of(n, CYCLE).name in chosen.scenario)
    numbers = [chosen.only] if chosen.only else list(islice(wanted, chosen.kills))
    log = chosen.log or ROOT / ".elt" / f"campaign-{chosen.seed}.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    if chosen.workers == 1 or chosen.keep:
        last = work(numbers, chosen.seed, log, port=chosen.port, keep=chosen.keep)
    else:
        with ProcessPoolExecutor(chosen.workers, mp_context=get_context("spawn")) as pool:
            shares = (numbers[worker :: chosen.workers] for worker in range(chosen.workers))
            working = [pool.submit(work, share, chosen.seed, log) for share in shares]
            last = [problem for work in working for problem in work.result()]
    done = read(log)
    print(table(done))
    for problem in last:
        print(f"at the end: {problem.kind}: {problem.text}")
    return 1 if last or len(done) < len(numbers) or any(kill.problems for kill in done) else 0


if __name__ == "__main__":
    sys.exit(main())
