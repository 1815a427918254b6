"""Executions: the operations of the API on them. See `machines` for the form of the methods."""

from __future__ import annotations

import functools
import json
import math
import uuid
from typing import TYPE_CHECKING

from . import arns
from .errors import (
    ExecutionAlreadyExists,
    ExecutionNotRedrivable,
    InvalidArn,
    InvalidExecutionInput,
    StateMachineTypeNotSupported,
)
from .execution_record import Execution
from .journal import End, Journal, Start, begin, read_end, read_lines, read_start
from .json_text import BadJson, parse
from .listings import list_item
from .lookup import target
from .machines import Answer, describe_revision
from .map_runs import describe_child, map_runs_of
from .model import EXPRESS, Alias, Machine, Version, now
from .registry import INTERRUPTED, Registry

if TYPE_CHECKING:
    from .running.logs import Sender
    from .running.progress import Progress

_REDRIVABLE_FOR = 14 * 24 * 3600.0
_BILLED = 100
"""Milliseconds, and up to the next, that an express execution is billed by (https://aws.amazon.com/step-functions/pricing)."""
_BILLED_MEMORY = 64
"""Megabytes, likewise; how much an execution takes on AWS is not known here."""
_LONGEST_SYNC = 300.0
"""Seconds an express execution may take (https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html)."""


class Executions:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._clients = registry.clients()
        self._sender: Sender | None = None

    def start_execution(
        self, *, state_machine_arn: str, name: str | None = None, input: str = "{}", trace_header: str = ""
    ) -> Answer:
        """Idempotent while the first of that name runs with the same input; else a name is used once in 90 days."""
        check_input(input)
        machine, version, alias = target(self.registry, state_machine_arn)
        name = arns.check_name(name) if name is not None else str(uuid.uuid4())
        arn = self._execution_arn(machine, name)
        start = _start(arn, name, machine, version, alias, input=input, trace_header=trace_header)
        with self.registry.lock:
            known = self.registry.executions.get(arn)
            if known:
                if known.run is None or json.loads(known.run.start.input) != json.loads(input):
                    raise ExecutionAlreadyExists(arn)
                return {"executionArn": arn, "startDate": known.started}
            execution = self._add(start)
            self._begin(execution, start)
        return {"executionArn": arn, "startDate": start.started}

    def start_sync_execution(
        self,
        *,
        state_machine_arn: str,
        name: str | None = None,
        input: str = "{}",
        trace_header: str = "",
        included_data: str = "ALL_DATA",
    ) -> Answer:
        """Of an express machine; answers when the execution has ended."""
        machine, _, _ = target(self.registry, state_machine_arn)
        if machine.type != EXPRESS:
            raise StateMachineTypeNotSupported
        started = self.start_execution(
            state_machine_arn=state_machine_arn, name=name, input=input, trace_header=trace_header
        )
        execution = self.registry.execution(started["executionArn"])
        run = execution.run
        if run and not run.wait(_LONGEST_SYNC):
            run.time_out()
        described = self._describe(execution, included_data)
        shown = {key: value for key, value in described.items() if not key.startswith("redrive")}
        milliseconds = ((execution.stopped or now()) - execution.started) * 1000
        return {
            **shown,
            "status": "FAILED" if shown["status"] == "ABORTED" else shown["status"],
            "billingDetails": {
                "billedDurationInMilliseconds": max(1, math.ceil(milliseconds / _BILLED)) * _BILLED,
                "billedMemoryUsedInMB": _BILLED_MEMORY,
            },
        }

    def stop_execution(self, *, execution_arn: str, error: str | None = None, cause: str | None = None) -> Answer:
        """Of one that has ended: the time it ended at."""
        execution = self.registry.execution(arns.check_execution_arn(execution_arn))
        run = execution.run
        stopped = run.stop(error=error, cause=cause) if run else None
        return {"stopDate": execution.stopped or stopped}

    def redrive_execution(self, *, execution_arn: str, client_token: str | None = None) -> Answer:
        """Go on from the state that did not succeed, under the same ARN and definition."""
        from .running.progress import Progress

        execution = self.registry.execution(arns.check_execution_arn(execution_arn))
        start = read_start(execution.journal)
        with self.registry.lock:
            reason = _not_redrivable(execution)
            if reason:
                raise ExecutionNotRedrivable(reason)
            progress = Progress().read(read_lines(execution.journal))
            execution.status, execution.stopped = "RUNNING", None
            execution.redrives += 1
            execution.redriven = now()
            self._begin(execution, start, progress=progress)
        return {"redriveDate": execution.redriven}

    def describe_execution(self, *, execution_arn: str, included_data: str = "ALL_DATA") -> Answer:
        """Of a child execution of a map run, too."""
        if "/" in execution_arn:
            return describe_child(self.registry, arns.check_execution_arn(execution_arn), included_data)
        execution = self.registry.execution(arns.check_execution_arn(execution_arn))
        if execution.type == EXPRESS:
            raise InvalidArn(execution_arn, "Resource type not valid in this context: express")
        return self._describe(execution, included_data)

    def describe_state_machine_for_execution(self, *, execution_arn: str, included_data: str = "ALL_DATA") -> Answer:
        """The definition and role the execution runs with, whatever the machine has now."""
        execution = self.registry.execution(arns.check_execution_arn(execution_arn))
        start = read_start(execution.journal)
        answer = describe_revision(start.revision, included_data)
        return answer | {
            "stateMachineArn": start.machine_arn,
            "name": start.machine_name,
            "updateDate": start.revision.updated,
        }

    def _add(self, start: Start) -> Execution:
        journal = self.registry.new_journal(start.started)
        begin(journal, start)
        execution = Execution(
            arn=start.arn,
            name=start.name,
            machine_arn=start.machine_arn,
            journal=journal,
            started=start.started,
            version_arn=start.version_arn,
            alias_arn=start.alias_arn,
            type=start.type,
        )
        self.registry.executions[start.arn] = execution
        return execution

    def _begin(self, execution: Execution, start: Start, *, progress: Progress | None = None) -> None:
        from local_cloud.services.cloudwatch import metrics

        from . import status_events
        from .running.execution import Run
        from .running.logs import HistoryLog, Sender

        if self._sender is None:
            self._sender = Sender(self.registry.cloud)
        log = None
        if start.revision.logging.get("level", "OFF") != "OFF":
            log = HistoryLog(start, self._sender, redrives=execution.redrives)

        def on_end(end: End) -> None:
            with self.registry.lock:
                execution.status, execution.stopped = end.status, end.stopped
                execution.map_runs = [map_run["arn"] for map_run in end.map_runs]
                execution.run = None
            seconds = end.stopped - (execution.redriven or start.started)
            metrics.execution_ended(self.registry.cloud, start.machine_arn, status=end.status, seconds=seconds)
            if end.error != INTERRUPTED:  # else the cloud is about to end, and its functions and queues with it
                status_events.changed(self.registry.cloud, start, end=end, redrives=execution.redrives)

        journal = Journal(execution.journal)
        keep = functools.partial(self.registry.cloud.persistence.saving.until_done, f"execution {start.name}")
        run = Run(
            start,
            journal,
            self._clients,
            log=log,
            keep=keep,
            on_end=on_end,
            progress=progress,
            redrives=execution.redrives,
        )
        if progress:
            run.map_runs += map_runs_of(execution)
        execution.run = run
        metrics.execution_started(self.registry.cloud, start.machine_arn)
        status_events.changed(self.registry.cloud, start, redrives=execution.redrives)
        run.begin()

    def _execution_arn(self, machine: Machine, name: str) -> str:
        if machine.type == EXPRESS:
            return self.registry.arn("express", f"{machine.name}:{name}:{uuid.uuid4()}")
        return self.registry.arn("execution", f"{machine.name}:{name}")

    def _describe(self, execution: Execution, included_data: str) -> Answer:
        start = read_start(execution.journal)
        end = read_end(execution.journal) if execution.run is None else None
        reason = _not_redrivable(execution)
        answer: Answer = {
            **list_item(execution),
            "inputDetails": {"included": included_data == "ALL_DATA"},
            "traceHeader": start.trace_header or None,
            "redriveStatus": "NOT_REDRIVABLE" if reason else "REDRIVABLE",
            "redriveStatusReason": reason or None,
            "redriveCount": execution.redrives,
        }
        if included_data == "ALL_DATA":
            answer["input"] = start.input
        if end:
            answer |= {"error": end.error, "cause": end.cause}
            if end.output is not None:
                answer["outputDetails"] = {"included": included_data == "ALL_DATA"}
                answer["output"] = end.output if included_data == "ALL_DATA" else None
        return answer


def _start(
    arn: str,
    name: str,
    machine: Machine,
    version: Version | None,
    alias: Alias | None,
    *,
    input: str,
    trace_header: str,
) -> Start:
    return Start(
        arn=arn,
        name=name,
        machine_arn=machine.arn,
        machine_name=machine.name,
        type=machine.type,
        input=input,
        started=now(),
        revision=version.revision if version else machine.revision,
        version_arn=version.arn if version else "",
        alias_arn=alias.arn if alias else "",
        trace_header=trace_header,
    )


def check_input(text: str) -> None:
    if not text:
        raise InvalidExecutionInput("Invalid execution input.")
    try:
        parse(text)
    except BadJson as error:
        raise InvalidExecutionInput(str(error)) from None


def _not_redrivable(execution: Execution) -> str:
    """Why RedriveExecution would refuse, or nothing."""
    if execution.status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {execution.status} and cannot be redriven"
    if execution.stopped and execution.stopped < now() - _REDRIVABLE_FOR:
        return "Execution has exceeded the redrivable period of 14 days"
    return ""
