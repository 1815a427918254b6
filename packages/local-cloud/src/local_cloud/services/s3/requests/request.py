"""An S3 request and its answer, apart from WSGI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote_to_bytes

from local_cloud.httpd import Reply, RequestBody
from local_cloud.services.s3.errors import S3Error

__all__ = ["Access", "Reply", "S3Request", "xml"]

#: Where moto's handler keeps the spelling of metadata names that hold underscores.
_SPELLINGS = "moto.preserved_header_names"

#: How SDKs address buckets when the endpoint is `localhost` and not an address.
_VIRTUAL_HOST = re.compile(r"(.+)\.localhost(?::\d+)?")


class Access(Protocol):
    """Who makes the request, asked about what only the operation knows."""

    def check(self, action: str, resource: str) -> None:
        """Raise AccessDenied for what the policies do not allow."""

    def allows(self, action: str, resource: str) -> bool: ...


class _Everything:
    def check(self, action: str, resource: str) -> None:
        """The cloud itself."""

    def allows(self, action: str, resource: str) -> bool:
        return True


_EVERYTHING = _Everything()


@dataclass(frozen=True)
class S3Request:
    """Header names in lower case; `query` holds the first value of each name."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: RequestBody
    access: Access = _EVERYTHING

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> S3Request:
        """`/<bucket>/<key>`, or `/<key>` of `<bucket>.localhost`; the key percent-decoded once, slashes kept."""
        path, _, query = environ["REQUEST_URI"].partition("?")
        try:
            named = unquote_to_bytes(path.removeprefix("/")).decode()
            if found := _VIRTUAL_HOST.fullmatch(environ.get("HTTP_HOST", "")):
                bucket, key = found[1], named
            else:
                bucket, _, key = named.partition("/")
        except UnicodeDecodeError:
            raise S3Error("InvalidURI", URI=path) from None
        names = environ.get(_SPELLINGS) or {}
        headers = {
            names.get(name, name[5:].replace("_", "-")).lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if environ.get(name):
                headers[name.lower().replace("_", "-")] = environ[name]
        first: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            first.setdefault(name, value)
        return cls(environ["REQUEST_METHOD"], bucket, key, first, headers, environ["wsgi.input"])

    def by(self, access: Access) -> S3Request:
        """The request, and who makes it."""
        return replace(self, access=access)

    def number(self, name: str, default: int, *, most: int = 1000) -> int:
        """A count from the query, capped. S3Error InvalidArgument when it is no such number."""
        value = self.query.get(name)
        if value is None or value == "":
            return default
        if not value.isascii() or not value.isdigit() or int(value) > 2**31 - 1:
            raise S3Error(
                "InvalidArgument",
                f"Provided {name} not an integer or within integer range",
                ArgumentName=name,
                ArgumentValue=value,
            )
        return min(int(value), most)


def xml(body: bytes, *, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(headers={"Content-Type": "application/xml", **(headers or {})}, body=body)
