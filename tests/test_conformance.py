"""`elt conformance` on local-cloud: its answers are the expected ones, and nothing of it is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from laptop import Laptop
from orchestration import conformance

pytestmark = pytest.mark.timeout(300)


def test_the_expected_answers_are_this_clouds(laptop: Laptop, tmp_path: Path) -> None:
    """Where local-cloud has become truer to AWS: --record, and what is new goes into expected.json."""
    record = tmp_path / "answers.json"
    done = laptop.elt("conformance", "--yes", "--record", str(record), "--json")
    verdicts = json.loads(done.stdout)
    assert {one["probe"]: one["answer"] for one in verdicts if one["result"] != "confirmed"} == {}, done.stderr
    assert done.returncode == 0
    assert json.loads(record.read_text()) == json.loads(conformance.EXPECTED.read_text())
    assert [one["probe"] for one in verdicts] == [probe.name for probe in conformance.all_probes()]
    stacks = laptop.client("cloudformation").describe_stacks()["Stacks"]
    assert [one["StackName"] for one in stacks if "conformance" in one["StackName"]] == []
    assert [one["Name"] for one in laptop.client("s3").list_buckets()["Buckets"] if "conformance" in one["Name"]] == []
    reports = laptop.client("s3").list_objects_v2(Bucket=laptop.outputs("data")["ReportsBucket"])
    assert [one["Key"] for one in reports.get("Contents", []) if "conformance" in one["Key"]] == []


def test_what_differs_is_told_with_what_rests_on_it(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that answers otherwise, here by another expectation, and one where nothing is deployed."""
    for name, value in laptop.sdk.items():
        monkeypatch.setenv(name, value)
    from orchestration.conformance.assumption import Probe
    from orchestration.conformance.ground import Ground

    odd = Probe("state-name-in-catch", "it is another", "all Catch blocks", lambda ground: "Another")
    unable = Probe("failed-cast", "a text", "a mail", lambda ground: "never", warehouse=True)
    ground = Ground("local", "elt-local-conformance-x", {}, None, 0)
    differs, unanswered = conformance.examine(ground, [odd, unable])
    assert (differs.result, differs.answer, differs.expected) == ("differs", "Another", "Breaks")
    assert (unanswered.result, unanswered.answer) == (
        "not answered",
        "local has no warehouse yet: elt deploy first",
    )


def test_without_a_yes_nothing_is_made(laptop: Laptop) -> None:
    done = laptop.elt("conformance")
    assert done.returncode == 2
    assert "US cents of Glue" in done.stderr
    assert done.stderr.splitlines()[-1] == "elt: nothing was made; --yes goes on without asking"
    unknown = laptop.elt("conformance", "--probe", "nothing", "--yes")
    assert unknown.returncode == 2
    assert "there is no probe 'nothing'; there are: python-shell-arguments, " in unknown.stderr
