"""What many threads share: the buffers and the workers."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from glue_ingest.buffers import Buffers
from glue_ingest.workers import Workers


def test_a_buffer_is_lent_again_once_it_is_given_back() -> None:
    buffers = Buffers(1, size=8)
    first = buffers.take(8, while_waiting=lambda: None)

    class NotYet(Exception):
        pass

    def give_up() -> Any:
        raise NotYet

    with pytest.raises(NotYet):
        buffers.take(8, while_waiting=give_up)
    buffers.give_back(first)
    assert buffers.take(8, while_waiting=lambda: None) is first


def test_a_shortened_buffer_is_whole_again_for_the_next() -> None:
    buffers = Buffers(1, size=8)
    buffers.give_back(buffers.take(3, while_waiting=lambda: None))
    assert len(buffers.take(8, while_waiting=lambda: None)) == 8


def test_workers_raise_the_first_error_and_drop_what_has_not_begun() -> None:
    begun, gate = [], threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise LookupError("the first")
        gate.wait(10)

    with pytest.raises(LookupError, match="the first"), Workers(2) as workers:
        for number in range(10):
            workers.submit(work, number)
        workers.wait()
    gate.set()
    assert set(begun) <= {0, 1, 2}


def test_workers_may_submit_work() -> None:
    done: list[int] = []

    with Workers(1) as workers:
        workers.submit(lambda: workers.submit(done.append, 1))
        workers.wait()
    assert done == [1]
