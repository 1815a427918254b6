"""Map runs: the operations of the API on them. See `machines` for the form of the methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import arns
from .errors import ResourceNotFound
from .journal import read_end
from .machines import Answer
from .model import Execution
from .pages import page
from .registry import Registry

if TYPE_CHECKING:
    from .maps.records import MapRun


class MapRuns:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def list_map_runs(
        self, *, execution_arn: str, max_results: int | None = None, next_token: str | None = None
    ) -> Answer:
        execution = self.registry.execution(arns.check_execution_arn(execution_arn))
        items = [
            {
                "executionArn": map_run.execution_arn,
                "mapRunArn": map_run.arn,
                "stateMachineArn": map_run.machine_arn,
                "startDate": map_run.started,
                "stopDate": map_run.stopped,
            }
            for map_run in _map_runs(execution)
        ]
        shown, token = page(items, key=lambda item: item["mapRunArn"], size=max_results, token=next_token)
        return {"mapRuns": shown, "nextToken": token}

    def describe_map_run(self, *, map_run_arn: str) -> Answer:
        _, map_run = find_map_run(self.registry, arns.check_map_run_arn(map_run_arn))
        return {
            "mapRunArn": map_run.arn,
            "executionArn": map_run.execution_arn,
            "status": map_run.status,
            "startDate": map_run.started,
            "stopDate": map_run.stopped,
            "maxConcurrency": map_run.at_once,
            "toleratedFailureCount": int(map_run.tolerated_count),
            "toleratedFailurePercentage": map_run.tolerated_percentage,
            "itemCounts": map_run.counts(of_items=True),
            "executionCounts": map_run.counts(of_items=False),
            "redriveCount": 0,
        }


def find_map_run(registry: Registry, arn: str) -> tuple[Execution, MapRun]:
    """Raises ResourceNotFound."""
    with registry.lock:
        executions = list(registry.executions.values())
    for execution in executions:
        if execution.run or arn in execution.map_runs:
            for map_run in _map_runs(execution):
                if map_run.arn == arn:
                    return execution, map_run
    raise ResourceNotFound(arn)


def _map_runs(execution: Execution) -> list[MapRun]:
    from .maps.records import MapRun

    if run := execution.run:
        return list(run.map_runs)
    end = read_end(execution.journal)
    return [MapRun.loaded(saved) for saved in end.map_runs] if end else []
