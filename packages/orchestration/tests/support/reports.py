"""A reports bucket, and reports as the reviews pipeline leaves them there."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterable, Sequence
from typing import Any

COLUMNS = ("marketplace", "product_category", "product_title", "review_id", "avg_star_rating", "helpful_votes")
BUCKET = "reports"
Row = Sequence[Any]


def as_csv(rows: Iterable[Row], header: Row = COLUMNS) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def publish(s3: Any, *objects: str, folder: str = "reviews", **run: Any) -> None:
    """Replace what is in the folder by CSV objects, their manifest and the run's description.

    `run` is what the description says otherwise.
    """
    for old in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{folder}/").get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=old["Key"])
    uris = []
    for number, text in enumerate(objects):
        key = f"{folder}/top_reviews/top_reviews_{number:03}.csv"
        s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
        uris.append(f"s3://{BUCKET}/{key}")
    settings = {"format": "CSV", "delimiter": ",", "textqualifier": '"', "containsHeader": "true"}
    put_json(s3, f"{folder}/manifest.json", {"fileLocations": [{"URIs": uris}], "globalUploadSettings": settings})
    rows = sum(len(list(csv.reader(io.StringIO(text)))) - 1 for text in objects)
    told = {"run_id": "reviews-2024-09-05", "day": "2024-09-05", "since_year": 2015, "rows_read": rows + 7}
    put_json(s3, f"{folder}/run_000.json", told | {"rows_loaded": rows, "rows_reported": rows} | run)


def put_json(s3: Any, key: str, value: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(value).encode())


def generate(rows: int, *, products: int, seed: int = 0) -> list[Row]:
    """Reviews of few products with many and many with few, votes long-tailed, and titles of every kind."""
    draw = random.Random(seed)
    ends = ("", ", Size M", ' 2nd "Gold" Edition', "\nBox of 3", " für Kinder", "<br />", " 🎉", " &amp; more")
    words = (("Classic", "Vintage", "Café"), ("Lamp", "Novel", "Bag"))
    shelf = [
        (
            draw.choices(("US", "UK", "DE", "JP"), (8, 4, 2, 1))[0],
            draw.choice(("Apparel", "Books", "Camera", "Shoes", "Video_Games")),
            f"{' '.join(map(draw.choice, words))} {n}{draw.choice(ends)}",
            draw.betavariate(4, 1.5),
        )
        for n in range(products)
    ]
    reviews = []
    for n in range(rows):
        popular = int(min(draw.paretovariate(0.8), products)) - 1
        marketplace, category, title, quality = shelf[popular if draw.random() < 0.6 else draw.randrange(products)]
        stars = min(5, 1 + int(quality * 5 * draw.uniform(0.7, 1.25)))
        reviews.append((marketplace, category, title, f"R{n:07}", f"{stars}.00", int(draw.paretovariate(0.9)) - 1))
    return sorted(reviews, key=lambda review: -review[5])
