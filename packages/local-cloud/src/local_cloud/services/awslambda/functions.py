"""Function definitions: moto's, with the code read from our S3 and the settings moto 5.2.5 leaves out."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
import types
import zipfile
from collections.abc import Callable
from typing import Any

from moto.awslambda import models
from moto.awslambda.exceptions import InvalidParameterValueException
from moto.core.utils import iso_8601_datetime_with_nanoseconds

from local_cloud import moto_state

#: (bucket, key, version or "") to bytes; KeyError when there is no such object.
ReadObject = Callable[[str, str, str], bytes]

#: (role, function's ARN); InvalidParameterValueException when Lambda cannot become the role.
CheckRole = Callable[[str, str], None]

_MISSING = (
    "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
)


class Function(models.LambdaFunction):  # type: ignore[misc]
    """One function version."""

    read_object: ReadObject
    check_role: CheckRole

    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: int | str = 1) -> None:
        runtime, package = spec.get("Runtime", ""), spec.get("PackageType", "Zip")
        if package != "Zip" or not runtime.startswith("python3."):
            what = runtime if package == "Zip" else f"PackageType {package}"
            raise InvalidParameterValueException(f"The local cloud runs Python functions from a zip, not {what}")
        self.dead_letter_target = (spec.get("DeadLetterConfig") or {}).get("TargetArn", "")
        super().__init__(account_id, spec, region, version)
        self.check_role(self.role, self.function_arn)
        self._set_logging(spec.get("LoggingConfig") or {})
        self.published: list[int] = []  # one list for all versions: moto copies a function as it is
        self.revision = secrets.token_hex(8)

    @property
    def unqualified_arn(self) -> str:
        """The ARN without a version."""
        return ":".join(str(self.function_arn).split(":")[:7])

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        configuration: dict[str, Any] = super().get_configuration(on_create)
        configuration["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": self.logs_group_name}
        if self.dead_letter_target:
            configuration["DeadLetterConfig"] = {"TargetArn": self.dead_letter_target}
        return configuration

    def set_version(self, version: int) -> None:
        """Publish under the next number. moto counts the versions there are, and so gives one a second time."""
        version = max(self.published, default=0) + 1
        self.published.append(version)
        super().set_version(version)

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        """UpdateFunctionConfiguration: what is named changes, the rest stays."""
        if "Role" in config_updates:
            self.check_role(config_updates["Role"], self.function_arn)
        super().update_configuration(config_updates)
        if "DeadLetterConfig" in config_updates:
            self.dead_letter_target = config_updates["DeadLetterConfig"].get("TargetArn", "")
        if "LoggingConfig" in config_updates:
            self._set_logging(config_updates["LoggingConfig"])
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        if "TracingConfig" in config_updates:
            self.tracing_config = config_updates["TracingConfig"]
        self._changed()
        return self.get_configuration()

    def _set_function_code(self, updated_spec: dict[str, Any]) -> None:
        if updated_spec.get("DryRun"):
            return
        body = _code_bytes(updated_spec)
        try:
            zipfile.ZipFile(io.BytesIO(body)).close()
        except zipfile.BadZipFile:
            raise InvalidParameterValueException(
                "Could not unzip uploaded file. Please check your file, then try to upload again."
            ) from None
        digest = hashlib.sha256(body)
        self.code = {"S3Key": f"{self.function_name}-{digest.hexdigest()}"}
        self.code_bytes = body
        self.code_size = len(body)
        self.code_sha_256 = base64.b64encode(digest.digest()).decode()
        self.code_digest = digest.hexdigest()
        self._changed()

    def _set_logging(self, config: dict[str, Any]) -> None:
        if config.get("LogFormat", "Text") != "Text":
            raise InvalidParameterValueException("The local cloud writes the logs of functions as Text, not as JSON")
        self.logs_group_name = config.get("LogGroup") or f"/aws/lambda/{self.function_name}"

    def _changed(self) -> None:
        """Processes of the old revision take no more events."""
        self.revision = secrets.token_hex(8)
        self.last_modified = iso_8601_datetime_with_nanoseconds()


def patch(read_object: ReadObject, check_role: CheckRole) -> None:
    """Have moto create our functions, and read layers from our S3."""

    def read_for_layer(account_id: str, partition: str, data: dict[str, Any]) -> types.SimpleNamespace:
        body = _read(read_object, data)
        return types.SimpleNamespace(value=body, size=len(body))

    Function.read_object = staticmethod(read_object)
    Function.check_role = staticmethod(check_role)
    models.LambdaFunction = Function
    models._validate_s3_bucket_and_key = read_for_layer


def _code_bytes(spec: dict[str, Any]) -> bytes:
    if spec.get("ZipFile"):
        return base64.b64decode(spec["ZipFile"])
    if spec.get("S3Bucket") and spec.get("S3Key"):
        return _read(Function.read_object, spec)
    raise InvalidParameterValueException("Please provide a source for function code.")


def _read(read_object: ReadObject, spec: dict[str, Any]) -> bytes:
    try:
        return read_object(spec["S3Bucket"], spec["S3Key"], spec.get("S3ObjectVersion", ""))
    except KeyError:
        raise InvalidParameterValueException(_MISSING) from None


def defined(account_id: str, region: str) -> list[Function]:
    """The functions there are, in all their versions."""
    with moto_state.held():
        return list(models.lambda_backends[account_id][region]._lambdas.all())
