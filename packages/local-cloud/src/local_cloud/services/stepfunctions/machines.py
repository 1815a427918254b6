"""State machines: the operations of the API on them.

Each method is one operation; its arguments are the request's members in snake case, what it returns is the
response. Behaviour: https://docs.aws.amazon.com/step-functions/latest/apireference and AWS's recorded answers
(see `errors`).
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable
from typing import Any

from . import arns
from .definition import Problem, check
from .encryption import complete
from .errors import (
    InvalidArn,
    InvalidDefinition,
    InvalidLoggingConfiguration,
    MissingRequiredParameter,
    StateMachineAlreadyExists,
    StateMachineTypeNotSupported,
    ValidationException,
)
from .language.references import variable_references
from .lookup import machine_and_version, unqualified
from .model import EXPRESS, STANDARD, Machine, Revision, now
from .pages import page
from .registry import Registry
from .roles import Roles
from .versions import publish_version

Answer = dict[str, Any]


class Machines:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.roles = Roles(registry.cloud)

    def create_state_machine(
        self,
        *,
        name: str,
        definition: str,
        role_arn: str,
        type: str = STANDARD,
        logging_configuration: dict[str, Any] | None = None,
        tracing_configuration: dict[str, Any] | None = None,
        encryption_configuration: dict[str, Any] | None = None,
        tags: list[dict[str, str]] | None = None,
        publish: bool = False,
        version_description: str = "",
    ) -> Answer:
        """Idempotent for the same name, definition, type, logging, tracing and encryption."""
        _check_version_description(publish, version_description)
        arns.check_name(name)
        check_role(role_arn)
        self.roles.check(role_arn, definition, logging_configuration, self.registry.arn("stateMachine", name))
        revision = Revision(
            definition=definition,
            role_arn=role_arn,
            logging=_logging(logging_configuration),
            tracing=tracing_configuration or {"enabled": False},
            encryption=complete(encryption_configuration),
            updated=now(),
        )
        arn = self.registry.arn("stateMachine", name)
        with self.registry.lock:
            machine = self.registry.machines.get(arn)
            if machine is None:
                _check_definition(definition, type)
                machine = Machine(arn, name, type, revision.updated, revision)
                machine.tags.update({tag["key"]: tag["value"] for tag in tags or []})
                self.registry.machines[arn] = machine
            elif machine.type != type or _differ(machine.revision, revision):
                raise StateMachineAlreadyExists(arn)
            answer: Answer = {"stateMachineArn": arn, "creationDate": machine.created}
            if publish:
                answer["stateMachineVersionArn"] = publish_version(machine, version_description).arn
            return answer

    def update_state_machine(
        self,
        *,
        state_machine_arn: str,
        definition: str | None = None,
        role_arn: str | None = None,
        logging_configuration: dict[str, Any] | None = None,
        tracing_configuration: dict[str, Any] | None = None,
        encryption_configuration: dict[str, Any] | None = None,
        publish: bool = False,
        version_description: str = "",
    ) -> Answer:
        """A new revision; what runs keeps the one it began with."""
        _check_version_description(publish, version_description)
        if not any((definition, role_arn, logging_configuration, tracing_configuration, encryption_configuration)):
            raise MissingRequiredParameter(
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be"
                " specified"
            )
        if role_arn:
            check_role(role_arn)
        with self.registry.lock:
            machine = unqualified(self.registry, state_machine_arn)
            if definition:
                _check_definition(definition, machine.type)
            old = dataclasses.replace(machine.revision, encryption=complete(machine.revision.encryption))
            self.roles.check(
                role_arn or old.role_arn,
                definition or old.definition,
                logging_configuration or old.logging,
                machine.arn,
            )
            new = dataclasses.replace(
                old,
                definition=definition or old.definition,
                role_arn=role_arn or old.role_arn,
                logging=_logging(logging_configuration) if logging_configuration else old.logging,
                tracing=tracing_configuration or old.tracing,
                encryption=complete(encryption_configuration or old.encryption),
            )
            updated = now()
            if new != old:
                machine.revision = dataclasses.replace(new, updated=updated, id=str(uuid.uuid4()))
            answer: Answer = {"updateDate": updated}
            if machine.revision.id:
                answer["revisionId"] = machine.revision.id
            if publish:
                answer["stateMachineVersionArn"] = publish_version(machine, version_description).arn
            return answer

    def describe_state_machine(self, *, state_machine_arn: str, included_data: str = "ALL_DATA") -> Answer:
        """Of a machine or of one of its versions."""
        with self.registry.lock:
            machine, version = machine_and_version(self.registry, state_machine_arn)
            revision = version.revision if version else machine.revision
            answer = describe_revision(revision, included_data) | {
                "stateMachineArn": version.arn if version else machine.arn,
                "name": machine.name,
                "status": "ACTIVE",
                "type": machine.type,
                "creationDate": version.created if version else machine.created,
            }
            if version and version.description:
                answer["description"] = version.description
            return answer

    def delete_state_machine(self, *, state_machine_arn: str) -> Answer:
        """With versions, aliases and executions; what runs is aborted. No error where there is none."""
        parsed = arns.parse_machine_arn(state_machine_arn)
        if parsed.qualifier:
            raise ValidationException("This operation does not support qualified state machine ARNs")
        self.registry.forget_machine(parsed.arn)
        return {}

    def list_state_machines(self, *, max_results: int | None = None, next_token: str | None = None) -> Answer:
        with self.registry.lock:
            machines = sorted(self.registry.machines.values(), key=lambda machine: machine.name)
        chosen, token = page(machines, key=lambda machine: machine.arn, size=max_results, token=next_token)
        items = [
            {
                "stateMachineArn": machine.arn,
                "name": machine.name,
                "type": machine.type,
                "creationDate": machine.created,
            }
            for machine in chosen
        ]
        return {"stateMachines": items, "nextToken": token}

    def validate_state_machine_definition(
        self, *, definition: str, type: str = STANDARD, severity: str = "ERROR", max_results: int | None = None
    ) -> Answer:
        problems = check(definition, type)
        shown = [problem for problem in problems if severity == "WARNING" or problem.severity == "ERROR"]
        limit = max_results or 100
        return {
            "result": "FAIL" if any(problem.severity == "ERROR" for problem in problems) else "OK",
            "diagnostics": [problem.as_diagnostic() for problem in shown[:limit]],
            "truncated": len(shown) > limit,
        }


def describe_revision(revision: Revision, included_data: str) -> Answer:
    """The members that DescribeStateMachine and DescribeStateMachineForExecution share."""
    with_data = included_data != "METADATA_ONLY"
    answer: Answer = {
        "roleArn": revision.role_arn,
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        # AWS keeps this member and empties it when only metadata is asked for.
        "definition": revision.definition if with_data else "",
        "encryptionConfiguration": complete(revision.encryption),
        "variableReferences": (variable_references(revision.definition) if with_data else None) or None,
    }
    if revision.id:
        answer["revisionId"] = revision.id
    return answer


def check_standard(machine: Machine) -> None:
    if machine.type == EXPRESS:
        raise StateMachineTypeNotSupported


def _check_definition(definition: str, type: str) -> None:
    refuse(check(definition, type))


def refuse(problems: Iterable[Problem]) -> None:
    """Raises InvalidDefinition where there is an error among the problems of a definition."""
    errors = [problem for problem in problems if problem.severity == "ERROR"]
    if errors:
        raise InvalidDefinition(", ".join(str(problem) for problem in errors))


def check_role(arn: str) -> None:
    if not arn.startswith("arn:aws") or ":role/" not in arn:
        raise InvalidArn(arn)


def _check_version_description(publish: bool, description: str) -> None:
    if description and not publish:
        raise ValidationException("Version description can only be set when publish is true")


def _logging(configuration: dict[str, Any] | None) -> dict[str, Any]:
    level = (configuration or {}).get("level", "OFF")
    destinations = (configuration or {}).get("destinations")
    if (destinations and len(destinations) > 1) or (level != "OFF" and not destinations):
        raise InvalidLoggingConfiguration("Must specify exactly one Log Destination.")
    return {"includeExecutionData": False} | (configuration or {}) | {"level": level}


def _differ(one: Revision, other: Revision) -> bool:
    """By what CreateStateMachine's idempotence looks at: a different role or different tags are ignored."""
    return (one.definition, one.logging, one.tracing, complete(one.encryption)) != (
        other.definition,
        other.logging,
        other.tracing,
        complete(other.encryption),
    )
