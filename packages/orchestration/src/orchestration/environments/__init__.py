"""An environment is a TOML file beside this module: `local`, `dev`, `prod`.

Its `[sdk]` table holds variables that the AWS SDK reads by itself. A variable the caller has set wins, except
that an environment with an endpoint of its own never takes the caller's keys.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomllib

from orchestration.errors import UnknownEnvironment

_FOLDER = Path(__file__).parent
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@dataclass(frozen=True)
class UsageLimit:
    """The warehouse's compute of one day (UTC), in RPU-hours: 8 RPU that work for a quarter of an hour are two.

    `when_reached` is Redshift's breach action: `deactivate` refuses queries until the day is over, `emit-metric` and
    `log` only tell.
    """

    rpu_hours_a_day: int
    when_reached: str


@dataclass(frozen=True)
class Environment:
    """One place the pipelines can live.

    `alert_email` gets the alerts, "" for nobody; `schedules` switches them on; `development_releases`
    is whether a checkout is deployed as it is, or only what was published; `usage_limit` is what the warehouse
    may use a day; `quicksight_principal` is the ARN of the QuickSight user or group that gets the reviews dashboard, ""
    for none; `sdk` maps environment variables to values.
    """

    name: str
    alert_email: str
    schedules: bool
    development_releases: bool
    usage_limit: UsageLimit
    quicksight_principal: str
    sdk: Mapping[str, str]

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the environment brings an endpoint of its own, which `elt` may have to start."""
        return "AWS_ENDPOINT_URL" in self.sdk

    def activate(self) -> None:
        """Set the SDK's variables in this process."""
        if self.is_on_this_machine:
            for key in _KEYS:
                os.environ.pop(key, None)
        for key, value in self.sdk.items():
            os.environ.setdefault(key, value)


def names() -> list[str]:
    return sorted(file.stem for file in _FOLDER.glob("*.toml"))


def load(name: str) -> Environment:
    """The environment called `name`; UnknownEnvironment names those there are."""
    file = _FOLDER / f"{name}.toml"
    if name not in names():
        raise UnknownEnvironment(f"there is no environment {name!r}; there are: {', '.join(names())}")
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return Environment(name=name, **data | {"usage_limit": UsageLimit(**data["usage_limit"])})
