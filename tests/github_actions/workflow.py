"""A workflow file, read strictly: a key, a name or an expression that does not fit is a WorkflowError.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from github_actions.expressions import Call, ExpressionError, Literal, Member, Name, Node, condition, embedded, walk

_WORKFLOW = {"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"}
_JOB = {"name", "needs", "if", "runs-on", "timeout-minutes", "permissions", "environment", "concurrency", "outputs"} | {
    *("env", "defaults", "strategy", "steps")
}
_CALL = {"name", "needs", "if", "permissions", "strategy", "concurrency", "uses", "with"}
_STEP = {"name", "id", "if", "env", "uses", "with", "run", "shell", "working-directory", "timeout-minutes"}
_TRIGGERS = {
    "push": {"branches", "tags"},
    "pull_request": set(),
    "merge_group": set(),
    "workflow_dispatch": {"inputs"},
    "workflow_call": {"inputs", "outputs"},
    "schedule": {"cron"},
}
_INPUT = {"description", "required", "default", "type", "options"}
#: Which contexts stand where: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts
JOB_CONTEXTS = {"github", "needs", "inputs", "vars", "matrix"}
STEP_CONTEXTS = JOB_CONTEXTS | {"env", "job", "runner", "steps", "strategy"}
#: Beside the status functions, which an `if:` alone may have.
_FUNCTIONS = {"contains", "startswith", "endswith", "format", "join", "tojson", "fromjson"}
_STATUS = {"success", "always", "failure", "cancelled"}


class WorkflowError(Exception):
    """What is wrong in a workflow, and where."""


class _Loader(yaml.SafeLoader):
    """YAML as GitHub reads it: `on` is a word, and a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise WorkflowError(f"{node.start_mark}: a key stands twice in {keys}")
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


@dataclass(frozen=True)
class Step:
    where: str
    raw: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.raw.get("name") or self.raw.get("uses") or self.raw["run"].splitlines()[0])

    @property
    def id(self) -> str | None:
        return self.raw.get("id")

    @property
    def condition(self) -> Node:
        return condition(self.raw.get("if", "success()"))


@dataclass(frozen=True)
class Job:
    id: str
    raw: Mapping[str, Any]
    steps: tuple[Step, ...]

    @property
    def needs(self) -> list[str]:
        needs = self.raw.get("needs", [])
        return [needs] if isinstance(needs, str) else list(needs)

    @property
    def condition(self) -> Node:
        return condition(self.raw.get("if", "success()"))


@dataclass(frozen=True)
class Workflow:
    file: Path
    raw: Mapping[str, Any]
    jobs: Mapping[str, Job]

    @property
    def triggers(self) -> Mapping[str, Mapping[str, Any]]:
        on = self.raw["on"]
        names = [on] if isinstance(on, str) else on
        settings = {name: (on[name] or {}) if isinstance(on, Mapping) else {} for name in names}
        return {name: one[0] if isinstance(one, list) and len(one) == 1 else one for name, one in settings.items()}

    def inputs(self, trigger: str) -> Mapping[str, Mapping[str, Any]]:
        inputs: Mapping[str, Mapping[str, Any]] = self.triggers.get(trigger, {}).get("inputs", {})
        return inputs

    @property
    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        """Those of a reusable workflow."""
        outputs: Mapping[str, Mapping[str, Any]] = self.triggers.get("workflow_call", {}).get("outputs", {})
        return outputs

    def outputs_of(self, name: str) -> Mapping[str, Any]:
        """A job's, whether it has steps or is another workflow."""
        job = self.jobs[name]
        found: Mapping[str, Any] = load(self.called(job)).outputs if "uses" in job.raw else job.raw.get("outputs", {})
        return found

    def called(self, job: Job) -> Path:
        """The reusable workflow that a job is: `$/` is the repository's root, at the commit that runs."""
        return self.file.parents[2] / str(job.raw["uses"]).removeprefix("$/")

    def in_order(self) -> list[Job]:
        """The jobs, each after those it needs. Errors: WorkflowError for a circle."""
        done: list[Job] = []
        while len(done) < len(self.jobs):
            ready = [job for job in self.jobs.values() if job not in done]
            ready = [job for job in ready if all(self.jobs[need] in done for need in job.needs)]
            if not ready:
                raise WorkflowError(f"{self.file.name}: jobs need each other in a circle")
            done += ready
        return done


def load(file: Path) -> Workflow:
    """Read and check one workflow. Errors: WorkflowError."""
    try:
        raw = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # a SafeLoader
        _keys(raw, _WORKFLOW, file.name)
        jobs = {name: _job(file.name, name, job) for name, job in raw["jobs"].items()}
        workflow = Workflow(file, raw, jobs)
        _Check(workflow).everything()
    except (ExpressionError, KeyError, yaml.YAMLError) as error:
        raise WorkflowError(f"{file.name}: {error!r}") from error
    return workflow


def _job(file: str, name: str, raw: Mapping[str, Any]) -> Job:
    where = f"{file}: {name}"
    _keys(raw, _CALL if "uses" in raw else _JOB, where)
    if "uses" in raw:
        return Job(name, raw, ())
    for key in ("runs-on", "timeout-minutes", "steps"):
        if key not in raw:
            raise WorkflowError(f"{where}: {key} is missing")
    steps = tuple(Step(f"{where}: step {number}", step) for number, step in enumerate(raw["steps"], start=1))
    for step in steps:
        _keys(step.raw, _STEP, step.where)
        if ("run" in step.raw) == ("uses" in step.raw):
            raise WorkflowError(f"{step.where}: a step has either run or uses")
    ids = [step.id for step in steps if step.id]
    if len(ids) != len(set(ids)):
        raise WorkflowError(f"{where}: an id stands twice in {ids}")
    return Job(name, raw, steps)


def _keys(raw: Any, allowed: Iterable[str], where: str) -> None:
    if not isinstance(raw, Mapping):
        raise WorkflowError(f"{where}: a mapping is wanted, not {raw!r}")
    if unknown := set(raw) - set(allowed):
        raise WorkflowError(f"{where}: unknown key {', '.join(sorted(map(str, unknown)))}")


class _Check:
    """Names in expressions, before anything runs: also those on paths that no test takes."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow

    def everything(self) -> None:
        workflow, file = self.workflow, self.workflow.file.name
        for trigger, settings in workflow.triggers.items():
            if trigger not in _TRIGGERS:
                raise WorkflowError(f"{file}: unknown trigger {trigger}")
            _keys(settings, _TRIGGERS[trigger], f"{file}: on {trigger}")
            for name, spec in settings.get("inputs", {}).items():
                _keys(spec, _INPUT, f"{file}: input {name}")
        for name, spec in workflow.outputs.items():
            _keys(spec, {"description", "value"}, f"{file}: output {name}")
            self.look(spec["value"], {"github", "inputs", "jobs", "vars"}, f"{file}: output {name}")
        self.look(workflow.raw.get("env", {}), {"github", "inputs", "vars"}, f"{file}: env")
        self.look(workflow.raw.get("concurrency", {}), {"github", "inputs", "vars"}, f"{file}: concurrency")
        for job in workflow.jobs.values():
            self.job(job)
        workflow.in_order()

    def job(self, job: Job) -> None:
        where = f"{self.workflow.file.name}: {job.id}"
        for need in job.needs:
            if need not in self.workflow.jobs:
                raise WorkflowError(f"{where}: needs {need}, which is no job")
        of_steps = ("steps", "outputs", "if", "env")
        rest = {key: value for key, value in job.raw.items() if key not in of_steps}
        self.look(rest, JOB_CONTEXTS, where, job=job)
        self.look(job.raw.get("env", {}), JOB_CONTEXTS, where, job=job)
        self.names(job.condition, JOB_CONTEXTS - {"matrix"}, where, job=job, status=True)
        self.look(job.raw.get("outputs", {}), STEP_CONTEXTS, where, job=job, before=job.steps)
        if "uses" in job.raw:
            self.call(job, where)
        for number, step in enumerate(job.steps):
            before = job.steps[:number]
            rest = {key: value for key, value in step.raw.items() if key != "if"}
            self.look(rest, STEP_CONTEXTS, step.where, job=job, before=before)
            self.names(step.condition, STEP_CONTEXTS, step.where, job=job, before=before, status=True)

    def call(self, job: Job, where: str) -> None:
        path = job.raw["uses"]
        if not path.startswith("$/"):
            raise WorkflowError(f"{where}: {path} is not in this repository")
        if not self.workflow.called(job).is_file():
            raise WorkflowError(f"{where}: there is no {path}")
        check_inputs(load(self.workflow.called(job)).inputs("workflow_call"), job.raw.get("with", {}), where)

    def look(self, value: Any, contexts: set[str], where: str, **rest: Any) -> None:
        for node in embedded(value):
            self.names(node, contexts, where, **rest)

    def names(
        self,
        node: Node,
        contexts: set[str],
        where: str,
        *,
        job: Job | None = None,
        before: Iterable[Step] = (),
        status: bool = False,
    ) -> None:
        for one in walk(node):
            if isinstance(one, Name) and one.name not in contexts:
                raise WorkflowError(f"{where}: there is no {one.name!r} here")
            if isinstance(one, Call) and one.function not in _FUNCTIONS | (_STATUS if status else set()):
                raise WorkflowError(f"{where}: there is no function {one.function!r} here")
            if isinstance(one, Member):
                self.member(_path(one), where, job, before)

    def member(self, path: list[str], where: str, job: Job | None, before: Iterable[Step]) -> None:
        match path:
            case ["inputs", name, *_]:
                known = {input_ for trigger in self.workflow.triggers for input_ in self.workflow.inputs(trigger)}
            case ["needs", name, *_] if name != "*":
                known = set(job.needs if job else ())
            case ["jobs", name, *_]:
                known = set(self.workflow.jobs)
            case ["steps", name, *_]:
                known = {step.id for step in before if step.id}
            case _:
                return
        if name not in known:
            raise WorkflowError(f"{where}: {'.'.join(path)}: there is no {name!r} here, only {sorted(known)}")
        match path:
            case [("jobs" | "needs"), name, "outputs", output] if output not in self.workflow.outputs_of(name):
                raise WorkflowError(f"{where}: job {name} has no output {output!r}")
            case [("jobs" | "needs" | "steps"), name, what, *_] if what not in (
                "outputs",
                "result",
                "outcome",
                "conclusion",
            ):
                raise WorkflowError(f"{where}: {'.'.join(path)}: unknown {what!r}")


def _path(node: Node) -> list[str]:
    """`needs.build.outputs.id` as a list; as much of it as stands there literally."""
    match node:
        case Name(name):
            return [name]
        case Member(of, Literal(str(key))):
            path = _path(of)
            return [*path, key] if path else []
    return []


def check_inputs(specs: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], where: str) -> None:
    """Whether what is given for a workflow's or an action's inputs fits. Errors: WorkflowError."""
    if unknown := set(given) - set(specs):
        raise WorkflowError(f"{where}: unknown input {', '.join(sorted(unknown))}")
    for name, spec in specs.items():
        if spec.get("required") and "default" not in spec and name not in given:
            raise WorkflowError(f"{where}: input {name} is missing")
        if spec.get("type") == "choice" and name in given and given[name] not in spec["options"]:
            raise WorkflowError(f"{where}: input {name} is one of {spec['options']}, not {given[name]!r}")
