"""ItemBatcher: several items as the input of one child execution.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

from __future__ import annotations

from ..language.json_values import Json, compact
from ..language.tree import Batcher
from ..running.scope import Scope
from ..running.values import fill, number

_MOST_BYTES = 256 * 1024


def batches(scope: Scope, batcher: Batcher | None, data: Json, items: list[Json]) -> list[Json]:
    """The items themselves without a batcher, else `{"BatchInput": …, "Items": […]}` of each batch."""
    if batcher is None:
        return items
    most = number(scope, batcher.most_items, data) or len(items)
    most_bytes = number(scope, batcher.most_bytes, data) or _MOST_BYTES
    common: dict[str, Json] = {}
    if batcher.input is not None:
        common["BatchInput"] = fill(scope, batcher.input, data)
    made: list[Json] = []
    current: list[Json] = []
    size = base = len(compact(common | {"Items": []}))
    for item in items:
        bytes_of_item = len(compact(item).encode()) + 1
        if current and (len(current) >= most or size + bytes_of_item > most_bytes):
            made.append(common | {"Items": current})
            current, size = [], base
        current.append(item)
        size += bytes_of_item
    return [*made, common | {"Items": current}] if current else made
