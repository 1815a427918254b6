"""Runs the steps of a dependency graph, several at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Set

#: Steps at once. They wait for the cloud's own HTTP answers, so more than the processor count helps.
WORKERS = 8


def run(
    graph: Mapping[str, Set[str]],
    step: Callable[[str], None],
    *,
    stop_on_failure: bool,
    may_start: Callable[[], bool],
) -> dict[str, Exception]:
    """Run `step(name)` for each node once all the nodes it requires are done. Gives the failures by name.

    Once `may_start()` is false nothing new starts. After a failure nothing does, or, without `stop_on_failure`,
    nothing that requires what failed. Steps that run are waited for; their threads are daemons, so that a process
    that ends does not wait.
    """
    waiting = {name: set(requires) & graph.keys() for name, requires in graph.items()}
    finished: queue.SimpleQueue[tuple[str, Exception | None]] = queue.SimpleQueue()
    failures: dict[str, Exception] = {}
    running = 0

    def work(name: str) -> None:
        try:
            step(name)
        except Exception as error:
            finished.put((name, error))
        else:
            finished.put((name, None))

    while True:
        halted = (failures and stop_on_failure) or not may_start()
        ready = [] if halted else [name for name, requires in waiting.items() if not requires]
        for name in ready[: WORKERS - running]:
            del waiting[name]
            running += 1
            threading.Thread(target=work, args=(name,), daemon=True).start()
        if not running:
            return failures
        name, error = finished.get()
        running -= 1
        if error is not None:
            failures[name] = error
            continue
        for requires in waiting.values():
            requires.discard(name)


def cycle(graph: Mapping[str, Set[str]]) -> list[str]:
    """The nodes that lie on a cycle or behind one, in order; empty when the graph can be run."""
    waiting = {name: set(requires) & graph.keys() for name, requires in graph.items()}
    while ready := [name for name, requires in waiting.items() if not requires]:
        for name in ready:
            del waiting[name]
        for requires in waiting.values():
            requires.difference_update(ready)
    while behind := [name for name in waiting if not any(name in requires for requires in waiting.values())]:
        for name in behind:
            del waiting[name]
    return sorted(waiting)


def order(graph: Mapping[str, Set[str]]) -> list[str]:
    """The nodes so that each comes after all it requires; ties in the graph's own order."""
    done: dict[str, None] = {}
    waiting = {name: set(requires) & graph.keys() for name, requires in graph.items()}
    while waiting:
        ready = [name for name, requires in waiting.items() if requires <= done.keys()]
        assert ready, "the graph was checked for cycles"
        for name in ready:
            done[name] = None
            del waiting[name]
    return list(done)
