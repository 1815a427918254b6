from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.processes import lines


def pumped(*chunks: bytes) -> list[str]:
    """What `pump` hands over for a stream that is written in these chunks."""
    read_end, write_end = os.pipe()
    got: list[str] = []
    with os.fdopen(read_end, "rb") as stream:
        pump = threading.Thread(target=lines.pump, args=(stream, got.extend))
        pump.start()
        with os.fdopen(write_end, "wb", buffering=0) as out:
            for chunk in chunks:
                out.write(chunk)
        pump.join()
    return got


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([], []),
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a\n\nb"], ["a", "", "b"]),
        ([b"a", b"b\nc", b"d"], ["ab", "cd"]),
        ([b"a\r\n"], ["a"]),
        ([b"caf\xc3", b"\xa9\n"], ["café"]),
        ([b"\xff\n"], ["\ufffd"]),
    ],
)
def test_lines_come_whole(chunks, expected):
    assert pumped(*chunks) == expected


@given(st.lists(st.text(alphabet="abc\n", max_size=20), max_size=8))
def test_however_a_text_is_cut_its_lines_are_the_same(parts):
    text = "".join(parts)
    expected = text.split("\n")
    if expected[-1] == "":
        expected.pop()
    assert pumped(*[part.encode() for part in parts if part]) == expected


def test_a_line_longer_than_an_event_may_be_goes_on_in_the_next():
    got = pumped(b"x" * (2 * lines.LONGEST_LINE + 5), b"\nshort\n")
    assert [len(line) for line in got] == [lines.LONGEST_LINE, lines.LONGEST_LINE, 5, 5]
    assert got[-1] == "short"
