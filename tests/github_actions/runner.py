"""Runs a workflow on this machine: jobs after those they need, steps in order, each job in a workspace of its own.

`run:` steps are run as GitHub runs them: bash with the same flags, the same files for outputs, variables and the
summary, an environment that holds nothing of this process's but a search path. `uses:` steps are done by stand-ins.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from github_actions.expressions import Evaluator, Loose, text_of, truth
from github_actions.workflow import Job, Step, Workflow, WorkflowError, check_inputs, load

#: `shell: bash` and no shell at all: workflow-syntax, "jobs.<job_id>.steps[*].shell".
_SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"], None: ["bash", "-e"]}


class StepFailed(Exception):
    """A step that ends its job; `str()` is its log."""


@dataclass(frozen=True)
class Event:
    """What set a workflow off. `ref` is whole, such as refs/heads/main; `sha` is the commit that is checked out."""

    name: str
    ref: str
    sha: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class StepRun:
    name: str
    outcome: str
    log: str


@dataclass
class JobRun:
    """A job, or one leg of a matrix, as it ended. `result` is success, failure or skipped."""

    name: str
    result: str
    environment: str | None = None
    concurrency: Mapping[str, Any] | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[StepRun] = field(default_factory=list)
    summary: str = ""
    legs: list[JobRun] = field(default_factory=list)

    def step(self, name: str) -> StepRun:
        return next(step for step in self.steps if step.name == name)

    @property
    def log(self) -> str:
        mine = "\n".join(f"--- {self.name}: {step.name}: {step.outcome}\n{step.log}" for step in self.steps)
        return "\n".join([mine, *(leg.log for leg in self.legs)])


@dataclass
class Place:
    """What a step and a stand-in can see and change of the job they are in."""

    service: GitHub
    event: Event
    workspace: Path
    temp: Path
    permissions: Mapping[str, str]
    environment: str | None
    variables: dict[str, str] = field(default_factory=dict)
    """Set for the steps after this one, as GITHUB_ENV does."""
    path: list[str] = field(default_factory=list)
    """Searched before the machine's own folders."""


#: Does what an action would: gets its inputs, returns its outputs. Errors: StepFailed.
StandIn = Callable[[Mapping[str, str], Place], Mapping[str, str]]


@dataclass
class GitHub:
    """The service around the runner.

    `subject` is how OIDC tokens name the repository, `variables` are those of the repository and, by name, of its
    environments. `approve` is asked before a job with an environment starts. `replace` has shell lines that are too
    much for a test, with what is run for them; each must be met. `choose` picks the legs of a matrix that are run.
    `attested` are the sha256 of what was attested, by the file's name; `attempt` is how often the run was started.
    """

    origin: Path
    folder: Path
    actions: Mapping[str, tuple[Mapping[str, Mapping[str, Any]], StandIn]]
    repository: str = "example/elt"
    subject: str = "example@1001/elt@2002"
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    base: Mapping[str, str] = field(default_factory=dict)
    approve: Callable[[str], bool] = lambda environment: True
    replace: Mapping[str, str] = field(default_factory=dict)
    choose: Callable[[str, Mapping[str, Any]], bool] = lambda job, matrix: True
    attempt: int = 1
    attested: dict[str, str] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def run(self, file: Path, event: Event) -> dict[str, JobRun]:
        """Every job of a workflow by its id. Errors: WorkflowError, ExpressionError."""
        workflow = load(file)
        if event.name not in workflow.triggers:
            raise WorkflowError(f"{file.name} is not set off by {event.name}")
        specs = workflow.inputs(event.name)
        check_inputs(specs, event.inputs, f"{file.name}: on {event.name}")
        done = _Run(self, workflow, event, inputs=_defaults(specs) | dict(event.inputs), permissions={}).jobs()
        if missed := set(self.replace) - self.met:
            raise AssertionError(f"no step has these lines any more: {missed}")
        return done


def _defaults(specs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    zero = {"boolean": False, "number": 0}
    return {name: spec.get("default", zero.get(spec.get("type", ""), "")) for name, spec in specs.items()}


class _Run:
    """One run of one workflow; a reusable workflow is a run inside another's job."""

    def __init__(
        self,
        service: GitHub,
        workflow: Workflow,
        event: Event,
        *,
        inputs: Mapping[str, Any],
        permissions: Mapping[str, str],
    ) -> None:
        self.service, self.workflow, self.event, self.inputs = service, workflow, event, inputs
        self.permissions = permissions
        kind, _, name = event.ref.removeprefix("refs/").partition("/")
        self.github = {
            "event": Loose({**event.payload, "inputs": dict(event.inputs)}),
            "event_name": event.name,
            "ref": event.ref,
            "ref_name": name,
            "ref_type": "tag" if kind == "tags" else "branch",
            "sha": event.sha,
            "repository": service.repository,
            "workflow": workflow.raw.get("name", workflow.file.name),
            "actor": "somebody",
            "run_id": "1",
            "run_attempt": str(service.attempt),
            "token": "the-token-of-the-job",
        }
        self.done: dict[str, JobRun] = {}

    def jobs(self) -> dict[str, JobRun]:
        for job in self.workflow.in_order():
            self.done[job.id] = self.job(job)
        return self.done

    def job(self, job: Job) -> JobRun:
        before = [self.done[need] for need in self.ancestors(job)]
        status = {
            "success": all(one.result == "success" for one in before),
            "failure": any(one.result == "failure" for one in before),
            "always": True,
            "cancelled": False,
        }
        contexts = {
            "github": self.github,
            "needs": {
                name: {"result": self.done[name].result, "outputs": self.done[name].outputs} for name in job.needs
            },
            "inputs": self.inputs,
            "vars": dict(self.service.variables.get("", {})),
        }
        if not truth(Evaluator(contexts, status).evaluate(job.condition)):
            return JobRun(job.id, "skipped", outputs=dict.fromkeys(job.raw.get("outputs", {}), ""))
        legs = _legs(Evaluator(contexts, {}).fill(job.raw.get("strategy", {})), f"{self.workflow.file.name}: {job.id}")
        if legs is None:
            return self.leg(job, {**contexts, "matrix": {}}, job.id)
        chosen = [leg for leg in legs if self.service.choose(job.id, leg)]
        if not chosen:
            raise AssertionError(f"{job.id}: no leg of {legs} is chosen")
        runs = [self.leg(job, {**contexts, "matrix": leg}, f"{job.id} {', '.join(_words(leg))}") for leg in chosen]
        result = "failure" if any(run.result == "failure" for run in runs) else "success"
        outputs = {name: value for run in runs for name, value in run.outputs.items()}
        return JobRun(job.id, result, outputs=outputs, legs=runs)

    def ancestors(self, job: Job) -> list[str]:
        direct = job.needs
        return list(
            dict.fromkeys([*direct, *(one for need in direct for one in self.ancestors(self.workflow.jobs[need]))])
        )

    def leg(self, job: Job, contexts: dict[str, Any], name: str) -> JobRun:
        evaluator = Evaluator(contexts, {})
        permissions = job.raw.get("permissions", self.workflow.raw.get("permissions", {}))
        if "uses" in job.raw:
            return self.call(job, evaluator, permissions, name)
        environment = evaluator.fill(job.raw.get("environment"))
        environment = environment["name"] if isinstance(environment, Mapping) else environment
        concurrency = evaluator.fill(job.raw.get("concurrency"))
        nothing = dict.fromkeys(job.raw.get("outputs", {}), "")
        if environment and not self.service.approve(environment):
            return JobRun(name, "failure", environment, concurrency, nothing)
        contexts["vars"] |= self.service.variables.get(environment or "", {})
        folder = self.service.folder / f"{next(self.service.numbers):02}-{job.id}"
        place = Place(self.service, self.event, folder / "work", folder / "temp", permissions, environment)
        for one in (place.workspace, place.temp):
            one.mkdir(parents=True)
        return _JobInPlace(self, job, place, contexts).run(JobRun(name, "success", environment, concurrency, nothing))

    def call(self, job: Job, evaluator: Evaluator, permissions: Mapping[str, str], name: str) -> JobRun:
        called = load(self.workflow.called(job))
        given = evaluator.fill(job.raw.get("with", {}))
        specs = called.inputs("workflow_call")
        for wanted in (one.raw.get("permissions", {}) for one in called.jobs.values()):
            if not set(wanted.items()) <= set(permissions.items()):
                raise WorkflowError(f"{job.id}: {called.file.name} wants {wanted}, and is given {permissions}")
        jobs = _Run(self.service, called, self.event, inputs=_defaults(specs) | given, permissions=permissions).jobs()
        result = "failure" if any(one.result == "failure" for one in jobs.values()) else "success"
        ended = {name: {"result": one.result, "outputs": one.outputs} for name, one in jobs.items()}
        values = Evaluator({"github": self.github, "inputs": given, "jobs": ended}, {}).fill(
            {name: spec["value"] for name, spec in called.outputs.items()}
        )
        outputs = {name: text_of(value) for name, value in values.items()}
        return JobRun(name, result, outputs=outputs, legs=list(jobs.values()))


def _legs(strategy: Mapping[str, Any], where: str) -> list[dict[str, Any]] | None:
    """The combinations of a matrix; None without one."""
    if unknown := set(strategy) - {"matrix", "fail-fast", "max-parallel"}:
        raise WorkflowError(f"{where}: unknown key {unknown} in strategy")
    if "matrix" not in strategy:
        return None
    matrix = dict(strategy["matrix"])
    include = matrix.pop("include", None)
    if include is not None and matrix:
        raise WorkflowError(f"{where}: a matrix is either lists or include here")
    legs = include or [dict(zip(matrix, values, strict=True)) for values in itertools.product(*matrix.values())]
    if not legs or not all(isinstance(leg, dict) and leg for leg in legs):
        raise WorkflowError(f"{where}: a matrix without a leg is an error: {strategy['matrix']}")
    return legs


def _words(leg: Mapping[str, Any]) -> list[str]:
    return [value if isinstance(value, str) else json.dumps(value) for value in leg.values()]


class _JobInPlace:
    """A job's steps, in its workspace."""

    def __init__(self, run: _Run, job: Job, place: Place, contexts: dict[str, Any]) -> None:
        self.workflow, self.job, self.place = run.workflow, job, place
        self.service = run.service
        steps: dict[str, Any] = {}
        runner = {"os": "Linux", "temp": str(place.temp)}
        self.contexts = {**contexts, "steps": steps, "runner": runner, "job": {"status": "success"}, "strategy": {}}
        self.contexts["github"] = {**run.github, "workspace": str(place.workspace), "job": job.id}
        self.failed = False
        self.env: dict[str, str] = {}
        for raw in (run.workflow.raw, job.raw):
            self.env |= self.texts(raw.get("env", {}))

    def texts(self, env: Mapping[str, Any]) -> dict[str, str]:
        filled = Evaluator({**self.contexts, "env": self.env}, {}).fill(env)
        return {name: text_of(value) for name, value in filled.items()}

    def run(self, job: JobRun) -> JobRun:
        summary = self.place.temp / "summary.md"
        summary.touch()
        for step in self.job.steps:
            job.steps.append(self.step(step))
        job.result = "failure" if self.failed else "success"
        job.summary = summary.read_text()
        if not self.failed:
            evaluator = Evaluator({**self.contexts, "env": self.env}, {})
            filled = evaluator.fill(self.job.raw.get("outputs", {}))
            job.outputs = {name: text_of(value) for name, value in filled.items()}
        return job

    def step(self, step: Step) -> StepRun:
        status = {"success": not self.failed, "failure": self.failed, "always": True, "cancelled": False}
        self.contexts["job"]["status"] = "failure" if self.failed else "success"
        env = self.env | self.place.variables
        outputs: Mapping[str, str] = {}
        if not truth(Evaluator({**self.contexts, "env": env}, status).evaluate(step.condition)):
            ran = StepRun(step.name, "skipped", "")
        else:
            env |= self.texts(step.raw.get("env", {}))
            evaluator = Evaluator({**self.contexts, "env": env}, {})
            ran = StepRun(text_of(evaluator.fill(step.name)), "success", "")
            try:
                if "uses" in step.raw:
                    outputs = self.use(step, evaluator)
                else:
                    ran.log, outputs = self.shell(step, evaluator, env)
            except StepFailed as failure:
                ran.outcome, ran.log = "failure", str(failure)
                self.failed = True
        if step.id:
            self.contexts["steps"][step.id] = {
                "outputs": dict(outputs) if ran.outcome == "success" else Loose(outputs),
                "outcome": ran.outcome,
                "conclusion": ran.outcome,
            }
        return ran

    def use(self, step: Step, evaluator: Evaluator) -> Mapping[str, str]:
        name = step.raw["uses"].partition("@")[0]
        if name not in self.service.actions:
            raise WorkflowError(f"{step.where}: nothing stands in for {name}")
        specs, stand_in = self.service.actions[name]
        given = {key: text_of(value) for key, value in evaluator.fill(step.raw.get("with", {})).items()}
        check_inputs(specs, given, step.where)
        return stand_in(given, self.place)

    def shell(self, step: Step, evaluator: Evaluator, env: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        defaults = {
            **self.workflow.raw.get("defaults", {}).get("run", {}),
            **self.job.raw.get("defaults", {}).get("run", {}),
        }
        shell = step.raw.get("shell", defaults.get("shell"))
        if shell not in _SHELLS:
            raise WorkflowError(f"{step.where}: shell {shell!r} is not run here")
        script = text_of(evaluator.fill(step.raw["run"]))
        for line, instead in self.service.replace.items():
            if line in script.splitlines():
                self.service.met.add(line)
                script = script.replace(line, instead)
        file = self.place.temp / "step.sh"
        file.write_text(script)
        files = {name: self.place.temp / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH")}
        for one in files.values():
            one.write_text("")
        folder = self.place.workspace / evaluator.fill(
            step.raw.get("working-directory", defaults.get("working-directory", "."))
        )
        done = subprocess.run(
            [*_SHELLS[shell], str(file)],
            cwd=folder,
            env={**self.machine(), **env, **{name: str(one) for name, one in files.items()}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60 * float(evaluator.fill(self.job.raw["timeout-minutes"])),
            check=False,
        )
        self.place.variables |= _assignments(files["GITHUB_ENV"])
        self.place.path += files["GITHUB_PATH"].read_text().split()
        if done.returncode:
            raise StepFailed(f"{done.stdout}exit code {done.returncode}")
        return done.stdout, _assignments(files["GITHUB_OUTPUT"])

    def machine(self) -> dict[str, str]:
        """What GitHub's runner sets by itself."""
        github = self.contexts["github"]
        names = (
            "workspace",
            "sha",
            "ref",
            "ref_name",
            "ref_type",
            "event_name",
            "repository",
            "run_id",
            "workflow",
            "run_attempt",
        )
        return {
            **self.service.base,
            **{f"GITHUB_{name.upper()}": github[name] for name in names},
            "PATH": os.pathsep.join([*reversed(self.place.path), self.service.base["PATH"]]),
            "HOME": str(self.place.temp),
            "RUNNER_TEMP": str(self.place.temp),
            "GITHUB_STEP_SUMMARY": str(self.place.temp / "summary.md"),
            "GITHUB_ACTIONS": "true",
            "CI": "true",
        }


def _assignments(file: Path) -> dict[str, str]:
    """`name=value` lines, and `name<<END`, lines, `END`."""
    found: dict[str, str] = {}
    lines = iter(file.read_text().splitlines())
    for line in lines:
        name, equals, value = line.partition("=")
        name_of_block, arrows, end = line.partition("<<")
        if arrows and "=" not in name_of_block:
            found[name_of_block] = "\n".join(itertools.takewhile(lambda one, end=end: one != end, lines))  # type: ignore[misc]
        elif equals:
            found[name] = value
        elif line:
            raise StepFailed(f"{file.name}: {line!r} is no assignment")
    return found
