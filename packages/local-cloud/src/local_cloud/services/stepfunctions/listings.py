"""Lists of executions and their histories: the operations of the API on them. See `machines` for the form."""

from __future__ import annotations

from typing import Any

from . import arns
from .errors import ValidationException
from .execution_record import Execution
from .journal import read_events
from .lookup import target
from .machines import Answer, check_standard
from .map_runs import child_item, find_map_run
from .model import Machine
from .pages import page
from .registry import Registry


class Listings:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def list_executions(
        self,
        *,
        state_machine_arn: str | None = None,
        status_filter: str | None = None,
        map_run_arn: str | None = None,
        redrive_filter: str | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> Answer:
        """Newest first. Of a machine, a version, an alias, or of the children of a map run."""
        if (state_machine_arn is None) == (map_run_arn is None):
            raise ValidationException("Must provide a State Machine ARN or a Map Run ARN")
        if map_run_arn:
            items = self._children(map_run_arn)
        else:
            machine, version, alias = self._scope(state_machine_arn or "")
            check_standard(machine)
            with self.registry.lock:
                chosen = [
                    execution
                    for execution in self.registry.executions.values()
                    if execution.machine_arn == machine.arn
                    and (not version or execution.version_arn == version)
                    and (not alias or execution.alias_arn == alias)
                    and (not redrive_filter or (redrive_filter == "REDRIVEN") == bool(execution.redrives))
                ]
            chosen.sort(key=lambda execution: (execution.started, execution.journal.name), reverse=True)
            items = [list_item(execution) for execution in chosen]
        if status_filter:
            items = [item for item in items if item["status"] == status_filter]
        shown, token = page(items, key=lambda item: item["executionArn"], size=max_results, token=next_token)
        return {"executions": shown, "nextToken": token}

    def get_execution_history(
        self,
        *,
        execution_arn: str,
        max_results: int | None = None,
        reverse_order: bool = False,
        next_token: str | None = None,
        include_execution_data: bool = True,
    ) -> Answer:
        execution = self.registry.execution(arns.check_execution_arn(execution_arn))
        check_standard(self.registry.machine(execution.machine_arn))
        events = read_events(execution.journal)
        if reverse_order:
            events.reverse()
        shown, token = page(events, key=lambda event: event["id"], size=max_results, token=next_token)
        if not include_execution_data:
            shown = [_without_data(event) for event in shown]
        return {"events": shown, "nextToken": token}

    def _scope(self, arn: str) -> tuple[Machine, str, str]:
        parsed = arns.parse_machine_arn(arn)
        machine, version, alias = target(self.registry, arn)
        return machine, version.arn if version and parsed.version else "", alias.arn if alias else ""

    def _children(self, map_run_arn: str) -> list[Answer]:
        map_run = find_map_run(self.registry, arns.check_map_run_arn(map_run_arn))
        return [child_item(child, map_run) for child in reversed(map_run.children)]


def list_item(execution: Execution) -> Answer:
    """What ListExecutions shows of an execution, and DescribeExecution too."""
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
        "stopDate": execution.stopped,
        "stateMachineVersionArn": execution.version_arn or None,
        "stateMachineAliasArn": execution.alias_arn or None,
        "redriveCount": execution.redrives,
        "redriveDate": execution.redriven,
    }


def _without_data(event: dict[str, Any]) -> dict[str, Any]:
    hidden = {"input", "inputDetails", "output", "outputDetails", "assignedVariables", "assignedVariablesDetails"}
    return {
        name: {key: item for key, item in value.items() if key not in hidden} if isinstance(value, dict) else value
        for name, value in event.items()
    }
