"""A short campaign of kills; `make campaign` is the long one. And what each kind of damage looks like to it."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from campaign import world as worlds
from campaign.campaign import Campaign, Kill, facts, read, words, write
from campaign.problem import Problem
from campaign.report import table
from campaign.scenarios import BACKFILL, DEPLOY, REVIEWS, RUN
from campaign.strike import Moment, strike
from laptop import deployed

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds processes in /proc"),
]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """Three kills, each of another kind of work."""
    with deployed(tmp_path_factory) as machine:
        world = worlds.build(tmp_path_factory.mktemp("campaign") / "world", machine, with_releases=False)
        done = Campaign(world, (BACKFILL, DEPLOY, REVIEWS), seed=1)
        list(done.kills(range(1, 4)))
        yield done


def test_after_a_kill_and_another_try_everything_is_right(campaign: Campaign) -> None:
    assert [kill.problems for kill in campaign.done] == [[]] * 3, "\n".join(map(str, campaign.done))
    assert [kill.hit for kill in campaign.done] == [True] * 3, "every command was struck before its end"
    assert table(campaign.done).splitlines()[-1].split() == ["all", "3", *"00000000"]
    assert words(campaign.world) == []


def test_damage_of_every_kind_is_noticed(campaign: Campaign) -> None:
    world = campaign.world
    month, rows = next((month, rows.count) for month, rows in world.months.items())
    assert facts(world) == []
    query, s3 = world.machine.query, world.machine.client("s3")
    raw = world.machine.outputs("data")["RawBucket"]
    query(f"INSERT INTO yellow_trips SELECT * FROM yellow_trips WHERE source_month = '{month}-01'")
    query("DELETE FROM public.reviews WHERE product_category = 'Toys'")
    s3.put_object(Bucket=raw, Key="smoke/part", Body=b"")
    s3.create_multipart_upload(Bucket=raw, Key="yellow/half")
    archive = io.BytesIO()
    zipfile.ZipFile(archive, "w").writestr("trigger/handler.py", "")
    world.machine.client("lambda").update_function_code(FunctionName="elt-local-trigger", ZipFile=archive.getvalue())
    (world.temporary / "elt-build-1").mkdir()
    stray = "import os, time; os.fork() and os._exit(0); time.sleep(600)"
    subprocess.run([sys.executable, "-c", stray], env=world.env, check=True)
    found = facts(world)
    for problem in found:
        if problem.kind == "orphan":
            os.kill(int(problem.text.split()[1].rstrip(":")), signal.SIGKILL)
    toys = world.reviews["Toys"].count
    assert found[:2] == [
        Problem("doubled", f"{month}: {2 * rows} rows, not {rows}", rows),
        Problem("lost", f"Toys: 0 rows, not {toys}", toys),
    ]
    assert [one.kind for one in found[2:]] == ["release", "orphan", "left", "left", "left"]
    assert "elt-local-trigger has code that is not the release's" in found[2].text
    assert sorted(one.text for one in found[4:]) == [
        f"s3://{raw}/smoke/part",
        "temporary elt-build-1",
        f"upload of s3://{raw}/yellow/half is unfinished",
    ]
    said = "\n".join(one.text for one in words(world))
    assert "elt verify yellow-trips: " in said
    assert "elt verify reviews: " in said
    assert "elt diff --env local " in said


def test_the_same_number_of_the_same_seed_is_the_same_moment() -> None:
    drawn = [Moment.draw(RUN.moments, RUN.targets, random.Random("1/7/0")) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != Moment.draw(RUN.moments, RUN.targets, random.Random("1/8/0"))


def test_the_log_holds_the_whole_campaign(tmp_path: Path) -> None:
    log, moment = tmp_path / "campaign.jsonl", Moment("job", "IngestRaw started", 0.5)
    right = Kill(
        1, "run", moment, hit=True, missed=0, seconds=9.5, code=1, lines=["IngestRaw started"], tried=[], problems=[]
    )
    wrong = replace(right, number=2, problems=[Problem("doubled", "2024-01: 4 rows, not 2", 2)])
    for kill in (wrong, right):
        write(log, kill)
    assert read(log) == [right, wrong]
    assert [line.split()[-9:] for line in table(read(log)).splitlines()[1:]] == [["2", "0", "2", *"000000"]] * 2


def test_a_command_that_ends_before_its_moment_is_not_hit(campaign: Campaign) -> None:
    struck = strike(campaign.world, ["elt", "local", "status"], Moment("elt", "no such line", 0), random.Random(1))
    assert (struck.hit, struck.code, struck.problems) == (False, 0, [])
