"""What permissions ask of Redshift, which registers who answers when it is installed: no service is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Warehouses(Protocol):
    """Workgroups, namespaces and statements, as they are now."""

    def workgroup_arn(self, name: str) -> str:
        """Find a workgroup by its name, its ARN, or a session of the Data API on it; "" where there is none."""

    def namespace(self, name: str) -> Mapping[str, Any]:
        """Find a namespace of Redshift Serverless as it is stored; empty where there is none."""

    def statement_owner(self, identifier: str) -> str:
        """Find the `aws:userid` of who submitted a statement of the Data API; "" where there is none."""

    def tags(self, arn: str) -> Mapping[str, str]:
        """List the tags of a namespace or workgroup."""


_registered: list[Warehouses] = []


def register(warehouses: Warehouses) -> None:
    """Let `warehouses` answer from now on, in place of those before."""
    _registered[:] = [warehouses]


def known() -> Warehouses:
    """Return those that are registered. Redshift is a part of every cloud."""
    return _registered[0]
