"""Glue: what a job gets, what it can import, and what its ErrorMessage says."""

from __future__ import annotations

from typing import Any

from orchestration.conformance.assumption import Probe
from orchestration.conformance.ground import Ground

#: What the probe itself passes, and what the job's definition has.
_OURS = {"--probe", "--as", "--answers"}


def _arguments(ground: Ground) -> list[str]:
    """List the names of the arguments that Glue adds of its own."""
    argv = ground.answer_of(ground.outputs["Shell"], "shell")["argv"]
    return sorted(name for name in argv if name not in _OURS)


def _shell(ground: Ground) -> dict[str, str]:
    answer = ground.answer_of(ground.outputs["Shell"], "shell")
    return {"wheel": answer["wheel"], "boto3 1.34 or newer": _at_least(answer["boto3"])}


def _spark(ground: Ground) -> dict[str, str]:
    answer = ground.answer_of(ground.outputs["Spark"], "spark")
    return {"wheel": answer["wheel"], "boto3 1.34 or newer": _at_least(answer["boto3"])}


def _at_least(version: str) -> str:
    return "yes" if tuple(map(int, version.split(".")[:2])) >= (1, 34) else f"no, {version}"


def _error_message(what: str) -> Any:
    def ask(ground: Ground) -> dict[str, str]:
        run = ground.run_job(ground.outputs["Shell"], probe=what)
        return {"state": run["JobRunState"], "message": run.get("ErrorMessage", "")}

    return ask


PROBES = [
    Probe(
        "python-shell-arguments",
        "A Python Shell job gets its own arguments as they were given, and these of Glue's beside them",
        "the jobs' own parsers, which pass over what is not theirs",
        _arguments,
    ),
    Probe(
        "python-shell-wheels",
        "A Python Shell job has boto3 and installs wheels from S3 by --additional-python-modules",
        "every job of the pipelines",
        _shell,
    ),
    Probe(
        "python-shell-exception",
        "ErrorMessage of a run that raised is the exception's type and text",
        "the cause in alerts and in what elt run says",
        _error_message("raise"),
    ),
    Probe(
        "python-shell-exit",
        "ErrorMessage of a run that exited is its exit code, and no more",
        "the advice to look into the log, where there is no cause",
        _error_message("exit"),
    ),
    Probe(
        "spark-no-index",
        "Glue 5 has boto3, and its pip takes --no-index for a wheel in S3",
        "elt run --engine spark",
        _spark,
    ),
]
