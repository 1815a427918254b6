"""ItemBatcher: several items as the input of one child execution.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

from __future__ import annotations

import json
from typing import Any

_MOST_BYTES = 256 * 1024


def batches(env: Any, settings: Any, items: list[Any]) -> list[Any]:
    """The items themselves without a batcher, else `{"BatchInput": …, "Items": […]}` of each batch."""
    if settings.batcher is None:
        return items
    most = settings.number(env, settings.batcher, "MaxItemsPerBatch") or len(items)
    most_bytes = settings.number(env, settings.batcher, "MaxInputBytesPerBatch") or _MOST_BYTES
    common: dict[str, Any] = {}
    if "BatchInput" in settings.batcher:
        common["BatchInput"] = settings.template(env, settings.batcher["BatchInput"])
    made: list[Any] = []
    current: list[Any] = []
    size = base = len(json.dumps(common | {"Items": []}, separators=(",", ":")))
    for item in items:
        bytes_of_item = len(json.dumps(item, separators=(",", ":")).encode()) + 1
        if current and (len(current) >= most or size + bytes_of_item > most_bytes):
            made.append(common | {"Items": current})
            current, size = [], base
        current.append(item)
        size += bytes_of_item
    return [*made, common | {"Items": current}] if current else made
