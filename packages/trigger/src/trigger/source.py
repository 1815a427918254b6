"""Whether a file is published: one HEAD request to its address, by HTTP or to S3."""

from __future__ import annotations

import string
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from trigger.events import EventError
from trigger.periods import Month

#: Seconds that the server may keep silent; the function's own timeout has to leave room for the redirects.
TIMEOUT = 10.0
_REDIRECTS = 5
_PLACEHOLDERS = ("dataset", "year", "month")
#: TLC's CloudFront answers 403 for a file that is not there. 404 is everybody else's.
_MISSING = frozenset({403, 404})
#: Servers that give files but answer no HEAD.
_NO_HEAD = frozenset({405, 501})


class SourceError(RuntimeError):
    """The source did not say whether it has the file; `str()` says which source, and what it did say.

    It leaves the handler, so that Lambda retries the event and gives it up into the dead-letter queue:
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """


def address_of(template: str, *, dataset: str, month: Month) -> str:
    """Return a month's address: the template with {dataset}, {year} and {month} filled in. Errors: EventError."""
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(template) if field is not None]
        parts = urlsplit(template)
    except ValueError as error:
        raise EventError(f"source {template!r}: {error}") from None
    unknown = [field for field in fields if field not in _PLACEHOLDERS]
    if unknown:
        known = ", ".join("{" + name + "}" for name in _PLACEHOLDERS)
        raise EventError(f"source {template!r} has the placeholder {{{unknown[0]}}}; there are {known}")
    if parts.scheme not in ("http", "https", "s3") or not parts.netloc or not parts.path.strip("/"):
        raise EventError(f"source must be an http://, https:// or s3:// address, but is {template!r}")
    if "@" in parts.netloc:
        raise EventError("source must not hold a user or password: addresses are logged")
    return template.format(dataset=dataset, **month.input)


def why_missing(address: str) -> str:
    """Return how the source says that it has no such file, such as `HTTP 404`; "" where it has it.

    Errors: SourceError for every other answer and for none: what failed for another reason is no missing file.
    """
    shown = address.partition("?")[0]  # a query may hold a signature
    status = _head_object(address, shown) if address.startswith("s3://") else _head(address, shown)
    if status in _MISSING:
        return f"HTTP {status}"
    if 200 <= status < 300:
        return ""
    raise SourceError(f"{shown} answered HTTP {status}, which does not tell whether it is published")


def _head(address: str, shown: str) -> int:
    """Return the status of a HEAD request, redirects followed; where HEAD is refused, of a GET whose body is left."""
    for method in ("HEAD", "GET"):
        request = urllib.request.Request(address, method=method, headers={"User-Agent": "elt-trigger"})  # noqa: S310
        try:
            with _opener().open(request, timeout=TIMEOUT) as response:
                status = int(response.status)
        except urllib.error.HTTPError as error:
            error.close()
            if 300 <= error.code < 400:
                raise SourceError(f"{shown} answered HTTP {error.code} and leads nowhere: {error.reason}") from None
            status = error.code
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise SourceError(f"{shown} did not answer: {type(reason).__name__}: {reason}") from None
        if status not in _NO_HEAD:
            break
    return status


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Up to so many, and with the method kept: urllib asks again by GET before Python 3.13."""

    max_redirections = _REDIRECTS

    def redirect_request(self, req: Any, *args: Any) -> Any:
        again = super().redirect_request(req, *args)
        if again is not None:
            again.method = req.get_method()
        return again


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and HTTPS alone, through the environment's proxy: a redirect to ftp:// or file:// leads nowhere."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def _head_object(address: str, shown: str) -> int:
    """Return the status of HeadObject. Without s3:ListBucket, S3 answers 403 for a key that is not there too:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = address[len("s3://") :].partition("/")
    try:
        boto3.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        if status == 403:
            raise SourceError(
                f"{shown} answered HTTP 403: allow this function's role s3:GetObject on it, and s3:ListBucket, without "
                "which S3 says the same of a key that is not there"
            ) from None
        return status
    except BotoCoreError as error:
        raise SourceError(f"{shown} did not answer: {error}") from None
    return 200
