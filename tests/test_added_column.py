"""A column that is added to a dataset later: its table has it before the first load that fills it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkouts import Checkout
from laptop import Laptop, free_port
from orchestration.generate import yellow_month
from orchestration.pipelines import Month

pytestmark = pytest.mark.timeout(600)

DATASET = "packages/glue-transform/src/glue_transform/datasets/yellow.toml"


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout.make(tmp_path / "project", Laptop(tmp_path / "elt", free_port()))
    yield made
    made.elt("local", "down")


def add_column(checkout: Checkout, name: str, kind: str, source: str) -> None:
    """What somebody edits who wants another of the file's columns in the table."""
    checkout.edit(
        DATASET, lambda text: text.replace("[[eras]]", f'[[columns]]\nname = "{name}"\ntype = "{kind}"\n\n[[eras]]', 1)
    )
    checkout.edit(DATASET, lambda text: text.replace("[eras.columns]", f'[eras.columns]\n{name} = "{source}"', 1))


def test_the_table_gets_the_column_and_the_months_before_are_loaded_again(checkout: Checkout, tmp_path: Path) -> None:
    for month in ("2024-08", "2024-09"):
        yellow_month(tmp_path, month=Month.parse(month), rows=1_000)
    source = ("--source", str(tmp_path))
    checkout.said("run", "yellow-trips", "--month", "2024-08", *source)
    add_column(checkout, "tolls_amount", "DECIMAL(9,2)", "tolls_amount")
    assert "  Change   warehouse table Table (public.yellow_trips): tolls_amount" in checkout.said("plan").splitlines()
    deployed = checkout.elt("deploy")
    assert deployed.returncode == 0, deployed.stderr
    assert (
        "deploying: public.yellow_trips was brought up to its dataset (tolls_amount); the months loaded before have "
        "none of that: `elt backfill yellow-trips --from 2024-08 --to 2024-08 --force --env local` loads them again"
    ) in deployed.stderr.splitlines()
    verified = checkout.elt("verify", "yellow-trips", "--json")
    assert [(one["month"], one["agrees"], one["before"]) for one in json.loads(verified.stdout)] == [
        ("2024-08", True, ["tolls_amount"])
    ]
    assert verified.stderr.splitlines()[-1] == (
        "loaded before public.yellow_trips had tolls_amount: 1 of 1 months; `elt backfill yellow-trips --from 2024-08 "
        "--to 2024-08 --force --env local` loads them again"
    )
    checkout.said("backfill", "yellow-trips", "--from", "2024-08", "--to", "2024-09", "--force", *source)
    verified = checkout.elt("verify", "yellow-trips", "--json")
    assert [(one["month"], one["agrees"], one["before"]) for one in json.loads(verified.stdout)] == [
        ("2024-08", True, []),
        ("2024-09", True, []),
    ]
    filled = "SELECT source_month::VARCHAR, COUNT(tolls_amount) > 0 FROM yellow_trips GROUP BY 1 ORDER BY 1"
    assert checkout.machine.query(filled) == [("2024-08-01", True), ("2024-09-01", True)]

    checkout.edit(DATASET, lambda text: text.replace("DECIMAL(9,2)", "DECIMAL(11,2)"))
    assert checkout.refused("deploy", code=1) == (
        "elt: the column tolls_amount of public.yellow_trips is DECIMAL(9,2), and DECIMAL(11,2) in the dataset "
        "'yellow': Redshift changes no column to another type; give it DECIMAL(9,2) again, or a column of another "
        "name; nothing is changed in local"
    )
    checkout.said("rollback")
    checkout.said("run", "yellow-trips", "--month", "2024-09", *source)
    assert checkout.machine.query(filled) == [("2024-08-01", True), ("2024-09-01", False)]
