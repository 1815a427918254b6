"""Pages of keys: prefix, delimiter and markers, the same for objects, versions and uploads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from local_cloud.services.s3.storage.walk import LAST

T = TypeVar("T")


@dataclass
class Page(Generic[T]):
    """One page: items and common prefixes together are at most `max_keys`. `last` is where it ended."""

    items: list[T] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    truncated: bool = False
    last: str = ""


def common_prefix(key: str, *, prefix: str, delimiter: str) -> str:
    """The part of `key` up to the first delimiter past the prefix, "" without one."""
    if not delimiter:
        return ""
    found = key.find(delimiter, len(prefix))
    return key[: found + len(delimiter)] if found >= 0 else ""


def start(after: str, *, prefix: str, delimiter: str, inside: bool = False) -> str:
    """Return where to begin past a marker: a marker that is a common prefix hides everything under it.

    With `inside`, so does a marker that lies under one, as in all listings but ListObjectsV2.
    """
    folded = common_prefix(after, prefix=prefix, delimiter=delimiter) if after.startswith(prefix) else ""
    return folded + LAST if folded and (inside or folded == after) else after


def page(
    entries: Iterable[tuple[str, T]],
    *,
    prefix: str,
    delimiter: str,
    max_keys: int,
    seek: Callable[[str], None] = lambda after: None,
) -> Page[T]:
    """Cut one page off `entries` (key and item in key order). `seek` tells them what may be passed over."""
    result: Page[T] = Page()
    if max_keys == 0:
        return result
    for key, item in entries:
        folded = common_prefix(key, prefix=prefix, delimiter=delimiter)
        if folded and result.prefixes and result.prefixes[-1] == folded:
            continue
        if len(result.items) + len(result.prefixes) >= max_keys:
            result.truncated = True
            break
        if folded:
            result.prefixes.append(folded)
            result.last = folded
            seek(folded + LAST)
        else:
            result.items.append(item)
            result.last = key
    return result
