"""What people do, at which moments it is struck, and what must hold between the kill and the next try, and after it."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from campaign import deployed, truth
from campaign.problem import Problem
from campaign.processes import FUNCTION, below, kill
from campaign.world import World

Check = Callable[[], list[Problem]]


@dataclass
class Case:
    """One command. `between` is asked after the kill, `ask` after the next try, when `expect` has told the world."""

    command: list[str]
    expect: Callable[[], None]
    between: Check = list
    ask: Sequence[Check] = ()


@dataclass(frozen=True)
class Scenario:
    """`moments` maps what a progress line says to the longest delay after it, in seconds."""

    name: str
    prepare: Callable[[World, random.Random], Case]
    targets: tuple[str, ...]
    moments: Mapping[str, float] = field(default_factory=lambda: {"": 4.0})
    releases: bool = False


def _run(world: World, dice: random.Random) -> Case:
    """A month that is new, or one that is loaded and has another file since."""
    month = f"2024-{dice.randrange(1, 13):02}"
    return _months(world, dice, [month], ["elt", "run", "yellow-trips", "--month", month])


def _backfill(world: World, dice: random.Random) -> Case:
    year = next(year for year in range(2012, 2024) if f"{year}-10" not in world.months)
    quarter = next(first for first in (1, 4, 7, 10) if f"{year}-{first:02}" not in world.months)
    months = [f"{year}-{month:02}" for month in range(quarter, quarter + 3)]
    words = ["elt", "backfill", "yellow-trips", "--from", months[0], "--to", months[-1], "--max-concurrency", "2"]
    return _months(world, dice, months, words)


def _trigger(world: World, dice: random.Random) -> Case:
    """The reviews' schedule, of a day of its own: its function starts that day's execution, once."""
    if not world.reviews:
        folder, world.reviews = world.delivery(rows=500, seed=dice.randrange(1 << 30))
        world.elt("run", "reviews", "--source", str(folder), "--yes")
    for pid in below(world, FUNCTION):
        kill(pid)  # so that the next call starts a process, and it is that one which is hit
    day = datetime.date(2010, 1, 1) + datetime.timedelta(days=dice.randrange(5000))
    machine = world.machine.outputs("pipelines")["ReviewsLive"].rsplit(":", 1)[0]

    def once() -> list[Problem]:
        listed = world.machine.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        found = [one["status"] for one in listed if one["name"] == f"reviews-{day}"]
        return [] if found == ["SUCCEEDED"] else [Problem("lost", f"executions of {day}: {found}")]

    return Case(["elt", "local", "fire", "reviews", "--time", f"{day}T06:00:00Z"], expect=lambda: None, ask=[once])


def _months(world: World, dice: random.Random, months: list[str], words: list[str]) -> Case:
    before = dict(world.months)
    new = {
        month: world.trip_month(month, rows=dice.randrange(500, 3000), seed=dice.randrange(1 << 30)) for month in months
    }
    return Case(
        [*words, "--source", str(world.trips)],
        expect=lambda: world.months.update(new),
        between=lambda: truth.differences(truth.months_in(world), before, before | new),
        ask=(partial(truth.status, world), partial(truth.verified, world, "yellow-trips")),
    )


def _reviews(world: World, dice: random.Random) -> Case:
    before = dict(world.reviews)
    folder, new = world.delivery(rows=dice.randrange(300, 1200), seed=dice.randrange(1 << 30))
    return Case(
        ["elt", "run", "reviews", "--source", str(folder), "--yes"],
        expect=lambda: world.reviews.update(new),
        between=lambda: truth.differences(truth.reviews_in(world), before, before | new),
        ask=(partial(truth.status, world), partial(truth.verified, world, "reviews")),
    )


def _deploy(world: World, _: random.Random) -> Case:
    """Another checkout, to local."""
    world.change_checkout()

    def expect() -> None:
        record = world.run("elt", "diff", "--json")
        world.live["local"] = str(json.loads(record.stdout)["release"])

    return Case(["elt", "deploy"], expect=expect, ask=[partial(deployed.compared, world, "local")])


def _other(world: World, environment: str) -> str:
    """A release that an environment does not have; first it gets the other one, where it has none."""
    if world.live.get(environment) is None:
        world.elt("deploy", "--env", environment, "--release", world.releases[0])
        world.live[environment] = world.releases[0]
    return next(one for one in world.releases[:2] if one != world.live[environment])


def _release(environment: str, *words: str) -> Callable[[World, random.Random], Case]:
    """A command that brings an environment to the release it does not have."""

    def prepare(world: World, _: random.Random) -> Case:
        release = _other(world, environment)
        command = ["elt", *(word.format(release=release) for word in words)]
        return Case(
            command,
            expect=lambda: world.live.update({environment: release}),
            ask=[partial(deployed.compared, world, environment)],
        )

    return prepare


def _publish(world: World, _: random.Random) -> Case:
    world.commit_version()
    found: list[str] = []

    def expect() -> None:
        found.append(world.elt("release", "publish", "--env", "dev"))

    return Case(
        ["elt", "release", "publish", "--env", "dev"],
        expect=expect,
        ask=[lambda: deployed.published(world, found[0])],
    )


def _destroy(world: World, _: random.Random) -> Case:
    _other(world, "prod")
    return Case(
        ["elt", "destroy", "--env", "prod", "--yes"],
        expect=lambda: world.live.update({"prod": None}),
        ask=[partial(deployed.compared, world, "prod")],
    )


_STATES = {"": 2.0, "IngestRaw started": 2.5, "TransformTrips started": 2.5, "LoadRedshift started": 2.5}
_STACKS = {
    "stack elt-artifacts": 1.0,
    "-data": 2.0,
    "-pipelines": 6.0,
    "reading it back": 2.0,
}
_ROLLED = {"": 3.0, "-data": 2.0, "-pipelines": 6.0, "reading it back": 2.0}
_JOBS = ("elt", "cloud", "job")
_NO_JOBS = ("elt", "elt", "cloud")

RUN = Scenario("run", _run, _JOBS, _STATES)
BACKFILL = Scenario("backfill", _backfill, _JOBS, {" started": 5.0, " loaded": 3.0})
REVIEWS = Scenario(
    "reviews",
    _reviews,
    _JOBS,
    {"": 2.5, "files of reviews": 1.0, "SchemaSetupJob started": 3.0, "ETLJob started": 3.0, "ReportJob started": 3.0},
)
TRIGGER = Scenario("schedule", _trigger, ("function", "function", "cloud"), {"": 1.0})
DEPLOY = Scenario("deploy", _deploy, _NO_JOBS, {"building the packages": 4.0, "publishing": 2.0, **_STACKS})
RELEASE = Scenario(
    "deploy --release",
    _release("dev", "deploy", "--env", "dev", "--release", "{release}"),
    _NO_JOBS,
    _ROLLED,
    releases=True,
)
PROMOTE = Scenario(
    "promote",
    _release("prod", "promote", "--from", "dev", "--to", "prod", "--superseded", "--release", "{release}"),
    _NO_JOBS,
    _ROLLED,
    releases=True,
)
ROLLBACK = Scenario(
    "rollback", _release("prod", "rollback", "--env", "prod", "--to", "{release}"), _NO_JOBS, _ROLLED, releases=True
)
PUBLISH = Scenario(
    "release publish",
    _publish,
    _NO_JOBS,
    {"building the packages": 4.0, "stack elt-artifacts": 1.0, "publishing": 2.0},
    releases=True,
)
DESTROY = Scenario("destroy", _destroy, _NO_JOBS, {"": 6.0}, releases=True)

#: Twenty kills: eight of deployments, three of backfills. The first few are of the most different kinds.
CYCLE = (
    DEPLOY, BACKFILL, RUN, REVIEWS, PROMOTE,
    RUN, RELEASE, REVIEWS, ROLLBACK, BACKFILL,
    DEPLOY, RUN, PUBLISH, REVIEWS, DESTROY,
    PROMOTE, BACKFILL, TRIGGER, DEPLOY, RUN,
)  # fmt: skip
