"""docs/adding-a-dataset.md and docs/adding-a-pipeline.md, followed in a copy of the checkout."""

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

#: Trips of for-hire vehicles, of which the last three break a rule: no pickup, another month, a base that is too long.
ROWS = """
    ('B01234', TIMESTAMP '{month}-02 08:00', TIMESTAMP '{month}-02 08:20', 7, 8, 1, 'B1'),
    ('B1', TIMESTAMP '{month}-02 09:00', TIMESTAMP '{month}-02 09:20', 9, 8, NULL, 'B1')"""
DIRT = """,
    ('B1', NULL, TIMESTAMP '{month}-02 08:20', 7, 8, NULL, 'B1'),
    ('B2', TIMESTAMP '2023-01-01 08:00', TIMESTAMP '2023-01-01 08:20', 9, 8, NULL, 'B1'),
    ('B012345678', TIMESTAMP '{month}-02 08:00', TIMESTAMP '{month}-02 08:20', 9, 8, NULL, 'B1')"""
NAMES = (
    "dispatching_base_num, pickup_datetime, dropOff_datetime, PUlocationID, DOlocationID, SR_Flag, "
    "Affiliated_base_number"
)


def write_trips(folder: Path, month: str, rows: str, *, more: str = "") -> None:
    """Write a month of for-hire vehicles, with `more` columns."""
    folder.mkdir(exist_ok=True)
    trips = duckdb.connect().sql(f"SELECT *{more} FROM (VALUES {rows.format(month=month)}) AS t({NAMES})")
    trips.write_parquet(str(folder / f"fhv_tripdata_{month}.parquet"))


@dataclass
class Reader:
    """Somebody who does what a page says, in a checkout of their own, on a laptop."""

    checkout: Path
    laptop: Laptop

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.checkout / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return self.laptop.env | self.laptop.sdk | {"PATH": path, "HOME": str(self.checkout.parent)}

    @property
    def tlc(self) -> Path:
        """The folder that the page calls ~/tlc."""
        return self.checkout.parent / "tlc"

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
        """Run the page's commands before "Try it"."""
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        before, _, _ = re.split(r"^## \d\. (Try it)$", text, maxsplit=1, flags=re.MULTILINE)
        for command in re.findall(r"^```sh\n(.*?)^```", before, re.MULTILINE | re.DOTALL):
            self.run(command)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.laptop.query(sql)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Has followed both pages, and deployed it over what there was."""
    checkout = tmp_path_factory.mktemp("home") / "checkout"
    checkout.mkdir()
    copy_checkout(checkout)
    ready_environment(checkout)
    with deployed(tmp_path_factory) as laptop:
        reader = Reader(checkout, laptop)
        write_trips(reader.tlc, "2024-09", ROWS)
        reader.follow("adding-a-dataset.md")
        reader.follow("adding-a-pipeline.md")
        reader.run("elt deploy")
        yield reader


def test_the_tests_that_are_written_pass_at_once(reader: Reader) -> None:
    """By DuckDB, and on a laptop of its own. What was written is also formatted as the house is."""
    reader.run("pytest -q packages/glue-transform/tests/test_fhv_sample.py -k duckdb")
    reader.run("pytest -q tests/test_trips_by_month.py")
    reader.run("ruff check . && ruff format --check .")


def test_a_dataset_more(reader: Reader, tmp_path: Path) -> None:
    write_trips(tmp_path, "2024-09", ROWS + DIRT)
    reader.run(f"elt run fhv-trips --month 2024-09 --source {tmp_path}")
    loaded = "SELECT dispatching_base_num, pu_location_id, sr_flag, source_month::VARCHAR FROM fhv_trips ORDER BY 2"
    assert reader.query(loaded) == [("B01234", 7, 1, "2024-09-01"), ("B1", 9, None, "2024-09-01")]
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


def test_a_column_later(reader: Reader) -> None:
    """After the month above: the new year's file has a column more, which the table gets."""
    write_trips(reader.tlc, "2025-01", ROWS, more=", 0.75 AS cbd_congestion_fee, [1] AS stops")
    reader.run("elt new era fhv --sample ~/tlc/fhv_tripdata_2025-01.parquet")
    reader.run("elt deploy")
    reader.run("elt run fhv-trips --month 2025-01 --source ~/tlc")
    fees = "SELECT source_month::VARCHAR, COUNT(*), MIN(cbd_congestion_fee) FROM fhv_trips GROUP BY 1 ORDER BY 1"
    assert [(month, rows, fee and float(fee)) for month, rows, fee in reader.query(fees)] == [
        ("2024-09-01", 2, None),
        ("2025-01-01", 2, 0.75),
    ]


def test_a_pipeline_more(reader: Reader, tmp_path: Path) -> None:
    yellow_month(tmp_path, month=Month(2024, 9), rows=1_000)
    reader.run(f"elt run yellow-trips --month 2024-09 --source {tmp_path}")
    for _ in range(2):
        reader.run("elt run trips-by-month --month 2024-09")
    counted = "SELECT COUNT(*), source_month::VARCHAR FROM yellow_trips GROUP BY 2"
    assert reader.query("SELECT trips, source_month::VARCHAR FROM trips_by_month") == reader.query(counted)
    assert len(reader.query(counted)) == 1


def test_a_pipeline_more_fails_as_the_others_do(reader: Reader) -> None:
    """A month whose table nobody can read: the mail says why and what to type."""
    mails = len(reader.laptop.mails())
    reader.query("ALTER TABLE trips_by_month RENAME COLUMN trips TO journeys")
    done = subprocess.run(
        ["elt", "run", "trips-by-month", "--month", "2024-09"], env=reader.env, cwd=reader.checkout, capture_output=True
    )
    assert done.returncode == 1
    (mail,) = reader.laptop.mails()[mails:]
    assert mail["Subject"] == "[local] trips-by-month 2024-09 failed at LoadRedshift"
    assert "load_month.sql" in mail.get_content()
    assert "Try again: elt run trips-by-month --month 2024-09 --env local" in mail.get_content()
