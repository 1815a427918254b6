"""The runner that the workflow tests rest on: expressions, and jobs and steps that go as on GitHub or not at all."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from github_actions.expressions import Evaluator, ExpressionError, Loose, condition, parse
from github_actions.runner import Event, GitHub, JobRun, Place, StepFailed
from github_actions.workflow import WorkflowError, load
from laptop import BIN, ROOT

CONTEXTS: dict[str, Any] = {
    "inputs": {"name": "it's", "on": True, "empty": ""},
    "needs": {"a": {"result": "success", "outputs": {"x": "1"}}, "b": {"result": "failure", "outputs": {}}},
    "matrix": {"python": "3.9", "list": ["x", "y"]},
    "github": {"ref": "refs/heads/main", "event": Loose({"before": "abc", "nested": {"deep": 1}})},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1.5", -1.5),
        ("'it''s'", "it's"),
        ("true && 'x' || 'y'", "x"),
        ("false && 'x' || 'y'", "y"),
        ("inputs.empty || 'default'", "default"),
        ("!inputs.on", False),
        ("inputs.on == true", True),
        ("'Main' == 'main'", True),
        ("'1' == 1", True),
        ("'' == 0", True),
        ("null == 0", True),
        ("'x' == 0", False),
        ("2 > 1 && 1 <= 1", True),
        ("1 == 1 || 1 == 2 && 1 == 3", True),
        ("(1 == 1 || 1 == 2) && 1 == 3", False),
        ("needs.a.outputs.x", "1"),
        ("needs['a'].result", "success"),
        ("contains(needs.*.result, 'failure')", True),
        ("contains(needs.*.result, 'cancelled')", False),
        ("contains('Hello world', 'WORLD')", True),
        ("startsWith(github.ref, 'refs/heads/')", True),
        ("endsWith(github.ref, 'dev')", False),
        ("format('{0} of {1} {{x}}', 1, matrix.python)", "1 of 3.9 {x}"),
        ("join(matrix.list)", "x,y"),
        ("join(matrix.list, '-')", "x-y"),
        ("fromJSON('[1, 2]')[1]", 2),
        ("fromJSON(toJSON(matrix.list))", ["x", "y"]),
        ("github.event.before", "abc"),
        ("github.event.pull_request.base.sha || github.event.before", "abc"),
        ("github.event.nested.deep", 1),
    ],
)
def test_an_expression_has_the_value_that_github_gives_it(text: str, value: Any) -> None:
    found = Evaluator(CONTEXTS, {}).evaluate(parse(text))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("inputs.missing", "there is no 'missing' here"),
        ("needs.c.result", "there is no 'c' here"),
        ("secrets.KEY", "there is no context 'secrets' here"),
        ("hashFiles('x')", "there is no function hashfiles of 1 arguments"),
        ("contains('x')", "there is no function contains of 1 arguments"),
        ("1 +  2", "at '+"),
        ("'open", "at "),
        ("(1", "')' is missing"),
        ("inputs.", "a name is missing"),
        ("1 2", "unexpected '2'"),
        ("format('{1}', 'x')", "{1} stands for nothing"),
        ("fromJSON('{')", "fromJSON"),
        ("inputs.name.first", "has no 'first'"),
    ],
)
def test_what_is_no_expression(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Evaluator(CONTEXTS, {}).evaluate(parse(text))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("a-${{ inputs.on }}-${{ needs.a.outputs.x }}", "a-true-1"),
        ("${{ matrix.list }}", ["x", "y"]),
        ("${{ null }}", None),
        ("x${{ null }}", "x"),
        ({"k": ["${{ 1 }}"]}, {"k": [1]}),
    ],
)
def test_text_with_expressions(text: Any, value: Any) -> None:
    assert Evaluator(CONTEXTS, {}).fill(text) == value


@pytest.mark.parametrize("text", ["${{ inputs.on", "x ${{ matrix.list }}"])
def test_text_that_cannot_be_filled(text: str) -> None:
    with pytest.raises(ExpressionError):
        Evaluator(CONTEXTS, {}).fill(text)


@pytest.mark.parametrize(
    ("text", "failed", "runs"),
    [
        ("success()", False, True),
        ("success()", True, False),
        ("always()", True, True),
        ("failure()", False, False),
        ("${{ failure() }}", True, True),
        ("inputs.on", True, False),  # means success() && inputs.on
        ("inputs.on", False, True),
        ("!cancelled() && inputs.on", True, True),
    ],
)
def test_a_condition_decides_whether_a_step_runs(text: str, failed: bool, runs: bool) -> None:
    status = {"success": not failed, "failure": failed, "always": True, "cancelled": False}
    assert bool(Evaluator(CONTEXTS, status).evaluate(condition(text))) is runs


def test_a_condition_that_would_always_be_true() -> None:
    with pytest.raises(ExpressionError, match="always true"):
        condition("${{ inputs.on }} == false")


# ---- a workflow that works, and what breaks it -----------------------------------------------------------------------

WORKFLOW = """\
name: small
on:
  push:
  workflow_dispatch:
    inputs:
      who: {type: choice, options: [me, you], required: true}
permissions: {}
env: {LEVEL: workflow, ONLY: workflow}
defaults:
  run:
    shell: bash
jobs:
  first:
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    env: {LEVEL: job}
    outputs:
      told: ${{ steps.tell.outputs.told }}
    steps:
      - uses: some/checkout@0123456789012345678901234567890123456789
        with: {depth: 1}
      - id: tell
        env: {LEVEL: step}
        run: |
          echo "told=$LEVEL $ONLY $WHO" >> "$GITHUB_OUTPUT"
          echo "LATER=yes" >> "$GITHUB_ENV"
      - run: test "$LEVEL,$LATER" = job,yes
      - if: always()
        run: echo "## done" >> "$GITHUB_STEP_SUMMARY"
  legs:
    needs: first
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    strategy:
      matrix:
        number: [1, 2]
    steps:
      - env:
          NUMBER: ${{ matrix.number }}
        run: test "$NUMBER" -lt 9
  last:
    needs: [first, legs]
    if: always()
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    steps:
      - env:
          TOLD: ${{ needs.first.outputs.told }}
        run: echo "last heard $TOLD"
      - if: contains(needs.*.result, 'failure')
        run: exit 1
"""


def checkout(given: Mapping[str, str], place: Place) -> Mapping[str, str]:
    if given.get("depth") != "1":
        raise StepFailed("no depth")
    place.variables["WHO"] = "nobody"
    return {}


def run(tmp_path: Path, text: str, event: str = "push", **inputs: str) -> dict[str, JobRun]:
    file = tmp_path / "repository" / ".github" / "workflows" / "small.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    service = GitHub(
        file.parents[2],
        tmp_path / "jobs",
        {"some/checkout": ({"depth": {"required": True}}, checkout)},
        base={"PATH": "/usr/bin:/bin"},
    )
    return service.run(file, Event(event, "refs/heads/main", "0" * 40, inputs=inputs))


def results(jobs: Mapping[str, JobRun]) -> dict[str, str]:
    return {name: job.result for name, job in jobs.items()}


def test_a_workflow_runs_its_jobs_in_order_with_their_outputs(tmp_path: Path) -> None:
    jobs = run(tmp_path, WORKFLOW)
    assert results(jobs) == dict.fromkeys(("first", "legs", "last"), "success")
    assert jobs["first"].outputs == {"told": "step workflow nobody"}
    assert jobs["first"].summary == "## done\n"
    assert [leg.name for leg in jobs["legs"].legs] == ["legs 1", "legs 2"]
    assert jobs["last"].steps[0].log == "last heard step workflow nobody\n"
    assert jobs["last"].steps[1].outcome == "skipped"


def test_a_step_that_fails(tmp_path: Path) -> None:
    jobs = run(tmp_path, WORKFLOW.replace('run: test "$NUMBER" -lt 9', 'run: false | test "$NUMBER" = 1'))
    assert {name: job.result for name, job in jobs.items()} == {
        "first": "success",
        "legs": "failure",
        "last": "failure",
    }


def test_what_needs_a_job_that_failed_is_skipped(tmp_path: Path) -> None:
    jobs = run(
        tmp_path, WORKFLOW.replace("= job,yes", "= job,no").replace("        run: exit 1\n", "        run: exit 0\n")
    )
    assert {name: job.result for name, job in jobs.items()} == {
        "first": "failure",
        "legs": "skipped",
        "last": "success",
    }
    assert [step.outcome for step in jobs["first"].steps] == ["success", "success", "failure", "success"]


CALLED = """\
name: called
on:
  workflow_call:
    outputs:
      answer: {value: "${{ jobs.ask.outputs.answer }}"}
permissions: {}
jobs:
  ask:
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    outputs: {answer: "${{ steps.ask.outputs.answer }}"}
    steps: [{id: ask, run: 'echo "answer=42" >> "$GITHUB_OUTPUT"'}]
"""
CALLING = """\
name: calling
on: push
permissions: {}
jobs:
  other: {permissions: {}, uses: $/.github/workflows/called.yml}
  last:
    needs: other
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    steps: [{env: {ANSWER: "${{ needs.other.outputs.answer }}"}, run: 'test "$ANSWER" = 42'}]
"""


def test_a_reusable_workflow_has_outputs(tmp_path: Path) -> None:
    called = tmp_path / "repository" / ".github" / "workflows" / "called.yml"
    called.parent.mkdir(parents=True)
    called.write_text(CALLED)
    assert results(run(tmp_path, CALLING)) == {"other": "success", "last": "success"}
    for file, text, name in (
        (called, CALLED.replace("jobs.ask.outputs.answer", "jobs.ask.outputs.anwser"), "anwser"),
        (called.with_name("small.yml"), CALLING.replace("other.outputs.answer", "other.outputs.anwser"), "anwser"),
    ):
        file.write_text(text)
        with pytest.raises(WorkflowError, match=f"has no output '{name}'"):
            load(file)


BROKEN: dict[str, tuple[str, str, str]] = {
    "a job it needs is not there": ("needs: first", "needs: frist", "needs frist, which is no job"),
    "jobs in a circle": ("  first:\n", "  first:\n    needs: last\n", "jobs need each other in a circle"),
    "an unknown key of a step": ("      - run: test", "      - runs: test", "unknown key runs"),
    "an unknown key of a job": ("    timeout-minutes: 1\n    env", "    timeout: 1\n    env", "unknown key timeout"),
    "no timeout": ("    timeout-minutes: 1\n    env", "    env", "timeout-minutes is missing"),
    "an unknown trigger": ("  push:\n", "  pushes:\n", "unknown trigger pushes"),
    "an expression that is not closed": ("${{ matrix.number }}", "${{ matrix.number", "not closed"),
    "an unknown function": ("contains(needs", "contain(needs", "there is no function 'contain' here"),
    "an unknown context": ("${{ matrix.number }}", "${{ secrets.number }}", "there is no 'secrets' here"),
    "an output nobody has": ("needs.first.outputs.told", "needs.first.outputs.tild", "job first has no output 'tild'"),
    "a job it does not need": ("needs: [first, legs]", "needs: legs", "there is no 'first' here"),
    "a step that comes later": ("steps.tell.outputs", "steps.tells.outputs", "there is no 'tells' here"),
    "an output no step set": ("told=$LEVEL", "tild=$LEVEL", "there is no 'told' here"),
    "an unknown action": ("some/checkout@", "other/checkout@", "nothing stands in for other/checkout"),
    "an unknown input of an action": ("{depth: 1}", "{depths: 1}", "unknown input depths"),
    "a key that stands twice": ("permissions: {}\n", "permissions: {}\npermissions: {}\n", "stands twice"),
    "a matrix without legs": ("number: [1, 2]", "number: []", "a matrix without a leg"),
    "a shell that is none": ("    shell: bash", "    shell: fish", "shell 'fish' is not run here"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_workflow(tmp_path: Path, name: str) -> None:
    old, new, reason = BROKEN[name]
    assert old in WORKFLOW
    with pytest.raises((WorkflowError, ExpressionError)) as caught:
        run(tmp_path, WORKFLOW.replace(old, new, 1))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("event", "inputs", "reason"),
    [
        ("workflow_dispatch", {}, "input who is missing"),
        ("workflow_dispatch", {"who": "them"}, "input who is one of ['me', 'you'], not 'them'"),
        ("workflow_dispatch", {"who": "me", "what": "x"}, "unknown input what"),
        ("release", {}, "not set off by release"),
    ],
)
def test_an_event_that_does_not_fit(tmp_path: Path, event: str, inputs: dict[str, str], reason: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        run(tmp_path, WORKFLOW, event, **inputs)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        ("deploy", lambda text: text.replace("    needs: dev\n", "", 1), "there is no 'dev' here"),
        ("deploy", lambda text: text.replace("build.outputs.manifest", "build.outputs.digest"), "no output 'digest'"),
        ("deploy", lambda text: text.replace("steps.publish.outputs", "steps.published.outputs"), "'published'"),
        ("deploy", lambda text: text.replace("outputs.release }}", "outputs.release"), "not closed"),
        ("ci", lambda text: text.replace("      pythons: ${{", "      python: ${{"), "unknown input python"),
        ("ci", lambda text: text.replace("_package.yml", "_packages.yml"), "there is no $/"),
        ("backfill", lambda text: text.replace("inputs.year", "inputs.yaer"), "there is no 'yaer' here"),
        ("rollback", lambda text: text.replace("environment: ${{ i", "environmnt: ${{ i"), "unknown key environmnt"),
    ],
)  # fmt: skip
def test_our_own_workflows_broken(tmp_path: Path, file: str, change: Callable[[str], str], reason: str) -> None:
    folder = tmp_path / ".github" / "workflows"
    shutil.copytree(ROOT / ".github" / "workflows", folder)
    broken = folder / f"{file}.yml"
    text = broken.read_text()
    assert change(text) != text
    broken.write_text(change(text))
    with pytest.raises(WorkflowError) as caught:
        load(broken)
    assert reason in str(caught.value)


def test_an_unpinned_or_overprivileged_workflow_fails_the_audit(tmp_path: Path) -> None:
    """zizmor, as `make lint` and the next module call it, does find what it is there for."""
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    broken = tmp_path / "deploy.yml"
    for old, new, audit in (
        ("actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "actions/checkout@v6", "unpinned-uses"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ('--release "$RELEASE"', "--release ${{ github.head_ref }}", "template-injection"),
    ):
        assert old in text
        broken.write_text(text.replace(old, new))
        config = ["--config", str(ROOT / ".github" / "zizmor.yml")]
        command = [str(BIN / "zizmor"), "--quiet", "--offline", "--pedantic", *config, "--format", "plain", str(broken)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert audit in done.stdout
