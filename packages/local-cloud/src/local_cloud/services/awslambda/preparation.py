"""What a function's process is started with: interpreter, code, layers, variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from moto.awslambda.utils import get_backend

from local_cloud.cloud import Cloud
from local_cloud.permissions.errors import CannotAssume
from local_cloud.processes import children, installed, interpreters
from local_cloud.processes.environments import Environments, EnvironmentSpec
from local_cloud.processes.errors import PreparationError
from local_cloud.processes.interpreters import Interpreter
from local_cloud.processes.packages import Packages, digest
from local_cloud.services.awslambda.functions import Function
from local_cloud.services.awslambda.workers import WorkerSpec

#: Who becomes a function's role.
SERVICE = "lambda.amazonaws.com"

#: As AWS words it: https://repost.aws/knowledge-center/lambda-function-assume-iam-role
CANNOT_ASSUME = "The role defined for the function cannot be assumed by Lambda."


def revision_of(function: Function) -> str:
    """Changes with the function's version, code and configuration."""
    return f"{function.function_arn}:{function.version}:{function.revision}"


@dataclass(frozen=True)
class Preparation:
    """Where functions are made ready: the cloud, and the parts of its cache."""

    cloud: Cloud
    environments: Environments
    packages: Packages

    def worker_spec(self, function: Function, log_stream: str, *, log: Callable[[str], None]) -> WorkerSpec:
        """Build or find all that the function needs. PreparationError when that fails.

        boto3 is there, as in AWS's runtimes: the local cloud's own, or the newest that the Python takes.
        """
        keys = self._keys(function)
        wanted = function.run_time.removeprefix("python")
        spec, lacks = _environment(wanted)
        if lacks:
            log(f"Python {wanted} is {lacks}: the function runs on Python {spec.interpreter.version}")
        python = self.environments.prepare(spec, log=log).result()
        code = self.packages.unzip(function.code_bytes)
        return WorkerSpec(
            python=python,
            code=code,
            env={
                **children.host_environment(),
                **keys,
                "TZ": ":UTC",
                "PYTHONPATH": os.pathsep.join(self._layer_path(function, wanted)),
                "_HANDLER": function.handler,
                "LAMBDA_TASK_ROOT": str(code),
                "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
                "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
                "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
                "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
                **function.environment_vars,
            },
            log_stream=log_stream,
            revision=revision_of(function),
        )

    def needs(self, function: Function) -> Iterator[str]:
        """The names of what the function's workers take out of the cache."""
        wanted = function.run_time.removeprefix("python")
        yield _environment(wanted)[0].key
        yield digest(function.code_bytes)
        backend = get_backend(function.account_id, function.region)
        for layer in function.layers:
            yield digest(backend.layers_versions_by_arn(layer["Arn"]).code_bytes)

    def _keys(self, function: Function) -> dict[str, str]:
        """Where this cloud is, and keys of the function's role."""
        name = function.function_name[:64]
        try:
            return self.cloud.environment(function.role, name, service=SERVICE, source_arn=function.function_arn)
        except CannotAssume:
            raise PreparationError(CANNOT_ASSUME) from None

    def _layer_path(self, function: Function, version: str) -> list[str]:
        """Where Python finds a layer's modules. https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html"""
        backend = get_backend(function.account_id, function.region)
        path = []
        for layer in function.layers:
            folder = self.packages.unzip(backend.layers_versions_by_arn(layer["Arn"]).code_bytes)
            path += [str(folder / "python"), str(folder / "python" / "lib" / f"python{version}" / "site-packages")]
        return path


@cache
def _environment(version: str) -> tuple[EnvironmentSpec, str]:
    """What a function for a version of Python runs in, and why that is another Python, "" where it is none."""
    found = interpreters.find(version)
    spec = _with_boto3(found) if found else None
    if spec and (spec.links or spec.interpreter.can_install):
        return spec, ""
    lacks = "too old for this machine's pip" if found else "not on this machine"
    return _with_boto3(interpreters.own()), lacks


def _with_boto3(interpreter: Interpreter) -> EnvironmentSpec:
    links = installed.find("boto3", python=interpreter)
    return EnvironmentSpec(interpreter, () if links else ("boto3",), links=links)
