"""The top-reviews report, streamed from S3 and held by columns.

What the pipeline leaves there is in pipelines/reviews/README.md.
"""

from __future__ import annotations

import csv
import datetime
import html
import io
import json
import math
import re
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from orchestration.dashboard import manifest
from orchestration.errors import ReportError

COLUMNS = ("marketplace", "product_category", "product_title", "review_id", "avg_star_rating", "helpful_votes")
_MOST_VOTES = 2**32 - 1
#: An entity of HTML and its `;`. HTML takes some without, and would make `Shop&register` a trade mark.
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);")


@dataclass
class Reviews:
    """A product is a title, as the report has it, in a category of a marketplace.

    One entry a product in `title`, `marketplace` and `category`; the last two index `marketplaces` and `categories`.
    `title` is what to read of it (see `readable`), so two products may read the same. One entry a review, in the
    report's order, in `product` (which indexes the products), `rating`, `votes` and `review_id`. A rating that the
    report leaves empty is NaN; votes left empty are 0, as SUM takes them.
    """

    marketplaces: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    title: list[str] = field(default_factory=list)
    marketplace: array[int] = field(default_factory=lambda: array("I"))
    category: array[int] = field(default_factory=lambda: array("I"))
    product: array[int] = field(default_factory=lambda: array("I"))
    rating: array[float] = field(default_factory=lambda: array("d"))
    votes: array[int] = field(default_factory=lambda: array("I"))
    review_id: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """`manifest` is its s3:// address; `written` is when the newest object it names was written.

    `run` is what the run that made it left beside it: run_id, day, since_year, rows_read, rows_loaded and more.
    """

    reviews: Reviews
    manifest: str
    written: datetime.datetime
    run: dict[str, Any]


def read(s3: Any, bucket: str, folder: str, *, environment: str) -> Report:
    """Return the report in a folder. Memory grows with what is kept of a row, not with the text.

    Errors: ReportError where an object is missing, is not what it should be, or is being replaced right now.
    """
    source = manifest.read(s3, bucket, f"{folder}/manifest.json", environment=environment)
    reader, written = _Reader(), []
    for place in source.objects:
        answer = manifest.get(s3, *place, environment=environment)
        written.append(answer["LastModified"])
        reader.add(io.BufferedReader(answer["Body"], 1 << 16), f"s3://{'/'.join(place)}", source)
    run = _read_run(s3, bucket, f"{folder}/run_000.json", environment=environment)
    rows = len(reader.reviews.product)
    if rows != run["rows_reported"]:
        mismatch = f"the report behind {source.uri} has {rows:,} rows and its run reported {run['rows_reported']:,}"
        raise ReportError(
            f"{mismatch}: a run may be replacing it; wait for its end (elt status --env {environment}) and try again"
        )
    return Report(reader.reviews, source.uri, max(written), run)


def _read_run(s3: Any, bucket: str, key: str, *, environment: str) -> dict[str, Any]:
    body = manifest.get(s3, bucket, key, environment=environment)["Body"].read()
    try:
        run: dict[str, Any] = json.loads(body)
        kinds = {"run_id": str, "since_year": int, "rows_read": int, "rows_loaded": int, "rows_reported": int}
        return run | {name: kind(run[name]) for name, kind in kinds.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ReportError(f"s3://{bucket}/{key} is not a run's description: {error!r}") from error


class _Reader:
    """Adds one CSV object after another to the columns."""

    def __init__(self) -> None:
        self.reviews = Reviews()
        self._marketplaces: dict[str, int] = {}
        self._categories: dict[str, int] = {}
        self._products: dict[tuple[int, int, str], int] = {}

    def add(self, body: io.BufferedReader, uri: str, source: manifest.Source) -> None:
        # utf-8-sig: QuickSight wants no byte-order mark, but one would otherwise end up in the first column's name.
        text = io.TextIOWrapper(body, encoding="utf-8-sig", newline="")
        rows = csv.reader(text, delimiter=source.delimiter, quotechar=source.quote, strict=True)

        def refuse(what: object) -> NoReturn:
            raise ReportError(f"{uri}, line {rows.line_num}: {what}")

        try:
            header = next(rows, None)
            if header is None or set(COLUMNS) - set(header):
                refuse(f"the columns should be {', '.join(COLUMNS)}; they are {', '.join(header or ['none'])}")
            places = [header.index(name) for name in COLUMNS]
            for row in rows:
                if len(row) != len(header):
                    refuse(f"{len(row)} values for {len(header)} columns")
                try:
                    self._add_row([row[place] for place in places])
                except ValueError as error:
                    refuse(error)
        except (csv.Error, UnicodeDecodeError) as error:
            refuse(error)

    def _add_row(self, values: list[str]) -> None:
        marketplace, category, title, review_id, rating, votes = values
        reviews = self.reviews
        stars, count = _stars(rating), _count(votes)
        product = (
            _index(self._marketplaces, reviews.marketplaces, marketplace),
            _index(self._categories, reviews.categories, category),
            title,
        )
        place = self._products.setdefault(product, len(self._products))
        if place == len(reviews.title):
            reviews.marketplace.append(product[0])
            reviews.category.append(product[1])
            reviews.title.append(readable(title))
        reviews.product.append(place)
        reviews.rating.append(stars)
        reviews.votes.append(count)
        reviews.review_id.append(review_id)


def readable(title: str) -> str:
    """Replace the entities of HTML that published titles hold. It is text, whatever it then looks like."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), title)


def _index(places: dict[str, int], names: list[str], name: str) -> int:
    place = places.setdefault(name, len(names))
    if place == len(names):
        names.append(name)
    return place


def _stars(text: str) -> float:
    if not text:
        return math.nan
    with suppress(ValueError):
        if 1 <= (stars := float(text)) <= 5:
            return stars
    raise ValueError(f"avg_star_rating is {text!r}; it should be between 1 and 5, or empty")


def _count(text: str) -> int:
    with suppress(ValueError):
        if 0 <= (count := int(text or "0")) <= _MOST_VOTES:
            return count
    raise ValueError(f"helpful_votes is {text!r}; it should be a whole number from 0 to {_MOST_VOTES}, or empty")
