"""A short campaign of kills; `make campaign` is the long one. And what each kind of damage looks like to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign import world as worlds
from campaign.campaign import Campaign, facts, words
from campaign.problem import Problem
from campaign.report import table
from campaign.scenarios import BACKFILL, DEPLOY, REVIEWS, RUN
from campaign.strike import Moment, strike
from campaign.world import World
from laptop import Laptop, free_port

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds processes in /proc"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("campaign")
    built = worlds.build(folder / "world", Laptop(folder / "state", free_port()), with_releases=False)
    yield built
    built.run("elt", "local", "down")


def test_after_a_kill_and_another_try_everything_is_right(world: World) -> None:
    campaign = Campaign(world, (BACKFILL, DEPLOY, REVIEWS, RUN), seed=1)
    done = list(campaign.kills(range(1, 5)))
    assert [kill.problems for kill in done] == [[]] * 4, "\n".join(map(str, done))
    assert [kill.hit for kill in done] == [True] * 4, "every command was struck before its end"
    assert table(done).splitlines()[-1].split() == ["all", "4", *"00000000"]
    assert words(world) == []


def test_damage_of_every_kind_is_noticed(world: World) -> None:
    (month, *_), rows = world.months, next(iter(world.months.values())).count
    assert facts(world) == []
    query, s3 = world.machine.query, world.machine.client("s3")
    raw = world.machine.outputs("data")["RawBucket"]
    query(f"INSERT INTO yellow_trips SELECT * FROM yellow_trips WHERE source_month = '{month}-01'")
    query("DELETE FROM public.reviews WHERE product_category = 'Toys'")
    s3.put_object(Bucket=raw, Key="_incoming/part", Body=b"")
    s3.create_multipart_upload(Bucket=raw, Key="yellow/half")
    world.machine.client("lambda").update_function_code(
        FunctionName="elt-local-trigger", S3Bucket=raw, S3Key="_incoming/part"
    )
    (world.temporary / "elt-build-1").mkdir()
    stray = subprocess.Popen(
        [sys.executable, "-c", "import os, time; os.fork() and os._exit(0); time.sleep(600)"], env=world.env
    )
    stray.wait()
    found = facts(world)
    for problem in found:
        if problem.kind == "orphan":
            os.kill(int(problem.text.split()[1].rstrip(":")), 9)
    toys = world.reviews["Toys"].count
    assert [(one.kind, one.amount) for one in found] == [
        ("doubled", rows),
        ("lost", toys),
        ("release", 1),
        ("orphan", 1),
        ("left", 1),
        ("left", 1),
        ("left", 1),
    ]
    assert found[:2] == [
        Problem("doubled", f"{month}: {2 * rows} rows, not {rows}", rows),
        Problem("lost", f"Toys: 0 rows, not {toys}", toys),
    ]
    assert [one.text for one in found[4:]] == [
        f"upload of s3://{raw}/yellow/half is unfinished",
        f"s3://{raw}/_incoming/part",
        "temporary elt-build-1",
    ]
    assert {one.kind for one in words(world)} == {"disagrees"}


def test_the_same_number_of_the_same_seed_is_the_same_moment() -> None:
    import random

    drawn = [Moment.draw(RUN.moments, RUN.targets, random.Random("1/7/0")) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != Moment.draw(RUN.moments, RUN.targets, random.Random("1/8/0"))


def test_a_command_that_ends_before_its_moment_is_not_hit(world: World) -> None:
    import random

    struck = strike(world, ["elt", "local", "status"], Moment("elt", "no such line", 0), random.Random(1))
    assert (struck.hit, struck.code, struck.problems) == (False, 0, [])
