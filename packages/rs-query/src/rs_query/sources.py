"""Texts from files, standard input and S3, and parameters from JSON."""

from __future__ import annotations

import base64
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from rs_query.errors import RsQueryError, SourceError
from rs_query.literals import Value
from rs_query.rows import is_rows
from rs_query.services import call, client

_BLANK = b"\xef\xbb\xbf \t\r\n"


def read_text(source: str) -> str:
    """Return the text at `source`: a path, an `s3://bucket/key` URI, or `-`. Raises SourceError.

    Line ends and a BOM stay as they are: positions count in the file as written.
    """
    try:
        return _read_bytes(source).decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"{source}: not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from None


def _read_bytes(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    if not source.startswith("s3://"):
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise SourceError(f"{source}: {error.strerror or error}") from None
    bucket, _, key = source[len("s3://") :].partition("/")
    if not bucket or not key:
        raise SourceError(f"{source}: an S3 URI is s3://bucket/key")

    def fetch() -> dict[str, bytes]:
        return {"body": client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()}

    try:
        body: bytes = call(fetch)["body"]
    except RsQueryError as error:
        raise SourceError(f"{source}: {error}") from None
    return body


def params_from_uri(uri: str) -> dict[str, Value]:
    """Parameters from a JSON document, at the JSON pointer (RFC 6901) of its fragment: `s3://b/k.json#/load`."""
    source, fragment, pointer = uri.partition("#/")
    document = _parse(read_text(source), source)
    for part in pointer.split("/") if fragment else ():
        step = unquote(part).replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(step) if isinstance(document, list) and step.isdecimal() else step]
        except (LookupError, TypeError):
            raise SourceError(f"{uri}: the document has no /{pointer}") from None
    return _params(document, uri)


def params_from_argument(text: str, source: str) -> dict[str, Value]:
    """Parameters from a JSON object, or from the Base64 of one, in which it may also be URI-encoded.

    Glue asks for nested JSON in arguments to be encoded, "to preserve the parameter value":
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-calling.html. JSONata's $base64encode is
    for characters up to 0xFF, hence the URI encoding: https://docs.jsonata.org/string-functions#base64encode
    Numbers with a decimal point keep their digits. Raises SourceError.
    """
    return _params(_parse(_decode(text, source), source), source)


def _decode(text: str, source: str) -> str:
    """Decode the JSON in a Base64 text; any other text is unchanged, as no Base64 begins with a brace."""
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return text
    if not raw.lstrip(_BLANK).startswith((b"{", b"%7B")):
        return text
    try:
        decoded = raw.decode("utf-8")
        return unquote(decoded, errors="strict") if decoded.startswith("%") else decoded
    except UnicodeDecodeError:
        raise SourceError(
            f"{source}: the Base64 of no UTF-8; in JSONata write $base64encode($encodeUrlComponent($string(…)))"
        ) from None


def _parse(text: str, source: str) -> Any:
    def no_constant(name: str) -> None:
        raise ValueError(f"{name} is no JSON number")

    try:
        return json.loads(text.lstrip("\ufeff"), parse_float=Decimal, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{source}: not JSON: {error}") from None


def _params(document: Any, source: str) -> dict[str, Value]:
    if not isinstance(document, dict):
        raise SourceError(f"{source}: parameters are a JSON object, this is a {type(document).__name__}")
    for name, given in document.items():
        items = given if isinstance(given, list) else [given]
        if is_rows(given):
            items = [value for row in given for value in row.values()]
        if any(isinstance(item, (dict, list)) for item in items):
            raise SourceError(
                f"{source}: parameter {name} is nested; give text, a number, a boolean, null, a list of these "
                "or a list of objects of these"
            )
    return document
