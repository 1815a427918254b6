"""S3's checksum algorithms, computed while bytes pass by.

Names and types: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Sequence
from typing import Protocol

from local_cloud.services.s3.errors import S3Error

HEADER = "x-amz-checksum-"

#: Bytes of the digests whose parts can be joined without reading the bytes again.
_CRC_BYTES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8}

_XXHASH = {"XXHASH64": "new_xxhash64", "XXHASH3": "new_xxhash3_64", "XXHASH128": "new_xxhash3_128"}

ALGORITHMS = (
    "CRC64NVME",
    "CRC32",
    "CRC32C",
    "SHA1",
    "SHA256",
    "SHA512",
    "MD5",
    "XXHASH64",
    "XXHASH3",
    "XXHASH128",
)


def unsupported() -> S3Error:
    return S3Error(
        "InvalidRequest",
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        f"[{', '.join(sorted(ALGORITHMS))}]",
    )


class Digest(Protocol):
    def update(self, data: bytes | memoryview, /) -> object: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, step: Callable[[bytes | memoryview, int], int], size: int) -> None:
        self._step = step
        self._size = size
        self._value = 0

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class _XxHash:
    def __init__(self, make: str) -> None:
        from awscrt.checksums import XXHash

        self._hash = getattr(XXHash, make)()

    def update(self, data: bytes | memoryview, /) -> None:
        self._hash.update(bytes(data))

    def digest(self) -> bytes:
        return bytes(self._hash.finalize())


def new(algorithm: str) -> Digest:
    """A running digest of one of ALGORITHMS."""
    if algorithm == "CRC32":
        return _Crc(zlib.crc32, 4)  # twice as fast as awscrt's
    if algorithm in _CRC_BYTES:
        from awscrt import checksums as crt

        return _Crc(getattr(crt, algorithm.lower()), _CRC_BYTES[algorithm])
    if algorithm in _XXHASH:
        return _XxHash(_XXHASH[algorithm])
    return hashlib.new(algorithm.lower(), usedforsecurity=False)


def encode(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def default_type(algorithm: str) -> str:
    """What a multipart upload's checksum is when its creator names no type."""
    return "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"


def composite(algorithm: str, parts: Sequence[str]) -> str:
    """The checksum of the parts' checksums, `<base64>-<count>`."""
    running = new(algorithm)
    for part in parts:
        running.update(base64.b64decode(part))
    return f"{encode(running.digest())}-{len(parts)}"


def join_crcs(algorithm: str, parts: Sequence[tuple[str, int]]) -> str:
    """The checksum of a whole object from (checksum, size in bytes) of its parts. CRCs only."""
    from awscrt import checksums as crt

    combine = getattr(crt, f"combine_{algorithm.lower()}")
    value = 0
    for checksum, size in parts:
        value = combine(value, int.from_bytes(base64.b64decode(checksum), "big"), size)
    return encode(value.to_bytes(_CRC_BYTES[algorithm], "big"))


def can_join(algorithm: str) -> bool:
    return algorithm in _CRC_BYTES
