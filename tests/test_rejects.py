"""`elt rejects` shows what the transform of a month rejected, and why."""

from __future__ import annotations

import json

import pytest

from laptop import Laptop
from orchestration.generate import yellow_month
from orchestration.pipelines import Month


@pytest.fixture(scope="module")
def rejected(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many rows of a month broke which rule, by its verification."""
    folder = tmp_path_factory.mktemp("tlc")
    yellow_month(folder, month=Month(2020, 5), rows=3_000)
    run = laptop.elt("run", "yellow-trips", "--month", "2020-05", "--source", str(folder))
    assert run.returncode == 0, run.stderr
    (month,) = [one for one in laptop.elt_json("verify", "yellow-trips") if one["month"] == "2020-05"]
    found: dict[str, int] = {rule: rows for rule, rows in month["rejected"].items() if rows}
    assert sum(found.values()) > 20
    return found


def test_every_rejected_row_comes_as_it_was_with_the_rule_it_broke(laptop: Laptop, rejected: dict[str, int]) -> None:
    asked = laptop.elt("rejects", "yellow-trips", "--month", "2020-05", "--output", "json")
    rows = [json.loads(line) for line in asked.stdout.splitlines()]
    counted: dict[str, int] = {}
    for row in rows:
        counted[row["rejected_by"]] = counted.get(row["rejected_by"], 0) + 1
    assert counted == rejected
    fares = [row["fare_amount"] for row in rows if row["rejected_by"] == "fare_amount_not_positive"]
    assert fares
    assert max(fares) <= 0
    assert {"VendorID", "tpep_pickup_datetime"} < set(rows[0]), "the file's own columns"


def test_a_table_has_twenty_rows_and_says_how_many_there_are(laptop: Laptop, rejected: dict[str, int]) -> None:
    asked = laptop.elt("rejects", "yellow-trips", "--month", "2020-05")
    total = sum(rejected.values())
    assert asked.stdout.splitlines()[-1] == "(20 rows)"
    first, *rules, last = asked.stderr.splitlines()
    assert first == f"yellow-trips 2020-05: {total} of 3,000 rows were rejected"
    assert {line.split()[1]: int(line.split()[0]) for line in rules} == rejected
    assert last == f"20 of {total} rows; --limit {total} shows all, --output csv does, too"


def test_one_rule(laptop: Laptop, rejected: dict[str, int]) -> None:
    rule, rows = next(iter(rejected.items()))
    asked = laptop.elt("rejects", "yellow-trips", "--month", "2020-05", "--rule", rule, "--output", "csv")
    header, *lines = asked.stdout.splitlines()
    assert header.startswith("rejected_by,")
    assert [line.split(",")[0] for line in lines] == [rule] * rows


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["yellow-trips", "--month", "2001-01"],
            "elt: 2001-01 of yellow-trips is not there; `elt verify yellow-trips`",
        ),
        (["yellow-trips", "--month", "2020-05", "--rule", "no_such"], "elt: there is no rule 'no_such'; there are "),
        (["reviews", "--month", "2020-05"], "elt: Invalid value for 'PIPELINE': reviews is not loaded by month"),
    ],
)
def test_what_is_not_there_is_said(laptop: Laptop, rejected: dict[str, int], arguments: list[str], line: str) -> None:
    asked = laptop.elt("rejects", *arguments)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr.splitlines()[-1].startswith(line)
