"""Which file holds which key.

A key that reads as a plain relative path is a file of that name in its bucket's folder. What a file system
cannot hold under its own name (`a` beside `a/b`, `a//b`, `x/`, `..`, parts over 255 bytes) lies aside under a
hash; either way the key cannot leave the folder.
"""

from __future__ import annotations

import hashlib
import re

from local_cloud.services.s3.errors import S3Error

#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_KEY_BYTES = 1024

#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def valid_bucket(name: str) -> bool:
    return bool(_BUCKET.fullmatch(name)) and not _ADDRESS.fullmatch(name)


def check_key(key: str) -> None:
    """S3's limit on a key's length. S3Error KeyTooLongError beyond it."""
    size = len(key.encode())
    if size > MAX_KEY_BYTES:
        raise S3Error("KeyTooLongError", Size=str(size), MaxSizeAllowed=str(MAX_KEY_BYTES))


def is_plain(key: str) -> bool:
    """True when `key` can be a relative path of the same spelling."""
    return "\0" not in key and all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in key.split("/"))


def aside_name(key: str) -> str:
    """The file name of a key that is not, or cannot be, a path."""
    return hashlib.sha256(key.encode()).hexdigest()
