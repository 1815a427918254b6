"""Bytes from file to file without passing through Python where the system can do that."""

from __future__ import annotations

import os
from typing import BinaryIO


def copy_range(source: BinaryIO, target: BinaryIO, *, offset: int, length: int) -> None:
    """Append `length` bytes of `source` from `offset` to `target`. OSError when the source is shorter."""
    target.flush()
    left = length
    while left:
        done = _copy_some(source.fileno(), target.fileno(), offset, left)
        if not done:
            raise OSError(f"{source.name}: {left} bytes are missing")
        offset, left = offset + done, left - done


def _copy_some(source: int, target: int, offset: int, length: int) -> int:
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target, min(length, 1 << 30), offset_src=offset)
        except OSError:
            pass  # not between these file systems
    return os.write(target, os.pread(source, min(length, 1 << 20), offset))
