"""A state machine as the interpreter evaluates it. `read` makes it of a definition that `definition.check` accepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from .json_values import Json


@dataclass(frozen=True)
class Template:
    """A value with paths, functions or JSONata expressions in it, and the place in its state that it comes from."""

    place: str
    value: Json


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number: a literal, a JSONata expression in `{% %}`, or a path where `is_path`. `field` has `…Path` then."""

    field: str
    source: Json
    is_path: bool = False


@dataclass(frozen=True, kw_only=True)
class Retrier:
    errors: tuple[str, ...]
    interval: float = 1
    attempts: int = 3
    backoff: float = 2.0
    longest: float = 31_622_400
    jitter: bool = False


@dataclass(frozen=True, kw_only=True)
class Catcher:
    errors: tuple[str, ...]
    next: str
    result_path: str | None = "$"
    assign: Template | None = None
    output: Template | None = None


@dataclass(frozen=True, kw_only=True)
class State:
    name: str
    is_jsonata: bool
    next: str | None
    """None where the state ends its machine."""
    input_path: str | None = "$"
    output_path: str | None = "$"
    assign: Template | None = None
    output: Template | None = None

    kind: ClassVar[str]
    """The Type."""


@dataclass(frozen=True, kw_only=True)
class WithResult(State):
    """A state that makes a result of its input: Pass, Task, Parallel, Map."""

    parameters: Template | None = None
    """Arguments with JSONata."""
    result_selector: Template | None = None
    result_path: str | None = "$"


@dataclass(frozen=True, kw_only=True)
class Retriable(WithResult):
    """A state that can be tried again: Task, Parallel, Map."""

    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()

    failed_event: ClassVar[str] = ""
    """The event of a failure that is not tried again."""


@dataclass(frozen=True, kw_only=True)
class Pass(WithResult):
    kind = "Pass"
    result: Template | None = None
    """Taken as it is."""


@dataclass(frozen=True, kw_only=True)
class Succeed(State):
    kind = "Succeed"


@dataclass(frozen=True, kw_only=True)
class Fail(State):
    kind = "Fail"
    error: Template | None = None
    error_path: str = ""
    cause: Template | None = None
    cause_path: str = ""


@dataclass(frozen=True, kw_only=True)
class Wait(State):
    kind = "Wait"
    seconds: Quantity | None = None
    timestamp: Template | None = None
    timestamp_path: str = ""


@dataclass(frozen=True)
class Comparison:
    """`operator` as the definition has it, with `Path` where the operand is one."""

    variable: str
    operator: str
    operand: Json


@dataclass(frozen=True)
class Combination:
    """And, Or, Not."""

    operator: str
    tests: tuple[Test, ...]


Test: TypeAlias = Comparison | Combination | Template
"""A Template is the Condition of a JSONata rule."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    test: Test
    next: str
    assign: Template | None = None
    output: Template | None = None


@dataclass(frozen=True, kw_only=True)
class Choice(State):
    kind = "Choice"
    rules: tuple[Rule, ...]
    default: str | None


@dataclass(frozen=True, kw_only=True)
class Task(Retriable):
    kind = "Task"
    resource: str
    credentials: Template | None = None
    timeout: Quantity | None = None
    heartbeat: Quantity | None = None


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A state machine, a branch or an item processor."""

    start_at: str
    states: Mapping[str, State] = field(repr=False)
    timeout: float | None = None
    """Seconds."""


@dataclass(frozen=True, kw_only=True)
class Parallel(Retriable):
    kind = "Parallel"
    failed_event = "ParallelStateFailed"
    branches: tuple[Machine, ...]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """ItemReader. `config` is the ReaderConfig."""

    action: str
    parameters: Template
    config: Mapping[str, Json]
    most: Quantity | None


@dataclass(frozen=True, kw_only=True)
class Batcher:
    """ItemBatcher."""

    input: Template | None
    most_items: Quantity | None
    most_bytes: Quantity | None


@dataclass(frozen=True, kw_only=True)
class Writer:
    """ResultWriter. Without `target`, results are the state's output."""

    target: Template | None
    transformation: str
    output_type: str


@dataclass(frozen=True, kw_only=True)
class Map(Retriable):
    kind = "Map"
    failed_event = "MapStateFailed"
    processor: Machine
    is_distributed: bool
    items: Template | None = None
    items_path: str = "$"
    selector: Template | None = None
    max_concurrency: Quantity | None = None
    tolerated_count: Quantity | None = None
    tolerated_percentage: Quantity | None = None
    label: str = ""
    reader: Reader | None = None
    batcher: Batcher | None = None
    writer: Writer | None = None
