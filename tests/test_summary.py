"""Job summaries: JSON of a command in, Markdown that people can read out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from laptop import ROOT

SCRIPT = ROOT / ".github" / "summary.py"


def summary(tmp_path: Path, value: Any, *names: str) -> str:
    file = tmp_path / "out.json"
    file.write_text(json.dumps(value))
    command = [sys.executable, str(SCRIPT), "Title", str(file), *names]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.rstrip("\n")


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"release": "2026-1", "rows_kept": 1234567, "agrees": True, "error": None}, [
            "|  |  |",
            "| --- | --- |",
            "| release | 2026-1 |",
            "| rows kept | 1,234,567 |",
            "| agrees | yes |",
            "| error |  |",
        ]),
        ([{"month": "2024-01", "status": "SUCCEEDED"}, {"month": "2024-02", "status": "FAILED", "cause": "a|b"}], [
            "| month | status | cause |",
            "| --- | --- | --- |",
            "| 2024-01 | SUCCEEDED |  |",
            "| 2024-02 | FAILED | a\\|b |",
        ]),
        ({"id": "r1", "packages": [{"name": "x", "version": "1.0"}], "tags": ["a", "b"]}, [
            "|  |  |",
            "| --- | --- |",
            "| id | r1 |",
            "| tags | a, b |",
            "",
            "### packages",
            "",
            "| name | version |",
            "| --- | --- |",
            "| x | 1.0 |",
        ]),
        ({"rejected": {"bad_fare": 3}}, ["### rejected", "", "|  |  |", "| --- | --- |", "| bad fare | 3 |"]),
        ({"packages": {"rs-query": {"version": "1.0", "files": {f"f{n}": "0" * 64 for n in range(9)}}}}, [
            "### packages",
            "",
            "|  | version | files |",
            "| --- | --- | --- |",
            "| rs-query | 1.0 | 9 of them |",
        ]),
        ({"seconds": 1234.333333333, "dpu": 0.0625}, [
            "|  |  |",
            "| --- | --- |",
            "| seconds | 1,234.3333 |",
            "| dpu | 0.0625 |",
        ]),
        ([], ["nothing"]),
        (["one", "two"], ["- one", "- two"]),
        ([{"counts": {"kept": 1000, "read": 2000}}], ["| counts |", "| --- |", "| kept 1,000, read 2,000 |"]),
        ({"cause": "<script>alert(1)</script>\n# [x](http://example.com)"}, [
            "|  |  |",
            "| --- | --- |",
            "| cause | \\<script\\>alert(1)\\</script\\> # \\[x\\](http://example.com) |",
        ]),
    ],
)  # fmt: skip
def test_every_shape_of_json_becomes_a_table(tmp_path: Path, value: Any, lines: list[str]) -> None:
    assert summary(tmp_path, value) == "\n".join(["## Title", "", *lines])


def test_only_what_is_named(tmp_path: Path) -> None:
    assert summary(tmp_path, {"id": 1, "secret": 2}, "id") == "## Title\n\n|  |  |\n| --- | --- |\n| id | 1 |"


@pytest.mark.parametrize("text", [None, "", "\n"])
def test_a_command_that_printed_nothing(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "out.json"
    if text is not None:
        file.write_text(text)
    done = subprocess.run([sys.executable, str(SCRIPT), "Smoke", str(file)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("## Smoke\n\nIt did not get as far as a result: the step's log says why.")


def test_a_command_that_was_refused_is_quoted(tmp_path: Path) -> None:
    """Its last line, from the log beside the result."""
    (tmp_path / "promote.json").write_text("")
    (tmp_path / "promote.log").write_text("prod: account 123456789012\nelt: release r1 is superseded by *r2*\n\n")
    command = [sys.executable, str(SCRIPT), "Promoted", str(tmp_path / "promote.json"), "release"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip() == (
        "## Promoted\n\nIt did not get as far as a result: elt: release r1 is superseded by \\*r2\\*"
    )


def test_wrong_usage_is_one_line_and_exit_code_2() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: summary.py TITLE FILE [NAME…]\n")
