"""Reviews into an environment: Parquet by category under `reviews/` of its raw bucket, where the pipeline reads it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.errors import UsageError
from orchestration.reviews import tsv

PREFIX = "reviews/"
REJECTED_PREFIX = "reviews_rejected/"
_FOLDER = re.compile(r"product_category=([^/]+)/")
#: Lies in a category's folder while its files are replaced. It is no Parquet file, so whoever reads the folder fails by
#: its name: a delivery that is cut short is neither loaded nor compared, whatever started the run.
UNDER_WAY = "delivery-under-way.parquet"
_WHY_UNDER_WAY = (
    "This is no Parquet file, on purpose: the reviews in this folder are being replaced, and may be a mix of two "
    "deliveries until they are. If nobody is at it, deliver them again.\n"
)


@dataclass(frozen=True)
class Delivery:
    """What was put in place: objects, bytes and their categories; `conversion` if it came from TSV files."""

    objects: int
    bytes: int
    categories: tuple[str, ...]
    conversion: tsv.Conversion | None = None


def check(source: str) -> None:
    """Whether a source is one, as far as can be told without a cloud. Errors: UsageError."""
    if source.startswith("s3://"):
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/.*)?", source):
            raise UsageError(f"{source} is no S3 URI; write s3://BUCKET/PREFIX")
        return
    folder = Path(source)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {source}; --source takes a folder or s3://BUCKET/PREFIX")
    parquet, texts = _parquet_files(folder), tsv.files_of(folder)
    if not parquet and not texts:
        raise UsageError(f"{source} holds neither product_category=…/*.parquet nor *.tsv files of reviews")
    if parquet and texts:
        raise UsageError(f"{source} holds product_category=…/*.parquet and *.tsv files; deliver one or the other")


def deliver(source: str, s3: Any, bucket: str) -> Delivery:
    """Put a source in place of what the raw bucket holds of the same categories; other categories stay.

    From the first change to the last, no run reads those categories: see UNDER_WAY. Errors: UsageError.
    """
    if source.startswith("s3://"):
        return _copy(source, s3, bucket)
    folder = Path(source)
    if files := _parquet_files(folder):
        return _upload(files, s3, bucket)
    with tempfile.TemporaryDirectory(prefix="elt-reviews-") as temporary:
        out = Path(temporary)
        conversion = tsv.convert(tsv.files_of(folder), out)
        for file in sorted(out.glob(f"{REJECTED_PREFIX}*.jsonl")):
            s3.upload_file(str(file), bucket, f"{REJECTED_PREFIX}{file.name}")
        done = _upload(_parquet_files(out / PREFIX), s3, bucket)
    return Delivery(done.objects, done.bytes, done.categories, conversion)


def check_delivered(s3: Any, bucket: str) -> None:
    """Whether the raw bucket holds reviews, and whole deliveries of them. Errors: UsageError."""
    keys = [item["Key"] for item in _objects(s3, bucket, PREFIX)]
    if not keys:
        raise UsageError(f"s3://{bucket}/{PREFIX} is empty: give reviews a --source, a folder or S3 URI of reviews")
    if cut := next(filter(_is_under_way, keys), None):
        told = "a delivery is under way or was cut short"
        raise UsageError(f"{told}: s3://{bucket}/{cut}; if nobody is at it, give its --source again")


def _is_under_way(key: str) -> bool:
    return key.endswith(f"/{UNDER_WAY}")


def _parquet_files(folder: Path) -> dict[str, Path]:
    """Files by what their keys will be."""
    found = (file for file in folder.glob("product_category=*/**/*.parquet") if file.is_file())
    return {PREFIX + file.relative_to(folder).as_posix(): file for file in sorted(found)}


def _upload(files: Mapping[str, Path], s3: Any, bucket: str) -> Delivery:
    sizes = {key: file.stat().st_size for key, file in files.items()}
    return _place(sizes, s3, bucket, put=lambda key: s3.upload_file(str(files[key]), bucket, key))


def _copy(source: str, s3: Any, bucket: str) -> Delivery:
    """From bucket to bucket; nothing passes through this machine."""
    origin, _, prefix = source.removeprefix("s3://").partition("/")
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    if origin == bucket and (prefix + PREFIX).startswith(PREFIX):
        raise UsageError(f"{source} is where this environment's reviews are; leave --source out")
    objects = {
        PREFIX + item["Key"].removeprefix(prefix): item
        for item in _objects(s3, origin, prefix)
        if item["Key"].endswith(".parquet") and _FOLDER.match(item["Key"].removeprefix(prefix))
    }
    if not objects:
        raise UsageError(f"{source} holds no product_category=…/*.parquet")
    sizes = {key: int(item["Size"]) for key, item in objects.items()}
    return _place(
        sizes,
        s3,
        bucket,
        put=lambda key: s3.copy({"Bucket": origin, "Key": objects[key]["Key"]}, bucket, key),
    )


def _place(sizes: Mapping[str, int], s3: Any, bucket: str, *, put: Callable[[str], Any]) -> Delivery:
    categories = sorted({match[1] for key in sizes if (match := _FOLDER.match(key.removeprefix(PREFIX)))})
    if cut := next(filter(_is_under_way, sizes), None):
        raise UsageError(f"the source holds {cut.removeprefix(PREFIX)}: it is itself being replaced; wait for its end")
    folders = [f"{PREFIX}product_category={category}/" for category in categories]
    for folder in folders:
        s3.put_object(Bucket=bucket, Key=folder + UNDER_WAY, Body=_WHY_UNDER_WAY.encode())
    for key in sizes:
        put(key)
    there = [item["Key"] for folder in folders for item in _objects(s3, bucket, folder)]
    _delete([key for key in there if key not in sizes and not _is_under_way(key)], s3, bucket)
    _delete([folder + UNDER_WAY for folder in folders], s3, bucket)
    return Delivery(len(sizes), sum(sizes.values()), tuple(categories))


def _objects(s3: Any, bucket: str, prefix: str) -> Iterable[dict[str, Any]]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return (item for page in pages for item in page.get("Contents", []))


def _delete(keys: list[str], s3: Any, bucket: str) -> None:
    for start in range(0, len(keys), 1000):
        batch = [{"Key": key} for key in keys[start : start + 1000]]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
