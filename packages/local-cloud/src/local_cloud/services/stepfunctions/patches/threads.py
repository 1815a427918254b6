"""Threads are remembered for ever.

moto appends every thread it starts to `parser/utils.py:TMP_THREADS` and empties that list only between its own
tests: a server would grow by a few threads a state. Nothing else reads it.
"""

from __future__ import annotations

from typing import Any


class _Forgetful(list[Any]):
    def append(self, thread: Any) -> None:
        pass


def apply() -> None:
    from moto.stepfunctions.parser import utils

    utils.TMP_THREADS = _Forgetful()
