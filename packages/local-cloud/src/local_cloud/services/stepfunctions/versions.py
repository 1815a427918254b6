"""Versions and aliases: the operations of the API on them. See `machines` for the form of the methods.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from . import arns
from .errors import ConflictException, ResourceNotFound, ValidationException
from .lookup import machine_and_version, unqualified
from .model import Alias, Machine, Version, now
from .pages import page
from .registry import Registry

Answer = dict[str, Any]


class Versions:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def publish_state_machine_version(
        self, *, state_machine_arn: str, revision_id: str | None = None, description: str = ""
    ) -> Answer:
        """The same version again where the revision is published already."""
        with self.registry.lock:
            machine = unqualified(self.registry, state_machine_arn)
            if revision_id is not None and revision_id not in (machine.revision.id, machine.revision.id or "INITIAL"):
                raise ConflictException(
                    f"Failed to publish the State Machine version for revision {revision_id}. The current State"
                    f" Machine revision is {machine.revision.id or 'INITIAL'}."
                )
            version = publish_version(machine, description)
            return {"stateMachineVersionArn": version.arn, "creationDate": version.created}

    def list_state_machine_versions(
        self, *, state_machine_arn: str, max_results: int | None = None, next_token: str | None = None
    ) -> Answer:
        """Newest first."""
        with self.registry.lock:
            machine = self.registry.machines.get(arns.parse_machine_arn(state_machine_arn).arn)
            versions = sorted(machine.versions.values(), key=lambda version: -version.number) if machine else []
        chosen, token = page(versions, key=lambda version: version.arn, size=max_results, token=next_token)
        items = [{"stateMachineVersionArn": version.arn, "creationDate": version.created} for version in chosen]
        return {"stateMachineVersions": items, "nextToken": token}

    def delete_state_machine_version(self, *, state_machine_version_arn: str) -> Answer:
        parsed = arns.parse_machine_arn(state_machine_version_arn)
        if parsed.version is None:
            raise ValidationException(f"'{state_machine_version_arn}' is not the ARN of a version")
        with self.registry.lock:
            machine = self.registry.machines.get(parsed.base)
            if machine and parsed.version in machine.versions:
                using = [alias.name for alias in machine.aliases.values() if parsed.arn in alias.routes]
                if using:
                    raise ConflictException(
                        "Version to be deleted must not be referenced by an alias. Current list of aliases"
                        f" referencing this version: [{', '.join(using)}]"
                    )
                del machine.versions[parsed.version]
        return {}

    def create_state_machine_alias(
        self, *, name: str, routing_configuration: list[dict[str, Any]], description: str = ""
    ) -> Answer:
        with self.registry.lock:
            machine, routes = self._routes(routing_configuration)
            alias = machine.aliases.get(name)
            if alias and (alias.routes != routes or alias.description != description):
                raise ConflictException(
                    "Failed to create alias because an alias with the same name and a different routing"
                    " configuration already exists."
                )
            if alias is None:
                created = now()
                alias = Alias(f"{machine.arn}:{name}", name, routes, created, created, description)
                machine.aliases[name] = alias
            return {"stateMachineAliasArn": alias.arn, "creationDate": alias.created}

    def update_state_machine_alias(
        self,
        *,
        state_machine_alias_arn: str,
        description: str | None = None,
        routing_configuration: list[dict[str, Any]] | None = None,
    ) -> Answer:
        if description is None and routing_configuration is None:
            raise ValidationException(
                "Either the description or the RoutingConfiguration must be specified for the alias update"
            )
        with self.registry.lock:
            machine, alias = self._alias(state_machine_alias_arn)
            if routing_configuration is not None:
                owner, routes = self._routes(routing_configuration)
                if owner is not machine:
                    raise ValidationException(f"The versions must belong to the state machine '{machine.arn}'")
                alias.routes = routes
            if description is not None:
                alias.description = description
            alias.updated = now()
            return {"updateDate": alias.updated}

    def describe_state_machine_alias(self, *, state_machine_alias_arn: str) -> Answer:
        with self.registry.lock:
            _, alias = self._alias(state_machine_alias_arn)
            answer: Answer = {
                "stateMachineAliasArn": alias.arn,
                "name": alias.name,
                "routingConfiguration": [
                    {"stateMachineVersionArn": arn, "weight": weight} for arn, weight in alias.routes.items()
                ],
                "creationDate": alias.created,
                "updateDate": alias.updated,
            }
            if alias.description:
                answer["description"] = alias.description
            return answer

    def list_state_machine_aliases(
        self, *, state_machine_arn: str, max_results: int | None = None, next_token: str | None = None
    ) -> Answer:
        """Of a machine, or those that route to a version."""
        with self.registry.lock:
            machine, version = machine_and_version(self.registry, state_machine_arn)
            aliases = sorted(machine.aliases.values(), key=lambda alias: alias.name)
            if version:
                aliases = [alias for alias in aliases if version.arn in alias.routes]
        chosen, token = page(aliases, key=lambda alias: alias.arn, size=max_results, token=next_token)
        items = [{"stateMachineAliasArn": alias.arn, "creationDate": alias.created} for alias in chosen]
        return {"stateMachineAliases": items, "nextToken": token}

    def delete_state_machine_alias(self, *, state_machine_alias_arn: str) -> Answer:
        """No error where there is none."""
        with self.registry.lock, contextlib.suppress(ResourceNotFound):
            machine, alias = self._alias(state_machine_alias_arn)
            del machine.aliases[alias.name]
        return {}

    def _alias(self, arn: str) -> tuple[Machine, Alias]:
        parsed = arns.parse_machine_arn(arn)
        machine = self.registry.machines.get(parsed.base)
        if machine is None or parsed.alias not in machine.aliases:
            raise ResourceNotFound
        return machine, machine.aliases[parsed.alias]

    def _routes(self, configuration: list[dict[str, Any]]) -> tuple[Machine, dict[str, int]]:
        named = [entry["stateMachineVersionArn"] for entry in configuration]
        received = f"Received: [{', '.join(named)}]"
        weights = [entry["weight"] for entry in configuration]
        if len(set(named)) < len(named):
            raise ValidationException(
                "Routing configuration must contain distinct state machine version ARNs. " + received
            )
        if sum(weights) != 100:
            raise ValidationException(
                f"Sum of routing configuration weights must equal 100. Received: {json.dumps(weights)}"
            )
        parsed = [arns.parse_machine_arn(arn) for arn in named]
        machine = self.registry.machines.get(parsed[0].base)
        if machine is None or any(each.version not in machine.versions for each in parsed):
            raise ValidationException("Routing configuration must contain state machine version ARNs. " + received)
        if any(each.base != machine.arn for each in parsed):
            raise ValidationException("The versions must belong to one state machine. " + received)
        return machine, dict(zip(named, weights, strict=True))


def publish_version(machine: Machine, description: str) -> Version:
    """The newest version where the revision is published already, else a new one."""
    newest = machine.versions.get(machine.latest_number)
    if newest and newest.revision == machine.revision:
        return newest
    machine.latest_number += 1
    number = machine.latest_number
    version = Version(f"{machine.arn}:{number}", number, machine.revision, now(), description)
    machine.versions[number] = version
    return version
