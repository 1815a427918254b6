"""A Lambda function's code and configuration, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SETTINGS = ("Description", "Environment", "Handler", "LoggingConfig", "MemorySize", "Role", "Runtime", "Timeout")
#: How UpdateFunctionConfiguration takes a function's dead-letter queue away; GetFunctionConfiguration leaves it out.
_NO_TARGET = {"TargetArn": ""}


def read(lambdas: Any, name: str) -> dict[str, Any]:
    """The code by its sha256 (base64, as Lambda has it), and the configuration."""
    configuration = lambdas.get_function_configuration(FunctionName=name)
    settings = {key: configuration[key] for key in _SETTINGS if key in configuration}
    layers = [layer["Arn"] for layer in configuration.get("Layers", [])]
    dead_letters = configuration.get("DeadLetterConfig", _NO_TARGET)
    return {"CodeSha256": configuration["CodeSha256"], **settings, "DeadLetterConfig": dead_letters, "Layers": layers}


def write(lambdas: Any, archives: Mapping[str, Mapping[str, str]], name: str, wanted: Mapping[str, Any]) -> None:
    """Make the function what `wanted`, from `read`, says. `archives` maps a CodeSha256 to its S3Bucket and S3Key.

    Lambda takes one change at a time, so each is waited for.
    """
    updated = lambdas.get_waiter("function_updated_v2")
    code = wanted["CodeSha256"]
    if lambdas.get_function_configuration(FunctionName=name)["CodeSha256"] != code:
        lambdas.update_function_code(FunctionName=name, **archives[code])
        updated.wait(FunctionName=name)
    settings = {key: value for key, value in wanted.items() if key != "CodeSha256"}
    lambdas.update_function_configuration(FunctionName=name, **settings)
    updated.wait(FunctionName=name)
