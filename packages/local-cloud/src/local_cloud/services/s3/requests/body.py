"""Takes a request's body in: decodes aws-chunked, hashes as the bytes pass, verifies what the client claimed.

aws-chunked: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

from local_cloud.httpd import RequestBody
from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.requests import checksums

BLOCK = 1 << 20

#: MD5 takes as long as all the rest together, so it runs beside it, for blocks of at least this many bytes.
_APART = 1 << 17
_hasher = ThreadPoolExecutor(4, thread_name_prefix="s3-md5")

#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: one PUT or one part, in bytes.
MAX_BODY = 5 << 30


@dataclass(frozen=True)
class Received:
    """What came in: size in bytes, MD5 in hex, the algorithm the client chose ("" for none), and checksums.

    `checksums` are base64 by algorithm: the client's, and those asked of `receive`.
    """

    size: int
    md5: str
    algorithm: str
    checksums: dict[str, str]


@dataclass(frozen=True)
class Claims:
    """What the client says of its body, from headers. Trailers add to it when the body has ended."""

    headers: Mapping[str, str]

    @property
    def chunked(self) -> bool:
        return self.headers.get("x-amz-content-sha256", "").startswith("STREAMING-")

    @property
    def sha256(self) -> str:
        """The body's SHA-256 in hex if the client signed it, else ""."""
        value = self.headers.get("x-amz-content-sha256", "")
        return value.lower() if len(value) == 64 else ""

    @property
    def md5(self) -> bytes:
        value = self.headers.get("content-md5", "")
        try:
            digest = base64.b64decode(value, validate=True)
        except binascii.Error:
            digest = b"?"
        if value and len(digest) != 16:
            error = S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.")
            error.details["Content-MD5"] = value
            raise error
        return digest

    @property
    def decoded_length(self) -> int | None:
        value = self.headers.get("x-amz-decoded-content-length") if self.chunked else None
        return int(value) if value and value.isdigit() else None

    @property
    def algorithm(self) -> str:
        """The checksum the body comes with, in a header or announced as trailer; "" without one."""
        trailer = self.headers.get("x-amz-trailer", "").strip().lower()
        given = [
            algorithm
            for algorithm in checksums.ALGORITHMS
            if self._header(algorithm) in self.headers or trailer == self._header(algorithm)
        ]
        if len(given) > 1:
            raise S3Error(
                "InvalidRequest",
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            )
        if given:
            return given[0]
        declared = self.headers.get("x-amz-sdk-checksum-algorithm", "").upper()
        if declared and declared not in checksums.ALGORITHMS:
            raise checksums.unsupported()
        return declared

    def value(self, algorithm: str) -> str:
        return self.headers.get(self._header(algorithm), "")

    @staticmethod
    def _header(algorithm: str) -> str:
        return checksums.HEADER + algorithm.lower()


def receive(
    body: RequestBody, headers: Mapping[str, str], file: BinaryIO, *, algorithms: Iterable[str] = ()
) -> Received:
    """Stream a body into `file`, with the checksums of `algorithms` beside the one the client may have chosen.

    Raises S3Error BadDigest, InvalidDigest, XAmzContentSHA256Mismatch, IncompleteBody, EntityTooLarge.
    """
    claims = Claims(headers)
    chosen = claims.algorithm
    md5 = hashlib.md5(usedforsecurity=False)
    sha256 = hashlib.sha256() if claims.sha256 else None
    running = {name: checksums.new(name) for name in {chosen, *algorithms} - {""}}
    updates: list[Callable[[memoryview], object]] = [file.write]
    updates += [sha256.update] if sha256 else []
    updates += [digest.update for digest in running.values()]
    declared = claims.decoded_length
    if max(declared or 0, int(headers.get("content-length") or 0)) > MAX_BODY:
        raise S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    trailers: dict[str, str] = {}
    size = 0
    blocks = _unchunk(body, trailers) if claims.chunked else _plain(body)
    for block in blocks:
        size += len(block)
        digested = _hasher.submit(md5.update, block) if len(block) >= _APART else None
        for update in updates:
            update(block)
        if digested:
            digested.result()
        else:
            md5.update(block)
    file.flush()
    if declared is not None and declared != size:
        raise S3Error("IncompleteBody")
    if sha256 and sha256.hexdigest() != claims.sha256:
        raise S3Error("XAmzContentSHA256Mismatch")
    if claims.md5 and claims.md5 != md5.digest():
        raise S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.")
    found = {name: checksums.encode(digest.digest()) for name, digest in running.items()}
    claimed = claims.value(chosen) or trailers.get(checksums.HEADER + chosen.lower(), "")
    if claimed and len(claimed) != len(found[chosen]):
        name = checksums.HEADER + chosen.lower()
        raise S3Error("InvalidRequest", f"Value for {name} header is invalid.")
    if claimed and claimed != found[chosen]:
        raise S3Error("BadDigest", f"The {chosen} you specified did not match the calculated checksum.")
    return Received(size=size, md5=md5.hexdigest(), algorithm=chosen, checksums=found)


def read_document(body: RequestBody, headers: Mapping[str, str], *, limit: int) -> bytes:
    """A small body as a whole, verified like any other. S3Error MalformedXML beyond `limit` bytes."""
    if int(headers.get("content-length") or 0) > limit:
        raise S3Error("MalformedXML")
    target = io.BytesIO()
    receive(body, headers, target)
    return target.getvalue()


def _plain(body: RequestBody) -> Iterator[memoryview]:
    block = memoryview(bytearray(BLOCK))
    while count := body.readinto(block):
        yield block[:count]


def _unchunk(body: RequestBody, trailers: dict[str, str]) -> Iterator[memoryview]:
    block = memoryview(bytearray(BLOCK))
    while True:
        left = _chunk_size(body.readline(4096))
        if not left:
            break
        while left:
            count = body.readinto(block[: min(left, BLOCK)])
            if not count:
                raise S3Error("IncompleteBody")
            yield block[:count]
            left -= count
        if body.readline(2) != b"\r\n":
            raise S3Error("IncompleteBody")
    while line := body.readline(4096).strip():
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()


def _chunk_size(line: bytes) -> int:
    """`<hex size>[;chunk-signature=…]`. Signatures are not checked: any keys are good here."""
    try:
        return int(line.split(b";")[0].strip(), 16)
    except ValueError:
        raise S3Error("IncompleteBody") from None
