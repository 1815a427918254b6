"""One HTTP request to the source, and what can go wrong with it."""

from __future__ import annotations

import random
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import BadStatusLine, LineTooLong, UnknownProtocol
from typing import Any
from urllib.parse import urlsplit

import urllib3
from botocore.httpsession import ProxyConfiguration, where
from botocore.utils import get_environ_proxies

from glue_ingest.address import Address

_CHUNK = 256 * 1024
_REDIRECTS = 5


@dataclass(frozen=True)
class RetryPolicy:
    """How often to try again, and how long to wait. Seconds; attempts are those without a new byte in between."""

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 15.0
    connect_timeout: float = 10.0
    read_timeout: float = 20.0

    def wait(self, failures: int, *, asked: float) -> float:
        """Before the next attempt: doubling, with up to a quarter less so that many clients spread.

        `asked` is what the server wants (Retry-After); it counts where it is longer, up to the longest wait.
        """
        full: float = min(self.first_wait * 2 ** (failures - 1), self.longest_wait)
        own = full * random.uniform(0.75, 1)  # noqa: S311 - no secret hangs on it
        return max(own, min(asked, self.longest_wait))


RETRY_POLICY = RetryPolicy()


class ConnectionFailed(Exception):
    """This attempt failed; another may succeed. `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Refused(Exception):
    """This attempt failed, and so would any other: the answer is no HTTP, or leads nowhere. `str()` says what it is."""


class Connections:
    """Kept-alive connections to one address, through the environment's proxy where it names one."""

    def __init__(self, address: Address, *, count: int, retry_policy: RetryPolicy) -> None:
        self._pool = _pool(address.url("GET"), connections=count, trusted=address.trusted)
        self._address = address
        self._timeout = urllib3.Timeout(connect=retry_policy.connect_timeout, read=retry_policy.read_timeout)

    def send(self, method: str, **headers: str) -> Any:
        """Give the answer, body unread, redirects followed.

        Raises ConnectionFailed where none came, Refused where none will come.
        """
        try:
            return self._pool.request(
                method,
                self._address.url(method),
                headers={"Accept-Encoding": "identity", "User-Agent": "glue-ingest", **headers},
                preload_content=False,
                timeout=self._timeout,
                retries=urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=_REDIRECTS),
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if lasting := _lasting(error):
                raise Refused(lasting) from None
            raise ConnectionFailed(_reason(error)) from None


def _pool(url: str, *, connections: int, trusted: str | None) -> urllib3.PoolManager:
    """Through the environment's proxy where it names one for this address."""
    parts = urlsplit(url)
    settings: dict[str, Any] = {"maxsize": connections}
    if parts.scheme == "https":
        settings["ssl_context"] = _trust(trusted)
    proxies = ProxyConfiguration(get_environ_proxies(url))
    proxy = proxies.proxy_url_for(url)
    if not proxy:
        return urllib3.PoolManager(**settings)
    return urllib3.ProxyManager(proxy, proxy_headers=proxies.proxy_headers_for(proxy), **settings)


def _trust(trusted: str | None) -> ssl.SSLContext:
    """Return one context for all connections; without one, urllib3 1.26 would accept any certificate."""
    context = ssl.create_default_context(cafile=trusted)
    if not context.cert_store_stats()["x509_ca"] and not ssl.get_default_verify_paths().capath:
        context.load_verify_locations(where())  # the system has no authorities
    # urllib3 then compares the names itself, before it sends anything; with the check in the context, its 1.26 can't
    # connect to an address in numbers.
    context.check_hostname = False
    return context


def body(response: Any, size: int | None) -> Iterator[bytes]:
    """Up to `size` bytes of a body, all when None, as they come. Raises ConnectionFailed when the connection does."""
    left = size
    while left is None or left > 0:
        try:
            chunk = response.read(_CHUNK if left is None else min(_CHUNK, left), decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ConnectionFailed(_reason(error)) from None
        if not chunk:
            return
        if left is not None:
            left -= len(chunk)
        yield chunk


def _lasting(error: BaseException) -> str:
    """Return what is wrong with an answer for good, "" where another attempt may do.

    Without the answer: it may be binary.
    """
    for cause in _causes(error):
        if isinstance(cause, ConnectionError):
            return ""  # http.client.RemoteDisconnected is a BadStatusLine too
        if isinstance(cause, (BadStatusLine, LineTooLong, UnknownProtocol, urllib3.exceptions.InvalidHeader)):
            return "gave an answer that is no HTTP"
        if isinstance(cause, ssl.SSLError):
            return ""  # a certificate that is not trusted is a ValueError too
        if (
            isinstance(cause, urllib3.exceptions.LocationValueError) or type(cause) is ValueError
        ):  # not the request's own
            return "redirects to what is no http:// or https:// address"
        if isinstance(cause, urllib3.exceptions.ResponseError) and "redirects" in str(cause):
            return f"redirects more than {_REDIRECTS} times"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised for, outermost first."""
    yield error
    for inner in (getattr(error, "reason", None), *error.args):
        if isinstance(inner, BaseException):
            yield from _causes(inner)


def _reason(error: BaseException) -> str:
    """Return the innermost cause: what urllib3 wraps it in says nothing more.

    Without queries, which may hold a signature, and without the connection, which urllib3 1.26 puts there as
    `<urllib3.connection.HTTPConnection object at 0x…>`.
    """
    inner: Any = error
    while isinstance(getattr(inner, "reason", None), BaseException):
        inner = inner.reason
    return re.sub(r"<\S+ object at 0x[0-9a-f]+>[:,] |\?\S+", "", f"{type(inner).__name__}: {inner}")
