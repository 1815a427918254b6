"""One execution while it runs: from its first event to its last."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from ..integrations.clients import Clients
from ..journal import End, Journal, Start
from ..language.errors import RUNTIME, TIMEOUT, Event, StateError
from ..language.json_values import Json, compact
from ..language.read import read_machine
from ..language.tree import Machine
from ..maps.records import MapRun
from ..model import now
from ..times import iso
from .history import Cursor, History, HistoryFull
from .life import Life, Stopped
from .logs import HistoryLog
from .machine import run_machine
from .progress import Path, Progress
from .scope import Scope


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
        clients: Clients,
        *,
        log: HistoryLog | None,
        keep: Callable[[Callable[[], None]], None],
        on_end: Callable[[End], None],
        progress: Progress | None = None,
        redrives: int = 0,
    ) -> None:
        self.start = start
        self.clients = clients
        self.progress = progress or Progress()
        self.map_runs: list[MapRun] = []
        self._journal = journal
        self._log = log
        self._keep = keep
        self._on_end = on_end
        self._redrives = redrives
        self._redriven = now() if redrives else None
        self._lock = threading.Lock()
        """Taken inside the history's own lock, never around it."""
        self._sealed = False
        """The journal has its end."""
        self._ended = threading.Event()
        """Every waiter has been notified, too."""
        self.history = History(self._write, since=self._redriven or start.started, last_id=self.progress.last_event)
        context = self._context_object()
        self._scope = Scope(
            execution=self,
            life=Life(),
            cursor=Cursor(),
            context=context,
            variables={},
            written=(context["Execution"]["Input"], start.input),
        )

    def begin(self) -> None:
        """Write the first event and start to evaluate, in a thread."""
        if self._redrives:
            self._scope.record("ExecutionRedriven", {"redriveCount": self._redrives}, is_followed=False)
        else:
            details = {
                "input": self.start.input,
                "inputDetails": {"truncated": False},
                "roleArn": self.start.revision.role_arn,
                "stateMachineAliasArn": self.start.alias_arn or None,
                "stateMachineVersionArn": self.start.version_arn or None,
            }
            self._scope.record("ExecutionStarted", details, is_followed=False)
        threading.Thread(target=self._evaluate, name=self.start.name, daemon=True).start()

    def stop(self, *, error: str | None, cause: str | None) -> float:
        """End it as ABORTED. Returns when it stopped, in seconds since 1970."""
        return self._end("ABORTED", "ExecutionAborted", {"error": error, "cause": cause}, previous=0)

    def time_out(self) -> None:
        """End it as TIMED_OUT."""
        self._end("TIMED_OUT", "ExecutionTimedOut", {"error": TIMEOUT}, previous=0)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within that time."""
        return self._ended.wait(seconds)

    def child_done(self, path: Path, output: Json) -> None:
        """A branch or iteration came to its end."""
        with self._lock:
            if not self._sealed:
                self._keep(lambda: self._journal.add({"done": list(path), "output": output}))

    def evaluate(self, machine: Machine, scope: Scope, value: Json) -> Json:
        """Run a machine in a scope. Raises StateError, Stopped and HistoryFull."""
        return run_machine(machine, scope, value)

    def _context_object(self) -> dict[str, Json]:
        start = self.start
        execution = {
            "Id": start.arn,
            "Input": json.loads(start.input),
            "Name": start.name,
            "RoleArn": start.revision.role_arn,
            "StartTime": iso(start.started),
            "RedriveCount": self._redrives,
        }
        if self._redriven:
            execution["RedriveTime"] = iso(self._redriven)
        return {
            "Execution": execution,
            "StateMachine": {"Id": start.machine_arn, "Name": start.machine_name},
        }

    def _evaluate(self) -> None:
        machine = read_machine(self.start.revision.definition)
        timer = None
        if machine.timeout:
            timer = threading.Timer(machine.timeout, self.time_out)
            timer.daemon = True
            timer.start()
        try:
            output = run_machine(machine, self._scope, self._scope.context["Execution"]["Input"])
        except Stopped:
            return
        except StateError as error:
            self._end("FAILED", "ExecutionFailed", {"error": error.error or None, "cause": error.cause or None})
        except HistoryFull as error:
            self._end("FAILED", "ExecutionFailed", {"error": RUNTIME, "cause": str(error)})
        else:
            details = {"output": compact(output), "outputDetails": {"truncated": False}}
            self._end("SUCCEEDED", "ExecutionSucceeded", details)
        finally:
            if timer:
                timer.cancel()

    def _end(self, status: str, event: str, details: dict[str, Json], *, previous: int | None = None) -> float:
        stopped = self.history.now()
        if not self.history.close(Event(event, details), previous=previous):
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
        self._scope.life.stop()
        self._on_end(end)
        self._ended.set()
        return end.stopped

    def _write(self, event: dict[str, Json], path: Path) -> None:
        with self._lock:
            if not self._sealed:
                self._keep(lambda: self._journal.add({"event": event, "at": list(path)}))
        if self._log:
            self._log.add(event)
