"""The key that definitions, inputs and outputs are encrypted with: kept and given back, nothing here is encrypted.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_EncryptionConfiguration.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import InvalidEncryptionConfiguration

_OWN = "AWS_OWNED_KEY"
_REUSED_FOR = 300
"""Seconds that a data key of a customer's key is used, unless another time is asked for."""


def complete(configuration: Mapping[str, Any] | None) -> dict[str, Any]:
    """Make a configuration whole, as the API shows it. Raises InvalidEncryptionConfiguration."""
    given = {name: value for name, value in (configuration or {"type": _OWN}).items() if value is not None}
    if given["type"] == _OWN:
        if set(given) != {"type"}:
            raise InvalidEncryptionConfiguration(f"A key or its reuse period cannot be given for the type {_OWN}")
        return given
    if not given.get("kmsKeyId"):
        raise InvalidEncryptionConfiguration(f"The type {given['type']} needs a kmsKeyId")
    return {"kmsDataKeyReusePeriodSeconds": _REUSED_FOR, **given}
