"""What an ARN of a machine, version or alias stands for."""

from __future__ import annotations

import random

from . import arns
from .errors import StateMachineDoesNotExist, ValidationException
from .model import Alias, Machine, Version
from .registry import Registry


def unqualified(registry: Registry, arn: str) -> Machine:
    """The machine itself; an ARN with a version or alias behind it is refused."""
    parsed = arns.parse_machine_arn(arn)
    if parsed.qualifier:
        raise ValidationException("This operation does not support qualified state machine ARNs")
    return registry.machine(parsed.arn)


def machine_and_version(registry: Registry, arn: str) -> tuple[Machine, Version | None]:
    """A machine, and the version the ARN names, if it does."""
    parsed = arns.parse_machine_arn(arn)
    with registry.lock:
        machine = registry.machines.get(parsed.base)
        version = machine.versions.get(parsed.version or 0) if machine else None
        if machine is None or (parsed.qualifier and version is None):
            raise StateMachineDoesNotExist(arn)
        return machine, version


def target(registry: Registry, arn: str) -> tuple[Machine, Version | None, Alias | None]:
    """What StartExecution on `arn` runs: the machine as it is, a version, or a version an alias picks by weight."""
    parsed = arns.parse_machine_arn(arn)
    if not parsed.alias:
        return *machine_and_version(registry, arn), None
    with registry.lock:
        machine = registry.machines.get(parsed.base)
        alias = machine.aliases.get(parsed.alias) if machine else None
        if machine is None or alias is None:
            raise StateMachineDoesNotExist(arn)
        # Which version an execution takes need not be hard to guess.
        chosen = random.choices(list(alias.routes), weights=list(alias.routes.values()))[0]  # noqa: S311
        return *machine_and_version(registry, chosen), alias
