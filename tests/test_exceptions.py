"""Every exception of the job packages can be made again: from its text, as wrappers around a job do, and by pickle."""

from __future__ import annotations

import importlib
import inspect
import json
import pickle
import pkgutil
from pathlib import Path
from typing import Any

import pytest

from local_cloud.services.stepfunctions.language.jsonata_engine import evaluate
from orchestration import pipelines
from orchestration.pipelines import asl

PACKAGES = ("glue_ingest", "glue_transform", "rs_query", "trigger")
#: A value for each kind of attribute that an exception takes beside its text.
SAMPLES: dict[str, Any] = {
    "str": "s3://raw/x",
    "str | None": "fare_amount",
    "int": 7,
    "float": 0.5,
    "bool": False,
    "Sequence[str]": ("line 2: not a number",),
}


def exceptions(package: str) -> list[type[BaseException]]:
    root = importlib.import_module(package)
    names = [package, *(f"{one.name}" for one in pkgutil.walk_packages(root.__path__, f"{package}."))]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    found = {
        kind
        for module in modules
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, BaseException) and kind.__module__ == module.__name__
    }
    return sorted(found, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


EXCEPTIONS = [kind for package in PACKAGES for kind in exceptions(package)]


def test_every_package_has_some() -> None:
    assert {kind.__module__.partition(".")[0] for kind in EXCEPTIONS} == set(PACKAGES)


@pytest.mark.parametrize("kind", EXCEPTIONS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_an_exception_is_made_again_from_its_text_and_by_pickle(kind: type[BaseException]) -> None:
    _self, _text, *more = inspect.signature(kind.__init__).parameters.values()
    given = {one.name: SAMPLES[one.annotation] for one in more if one.kind is not one.VAR_KEYWORD}
    error = kind("what is wrong: where, and what to do", **given)
    again = type(error)(str(error))
    assert (type(again), str(again)) == (kind, str(error))
    unpickled = pickle.loads(pickle.dumps(error))
    assert (type(unpickled), str(unpickled), vars(unpickled)) == (kind, str(error), vars(error))
    assert {name: getattr(unpickled, name) for name in given} == given


@pytest.mark.parametrize("pipeline", ["trips", "reviews"])
@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            "Command failed with exit code 2",
            "Command failed with exit code 2, which is all that Glue says; its log ends with the error: "
            "elt logs run-1 --env dev",
        ),
        ("NotPublished: not yet", "NotPublished: not yet"),
        ("it said: Command failed with exit code 2", "it said: Command failed with exit code 2"),
    ],
)
def test_a_failure_of_which_glue_tells_no_reason_names_the_command_that_does(
    pipeline: str, message: str, cause: str
) -> None:
    text = asl.read(Path(pipelines.__file__).parent / pipeline / "state_machine.asl.yaml")
    describe = json.loads(text.replace("${Environment}", "dev"))["States"]["DescribeFailure"]
    failure = {"Error": "States.TaskFailed", "Cause": json.dumps({"ErrorMessage": message, "JobRunState": "FAILED"})}
    states = {"input": failure, "context": {"Execution": {"Name": "run-1"}}}
    expression = describe["Assign"]["failure"]["cause"].strip("{%}")
    assert evaluate(expression, {"states": states}) == cause
