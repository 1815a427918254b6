from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from orchestration.errors import Terminated
from orchestration.signals import defer_signals, terminable


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    assert {each: signal.getsignal(each) for each in before} == before


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_is_postponed_to_the_end_of_the_block_and_raised_there_once(
    number: signal.Signals, raised: type[BaseException]
) -> None:
    done = []
    with terminable(), pytest.raises(raised):
        with defer_signals():
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)
            time.sleep(0.01)
            done.append("block")
        done.append("after it")
    assert done == ["block"]


def test_without_a_signal_nothing_is_raised() -> None:
    with defer_signals():
        pass
