"""What moto 5.2.5 gets wrong of secrets: staging labels, what is listed of versions, names, errors.

Labels: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from moto.secretsmanager import exceptions
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend
from moto.secretsmanager.responses import SecretsManagerResponse

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"

#: Or a whole ARN. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+|arn:.+")

_DELETED = "You can't perform this operation on the secret because it was marked for deletion."

_DAY = 86_400


class InvalidName(exceptions.SecretsManagerClientError):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )


def patch() -> None:
    _patch_errors()
    _patch_labels()
    _patch_reading()
    _patch_refusals()


def holder(secret: Any, label: str) -> str | None:
    """Return the id of the version that has a label."""
    return next((name for name, each in secret.versions.items() if label in each["version_stages"]), None)


def _patch_errors() -> None:
    """Every error is a 400, and its text is in `Message`."""
    for name in (
        *("ResourceNotFoundException", "SecretNotFoundException", "SecretHasNoValueException"),
        "SecretStageVersionMismatchException",
    ):
        getattr(exceptions, name).code = property(lambda self: 400, lambda self, value: None)
    begin = exceptions.SecretsManagerClientError.__init__

    def init(self: Any, *args: Any, **given: Any) -> None:
        begin(self, *args, **given)
        self.description = json.dumps({"__type": self.error_type, "Message": self.message})

    exceptions.SecretsManagerClientError.__init__ = init


def _patch_labels() -> None:
    """A label is on one version at a time. AWSPREVIOUS follows AWSCURRENT; other labels stay where they are."""
    move = SecretsManagerBackend.update_secret_version_stage

    def add_current(self: FakeSecret, secret_version: dict[str, Any], version_id: str) -> None:
        before = holder(self, CURRENT)
        moved = {*secret_version["version_stages"], *([PREVIOUS] if before else [])}
        for each in self.versions.values():
            each["version_stages"] = [label for label in each["version_stages"] if label not in moved]
        if before:
            labels = self.versions[before]["version_stages"]
            self.versions[before]["version_stages"] = [*(each for each in labels if each != PENDING), PREVIOUS]
        self.versions[version_id] = secret_version
        self.default_version_id = version_id

    def update_secret_version_stage(
        self: SecretsManagerBackend,
        secret_id: str,
        version_stage: str,
        remove_from_version_id: str,
        move_to_version_id: str,
    ) -> tuple[str, str]:
        secret = self.secrets.get(secret_id)
        held_by = holder(secret, version_stage) if secret else None
        if held_by and move_to_version_id not in (None, "", held_by) and not remove_from_version_id:
            raise exceptions.InvalidParameterException(
                f"The parameter RemoveFromVersionId can't be empty. Staging label {version_stage} is currently "
                f"attached to version {held_by}, so you must explicitly reference that version in RemoveFromVersionId."
            )
        answer: tuple[str, str] = move(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
        self.secrets[secret_id].default_version_id = holder(self.secrets[secret_id], CURRENT)
        return answer

    FakeSecret.reset_default_version = add_current
    SecretsManagerBackend.update_secret_version_stage = update_secret_version_stage


def _patch_reading() -> None:
    get, describe = SecretsManagerBackend.get_secret_value, FakeSecret.to_dict

    def get_secret_value(
        self: SecretsManagerBackend, secret_id: str, version_id: str, version_stage: str
    ) -> dict[str, Any]:
        if secret_id in self.secrets:
            secret = self.secrets[secret_id]
            if secret.is_deleted():
                raise exceptions.InvalidRequestException(_DELETED)
            if not version_id:
                version_stage = version_stage or CURRENT
                version_id = holder(secret, version_stage) or ""
                if not version_id:
                    raise exceptions.SecretHasNoValueException(version_stage)
            today = int(time.time()) // _DAY * _DAY
            secret.last_accessed = today
            if version_id in secret.versions:
                secret.versions[version_id]["last_accessed"] = today
        answer: dict[str, Any] = get(self, secret_id, version_id, version_stage)
        return answer

    def to_dict(self: FakeSecret) -> dict[str, Any]:
        said: dict[str, Any] = describe(self)
        said["LastAccessedDate"] = getattr(self, "last_accessed", None)
        for name in ("VersionIdsToStages", "SecretVersionsToStages"):
            if name in said:
                said[name] = {version: labels for version, labels in said[name].items() if labels}
        return said

    def list_secret_version_ids(self: SecretsManagerResponse) -> str:
        """ListSecretVersionIds, in pages; a version without a label is deprecated."""
        secret = self.backend.describe_secret(self._get_param("SecretId"))
        deprecated = self._get_param("IncludeDeprecated", if_none=False)
        key = getattr(secret, "kms_key_id", "") or "DefaultEncryptionKey"
        listed = [
            {
                "CreatedDate": version["createdate"],
                "KmsKeyIds": [key],
                "VersionId": version_id,
                **({"VersionStages": version["version_stages"]} if version["version_stages"] else {}),
                **({"LastAccessedDate": version["last_accessed"]} if "last_accessed" in version else {}),
            }
            for version_id, version in secret.versions.items()
            if version["version_stages"] or deprecated
        ]
        page, token = self.backend._get_secret_values_page_and_next_token(
            listed, self._get_int_param("MaxResults"), self._get_param("NextToken")
        )
        more = {"NextToken": token} if token else {}
        return json.dumps({"ARN": secret.arn, "Name": secret.name, "Versions": page, **more})

    SecretsManagerBackend.get_secret_value = get_secret_value
    FakeSecret.to_dict = to_dict
    SecretsManagerResponse.list_secret_version_ids = list_secret_version_ids


def _patch_refusals() -> None:
    get_param, create = SecretsManagerResponse._get_param, SecretsManagerBackend.create_secret
    rotate = SecretsManagerBackend.rotate_secret

    def checked(self: SecretsManagerResponse, param_name: str, if_none: Any = None) -> Any:
        value = get_param(self, param_name, if_none)
        if param_name in ("Name", "SecretId") and isinstance(value, str) and not _NAME.fullmatch(value):
            raise InvalidName
        return value

    def create_secret(self: SecretsManagerBackend, name: str, **given: Any) -> str:
        existing = self.secrets.get(name)
        if existing is not None and existing.is_deleted():
            raise exceptions.InvalidRequestException(
                "You can't create this secret because a secret with this name is already scheduled for deletion."
            )
        made: str = create(self, name=name, **given)
        return made

    def rotate_secret(self: SecretsManagerBackend, secret_id: str, **given: Any) -> str:
        """The function that was named once rotates until another one is named; moto forgets it."""
        known = getattr(self.secrets.get(secret_id), "rotation_lambda_arn", "")
        function = given.pop("rotation_lambda_arn", None) or known
        if secret_id in self.secrets and not function:
            raise exceptions.InvalidRequestException("No Lambda rotation function ARN is associated with this secret.")
        # A rotation has ended when its version is the current one: moto takes that for one that goes on.
        if secret_id in self.secrets and (current := holder(self.secrets[secret_id], CURRENT)):
            version = self.secrets[secret_id].versions[current]
            version["version_stages"] = [each for each in version["version_stages"] if each != PENDING]
        answer: str = rotate(self, secret_id, rotation_lambda_arn=function, **given)
        return answer

    def unless_deleted(operation: Any) -> Any:
        def run(self: SecretsManagerBackend, arn: str, *args: Any) -> Any:
            if arn in self.secrets and self.secrets[arn].is_deleted():
                raise exceptions.InvalidRequestException(_DELETED)
            return operation(self, arn, *args)

        return run

    SecretsManagerResponse._get_param = checked
    SecretsManagerBackend.create_secret = create_secret
    SecretsManagerBackend.rotate_secret = rotate_secret
    for name in ("tag_resource", "untag_resource"):
        setattr(SecretsManagerBackend, name, unless_deleted(getattr(SecretsManagerBackend, name)))
