"""`elt run` after an edit: on the laptop the checkout is deployed first, and what was rolled back to is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checkouts import Checkout
from laptop import Laptop, free_port
from orchestration.generate import yellow_month
from orchestration.pipelines import Month

pytestmark = pytest.mark.timeout(600)

DATASET = "packages/glue-transform/src/glue_transform/datasets/yellow.toml"
CHANGED = "the checkout has changed since local was deployed; --as-deployed keeps that"
DIFFERS = ", and the checkout has other files: `elt plan --env local` shows what a deployment would change"


def test_an_edit_is_in_the_next_run_once_unless_that_is_not_wanted(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "project", Laptop(tmp_path / "elt", free_port()))
    yellow_month(tmp_path, month=Month(2024, 8), rows=1_000)
    command = ("run", "yellow-trips", "--month", "2024-08", "--source", str(tmp_path))

    def run(*options: str) -> list[str]:
        done = checkout.elt(*command, *options)
        assert done.returncode == 0, done.stderr
        return done.stderr.splitlines()

    def rejected() -> dict[str, Any]:
        (check,) = json.loads(checkout.said("verify", "yellow-trips", "--json"))
        assert check["agrees"]
        return check["rejected"]

    def add_rule(name: str) -> None:
        checkout.edit(DATASET, lambda text: f'{text}\n[[rules]]\nname = "{name}"\nbroken = "trip_distance > 5"\n')

    try:
        assert CHANGED not in run()
        add_rule("too_long")
        assert run("--as-deployed")[0].endswith(DIFFERS)
        assert "too_long" not in rejected()
        assert run()[0] == CHANGED
        assert rejected()["too_long"] > 0
        assert not [line for line in run() if line == CHANGED or line.startswith("deploy")]
        add_rule("far_too_long")
        checkout.said("rollback")
        told = run()[0]
        assert told.startswith("local runs release dev-")
        assert told.endswith(DIFFERS)
        assert "too_long" not in rejected()
    finally:
        checkout.elt("local", "down")
