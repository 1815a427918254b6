"""Patches of moto 5.2.5's interpreter of the Amazon States Language (`moto/stepfunctions/parser/asl`).

One module per fix. Its docstring says what is wrong, where, and what is right; its `apply()` puts the right in place.
Tests, in `tests/stepfunctions`:

test_paths         compact_json, context_object, json_paths, json_text, result_paths, variables
test_intrinsics    intrinsic_functions, intrinsic_text
test_choice        choice_rules
test_jsonata       jsonata_engine, query_language_scope
test_history       failing_states, parallel_branches
test_failures      environment, error_matching, log_noise, program_loop, retry_waits, state_timeouts, waits
test_maps          map_states
test_services      batch_tasks, clients, service_tasks
test_tokens        activity_tasks

The grammar takes most of a second to import, so the first definition or execution applies the patches, never the start
of the server. `FIRST` replaces what other modules of moto copy when they are imported; the rest change classes.
"""

from __future__ import annotations

import importlib
import threading

FIRST = ("batch_tasks", "compact_json", "json_paths")
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
    """Import the interpreter and patch it, once. Costs a second the first time."""
    global _applied  # noqa: PLW0603 - one interpreter per process
    with _lock:
        if not _applied:
            for name in FIRST + THEN:
                importlib.import_module(f"{__name__}.{name}").apply()
            _applied = True
