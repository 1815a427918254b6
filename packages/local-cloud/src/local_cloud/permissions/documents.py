"""Policy documents as statements.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from local_cloud.permissions.conditions import Condition, parse_conditions

#: What a policy without Version has, in which `${…}` is no variable:
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
OLD_VERSION = "2008-10-17"


class MalformedPolicy(ValueError):
    """Text that is no policy document."""


@dataclass(frozen=True)
class Principals:
    """Who a statement of a resource's policy is about, by kind: `AWS`, `Service`, `Federated`, `CanonicalUser`.

    `Principal: "*"` is everybody: `AWS` with `*`.
    """

    by_kind: tuple[tuple[str, tuple[str, ...]], ...]

    def of(self, kind: str) -> tuple[str, ...]:
        return next((names for each, names in self.by_kind if each == kind), ())


@dataclass(frozen=True)
class Statement:
    """One statement. Of each pair with a `not_` one side is None."""

    index: int
    sid: str
    denies: bool
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    principals: Principals | None
    not_principals: Principals | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Document:
    """A policy's statements."""

    statements: tuple[Statement, ...]


@lru_cache(maxsize=4096)
def parse(text: str) -> Document:
    """A document from its JSON. Raises MalformedPolicy."""
    try:
        read = json.loads(text)
    except ValueError:
        raise MalformedPolicy("the policy is not JSON") from None
    if not isinstance(read, dict) or "Statement" not in read:
        raise MalformedPolicy("the policy has no Statement")
    found = read["Statement"]
    if read.get("Version", OLD_VERSION) == OLD_VERSION:
        found = _without_variables(found)
    return Document(tuple(_statement(each, i) for i, each in enumerate(found if isinstance(found, list) else [found])))


def _without_variables(value: Any) -> Any:
    """Return the value with every `$` that would begin a variable as the `$` itself."""
    if isinstance(value, str):
        return value.replace("${", "${$}{")
    if isinstance(value, list):
        return [_without_variables(each) for each in value]
    if isinstance(value, dict):
        return {name: _without_variables(each) for name, each in value.items()}
    return value


def _statement(read: Any, index: int) -> Statement:
    if not isinstance(read, dict) or read.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy(f"statement {index + 1} has no Effect Allow or Deny")
    if ("Action" in read) == ("NotAction" in read):
        raise MalformedPolicy(f"statement {index + 1} needs Action or NotAction, one of them")
    return Statement(
        index=index,
        sid=str(read.get("Sid", "")),
        denies=read["Effect"] == "Deny",
        actions=_texts(read.get("Action")),
        not_actions=_texts(read.get("NotAction")),
        resources=_texts(read.get("Resource")),
        not_resources=_texts(read.get("NotResource")),
        principals=_principals(read.get("Principal")),
        not_principals=_principals(read.get("NotPrincipal")),
        conditions=parse_conditions(read.get("Condition") or {}),
    )


def _texts(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    return tuple(str(each) for each in (value if isinstance(value, list) else [value]))


def _principals(value: Any) -> Principals | None:
    if value is None:
        return None
    if isinstance(value, str):
        return Principals((("AWS", (value,)),))
    return Principals(tuple((kind, _texts(names) or ()) for kind, names in value.items()))
