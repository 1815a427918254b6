"""`{{resolve:ssm:…}}` and `{{resolve:secretsmanager:…}}` in property values, read when a resource is made.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
The stack's own state keeps the reference, never what it stands for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.errors import ResourceError

REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):([^{}]+)\}\}")
SECRET = re.compile(
    r"(?P<id>arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+|[^:]+)"
    r"(:(SecretString)?(:(?P<key>[^:]*)(:(?P<stage>[^:]*)(:(?P<version>[^:]*))?)?)?)?"
)


def resolve(value: Any, client: Callable[[str], Any]) -> Any:
    """Return the value with every reference replaced. Errors: ResourceError, ClientError where one cannot be."""
    return _replaced(value, lambda match: _read(match[1], match[2], client))


def resolve_what_is_left(value: Any, client: Callable[[str], Any]) -> Any:
    """Return the value with those references replaced that can be: what they name may be deleted before who uses it."""

    def read(match: re.Match[str]) -> str:
        try:
            return _read(match[1], match[2], client)
        except (ResourceError, ClientError):
            return match[0]

    return _replaced(value, read)


def _replaced(value: Any, read: Callable[[re.Match[str]], str]) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(item, read) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, read) for item in value]
    if isinstance(value, str) and "{{resolve:" in value:
        return REFERENCE.sub(read, value)
    return value


def _read(service: str, name: str, client: Callable[[str], Any]) -> str:
    if service in ("ssm", "ssm-secure"):
        secure = service == "ssm-secure"
        return str(client("ssm").get_parameter(Name=name, WithDecryption=secure)["Parameter"]["Value"])
    match = SECRET.fullmatch(name) if service == "secretsmanager" else None
    if not match:
        raise ResourceError(f"Could not resolve the dynamic reference {{{{resolve:{service}:{name}}}}}")
    chosen = {
        argument: match[group]
        for group, argument in (("stage", "VersionStage"), ("version", "VersionId"))
        if match[group]
    }
    text = str(client("secretsmanager").get_secret_value(SecretId=match["id"], **chosen)["SecretString"])
    if not match["key"]:
        return text
    try:
        return str(json.loads(text)[match["key"]])
    except (ValueError, KeyError, TypeError):
        raise ResourceError(f"Could not find a value associated with JSONKey {match['key']} in SecretString") from None
