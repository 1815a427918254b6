"""One assumption, and how it is asked of an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestration.conformance.ground import Ground


@dataclass(frozen=True)
class Probe:
    """One assumption: `ask` finds out; `rests_on_it` is what would break. `warehouse` is whether it needs one."""

    name: str
    assumption: str
    rests_on_it: str
    ask: Callable[[Ground], Any]
    warehouse: bool = False
