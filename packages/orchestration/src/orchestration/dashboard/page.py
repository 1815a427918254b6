"""One self-contained HTML file from the report: style, scripts and data all inside, and nothing it may fetch."""

from __future__ import annotations

import base64
import gzip
import json
import re
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestration import webpage
from orchestration.dashboard.data import Reviews

_ASSETS = Path(__file__).parent / "assets"
#: In the order in which each needs what the ones before it define; together they are one module.
_SCRIPTS = (
    "dom.js",
    "reviews.js",
    "view.js",
    "charts.js",
    "product.js",
    "panels.js",
    "table.js",
    "filters.js",
    "page.js",
)
_CHART_JS = "chart.js/chart.umd.min.js"
_TYPES = {"I": "u32", "d": "f64"}


def write(path: Path, reviews: Reviews, run: Mapping[str, Any]) -> None:
    """Write the page at once or not at all.

    `run` is what its head tells of the run: environment, manifest, written, run_id, since_year, rows_read,
    rows_loaded and rows_reported.
    """
    webpage.write(path, _pieces(reviews, run))


def _pieces(reviews: Reviews, run: Mapping[str, Any]) -> Iterator[str]:
    chart = re.sub(r"\n//# sourceMappingURL=.*", "", _asset(_CHART_JS))
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    values = {
        "policy": webpage.policy(chart, script),
        "style": webpage.style(_ASSETS / "page.css"),
        "chart": chart,
        "script": script,
    }
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


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
