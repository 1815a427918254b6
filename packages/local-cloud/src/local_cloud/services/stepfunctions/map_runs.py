"""Map runs: the operations of the API on them. See `machines` for the form of the methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import arns
from .errors import ExecutionDoesNotExist, ResourceNotFound
from .execution_record import Execution
from .journal import read_end
from .machines import Answer
from .pages import page
from .registry import Registry

if TYPE_CHECKING:
    from .maps.records import Child, MapRun


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
            for map_run in map_runs_of(execution)
        ]
        shown, token = page(items, key=lambda item: item["mapRunArn"], size=max_results, token=next_token)
        return {"mapRuns": shown, "nextToken": token}

    def describe_map_run(self, *, map_run_arn: str) -> Answer:
        map_run = find_map_run(self.registry, arns.check_map_run_arn(map_run_arn))
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


def find_map_run(registry: Registry, arn: str) -> MapRun:
    """Raises ResourceNotFound."""
    for execution in _with_map_runs(registry):
        if execution.run or arn in execution.map_runs:
            for map_run in map_runs_of(execution):
                if map_run.arn == arn:
                    return map_run
    raise ResourceNotFound(arn)


def describe_child(registry: Registry, arn: str, included_data: str) -> Answer:
    """DescribeExecution of a child execution of a map run. Raises ExecutionDoesNotExist."""
    for execution in _with_map_runs(registry):
        if arn.startswith(execution.machine_arn.replace(":stateMachine:", ":execution:") + "/"):
            for map_run in map_runs_of(execution):
                for child in map_run.children:
                    if child.arn == arn:
                        return _described(child, map_run, with_data=included_data == "ALL_DATA")
    raise ExecutionDoesNotExist(arn)


def child_item(child: Child, map_run: MapRun) -> Answer:
    """What ListExecutions shows of a child execution."""
    return {
        "executionArn": child.arn,
        "stateMachineArn": map_run.machine_arn,
        "name": child.name,
        "status": child.status,
        "startDate": child.started,
        "stopDate": child.stopped,
        "mapRunArn": map_run.arn,
        "itemCount": child.items,
    }


def _described(child: Child, map_run: MapRun, *, with_data: bool) -> Answer:
    answer = child_item(child, map_run) | {
        "inputDetails": {"included": with_data},
        "error": child.error,
        "cause": child.cause,
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE" if child.status in ("RUNNING", "SUCCEEDED") else "REDRIVABLE_BY_MAP_RUN",
    }
    if with_data:
        answer |= {"input": child.input, "output": child.output}
    if child.output is not None:
        answer["outputDetails"] = {"included": with_data}
    del answer["itemCount"]
    return answer


def _with_map_runs(registry: Registry) -> list[Execution]:
    with registry.lock:
        return [execution for execution in registry.executions.values() if execution.run or execution.map_runs]


def map_runs_of(execution: Execution) -> list[MapRun]:
    """All of an execution, in the order they began."""
    from .maps.records import MapRun

    if run := execution.run:
        return list(run.map_runs)
    end = read_end(execution.journal)
    return [MapRun.loaded(saved) for saved in end.map_runs] if end else []
