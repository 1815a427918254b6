"""From the JSON of a definition to its tree. The definition is one that `definition.check` accepts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypedDict

from .json_values import Json
from .tree import (
    Batcher,
    Catcher,
    Choice,
    Combination,
    Comparison,
    Fail,
    Machine,
    Map,
    Parallel,
    Pass,
    Quantity,
    Reader,
    Retrier,
    Rule,
    State,
    Succeed,
    Task,
    Template,
    Test,
    Wait,
    Writer,
)

Fields = Mapping[str, Json]


@lru_cache(maxsize=128)
def read_machine(text: str) -> Machine:
    """Read a whole definition. Trees are never changed, so executions share them."""
    fields = json.loads(text)
    return _machine(fields, fields.get("QueryLanguage", "JSONPath"))


def find_state(text: str, name: str) -> State | None:
    """Read the state of a name, wherever it is in a definition. Returns None where there is none."""
    fields = json.loads(text)
    found = _find(fields, name)
    return None if found is None else read_state(name, found, fields.get("QueryLanguage", "JSONPath"))


def read_state(name: str, fields: Fields, language: str = "JSONPath") -> State:
    """Read a state alone. Its language is its own or the one given."""
    return _STATES[fields["Type"]](name, fields, language)


def _find(machine: Fields, name: str) -> Fields | None:
    states: Mapping[str, Fields] = machine["States"]
    if name in states:
        return states[name]
    for state in states.values():
        processor = state.get("Iterator") or state.get("ItemProcessor")
        for inner in [*state.get("Branches", ()), *([processor] if processor else ())]:
            if found := _find(inner, name):
                return found
    return None


def _machine(fields: Fields, language: str) -> Machine:
    """Read a machine, a branch or a processor. A state's language is its own or the whole machine's."""
    states = {name: read_state(name, state, language) for name, state in fields["States"].items()}
    return Machine(start_at=fields["StartAt"], states=states, timeout=fields.get("TimeoutSeconds"))


class _Common(TypedDict):
    name: str
    is_jsonata: bool
    next: str | None
    input_path: str | None
    output_path: str | None
    assign: Template | None
    output: Template | None


class _Result(TypedDict):
    parameters: Template | None
    result_selector: Template | None
    result_path: str | None


class _Attempts(TypedDict):
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]


def _common(name: str, fields: Fields, language: str) -> _Common:
    return _Common(
        name=name,
        is_jsonata=fields.get("QueryLanguage", language) == "JSONata",
        next=fields.get("Next"),
        input_path=fields.get("InputPath", "$"),
        output_path=fields.get("OutputPath", "$"),
        assign=_template(fields, "Assign"),
        output=_template(fields, "Output"),
    )


def _result(fields: Fields) -> _Result:
    return _Result(
        parameters=_template(fields, "Arguments") or _template(fields, "Parameters"),
        result_selector=_template(fields, "ResultSelector"),
        result_path=fields.get("ResultPath", "$"),
    )


def _attempts(fields: Fields) -> _Attempts:
    return _Attempts(
        retry=tuple(map(_retrier, fields.get("Retry") or ())),
        catch=tuple(_catcher(each, f"Catch[{index}]/") for index, each in enumerate(fields.get("Catch") or ())),
    )


def _pass(name: str, fields: Fields, language: str) -> State:
    return Pass(**_common(name, fields, language), **_result(fields), result=_template(fields, "Result"))


def _succeed(name: str, fields: Fields, language: str) -> State:
    return Succeed(**_common(name, fields, language))


def _fail(name: str, fields: Fields, language: str) -> State:
    return Fail(
        **_common(name, fields, language),
        error=_template(fields, "Error"),
        error_path=fields.get("ErrorPath", ""),
        cause=_template(fields, "Cause"),
        cause_path=fields.get("CausePath", ""),
    )


def _wait(name: str, fields: Fields, language: str) -> State:
    return Wait(
        **_common(name, fields, language),
        seconds=_quantity(fields, "Seconds"),
        timestamp=_template(fields, "Timestamp"),
        timestamp_path=fields.get("TimestampPath", ""),
    )


def _choice(name: str, fields: Fields, language: str) -> State:
    rules = tuple(_rule(rule, f"Choices[{index}]/") for index, rule in enumerate(fields["Choices"]))
    return Choice(**_common(name, fields, language), rules=rules, default=fields.get("Default"))


def _task(name: str, fields: Fields, language: str) -> State:
    return Task(
        **_common(name, fields, language),
        **_result(fields),
        **_attempts(fields),
        resource=fields["Resource"],
        credentials=_template(fields, "Credentials"),
        timeout=_quantity(fields, "TimeoutSeconds"),
        heartbeat=_quantity(fields, "HeartbeatSeconds"),
    )


def _parallel(name: str, fields: Fields, language: str) -> State:
    branches = tuple(_machine(branch, language) for branch in fields["Branches"])
    return Parallel(**_common(name, fields, language), **_result(fields), **_attempts(fields), branches=branches)


def _map(name: str, fields: Fields, language: str) -> State:
    processor = fields.get("Iterator") or fields["ItemProcessor"]
    result = _result({key: value for key, value in fields.items() if key != "Parameters"})
    return Map(
        **_common(name, fields, language),
        **result,
        **_attempts(fields),
        processor=_machine(processor, language),
        is_distributed=processor.get("ProcessorConfig", {}).get("Mode", "INLINE") == "DISTRIBUTED",
        items=_template(fields, "Items"),
        items_path=fields.get("ItemsPath", "$"),
        selector=_template(fields, "ItemSelector") or _template(fields, "Parameters"),
        max_concurrency=_quantity(fields, "MaxConcurrency"),
        tolerated_count=_quantity(fields, "ToleratedFailureCount"),
        tolerated_percentage=_quantity(fields, "ToleratedFailurePercentage"),
        label=fields.get("Label", ""),
        reader=_reader(fields["ItemReader"]) if "ItemReader" in fields else None,
        batcher=_batcher(fields["ItemBatcher"]) if "ItemBatcher" in fields else None,
        writer=_writer(fields["ResultWriter"]) if "ResultWriter" in fields else None,
    )


def _reader(fields: Fields) -> Reader:
    config = fields.get("ReaderConfig", {})
    return Reader(
        action=fields["Resource"].rpartition(":")[2],
        parameters=_target(fields, "ItemReader/"),
        config=config,
        most=_quantity(config, "MaxItems", "ItemReader/ReaderConfig/"),
    )


def _batcher(fields: Fields) -> Batcher:
    return Batcher(
        input=_template(fields, "BatchInput", "ItemBatcher/"),
        most_items=_quantity(fields, "MaxItemsPerBatch", "ItemBatcher/"),
        most_bytes=_quantity(fields, "MaxInputBytesPerBatch", "ItemBatcher/"),
    )


def _writer(fields: Fields) -> Writer:
    config = fields.get("WriterConfig", {})
    return Writer(
        target=_target(fields, "ResultWriter/") if "Resource" in fields else None,
        transformation=config.get("Transformation", "NONE"),
        output_type=config.get("OutputType", "JSON"),
    )


def _target(fields: Fields, place: str) -> Template:
    """The object in S3 that is read or written."""
    found = _template(fields, "Arguments", place) or _template(fields, "Parameters", place)
    return found or Template(f"{place}Parameters", {})


def _rule(fields: Fields, place: str) -> Rule:
    return Rule(
        test=_template(fields, "Condition", place) or _test(fields),
        next=fields["Next"],
        assign=_template(fields, "Assign", place),
        output=_template(fields, "Output", place),
    )


def _test(fields: Fields) -> Test:
    for name in ("And", "Or"):
        if name in fields:
            return Combination(name, tuple(map(_test, fields[name])))
    if "Not" in fields:
        return Combination("Not", (_test(fields["Not"]),))
    operator = next(name for name in fields if name not in ("Variable", "Next", "Comment", "Assign"))
    return Comparison(fields["Variable"], operator, fields[operator])


def _retrier(fields: Fields) -> Retrier:
    return Retrier(
        errors=tuple(fields["ErrorEquals"]),
        interval=fields.get("IntervalSeconds", Retrier.interval),
        attempts=fields.get("MaxAttempts", Retrier.attempts),
        backoff=fields.get("BackoffRate", Retrier.backoff),
        longest=fields.get("MaxDelaySeconds", Retrier.longest),
        jitter=fields.get("JitterStrategy") == "FULL",
    )


def _catcher(fields: Fields, place: str) -> Catcher:
    return Catcher(
        errors=tuple(fields["ErrorEquals"]),
        next=fields["Next"],
        result_path=fields.get("ResultPath", "$"),
        assign=_template(fields, "Assign", place),
        output=_template(fields, "Output", place),
    )


def _template(fields: Fields, name: str, place: str = "") -> Template | None:
    return Template(place + name, fields[name]) if name in fields else None


def _quantity(fields: Fields, name: str, place: str = "") -> Quantity | None:
    if f"{name}Path" in fields:
        return Quantity(field=f"{place}{name}Path", source=fields[f"{name}Path"], is_path=True)
    return Quantity(field=place + name, source=fields[name]) if name in fields else None


_STATES: dict[str, Callable[[str, Fields, str], State]] = {
    "Choice": _choice,
    "Fail": _fail,
    "Map": _map,
    "Parallel": _parallel,
    "Pass": _pass,
    "Succeed": _succeed,
    "Task": _task,
    "Wait": _wait,
}
