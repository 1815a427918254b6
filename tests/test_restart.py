"""The local cloud dies in mid-run: nothing is half loaded, and the month can be run again."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from laptop import ROOT, Laptop
from orchestration.generate import yellow_month
from orchestration.pipelines import Month

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("state", ["IngestRaw", "TransformTrips", "LoadRedshift"])
def test_killed_in_mid_run(laptop: Laptop, tmp_path: Path, state: str) -> None:
    month = {"IngestRaw": "2020-01", "TransformTrips": "2020-02", "LoadRedshift": "2020-03"}[state]
    yellow_month(tmp_path, month=Month.parse(month), rows=50_000)
    first = laptop.elt_json("run", "yellow-trips", "--month", month, "--source", str(tmp_path))
    loaded = laptop.query(f"SELECT COUNT(*) FROM yellow_trips WHERE source_month = '{month}-01'")
    yellow_month(tmp_path, month=Month.parse(month), rows=60_000, seed=1)
    command = ["elt", "run", "yellow-trips", "--month", month, "--source", str(tmp_path)]
    running = subprocess.Popen(
        command, env=laptop.env | laptop.sdk, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith(f"{state} started"):
            break
    # At once: the line comes a moment after the state began, and a fast machine loads these rows within a second.
    os.kill(laptop.pid, signal.SIGKILL)
    rest = running.stderr.read()
    assert running.wait(60) == 1
    assert "Traceback" not in rest

    started = laptop.elt("local", "up")
    assert started.returncode == 0, started.stderr
    found = laptop.query(f"SELECT COUNT(*) FROM yellow_trips WHERE source_month = '{month}-01'")
    statuses = {row["name"]: row["status"] for row in laptop.elt_json("status", "yellow-trips")}
    assert statuses[first["name"]] == "SUCCEEDED", "what had ended is remembered"
    assert "RUNNING" not in statuses.values()
    again = laptop.elt_json("run", "yellow-trips", "--month", month, "--source", str(tmp_path))
    assert again["status"] == "SUCCEEDED"
    (check,) = [one for one in laptop.elt_json("verify", "yellow-trips") if one["month"] == month]
    assert check["read"] == 60_000
    assert check["agrees"]
    assert found in (loaded, [(check["kept"],)]), "the old month or the new one, whole"
