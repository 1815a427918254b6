"""A distributed Map: a map run, whose items are executions of their own.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html. Child executions have no history
here; a map run shows their number, states, inputs and results.
"""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

from ..model import now
from ..patches.failing_states import failure_of
from ..running.recorder import Muted
from ..running.scopes import ScopeFailed, Stopped, abort, open_scope, outcome, run_side_by_side
from ..running.world import world
from .batches import batches
from .readers import read_items
from .records import Child, MapRun
from .results import write_results

_TOO_MANY = "The specified tolerated failure threshold was exceeded"


def run_distributed(env: Any, name: str, settings: Any, program: Any, items: Any, *, at_once: int) -> Any:
    """The outputs of the children that succeeded, in the items' order, or where ResultWriter put them."""
    count, percentage = settings.tolerated(env)
    map_run = _new_run(env, settings, at_once=at_once, count=count or 0, percentage=percentage or 0)
    env.run.map_runs.append(map_run)
    context = env.event_history_context
    details = {"mapRunStartedEventDetails": {"mapRunArn": map_run.arn}}
    started = env.event_manager.add_event(context, "MapRunStarted", details)
    try:
        s3 = world().client("s3", env)
        items = read_items(env, settings, s3) if settings.reader else items
        selected = [_selected(env, name, settings, index, item) for index, item in enumerate(items)]
        inputs = batches(env, settings, selected)
        map_run.total, map_run.items = len(inputs), len(selected)
        outputs = _run_children(env, name, program, inputs, map_run, allowed=(count, percentage))
        map_run.results_written = len(outputs)
        result = write_results(env, settings, map_run, s3) if settings.writer else outputs
    except Stopped:
        map_run.end("ABORTED")
        raise
    except Exception as error:
        map_run.end("FAILED")
        details = getattr(getattr(error, "failure_event", None), "event_details", None) or {}
        shown = next(iter(details.values()), {"error": "States.Runtime", "cause": str(error)})
        env.event_manager.add_event(context, "MapRunFailed", {"mapRunFailedEventDetails": shown})
        raise
    map_run.end("SUCCEEDED")
    env.event_manager.add_event(context, "MapRunSucceeded")
    env.event_manager.add_event(context, "MapStateSucceeded")
    context.source_event_id = started  # which MapStateExited follows on AWS
    return result


def _new_run(env: Any, settings: Any, *, at_once: int, count: float, percentage: float) -> MapRun:
    label = settings.label or str(uuid.uuid4())
    machine = env.run.start.machine_arn
    return MapRun(
        arn=f"{machine.replace(':stateMachine:', ':mapRun:')}/{label}:{uuid.uuid4()}",
        execution_arn=env.run.start.arn,
        machine_arn=f"{machine}/{label}",
        at_once=at_once,
        tolerated_count=count,
        tolerated_percentage=percentage,
    )


def _selected(env: Any, name: str, settings: Any, index: int, item: Any) -> Any:
    scope = open_scope(env, (name, index))
    scope.states.context_object.context_object_data["Map"] = {"Item": {"Index": index, "Value": item}}
    try:
        return settings.item_input(env, scope, item)
    finally:
        env.delete_frame(scope)


def _run_children(
    env: Any,
    name: str,
    program: Any,
    inputs: list[Any],
    map_run: MapRun,
    *,
    allowed: tuple[float | None, float | None],
) -> list[Any]:
    failed = 0
    counting = threading.Lock()
    scopes = []
    nothing = object()

    def run(index: int) -> Any:
        nonlocal failed
        step = (name, index)
        path = (*env.event_history_context.path, step)
        if path in env.progress.done:
            return env.progress.done.pop(path)
        scope = open_scope(env, step)
        scopes.append(scope)
        child = _new_child(scope, map_run, inputs[index])
        try:
            program.eval(scope)
            output = outcome(scope)
        except ScopeFailed as error:
            child.status, child.stopped = "FAILED", now()
            child.error, child.cause = error.details.get("error"), error.details.get("cause")
            with counting:
                failed += 1
                too_many = _exceeds(failed, len(inputs), *allowed)
            if too_many:
                raise
            return nothing
        except Stopped:
            child.status, child.stopped = "ABORTED", now()
            raise
        finally:
            env.delete_frame(scope)
        child.status, child.stopped = "SUCCEEDED", now()
        child.output = json.dumps(output, separators=(",", ":"), ensure_ascii=False)
        env.run.child_done(path, output)
        return output

    try:
        outputs = run_side_by_side(env, len(inputs), at_once=map_run.at_once, run=run)
    except ScopeFailed:
        abort(scopes)
        raise failure_of(env, {"error": "States.ExceedToleratedFailureThreshold", "cause": _TOO_MANY}) from None
    return [output for output in outputs if output is not nothing]


def _exceeds(failed: int, total: int, count: float | None, percentage: float | None) -> bool:
    """By whichever limit the state sets; without any, one failure is too many."""
    by_count = failed > (count or 0) if count is not None or percentage is None else False
    by_percentage = percentage is not None and failed * 100 > percentage * total
    return by_count or by_percentage


def _new_child(scope: Any, map_run: MapRun, input: Any) -> Child:
    """A child has an execution's place of its own in the context object, and writes no history."""
    name = str(uuid.uuid4())
    arn = f"{map_run.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
    items = len(input["Items"]) if isinstance(input, dict) and isinstance(input.get("Items"), list) else 1
    child = Child(arn, name, json.dumps(input, separators=(",", ":"), ensure_ascii=False), now(), items=items)
    map_run.add(child)
    context = scope.states.context_object.context_object_data
    context["Execution"] = context["Execution"] | {"Id": arn, "Name": name, "Input": input}
    scope.event_manager = Muted()
    scope.states.reset(input_value=input)
    return child
