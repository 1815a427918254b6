"""What Step Functions keeps beside executions: machines with their versions and aliases, and activities."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

STANDARD = "STANDARD"
EXPRESS = "EXPRESS"


def now() -> float:
    """Seconds since 1970 to the millisecond: the precision of every time Step Functions shows."""
    return round(time.time(), 3)


@dataclass(frozen=True)
class Revision:
    """What UpdateStateMachine replaces as one. Versions and running executions keep the one they began with."""

    definition: str
    role_arn: str
    logging: dict[str, Any]
    tracing: dict[str, Any]
    encryption: dict[str, Any]
    updated: float
    id: str = ""
    """Empty for the revision a machine is created with: AWS names revisions from the first update on."""


@dataclass(frozen=True)
class Version:
    arn: str
    number: int
    revision: Revision
    created: float
    description: str = ""


@dataclass
class Alias:
    arn: str
    name: str
    routes: dict[str, int]
    """Weight, in percent, by the ARN of a version; one or two, 100 together."""
    created: float
    updated: float
    description: str = ""


@dataclass
class Machine:
    arn: str
    name: str
    type: str
    created: float
    revision: Revision
    tags: dict[str, str] = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)
    latest_number: int = 0
    """The highest number ever given: numbers of deleted versions are not used again."""
    aliases: dict[str, Alias] = field(default_factory=dict)


@dataclass
class Activity:
    arn: str
    name: str
    created: float
    tags: dict[str, str] = field(default_factory=dict)
    encryption: dict[str, Any] = field(default_factory=dict)
