"""What many threads share: the digest in the file's order, the buffers, the workers."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue_ingest.buffers import Buffers
from glue_ingest.digest import OrderedDigest
from glue_ingest.workers import Workers


@given(st.lists(st.binary(max_size=20), max_size=12).flatmap(lambda parts: st.permutations(list(enumerate(parts)))))
def test_parts_in_any_order_give_the_files_digest(parts: list[tuple[int, bytes]]) -> None:
    digest, done = OrderedDigest(), []
    for index, part in parts:
        digest.add(index, bytearray(part), done=lambda index=index: done.append(index))
    assert digest.hexdigest() == hashlib.sha256(b"".join(part for _, part in sorted(parts))).hexdigest()
    assert done == list(range(len(parts)))


def test_parts_from_many_threads_give_the_files_digest() -> None:
    digest = OrderedDigest()
    parts = [bytearray([n]) * 100_000 for n in range(40)]
    with Workers(8) as workers:
        for index, part in enumerate(parts):
            workers.submit(lambda index, part: digest.add(index, part, done=lambda: None), index, part)
        workers.wait()
    assert digest.hexdigest() == hashlib.sha256(b"".join(parts)).hexdigest()


def test_buffers_are_lent_again_when_their_last_holder_lets_go() -> None:
    buffers = Buffers(1, size=8)
    first = buffers.take(8, while_waiting=lambda: None)
    release = buffers.shared(first, holders=2)
    release()

    class NotYet(Exception):
        pass

    def give_up() -> Any:
        raise NotYet

    with pytest.raises(NotYet):
        buffers.take(8, while_waiting=give_up)
    release()
    assert buffers.take(8, while_waiting=lambda: None) is first
    buffers.give_back(first)
    assert len(buffers.take(3, while_waiting=lambda: None)) == 3


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
