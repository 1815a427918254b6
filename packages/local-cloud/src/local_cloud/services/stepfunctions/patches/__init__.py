"""Mends of moto 5.2.5's interpreter of the Amazon States Language (`moto/stepfunctions/parser/asl`).

One module per mend. Its docstring says what is wrong, where, and what is right; its `apply()` puts the right in place;
`tests/stepfunctions/test_patches_*.py` has one test, or one table of cases, for each.

The grammar takes about a second to import, so the first definition or execution applies the mends, never the start
of the server. `FIRST` replaces names that other modules of moto copy when they are imported; the rest change classes.
"""

from __future__ import annotations

import importlib
import threading

FIRST = ("compact_json", "json_paths", "threads")
THEN = (
    "activity_tasks",
    "choice_rules",
    "clients",
    "context_object",
    "environment",
    "error_matching",
    "failing_states",
    "intrinsic_functions",
    "intrinsic_text",
    "json_text",
    "jsonata_engine",
    "log_noise",
    "map_states",
    "parallel_branches",
    "program_loop",
    "query_language_scope",
    "result_paths",
    "retry_waits",
    "service_tasks",
    "state_timeouts",
    "variables",
    "waits",
)

_lock = threading.Lock()
_applied = False


def apply() -> None:
    """Import the interpreter and mend it, once. Costs a second the first time."""
    global _applied  # noqa: PLW0603 - one interpreter per process
    with _lock:
        if not _applied:
            for name in FIRST + THEN:
                importlib.import_module(f"{__name__}.{name}").apply()
            _applied = True
