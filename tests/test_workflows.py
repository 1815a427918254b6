"""The workflows of .github/workflows, run: their steps in order, in scratch clones, against a local cloud.

Only `uses:` steps have stand-ins (github_actions/stand_ins.py): a checkout of a scratch repository that holds this
working tree, a Python of this machine, and keys of the local cloud for the role and token that GitHub would bring. The
checkout comes with `.venv` made, out of the environment that runs the tests, so that `make setup` has nothing to do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from github_actions.runner import Event, GitHub, JobRun
from github_actions.stand_ins import ACTIONS
from github_actions.workflow import load
from laptop import BIN, ROOT

pytestmark = pytest.mark.timeout(600)

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


class Origin:
    """A repository on this machine that stands for the one on GitHub: this working tree, as one commit on main."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
        for path in filter(None, listed):
            if (ROOT / path).is_file():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, root / path)
        git(root, "init", "--quiet", "--initial-branch=main")
        for name, value in (
            ("user.name", "test"),
            ("user.email", "test@example.com"),
            ("uploadpack.allowAnySHA1InWant", "true"),
        ):
            git(root, "config", name, value)
        self.first = self.commit()

    def commit(self) -> str:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", "change")
        return git(self.root, "rev-parse", "HEAD").strip()

    def workflow(self, name: str) -> Path:
        return self.root / ".github" / "workflows" / f"{name}.yml"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    return Origin(tmp_path_factory.mktemp("origin"))


def machine() -> dict[str, str]:
    """What a runner's steps find in their environment: a search path without this project's commands, and pip's index."""
    path = [folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder) != BIN]
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    cache = subprocess.run(
        [sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {"PATH": os.pathsep.join(path), "LANG": "C.UTF-8", **({"PIP_CACHE_DIR": cache} if cache else {}), **pip}


def problems(jobs: dict[str, JobRun]) -> str:
    return "\n".join(job.log for job in jobs.values())


# ---- ci: a change to the trigger, in full on one Python -------------------------------------------------------------


def test_ci_on_a_pull_request(origin: Origin, tmp_path: Path) -> None:
    """A change to one small package: its leg runs in full, on the Python at hand.

    The other packages' legs are the same steps with another name, and the other Pythons' would each install what the
    tests need anew; `load` has read them. `make lint types across` is this test suite itself: make only tells what it
    would run.
    """
    file = origin.root / "packages" / "trigger" / "tests" / "test_more.py"
    file.write_text("def test_more() -> None:\n    assert True\n")
    changed = origin.commit()
    service = GitHub(
        origin.root,
        tmp_path,
        ACTIONS,
        base=machine(),
        replace={"make lint types": "make --dry-run lint types", "make across": "make --dry-run across"},
        choose=lambda job, leg: leg.get("python", "3.11") == "3.11",
    )
    event = Event(
        "pull_request",
        "refs/pull/1/merge",
        changed,
        payload={"pull_request": {"base": {"sha": origin.first}}},
    )
    jobs = service.run(origin.workflow("ci"), event)
    assert {name: job.result for name, job in jobs.items()} == {
        "changes": "success",
        "package": "success",
        "across": "success",
        "required": "success",
    }, problems(jobs)
    packages = [{"package": "trigger", "pythons": ["3.9", "3.10", "3.11", "3.12", "3.13"]}]
    assert json.loads(jobs["changes"].outputs["packages"]) == packages
    (leg,) = jobs["package"].legs
    build, tests = leg.legs
    assert re.search(r"trigger: [0-9a-f]{64}  trigger-[\d.]+-py3-none-any.whl, twice", build.log)
    assert "test_more.py" in tests.log or re.search(r"\d+ passed", tests.log)
    assert "| packages | success |" in jobs["required"].summary


# ---- what is true of every workflow ------------------------------------------------------------------------------

PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_workflow_is_sound(file: Path) -> None:
    """Read strictly, also on the paths that no test takes: unknown keys, names, needs and expressions are errors."""
    workflow = load(file)
    assert workflow.raw["permissions"] == {}, "what a job may do, it says itself"
    assert workflow.raw["defaults"] == {"run": {"shell": "bash"}}, "so that a failure in a pipe fails the step"
    for job in workflow.jobs.values():
        assert "permissions" in job.raw, job.id
        assert set(job.raw["permissions"].values()) <= {"read", "write"}
        assert job.raw["permissions"].get("contents", "read") == "read"
        if job.raw["permissions"].get("id-token"):
            assert "environment" in job.raw, f"{job.id}: the role's trust goes by the environment"
        concurrency = job.raw.get("concurrency") or workflow.raw.get("concurrency")
        if job.raw.get("environment"):
            assert concurrency["cancel-in-progress"] is False, f"{job.id}: no deploy is cancelled"
        for step in job.steps:
            assert "${{" not in step.raw.get("run", ""), f"{step.where}: values come by env, never into a script's text"
            if step.raw.get("uses", "").startswith("actions/checkout@"):
                assert step.raw["with"]["persist-credentials"] is False, step.where


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_actions_are_pinned_by_commit(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text())
    assert [line for line in used if not line.startswith("$/") and not PINNED.fullmatch(line)] == []


def test_one_action_has_one_version() -> None:
    used = {line for file in FILES for line in re.findall(r"uses: ([^$].*)", file.read_text())}
    assert len({line.partition("@")[0] for line in used}) == len(used)


def test_the_audit_and_the_schema_find_nothing() -> None:
    audit = [str(BIN / "zizmor"), "--quiet", "--offline", "--pedantic", "--format", "plain", ".github"]
    done = subprocess.run(audit, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "No findings to report. Good job!"), done.stderr
    for schema, files in (
        ("vendor.github-workflows", FILES),
        ("vendor.dependabot", [FOLDER.parent / "dependabot.yml"]),
    ):
        check = [str(BIN / "check-jsonschema"), "--builtin-schema", schema, *map(str, files)]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
