"""A definition as the interpreter's grammar takes it.

The grammar of moto 5.2.5 lacks some of the language. What it lacks and Map states need is taken out here and given to
them as it is (`maps`), the rest is said in words that it knows.
"""

from __future__ import annotations

from typing import Any

from .fields import JSONPATH

#: What Map states evaluate themselves: the grammar knows it in part or not at all.
_MAP_FIELDS = (
    "ItemBatcher",
    "ItemReader",
    "ItemSelector",
    "Label",
    "MaxConcurrency",
    "MaxConcurrencyPath",
    "Parameters",
    "ResultWriter",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
)


def for_grammar(machine: dict[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The definition to parse, and what was taken out of each Map state, by its name."""
    maps: dict[str, dict[str, Any]] = {}
    return _machine(machine, machine.get("QueryLanguage", JSONPATH), maps), maps


def _machine(machine: dict[str, Any], language: str, maps: dict[str, dict[str, Any]]) -> dict[str, Any]:
    states = {name: _state(name, state, language, maps) for name, state in machine["States"].items()}
    return machine | {"States": states}


def _state(name: str, state: dict[str, Any], default: str, maps: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Give every state its query language: its own or the whole machine's, never that of the state around it."""
    language = state.get("QueryLanguage", default)
    # The grammar takes any End for the end.
    rewritten = {key: value for key, value in state.items() if not (key == "End" and value is False)}
    rewritten["QueryLanguage"] = language
    if state["Type"] == "Parallel":
        rewritten["Branches"] = [_machine(branch, default, maps) for branch in state["Branches"]]
    elif state["Type"] == "Map":
        field = "Iterator" if "Iterator" in state else "ItemProcessor"
        processor = state[field]
        config = processor.get("ProcessorConfig", {})
        taken = {key: rewritten.pop(key) for key in _MAP_FIELDS if key in rewritten}
        maps[name] = taken | {"QueryLanguage": language, "ProcessorConfig": config}
        inner = _machine(processor, default, maps)
        inner.pop("ProcessorConfig", None)
        rewritten[field] = inner
    return rewritten
