"""Where a source is asked: at its URL, or, for an object in S3, at an address signed with the job's own keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from glue_ingest.store import find_authorities, refusals

#: Seconds. Every request is signed by itself, so this has to last until its answer begins, and no longer.
_VALID_FOR = 300


@dataclass(frozen=True)
class Address:
    """`url` gives the address for a request by its HTTP method; it may hold a signature: show a source's URL instead.

    `trusted` is a file of authorities to trust instead of the system's.
    """

    url: Callable[[str], str]
    trusted: str | None = None


def address_of(url: str, client: Any) -> Address:
    """Return the address of `http(s)://…` or `s3://bucket/key`. `client` is an S3 client; it signs, and asks nothing.

    Raises StorageRefused where there are no keys to sign with.
    """
    if not url.startswith("s3://"):
        return Address(lambda method: url)
    bucket, _, key = url[len("s3://") :].partition("/")

    def sign_url(method: str) -> str:
        with refusals(f"signing a request for {url}"):
            address: str = client.generate_presigned_url(
                {"GET": "get_object", "HEAD": "head_object"}[method],
                Params={"Bucket": bucket, "Key": key},
                ExpiresIn=_VALID_FOR,
            )
        return address

    return Address(sign_url, trusted=find_authorities())
