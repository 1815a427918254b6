"""What a delivery of reviews comes from: Parquet by category, in a folder or under an S3 URI, or the TSV files."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from orchestration import objects
from orchestration.errors import UsageError
from orchestration.reviews import footers, tsv

PREFIX = "reviews/"
#: Lies in a category's folder while its files are replaced. It is no Parquet file, so whoever reads the folder fails by
#: its name: a delivery that is cut short is neither loaded nor compared, whatever started the run.
UNDER_WAY = "delivery-under-way.parquet"
_FOLDER = "product_category="
#: Spectrum reads no file that is named so.
#: https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html
_HIDDEN = re.compile(r"[._#].*|.*~")


class File(Protocol):
    """A Parquet file to deliver. `name` is its path below the source, `product_category=Toys/a.parquet`."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    def footer(self, s3: Any) -> footers.Footer: ...

    def fetch(self, s3: Any, folder: Path) -> Path:
        """Return the file on this machine, in `folder` if it has to come here."""

    def put(self, s3: Any, bucket: str, key: str) -> None: ...


@dataclass(frozen=True)
class LocalFile:
    """A File on this machine."""

    name: str
    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def footer(self, s3: Any) -> footers.Footer:
        return footers.read(self.path)

    def fetch(self, s3: Any, folder: Path) -> Path:
        return self.path

    def put(self, s3: Any, bucket: str, key: str) -> None:
        s3.upload_file(str(self.path), bucket, key)


@dataclass(frozen=True)
class S3File:
    """A File in a bucket, as it was listed: what is read of it later is of the same bytes."""

    name: str
    bucket: str
    key: str
    size: int
    etag: str

    def footer(self, s3: Any) -> footers.Footer:
        with tempfile.TemporaryDirectory(prefix="elt-footer-") as folder:
            return footers.fetch(s3, self.bucket, self.key, size=self.size, folder=Path(folder))

    def fetch(self, s3: Any, folder: Path) -> Path:
        target = folder / "fetched.parquet"
        s3.download_file(self.bucket, self.key, str(target))
        return target

    def put(self, s3: Any, bucket: str, key: str) -> None:
        """Copy from bucket to bucket; nothing passes through this machine."""
        source = {"Bucket": self.bucket, "Key": self.key}
        s3.copy(source, bucket, key, ExtraArgs={"CopySourceIfMatch": self.etag})


@dataclass(frozen=True)
class Found:
    """The files of a source, and the names of what lies beside them and is not delivered."""

    files: tuple[File, ...]
    left_out: tuple[str, ...] = ()


def check(source: str) -> None:
    """Raise UsageError unless a source is one, as far as can be seen without a cloud."""
    if source.startswith("s3://"):
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/.*)?", source):
            raise UsageError(f"{source} is no S3 URI; write s3://BUCKET/PREFIX")
        return
    folder = Path(source)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {source}; --source takes a folder or s3://BUCKET/PREFIX")
    parquet, texts = in_folder(folder).files, tsv.files_of(folder)
    if not parquet and not texts:
        raise UsageError(f"{source} holds neither product_category=…/*.parquet nor *.tsv files of reviews")
    if parquet and texts:
        raise UsageError(f"{source} holds product_category=…/*.parquet and *.tsv files; deliver one or the other")


def in_folder(folder: Path) -> Found:
    """Return the Parquet files by category in a folder."""
    beside = (file for file in folder.iterdir() if file.is_file())
    within = (file for category in folder.glob(f"{_FOLDER}*") for file in category.rglob("*") if file.is_file())
    names = {file.relative_to(folder).as_posix(): file for file in sorted([*beside, *within])}
    return Found(tuple(LocalFile(name, names[name]) for name in _list_delivered(names)), _list_left_out(names))


def in_bucket(source: str, s3: Any) -> Found:
    """Return the Parquet files by category under an S3 URI. Errors: UsageError where there is none."""
    bucket, prefix = split(source)
    names = {item["Key"].removeprefix(prefix): item for item in objects.list_under(s3, bucket, prefix)}
    files = tuple(
        S3File(name, bucket, item["Key"], int(item["Size"]), item["ETag"])
        for name, item in ((name, names[name]) for name in _list_delivered(names))
    )
    if not files:
        raise UsageError(f"{source} holds no product_category=…/*.parquet")
    return Found(files, _list_left_out(names))


def split(source: str) -> tuple[str, str]:
    """Bucket and prefix of an S3 URI of a folder; the prefix is empty or ends with a slash."""
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    return bucket, prefix.rstrip("/") + "/" if prefix else ""


def describe_unlisted(categories: Iterable[str]) -> str:
    """Say which categories are there, and that nobody loads them."""
    return f"not loaded, since pipelines/reviews/pipeline.toml does not list them: {', '.join(sorted(categories))}"


def category_of(name: str) -> str:
    return name.removeprefix(_FOLDER).partition("/")[0]


def is_under_way(name: str) -> bool:
    return name.endswith(f"/{UNDER_WAY}")


def _list_delivered(names: Mapping[str, Any]) -> list[str]:
    return [name for name in names if name.startswith(_FOLDER) and "/" in name and name.endswith(".parquet")]


def _list_left_out(names: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what could have been meant: other files in the categories' folders, and Parquet beside these.

    Not hidden ones.
    """
    known = set(_list_delivered(names))
    meant = (name for name in names if (name.startswith(_FOLDER) and "/" in name) or name.endswith(".parquet"))
    return tuple(
        name
        for name in meant
        if name not in known and not name.endswith("/") and not any(map(_HIDDEN.fullmatch, name.split("/")))
    )


def check_names(names: Iterable[str], listed: Collection[str]) -> None:
    """Raise UsageError unless files lie where a load looks for them: in a category that is `listed`."""
    names = list(names)
    for name in names:
        if is_under_way(name):
            raise UsageError(f"the source holds {name}: it is itself being replaced; wait for its end")
        if hidden := next(filter(_HIDDEN.fullmatch, name.split("/")[1:]), None):
            raise UsageError(f"{name} would not be read by Spectrum, since {hidden} is hidden; rename or remove it")
    alike = {_letters(category): category for category in listed}
    categories = sorted({category_of(name) for name in names})
    for category in categories:
        meant = alike.get(_letters(category))
        if meant and meant != category:
            raise UsageError(f"the folder {_FOLDER}{category} would not be loaded; rename it {_FOLDER}{meant}")
        if not tsv.CATEGORY.fullmatch(category):
            raise UsageError(f"the folder {_FOLDER}{category} names no category; write it such as {_FOLDER}Video_Games")
    if not set(categories) & set(listed):
        raise UsageError(
            f"none of the categories delivered is loaded: {', '.join(categories)}; pipelines/reviews/pipeline.toml "
            f"lists {', '.join(listed)}"
        )


def _letters(category: str) -> str:
    """Reduce a name to its letters, so that case, blanks, or `%20` for them, make no difference."""
    return re.sub(r"[^a-z0-9]", "", unquote(category).casefold())
