"""Everything Step Functions knows, and how it comes back after a restart."""

from __future__ import annotations

import contextlib
import copy
import threading
import uuid
from pathlib import Path
from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.errors import StateNotSaved

from .errors import ExecutionDoesNotExist, StateMachineDoesNotExist
from .journal import End, Journal, Start, read_end, read_events, read_start
from .model import Activity, Execution, Machine, now

_KEPT_FOR = 90 * 24 * 3600.0
"""Seconds AWS keeps an ended execution and its name (API_StartExecution, "name")."""

INTERRUPTED = "LocalCloud.Interrupted"
_INTERRUPTED_CAUSE = (
    "The local cloud stopped while this execution ran. Go on from the state it was in with"
    " `aws stepfunctions redrive-execution --execution-arn {arn}`, or start it anew."
)


class Registry:
    """Machines and activities by ARN, executions by ARN in the order they were started.

    `lock` guards the dictionaries and what hangs on them. Machines and activities are saved through
    `cloud.persistence`; executions are their journals, in `<control-plane>/executions/`.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.lock = threading.RLock()
        self.machines: dict[str, Machine] = {}
        self.activities: dict[str, Activity] = {}
        self.executions: dict[str, Execution] = {}
        self.folder = cloud.persistence.folder / "executions"
        cloud.persistence.register("stepfunctions", save=self._save, restore=self._restore)
        cloud.on_stop(self.interrupt_all)

    def arn(self, kind: str, name: str) -> str:
        settings = self.cloud.settings
        return f"arn:aws:states:{settings.region}:{settings.account_id}:{kind}:{name}"

    def machine(self, arn: str) -> Machine:
        with self.lock:
            if arn not in self.machines:
                raise StateMachineDoesNotExist(arn)
            return self.machines[arn]

    def execution(self, arn: str) -> Execution:
        with self.lock:
            if arn not in self.executions:
                raise ExecutionDoesNotExist(arn)
            return self.executions[arn]

    def new_journal(self, started: float) -> Journal:
        return Journal(self.folder / f"{int(started * 1000):015d}-{uuid.uuid4().hex[:12]}.jsonl")

    def forget_machine(self, arn: str) -> None:
        """A machine goes with all its executions, as on AWS; those still running end first."""
        with self.lock:
            self.machines.pop(arn, None)
            gone = [execution for execution in self.executions.values() if execution.machine_arn == arn]
        for execution in gone:
            if execution.run:
                execution.run.stop(error=None, cause="The state machine was deleted.")
            execution.journal.unlink(missing_ok=True)
            with self.lock:
                self.executions.pop(execution.arn, None)

    def _load_executions(self) -> None:
        """Read the journals' first and last lines; end what a kill interrupted."""
        for path in sorted(self.folder.glob("*.jsonl")):
            try:
                start = read_start(path)
            except ValueError:
                path.unlink()
                continue
            end = read_end(path) or self._end_interrupted(start, path)
            if start.machine_arn not in self.machines or end.stopped < now() - _KEPT_FOR:
                path.unlink()
                continue
            self.executions[start.arn] = Execution(
                arn=start.arn,
                name=start.name,
                machine_arn=start.machine_arn,
                journal=path,
                started=start.started,
                status=end.status,
                version_arn=start.version_arn,
                alias_arn=start.alias_arn,
                type=start.type,
                stopped=end.stopped,
                redrives=end.redrives,
                redriven=end.redriven,
                map_runs=[map_run["arn"] for map_run in end.map_runs],
            )

    def interrupt_all(self) -> None:
        """The cloud stops in good order: nothing stays RUNNING."""
        with self.lock:
            runs = [execution.run for execution in self.executions.values() if execution.run]
        for run in runs:
            with contextlib.suppress(StateNotSaved):  # the next start ends it
                run.stop(error=INTERRUPTED, cause=_INTERRUPTED_CAUSE.format(arn=run.start.arn))

    def _end_interrupted(self, start: Start, path: Path) -> End:
        events = read_events(path)
        redrives = [event for event in events if event["type"] == "ExecutionRedriven"]
        error, cause = INTERRUPTED, _INTERRUPTED_CAUSE.format(arn=start.arn)
        end = End(
            status="ABORTED",
            stopped=now(),
            error=error,
            cause=cause,
            redrives=len(redrives),
            redriven=redrives[-1]["timestamp"] if redrives else None,
        )
        journal = Journal(path)
        journal.add(
            {
                "event": {
                    "id": len(events) + 1,
                    "previousEventId": 0,
                    "timestamp": end.stopped,
                    "type": "ExecutionAborted",
                    "executionAbortedEventDetails": {"error": error, "cause": cause},
                },
                "at": [],
            }
        )
        journal.end(end)
        self.cloud.on_start(lambda: self._measure_interrupted(start, end))
        return end

    def _measure_interrupted(self, start: Start, end: End) -> None:
        from local_cloud.services.cloudwatch import metrics

        seconds = end.stopped - (end.redriven or start.started)
        metrics.execution_ended(self.cloud, start.machine_arn, status=end.status, seconds=seconds)

    def _save(self) -> dict[str, Any]:
        with self.lock:
            return {
                "machines": copy.deepcopy(list(self.machines.values())),
                "activities": copy.deepcopy(list(self.activities.values())),
            }

    def _restore(self, saved: dict[str, Any]) -> None:
        self.machines = {machine.arn: machine for machine in saved["machines"]}
        self.activities = {activity.arn: activity for activity in saved["activities"]}
        self._load_executions()
