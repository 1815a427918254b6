"""One kill after another, each with the whole truth after it."""

from __future__ import annotations

import json
import random
import signal
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from campaign import deployed, processes, remains, truth
from campaign.problem import Problem
from campaign.scenarios import Case, Scenario
from campaign.strike import Moment, Struck, again, strike
from campaign.world import Kept, World

#: How often a kill is drawn anew when the command was over before its moment came.
_DRAWS = 5


@dataclass(frozen=True)
class Kill:
    """One kill, and what was wrong after it. `missed` counts the draws before it whose command ended too early."""

    number: int
    scenario: str
    moment: Moment
    hit: bool
    missed: int
    seconds: float
    code: int | None
    lines: list[str]
    tried: list[str]
    problems: list[Problem]

    def __str__(self) -> str:
        how = signal.Signals(self.moment.signal).name
        when = f"{how} to {self.moment.target} {self.moment.delay:.2f} s after {self.moment.text!r}"
        outcome = "\n    ".join(f"{one.kind}: {one.text}" for one in self.problems)
        return f"{self.number} {self.scenario}: {when}: {outcome or ('right' if self.hit else 'too late')}"


@dataclass
class Campaign:
    """Kills of a world. After one that left something wrong, the world is again as it was `kept`, if it was."""

    world: World
    cycle: Sequence[Scenario]
    seed: int
    kept: Kept | None = None
    done: list[Kill] = field(default_factory=list)

    def kills(self, numbers: Iterable[int]) -> Iterator[Kill]:
        for number in numbers:
            kill = self._kill(number, scenario_of(number, self.cycle))
            self.done.append(kill)
            yield kill
            if kill.problems and self.kept is not None:
                self.world = self.kept.restore()

    def _kill(self, number: int, scenario: Scenario) -> Kill:
        began = time.monotonic()
        for missed in range(_DRAWS):
            dice = random.Random(f"{self.seed}/{number}/{missed}")
            case = scenario.prepare(self.world, dice)
            moment = Moment.draw(scenario.moments, scenario.targets, dice)
            struck = strike(self.world, case.command, moment, dice)
            tried: list[str] = []
            if struck.hit:
                tried, problems = _truth(self.world, case, struck)
            else:
                problems = [] if struck.code == 0 else [Problem("retry", "\n".join(struck.lines[-3:]))]
            if struck.hit or problems:
                break
            case.expect()
        seconds = round(time.monotonic() - began, 1)
        return Kill(
            number, scenario.name, moment, struck.hit, missed, seconds, struck.code, struck.lines, tried, problems
        )

    def end(self) -> list[Problem]:
        """What is wrong when all is done: by the product's own commands, and of processes once the cloud is down."""
        problems = words(self.world)
        self.world.elt("local", "down")
        return [*problems, *processes.orphans(self.world)]


def _truth(world: World, case: Case, struck: Struck) -> tuple[list[str], list[Problem]]:
    """Try again, and look at all of it; what was tried, and what is wrong."""
    problems, tried = list(struck.problems), []
    try:
        if not world.is_up:
            world.run("elt", "local", "up")
        if world.is_up:
            problems += case.between()
        tried, failed = again(world, case.command)
        problems += failed
        if not failed:
            problems += remains.stuck(world)
            case.expect()
            problems += facts(world)
            for ask in case.ask:
                problems += ask()
    except Exception:  # whatever it is, it came of the kill
        problems.append(Problem("stuck", traceback.format_exc(limit=-3)))
    return tried, problems


def facts(world: World) -> list[Problem]:
    """What is not as it should be, found without the commands of the product."""
    return [
        *truth.differences(truth.months_in(world), world.months),
        *truth.differences(truth.reviews_in(world), world.reviews),
        *(problem for environment in world.live for problem in deployed.problems(world, environment)),
        *processes.orphans(world),
        *remains.left(world),
    ]


def words(world: World) -> list[Problem]:
    """Where a command of the product says otherwise than the facts, about anything: `status`, `verify` and `diff`."""
    return [
        *truth.status(world),
        *truth.verified(world, "yellow-trips"),
        *truth.verified(world, "reviews"),
        *(problem for environment in world.live for problem in deployed.compared(world, environment)),
    ]


def scenario_of(number: int, cycle: Sequence[Scenario]) -> Scenario:
    """What is done at the kill of a number, which counts from 1."""
    return cycle[(number - 1) % len(cycle)]


def write(log: Path, kill: Kill) -> None:
    """One line of JSON more; several processes may write."""
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(kill), ensure_ascii=False) + "\n")


def read(log: Path) -> list[Kill]:
    """What was written, in the order of the numbers."""
    found = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    for one in found:
        one["moment"] = Moment(**one["moment"])
        one["problems"] = [Problem(**problem) for problem in one["problems"]]
    return sorted((Kill(**one) for one in found), key=lambda kill: kill.number)
