"""Everything Step Functions knows, and how it comes back after a restart."""

from __future__ import annotations

import contextlib
import threading
import uuid
from pathlib import Path
from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.errors import StateNotSaved

from .errors import ExecutionDoesNotExist, StateMachineDoesNotExist
from .execution_record import Execution
from .integrations.clients import Clients
from .journal import End, Journal, Start, read_end, read_events, read_start
from .model import Activity, Machine, now
from .saved import Saved

_KEPT_FOR = 90 * 24 * 3600.0
"""Seconds AWS keeps an ended execution and its name (API_StartExecution, "name")."""

INTERRUPTED = "LocalCloud.Interrupted"
_INTERRUPTED_CAUSE = (
    "The local cloud stopped while this execution ran. Go on from the state it was in with"
    " `aws stepfunctions redrive-execution --execution-arn {arn}`, or start it again."
)


class Registry:
    """Machines and activities by ARN, executions by ARN in the order they were started.

    `lock` guards the dictionaries and what hangs on them. Machines and activities are rows of a database, written
    when `cloud.persistence` asks for it; executions are their journals, in `<control-plane>/executions/`.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.lock = threading.RLock()
        self.machines: dict[str, Machine] = {}
        self.activities: dict[str, Activity] = {}
        self.executions: dict[str, Execution] = {}
        self.folder = cloud.persistence.folder / "executions"
        self._saved = Saved(cloud.persistence.folder / "state-machines.sqlite")
        cloud.persistence.register_elsewhere("stepfunctions", write=self._write, adopt=self._adopt)
        self.machines, self.activities = self._saved.load()
        self._load_executions()
        cloud.upkeep.add("old executions", self.expire)
        cloud.on_stop(self.interrupt_all)

    def arn(self, kind: str, name: str) -> str:
        settings = self.cloud.settings
        return f"arn:aws:states:{settings.region}:{settings.account_id}:{kind}:{name}"

    def clients(self) -> Clients:
        """What states reach others by."""
        return Clients(
            self.cloud,
            execution_status=lambda arn: self.execution(arn).status,
            has_activity=lambda arn: arn in self.activities,
        )

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

    def new_journal(self, started: float) -> Path:
        return self.folder / f"{int(started * 1000):015d}-{uuid.uuid4().hex[:12]}.jsonl"

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
                end = read_end(path) or self._end_interrupted(start, path)
            except (ValueError, KeyError, TypeError) as error:
                self.cloud.persistence.set_aside(path, str(error))
                continue
            if end.stopped < now() - _KEPT_FOR:
                path.unlink()
                continue
            if start.machine_arn not in self.machines:
                continue  # shown again once the machine is deployed again
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
        self.cloud.on_start(lambda: self._report_interrupted(start, end))
        return end

    def _report_interrupted(self, start: Start, end: End) -> None:
        from local_cloud.services.cloudwatch import metrics

        from . import status_events

        seconds = end.stopped - (end.redriven or start.started)
        metrics.execution_ended(self.cloud, start.machine_arn, status=end.status, seconds=seconds)
        status_events.changed(self.cloud, start, end=end, redrives=end.redrives)

    def expire(self) -> None:
        """Delete the executions that ended longer ago than AWS keeps them."""
        with self.lock:
            old = [e for e in self.executions.values() if e.stopped and not e.run and e.stopped < now() - _KEPT_FOR]
            for execution in old:
                del self.executions[execution.arn]
        for execution in old:
            execution.journal.unlink(missing_ok=True)

    def _write(self) -> None:
        with self.lock:
            self._saved.save(self.machines, self.activities)

    def _adopt(self, saved: dict[str, Any]) -> None:
        """Take over what an earlier version kept in the saved state."""
        machines, activities = ({each.arn: each for each in saved[kind]} for kind in ("machines", "activities"))
        self._saved.save(machines, activities)
