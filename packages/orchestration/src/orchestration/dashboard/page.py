"""One self-contained HTML file from the report: style, scripts and data all inside, and nothing it may fetch."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestration.dashboard.data import Reviews

_ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = ("dom.js", "reviews.js", "charts.js", "product.js", "page.js")
_CHART_JS = "chart.js/chart.umd.min.js"
_TYPES = {"I": "u32", "d": "f64"}


def write(path: Path, reviews: Reviews, run: Mapping[str, Any]) -> None:
    """Write the page at once or not at all.

    `run` is what its head tells of the run: environment, manifest, written, run_id, since_year, rows_read,
    rows_loaded and rows_reported.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_pieces(reviews, run))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _pieces(reviews: Reviews, run: Mapping[str, Any]) -> Iterator[str]:
    chart = re.sub(r"\n//# sourceMappingURL=.*", "", _asset(_CHART_JS))
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {_digest(chart)} {_digest(script)}"
    )
    values = {"policy": policy, "style": _asset("page.css"), "chart": chart, "script": script}
    # Odd pieces are names of what goes there; what is put in is never looked at again.
    for place, piece in enumerate(re.split(r"\{\{(\w+)\}\}", _asset("template.html"))):
        if place % 2 == 0:
            yield piece
        elif piece == "columns":
            yield from _columns({"run": run, **vars(reviews)})
        else:
            yield values[piece]


def _columns(columns: Mapping[str, Any]) -> Iterator[str]:
    """Base64 has no `<`, so nothing in the data can end the element it lies in."""
    for name, values in columns.items():
        if isinstance(values, array):
            kind, plain = _TYPES[values.typecode], values.tobytes()
        else:
            kind, plain = "json", json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
        packed = base64.b64encode(gzip.compress(plain, compresslevel=6, mtime=0)).decode("ascii")
        yield f'<script type="text/plain" data-column="{name}" data-type="{kind}">{packed}</script>\n'


def _digest(script: str) -> str:
    """As a content security policy names the only scripts that may run: the hash of an element's text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
