"""QuickSight's S3 manifest: which objects a report consists of, and how their text is written.

Format: docs.aws.amazon.com/quicksight/latest/user/supported-manifest-file-format.html. The dashboard reads it, so
that the page and QuickSight show the very same objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from orchestration.errors import ReportError


@dataclass(frozen=True)
class Source:
    """What a manifest names: `objects` as (bucket, key), and how their text is delimited and quoted."""

    uri: str
    objects: tuple[tuple[str, str], ...]
    delimiter: str
    quote: str


def read(s3: Any, bucket: str, key: str, *, environment: str) -> Source:
    """Return what the manifest at `key` names, prefixes listed. Errors: ReportError."""
    uri = f"s3://{bucket}/{key}"
    body = get(s3, bucket, key, environment=environment)["Body"].read()
    try:
        manifest = json.loads(body.decode("utf-8"))
        locations, settings = manifest["fileLocations"], manifest.get("globalUploadSettings", {})
        named = [uri for location in locations for uri in location.get("URIs", [])]
        prefixes = [uri for location in locations for uri in location.get("URIPrefixes", [])]
        kind, header = str(settings.get("format", "CSV")), str(settings.get("containsHeader", "true"))
        delimiter, quote = str(settings.get("delimiter", ",")), str(settings.get("textqualifier", '"'))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{uri} is not a QuickSight manifest: {error!r}") from error
    if (kind.upper(), header.lower(), len(delimiter), len(quote)) != ("CSV", "true", 1, 1):
        raise ReportError(f"{uri} describes other files than CSV with a header, which is what the dashboard reads")
    objects = [_place(one, uri) for one in named]
    for prefix in prefixes:
        objects += _list_files(s3, *_place(prefix, uri))
    if not objects:
        raise ReportError(f"{uri} names no file; run the pipeline again: elt run reviews --env {environment}")
    return Source(uri, tuple(objects), delimiter, quote)


def get(s3: Any, bucket: str, key: str, *, environment: str) -> Any:
    """S3's answer for an object of the report. Errors: ReportError where there is none."""
    try:
        return s3.get_object(Bucket=bucket, Key=key)
    except s3.exceptions.NoSuchKey as error:
        again = f"elt run reviews --env {environment}"
        raise ReportError(f"there is no s3://{bucket}/{key}; run the pipeline first: {again}") from error


def _place(uri: str, manifest: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address, or of an https:// one in the path or the virtual-hosted style."""
    parts = urlsplit(str(uri))
    path = parts.path.removeprefix("/")
    if parts.scheme == "s3" and parts.netloc:
        return parts.netloc, path
    if parts.scheme == "https" and parts.netloc.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        bucket, dot, _ = parts.netloc.rpartition(".s3")
        if not dot:
            bucket, _, path = path.partition("/")
        return bucket, unquote(path)
    raise ReportError(f"{manifest} names {uri!r}, which is no address in S3 (s3://… or https://….amazonaws.com/…)")


def _list_files(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield what lies under a prefix, the manifest itself and others like it left out."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if not item["Key"].endswith((".json", "/")):
                yield bucket, item["Key"]
