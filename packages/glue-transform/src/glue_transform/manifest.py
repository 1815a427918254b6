"""The manifest of a load: what COPY reads, and what became of every row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """A Parquet file that was written: its URL, its size in bytes, its rows."""

    url: str
    bytes: int
    rows: int


def build(
    parts: Sequence[Part],
    *,
    execution: str | None,
    load: Mapping[str, Any],
    columns: Sequence[str],
    rejected: Mapping[str, int],
    source: Mapping[str, Any],
    drift: Sequence[Mapping[str, Any]],
) -> bytes:
    """Return a Redshift COPY manifest with more keys, which COPY ignores.

    `entries` need `meta.content_length` for Parquet (Redshift's guide, "Using a manifest to specify data files").
    `load` is the parameter set of the load's SQL, as it stands; `execution` is whose load it is, None if nobody's;
    `columns` are the table's, as the files have them.
    """
    document = {
        "entries": [{"url": part.url, "mandatory": True, "meta": {"content_length": part.bytes}} for part in parts],
        "execution": execution,
        "load": load,
        "columns": columns,
        "rejected": rejected,
        "source": source,
        "drift": drift,
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def load_id_of(manifest: bytes | None) -> str | None:
    """Return the load that a manifest published, if it is a manifest of this job."""
    try:
        found = json.loads(manifest or b"{}")["load"]["load_id"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
