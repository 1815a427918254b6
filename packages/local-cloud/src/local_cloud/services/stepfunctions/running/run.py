"""One execution while it runs: from its first event to its last."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError

from ..definition.compile import compile_definition
from ..journal import End, Journal, Start
from ..maps.records import MapRun
from ..model import now
from ..times import iso
from .history_log import HistoryLog
from .progress import Progress
from .recorder import Recorder


class Run:
    """The threads that evaluate one execution, and the one place that ends it.

    It ends once: by its own result, by StopExecution, by its TimeoutSeconds, or because the cloud stops; whichever
    comes first writes the last event and the journal's end. `on_end(end)` is called then. `keep(write)` sees each
    line through: where the disk is full, the execution waits.
    """

    def __init__(
        self,
        start: Start,
        journal: Journal,
        *,
        log: HistoryLog | None,
        keep: Callable[[Callable[[], None]], None],
        on_end: Callable[[End], None],
        progress: Progress | None = None,
        redrives: int = 0,
    ) -> None:
        self.start = start
        self._journal = journal
        self._log = log
        self._keep = keep
        self._on_end = on_end
        self._redrives = redrives
        self._redriven = now() if redrives else None
        self._lock = threading.Lock()
        """Taken inside the recorder's own lock, never around it."""
        self._sealed = False
        """The journal has its end."""
        self._ended = threading.Event()
        """Every waiter has been notified, too."""
        self._recorder = Recorder(
            self._write, since=self._redriven or start.started, last_id=progress.last_event if progress else 0
        )
        self.map_runs: list[MapRun] = []
        self.env = self._environment(progress or Progress())

    def begin(self) -> None:
        """Write the first event and start to evaluate, in a thread."""
        context = self.env.event_history_context
        if self._redrives:
            details = {"executionRedrivenEventDetails": {"redriveCount": self._redrives}}
            self._recorder.add_event(context, "ExecutionRedriven", details, update_source_event_id=False)
        else:
            self._recorder.add_event(
                context,
                "ExecutionStarted",
                {
                    "executionStartedEventDetails": {
                        "input": self.start.input,
                        "inputDetails": {"truncated": False},
                        "roleArn": self.start.revision.role_arn,
                        "stateMachineAliasArn": self.start.alias_arn or None,
                        "stateMachineVersionArn": self.start.version_arn or None,
                    }
                },
                update_source_event_id=False,
            )
        threading.Thread(target=self._evaluate, name=self.start.name, daemon=True).start()

    def stop(self, *, error: str | None, cause: str | None) -> float:
        """End it as ABORTED. Returns when it stopped, in seconds since 1970."""
        details = {"error": error, "cause": cause}
        return self._end("ABORTED", "ExecutionAborted", "executionAbortedEventDetails", details, previous=0)

    def time_out(self) -> None:
        """End it as TIMED_OUT."""
        details = {"error": "States.Timeout"}
        self._end("TIMED_OUT", "ExecutionTimedOut", "executionTimedOutEventDetails", details, previous=0)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within that time."""
        return self._ended.wait(seconds)

    def child_done(self, path: Any, output: Any) -> None:
        """A branch or iteration came to its end."""
        with self._lock:
            if not self._sealed:
                self._keep(lambda: self._journal.add({"done": list(path), "output": output}))

    def _environment(self, progress: Progress) -> Any:
        settings = self.start
        context = {
            "Execution": {
                "Id": settings.arn,
                "Input": json.loads(settings.input),
                "Name": settings.name,
                "RoleArn": settings.revision.role_arn,
                "StartTime": iso(settings.started),
                "RedriveCount": self._redrives,
            },
            "StateMachine": {"Id": settings.machine_arn, "Name": settings.machine_name},
        }
        if self._redriven:
            context["Execution"]["RedriveTime"] = iso(self._redriven)
        _, _, _, region, account, *_ = settings.arn.split(":")
        env = Environment(
            aws_execution_details=AWSExecutionDetails(account, region, settings.revision.role_arn),
            execution_type=settings.type,
            context=context,
            event_history_context=EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store={},
        )
        env.event_manager = self._recorder
        env.run, env.progress = self, progress
        env.event_history_context.path = ()
        return env

    def _evaluate(self) -> None:
        program = compile_definition(self.start.revision.definition)
        timer = None
        if program.timeout_seconds:
            timer = threading.Timer(program.timeout_seconds.timeout_seconds, self.time_out)
            timer.daemon = True
            timer.start()
        program.eval(self.env)
        if timer:
            timer.cancel()
        state = self.env.program_state()
        if isinstance(state, ProgramEnded):
            output = json.dumps(self.env.states.get_input(), separators=(",", ":"), ensure_ascii=False)
            details: dict[str, Any] = {"output": output, "outputDetails": {"truncated": False}}
            self._end("SUCCEEDED", "ExecutionSucceeded", "executionSucceededEventDetails", details)
        elif isinstance(state, ProgramError):
            failed = state.error or {}
            details = {name: failed.get(name) for name in ("error", "cause")}
            self._end("FAILED", "ExecutionFailed", "executionFailedEventDetails", details)

    def _end(
        self, status: str, event: str, member: str, details: dict[str, Any], *, previous: int | None = None
    ) -> float:
        stopped = self._recorder.now()
        if not self._recorder.close(event, {member: details}, previous=previous):
            return stopped
        end = End(
            status=status,
            stopped=stopped,
            output=details.get("output"),
            # AWS describes an execution that timed out without an error (recorded, see `errors`).
            error=details.get("error") if status != "TIMED_OUT" else None,
            cause=details.get("cause"),
            redrives=self._redrives,
            redriven=self._redriven,
            map_runs=[map_run.saved() for map_run in self.map_runs],
        )
        with self._lock:
            self._keep(lambda: self._journal.end(end))
            self._sealed = True
        if status not in ("SUCCEEDED", "FAILED"):
            moment = datetime.datetime.now(tz=datetime.UTC)
            self.env.set_stop(stop_date=moment, cause=details.get("cause"), error=details.get("error"))
        self._on_end(end)
        self._ended.set()
        return end.stopped

    def _write(self, event: dict[str, Any], path: list[Any]) -> None:
        with self._lock:
            if not self._sealed:
                self._keep(lambda: self._journal.add({"event": event, "at": path}))
        if self._log:
            self._log.add(event)
