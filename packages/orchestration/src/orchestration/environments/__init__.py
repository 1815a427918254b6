"""An environment is a TOML file beside this module: `local`, `dev`, `prod`.

Its `[sdk]` table holds variables that the AWS SDK reads by itself. A variable the caller has set wins, and so does the
region of the caller's profile; but an environment with an endpoint of its own never takes the caller's keys.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import tomllib

from orchestration import pipelines
from orchestration.errors import UnknownEnvironment, UsageError

#: Of everything that is deployed, so that a bill can be asked for it.
PROJECT_TAGS = {"project": "elt"}
_FOLDER = Path(__file__).parent
_REGION = "AWS_DEFAULT_REGION"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
#: What a deployment brings about beside the release, and all that a file has.
_DEPLOYED: dict[str, type] = {
    "alert_email": str,
    "schedules": list,
    "usage_limit": dict,
    "quicksight_principal": str,
    "readers": list,
}
_SETTINGS: dict[str, type] = {**_DEPLOYED, "development_releases": bool, "sdk": dict}
_LIMIT: dict[str, type] = {"rpu_hours_a_day": int, "when_reached": str}
_WORDS = {str: "a text in quotes", bool: "true or false", int: "a whole number", dict: "a table", list: "a list"}
#: A role or user, with or without a path; redshift has no user for anything else that IAM knows.
_READER = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]*[\w+=,.@-]")


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

    `alert_email` gets the alerts, "" for nobody; `schedules` are the pipelines that run by themselves;
    `development_releases` is whether a checkout is deployed as it is, or only what was published; `usage_limit` is what
    the warehouse may use a day; `quicksight_principal` is the ARN of the QuickSight user or group that gets the reviews
    dashboard, "" for none; `readers` are the ARNs of the IAM roles and users that may read the tables; `sdk` maps
    environment variables to values.
    """

    name: str
    alert_email: str
    schedules: Sequence[str]
    development_releases: bool
    usage_limit: UsageLimit
    quicksight_principal: str
    readers: Sequence[str]
    sdk: Mapping[str, str]

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the environment brings an endpoint of its own, which `elt` may have to start."""
        return "AWS_ENDPOINT_URL" in self.sdk

    @property
    def tags(self) -> dict[str, str]:
        """The tags of its two stacks, and of what is in them."""
        return PROJECT_TAGS | {"environment": self.name}

    @property
    def settings(self) -> dict[str, Any]:
        """What a deployment brings about beside the release, as its record has it."""
        return {name: value for name, value in asdict(self).items() if name in _DEPLOYED}

    def with_settings(self, settings: Mapping[str, Any], *, where: str) -> Environment:
        """Return the same with the `settings` that a record, `where`, has of it; those it lacks stay.

        Errors: UsageError.

        A record from before schedules were switched on by pipeline says true or false of all of them.
        """
        present = {name: value for name, value in asdict(self).items() if name != "name"}
        recorded = {name: value for name, value in settings.items() if name in _DEPLOYED}
        if type(recorded.get("schedules")) is bool:
            recorded["schedules"] = pipelines.find_scheduled() if recorded["schedules"] else []
        return _parse(self.name, present | recorded, where=where)

    def activate(self) -> None:
        """Set the SDK's variables in this process. Errors: UsageError for an endpoint that is none."""
        if self.is_on_this_machine:
            for key in _KEYS:
                os.environ.pop(key, None)
        elif region := _callers_region():
            os.environ[_REGION] = region
        for key, value in self.sdk.items():
            os.environ.setdefault(key, value)
        endpoint()


def _callers_region() -> str | None:
    """Return the region that the caller has chosen: AWS_REGION, AWS_DEFAULT_REGION or the profile's, the first that is
    set.

    The order of the SDKs (https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html); boto3 alone does not
    read AWS_REGION. A profile that does not exist has no region here: the SDK reports it where it looks for keys.
    """
    from botocore.exceptions import ProfileNotFound
    from botocore.session import Session

    if region := os.environ.get("AWS_REGION"):
        return region
    try:
        found: str | None = Session().get_config_variable("region")
    except ProfileNotFound:
        return None
    return found


def endpoint() -> SplitResult | None:
    """AWS_ENDPOINT_URL, None where it is not set. Errors: UsageError for what is no URL of a server."""
    text = os.environ.get("AWS_ENDPOINT_URL")
    if not text:
        return None
    try:
        url = urlsplit(text)
        if url.scheme in ("http", "https") and url.hostname and url.port != 0:  # asked for its port, it is read
            return url
    except ValueError:
        pass
    raise UsageError(f"AWS_ENDPOINT_URL is {text!r}: give it a URL such as http://127.0.0.1:4566, or unset it")


def names() -> list[str]:
    return sorted(file.stem for file in _FOLDER.glob("*.toml"))


def load(name: str) -> Environment:
    """Return the environment called `name`.

    Errors: UnknownEnvironment names those there are; UsageError the file and key.
    """
    file = _FOLDER / f"{name}.toml"
    if name not in names():
        raise UnknownEnvironment(f"there is no environment {name!r}; there are: {', '.join(names())}")
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, or no UTF-8
        raise UsageError(f"{file} cannot be read: {error}") from None
    return _parse(name, data, where=str(file))


def _parse(name: str, data: Mapping[str, Any], *, where: str) -> Environment:
    if type(data.get("schedules")) is bool:
        every = ", ".join(f'"{one}"' for one in pipelines.find_scheduled()) if data["schedules"] else ""
        raise UsageError(f"{where}: schedules is a list of pipelines: write schedules = [{every}]")
    _check(data, _SETTINGS, where=where)
    # Every command loads an environment: the templates are read where a schedule is to be looked up in them.
    there = pipelines.find_scheduled() if data["schedules"] else []
    if unknown := [one for one in data["schedules"] if one not in there]:
        raise UsageError(
            f"{where}: schedules has {unknown[0]!r}, which is no pipeline with a schedule; "
            f"there are: {', '.join(there)}"
        )
    _check(data["usage_limit"], _LIMIT, where=f"{where}: usage_limit")
    for reader in data["readers"]:
        if not isinstance(reader, str) or not _READER.fullmatch(reader):
            raise UsageError(
                f"{where}: readers has {reader!r}, not the ARN of an IAM role or user, such as "
                "arn:aws:iam::123456789012:role/Analysts"
            )
    _check(data["sdk"], dict.fromkeys(data["sdk"], str), where=f"{where}: sdk")
    return Environment(name=name, **{**data, "usage_limit": UsageLimit(**data["usage_limit"])})


def _check(table: Mapping[str, Any], types: Mapping[str, type], *, where: str) -> None:
    """Raise UsageError unless the table has each of these keys, with a value of that type, and no other."""
    for key in (*types, *table):
        if key not in types:
            raise UsageError(f"{where} has no setting {key}; these are: {', '.join(types)}")
        if key not in table:
            raise UsageError(f"{where} lacks {key}: give it {_WORDS[types[key]]}")
        if type(table[key]) is not types[key]:  # a bool is an int to isinstance
            raise UsageError(f"{where}: {key} is {table[key]!r}, not {_WORDS[types[key]]}")
