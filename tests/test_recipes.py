"""docs/adding-a-dataset.md and docs/adding-a-pipeline.md, followed word by word in a copy of the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from laptop import ROOT, Laptop, deployed
from orchestration.generate import yellow_month
from orchestration.pipelines import Month
from orchestration.trips.source import serve
from scratch import copy_checkout, ready_environment

pytestmark = pytest.mark.timeout(600)

#: A file that a page gives whole: its path in a line of its own, then its text.
GIVEN = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass
class Reader:
    """Somebody who does what a page says, in a checkout of their own, on a laptop."""

    checkout: Path
    laptop: Laptop

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.checkout / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return self.laptop.env | self.laptop.sdk | {"PATH": path}

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.checkout,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def follow(self, page: str) -> None:
        """Write the files that the page gives, run its commands before "Try it", apply its changes."""
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        before, _, _ = re.split(r"^## \d\. (Try it)$", text, maxsplit=1, flags=re.MULTILINE)
        for path, content in GIVEN.findall(before):
            file = self.checkout / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        for command in re.findall(r"^```sh\n(.*?)^```", before, re.MULTILINE | re.DOTALL):
            self.run(command)
        for diff in re.findall(r"^```diff\n(.*?)^```", before, re.MULTILINE | re.DOTALL):
            subprocess.run(
                ["git", "apply", "--recount", "--unidiff-zero", "-"],
                cwd=self.checkout,
                input=diff,
                text=True,
                check=True,
            )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.laptop.query(sql)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Has followed both pages, and deployed it over what there was."""
    checkout = tmp_path_factory.mktemp("checkout")
    copy_checkout(checkout)
    ready_environment(checkout)
    with deployed(tmp_path_factory) as laptop:
        reader = Reader(checkout, laptop)
        reader.follow("adding-a-dataset.md")
        reader.follow("adding-a-pipeline.md")
        reader.run("elt deploy")
        yield reader


def test_a_dataset_more(reader: Reader, tmp_path: Path) -> None:
    """Five rows of for-hire trips: one has no pickup, one is of another month, one has a base that is too long."""
    rows = """
        ('B01234', TIMESTAMP '2024-09-02 08:00', TIMESTAMP '2024-09-02 08:20', 7, 8, 1, 'B1'),
        ('B1', TIMESTAMP '2024-09-02 09:00', TIMESTAMP '2024-09-02 09:20', 9, 8, NULL, 'B1'),
        ('B1', NULL, TIMESTAMP '2024-09-02 08:20', 7, 8, NULL, 'B1'),
        ('B012345', TIMESTAMP '2024-09-02 08:00', TIMESTAMP '2024-09-02 08:20', 9, 8, NULL, 'B1'),
        ('B2', TIMESTAMP '2023-01-01 08:00', TIMESTAMP '2023-01-01 08:20', 9, 8, NULL, 'B1')"""
    names = "dispatching_base_num, pickup_datetime, dropOff_datetime, PUlocationID, DOlocationID, SR_Flag"
    duckdb.connect().sql(f"SELECT * FROM (VALUES {rows}) AS t({names}, Affiliated_base_number)").write_parquet(
        str(tmp_path / "fhv_tripdata_2024-09.parquet")
    )
    reader.run(f"elt run fhv-trips --month 2024-09 --source {tmp_path}")
    loaded = "SELECT dispatching_base_num, pickup_location_id, shared, source_month::VARCHAR FROM fhv_trips ORDER BY 2"
    assert reader.query(loaded) == [("B01234", 7, True, "2024-09-01"), ("B1", 9, None, "2024-09-01")]
    told = reader.run("elt verify fhv-trips")
    assert re.search(r"2024-09 +5 +2 +3 +2 +agrees", told), told
    with serve(tmp_path) as url:
        reader.laptop.set_parameters(TripsSourceUrl=url)
        waits = json.loads(reader.run("elt local fire fhv-trips").splitlines()[-1])
        assert waits["reason"].startswith("not published yet: ")
        due = waits["name"].removeprefix("fhv-")
        (tmp_path / "fhv_tripdata_2024-09.parquet").rename(tmp_path / f"fhv_tripdata_{due}.parquet")
        fired = json.loads(reader.run("elt local fire fhv-trips").splitlines()[-1])
    assert (fired["event"], fired["started"]) == ("triggered", True), "the schedule starts the month that is due"
    assert re.fullmatch(r"fhv-\d{4}-\d\d", fired["name"])
    reader.laptop.client("stepfunctions").stop_execution(executionArn=fired["execution"])


def test_a_pipeline_more(reader: Reader, tmp_path: Path) -> None:
    yellow_month(tmp_path, month=Month(2024, 9), rows=1_000)
    reader.run(f"elt run yellow-trips --month 2024-09 --source {tmp_path}")
    for _ in range(2):
        reader.run("elt run trips-by-zone --month 2024-09")
    counted = "SELECT pickup_location_id, COUNT(*), source_month::VARCHAR FROM yellow_trips GROUP BY 1, 3 ORDER BY 1"
    stored = "SELECT pickup_location_id, trips, source_month::VARCHAR FROM trips_by_zone ORDER BY 1"
    assert reader.query(stored) == reader.query(counted)
    assert len(reader.query(stored)) > 1


def test_a_pipeline_more_fails_as_the_others_do(reader: Reader) -> None:
    """A month whose table nobody can read: the mail says why and what to type."""
    mails = len(reader.laptop.mails())
    reader.query("ALTER TABLE trips_by_zone RENAME COLUMN trips TO journeys")
    done = subprocess.run(
        ["elt", "run", "trips-by-zone", "--month", "2024-09"], env=reader.env, cwd=reader.checkout, capture_output=True
    )
    assert done.returncode == 1
    (mail,) = reader.laptop.mails()[mails:]
    assert mail["Subject"] == "[local] trips-by-zone 2024-09 failed at CountMonth"
    assert "count_month.sql" in mail.get_content()
    assert "Try again: elt run trips-by-zone --month 2024-09 --env local" in mail.get_content()
