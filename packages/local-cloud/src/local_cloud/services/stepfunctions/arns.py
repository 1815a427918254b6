"""Names and ARNs of Step Functions: how they are built, taken apart and checked.

Formats: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (name, qualified
ARNs) and https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-alias.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import InvalidArn, InvalidName

_FORBIDDEN_IN_NAMES = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")
_ARN = re.compile(r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:(?P<kind>[A-Za-z]+):(?P<rest>.+)")


def check_name(name: str) -> str:
    """A name of a machine, execution or activity: 1 to 80 characters, none of those AWS refuses."""
    if not 1 <= len(name) <= 80 or _FORBIDDEN_IN_NAMES.search(name):
        raise InvalidName(name)
    return name


@dataclass(frozen=True)
class MachineArn:
    """`…:stateMachine:<name>` with the version number or alias name behind it, or none."""

    arn: str
    name: str
    qualifier: str = ""

    @property
    def base(self) -> str:
        return self.arn.removesuffix(f":{self.qualifier}") if self.qualifier else self.arn

    @property
    def version(self) -> int | None:
        return int(self.qualifier) if self.qualifier.isdecimal() else None

    @property
    def alias(self) -> str:
        return self.qualifier if self.qualifier and not self.qualifier.isdecimal() else ""


def parse_machine_arn(arn: str) -> MachineArn:
    name, _, qualifier = _rest(arn, "stateMachine").partition(":")
    return MachineArn(arn, name, qualifier)


def check_execution_arn(arn: str) -> str:
    if len(_rest(arn, "execution", "express").split(":")) < 2:
        raise InvalidArn(arn)
    return arn


def check_map_run_arn(arn: str) -> str:
    _rest(arn, "mapRun")
    return arn


def check_activity_arn(arn: str) -> str:
    _rest(arn, "activity")
    return arn


def _rest(arn: str, *kinds: str) -> str:
    match = _ARN.fullmatch(arn)
    if not match:
        raise InvalidArn(arn, "" if arn.startswith("arn:") else f"Invalid ARN prefix: {arn}")
    if match["kind"] not in kinds:
        raise InvalidArn(arn, f"Resource type not valid in this context: {match['kind'].lower()}")
    return match["rest"]
