"""Reviews in the raw bucket of an environment: what lies there, and a delivery in place of it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from orchestration import objects
from orchestration.errors import UsageError
from orchestration.pipelines import DailyPipeline
from orchestration.reviews.delivery import Delivery, Rows
from orchestration.reviews.footers import NotParquet
from orchestration.reviews.source import PREFIX, UNDER_WAY, S3File, category_of, is_under_way

REJECTED_PREFIX = "reviews_rejected/"
_WHY_UNDER_WAY = (
    "This is no Parquet file, on purpose: the reviews in this folder are being replaced, and may be a mix of two "
    "deliveries until they are. If nobody is at it, deliver them again.\n"
)


def check_delivered(s3: Any, bucket: str) -> None:
    """Raise UsageError unless the raw bucket holds reviews, and whole deliveries of them."""
    keys = [item["Key"] for item in objects.list_under(s3, bucket, PREFIX)]
    if not keys:
        raise UsageError(f"s3://{bucket}/{PREFIX} is empty: give reviews a --source, a folder or S3 URI of reviews")
    if cut := next(filter(is_under_way, keys), None):
        reason = "a delivery is under way or was cut short"
        raise UsageError(f"{reason}: s3://{bucket}/{cut}; if nobody is at it, give its --source again")


def find_unlisted(s3: Any, bucket: str, pipeline: DailyPipeline) -> list[str]:
    """Categories that lie in the bucket, and are not loaded since the pipeline does not list them."""
    found = objects.list_under(s3, bucket, f"{PREFIX}product_category=")
    names = {category_of(item["Key"].removeprefix(PREFIX)) for item in found}
    return sorted(names - set(pipeline.categories))


def count_held(s3: Any, bucket: str, categories: Iterable[str], *, since: int) -> dict[str, Rows]:
    """Return what lies in the bucket of some categories, by their files' footers.

    Left out are categories of which that is unknown: a delivery was cut short, or a file is broken.
    """
    found = {category: _count_held(s3, bucket, category, since) for category in categories}
    return {category: rows for category, rows in found.items() if rows}


def _count_held(s3: Any, bucket: str, category: str, since: int) -> Rows | None:
    items = list(objects.list_under(s3, bucket, _folder(category)))
    if any(is_under_way(item["Key"]) for item in items):
        return None
    files = [S3File(item["Key"], bucket, item["Key"], int(item["Size"]), item["ETag"]) for item in items]
    try:
        with ThreadPoolExecutor(8) as pool:
            return sum((Rows.of(footer, since) for footer in pool.map(lambda file: file.footer(s3), files)), Rows())
    except NotParquet:
        return None


def place(delivery: Delivery, s3: Any, bucket: str) -> None:
    """Put a delivery in place of what the bucket holds of the same categories; other categories stay.

    From the first change to the last, no run reads those categories: see UNDER_WAY. Doing it again after it was cut
    short ends the same. Errors: UsageError where a source in S3 changed since it was looked at.
    """
    for name, rejects in delivery.rejects.items():
        s3.upload_file(str(rejects), bucket, REJECTED_PREFIX + name)
    folders = [_folder(category) for category in delivery.categories]
    for folder in folders:
        s3.put_object(Bucket=bucket, Key=folder + UNDER_WAY, Body=_WHY_UNDER_WAY.encode())
    wanted = {PREFIX + file.name: file for file in delivery.files}
    for key, file in wanted.items():
        try:
            file.put(s3, bucket, key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 412:  # Precondition Failed
                raise
            reason = "changed while it was delivered, and the delivery is cut short; give its --source again"
            raise UsageError(f"{file.name} {reason}") from error
    there = [item["Key"] for folder in folders for item in objects.list_under(s3, bucket, folder)]
    gone = [key for key in there if key not in wanted and not is_under_way(key)]
    for keys in (gone, [folder + UNDER_WAY for folder in folders]):
        objects.delete(s3, bucket, [{"Key": key} for key in keys])


def _folder(category: str) -> str:
    return f"{PREFIX}product_category={category}/"
