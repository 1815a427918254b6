"""A stop that comes between two looks is not seen; counters of two Retry rules can mix; Tasks see no `$$.Map`.

`asl/eval/environment.py` sets `program_state_event` and clears it at once, so only those who wait at that moment wake
up: a Wait entered a moment later sleeps to its end. A scope never runs again once it has ended, so the event stays
set. A frame that is opened in a scope just stopped would run on, and start what nobody then stops: it is stopped like
its scope. `asl/component/eval_component.py:heap_key` makes the key of a rule's counter when it is first read, which
two threads of one shared program can do at once; the object's own identity needs no making. Frames, in which Tasks
are executed, get the context object without what Map put there.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped


class _Latch(threading.Event):
    def clear(self) -> None:
        """Once set, it stays set."""


def apply() -> None:
    init, as_inner_frame_of = Environment.__init__, Environment.as_inner_frame_of.__func__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self.program_state_event = _Latch()
        self.run = self.progress = None

    def inner_frame(cls: Any, env: Any, *args: Any, **kwargs: Any) -> Any:
        frame = as_inner_frame_of(cls, env, *args, **kwargs)
        frame.event_history_context.path = env.event_history_context.path
        frame.event_history_context.entered_id = getattr(env.event_history_context, "entered_id", 0)
        context = env.states.context_object.context_object_data
        if "Map" in context:
            frame.states.context_object.context_object_data["Map"] = context["Map"]
        frame.run, frame.progress = env.run, env.progress
        if not env.is_running():
            frame.program_state_event.set()
        if isinstance(env.program_state(), ProgramStopped):
            frame._program_state = env.program_state()
        return frame

    Environment.__init__ = __init__
    Environment.as_inner_frame_of = classmethod(inner_frame)
    EvalComponent.heap_key = property(lambda self: str(id(self)))
