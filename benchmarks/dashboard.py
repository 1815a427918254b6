"""How long `elt dashboard reviews` takes to write a page, and the page to show and to answer, in Chromium.

    python benchmarks/dashboard.py [REVIEWS] [PRODUCTS]

In seconds; what the browser does, as medians of five. "shows" is from the navigation to all panels being there, the
rest from the click or key to the next frame. Ends with 1 when a target is missed: a report of 100,000 reviews is
written in 5 s, shows in 1 s, and answers in 0.2 s whatever is done, also where it is done for the first time.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "packages" / "orchestration" / "tests" / "support"))

from chromium import BINARY, Browser
from reports import BUCKET, as_csv, generate, publish

from orchestration import dashboard

#: What a user does, as JavaScript: it ends when the next frame is on the screen.
ACTIONS = {
    "filter by marketplace": "document.querySelector('#marketplaces input').click()",
    "filter by category": "document.querySelector('#categories input').click()",
    "clear": "document.querySelector('#clear').click()",
    "search": "{ const box = document.querySelector('#query'); box.value = 'vintage la';"
    " box.dispatchEvent(new Event('input', { bubbles: true })); }",
    "sort by rating": "document.querySelector('th[data-sort=rating] button').click()",
    "sort by title": "document.querySelector('th[data-sort=title] button').click()",
    "open a product": "document.querySelector('#by-votes .title').click()",
}
TIMED = """(async () => {{
  const began = performance.now();
  {action};
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return (performance.now() - began) / 1000;
}})()"""


WRITTEN, SHOWN, ANSWERED = 5.0, 1.0, 0.2  # targets, for 100,000 reviews


class Folder:
    """As much of S3 as a report needs, on files."""

    class exceptions:
        NoSuchKey = FileNotFoundError

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        (self.root / Key).parent.mkdir(parents=True, exist_ok=True)
        (self.root / Key).write_bytes(Body)

    def list_objects_v2(self, **_: str) -> dict[str, Any]:
        return {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": (self.root / Key).open("rb", buffering=0), "LastModified": datetime.now(UTC)}


def main(reviews: int = 100_000, products: int = 20_000) -> None:
    assert BINARY, "no Chromium: apt-get install chromium"
    with tempfile.TemporaryDirectory(prefix="dashboard-") as name:
        folder = Path(name)
        publish(Folder(folder), as_csv(generate(reviews, products=products)))
        began = time.perf_counter()
        page = dashboard.write(Folder(folder), BUCKET, "reviews", folder / "page.html", environment="local")
        seconds = time.perf_counter() - began
        size = page.path.stat().st_size / 1e6
        print(f"{page.reviews:,} reviews of {page.products:,} products: a page of {size:.1f} MB")
        browser = Browser(folder / "profile")
        times: dict[str, list[float]] = {}
        for _ in range(5):
            with browser.tab(page.path.as_uri()) as tab:
                shown = tab.js("performance.getEntriesByName('shown')[0].startTime") / 1000
                times.setdefault("shows", []).append(shown)
                for what, action in ACTIONS.items():
                    times.setdefault(what, []).append(tab.js(TIMED.format(action=action)))
        browser.close()
    targets = [("write it", seconds, WRITTEN)]
    for what, measured in times.items():
        targets.append((what, statistics.median(measured), SHOWN if what == "shows" else ANSWERED))
    for what, took, most in targets:
        print(f"{what:<24}{took:7.3f}  {'reached' if took <= most else 'MISSED'} (at most {most:g})")
    sys.exit(any(took > most for _, took, most in targets))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
