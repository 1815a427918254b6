"""One signed request to S3 and its answer, tried again where that may help."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

from glue_ingest.connection import Patience, pool_for, reason_of
from glue_ingest.s3.place import Place

#: What another attempt may cure: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_PASSING = frozenset({429, 500, 502, 503, 504})
_PASSING_CODES = frozenset({"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"})
_READ_TIMEOUT_S = 60.0
#: A part's SHA-256 travels in a signed header already; signing the payload would hash it once more.
_UNSIGNED = {"client_config": Config(s3={"payload_signing_enabled": False})}


@dataclass(frozen=True)
class Call:
    """A request before it is signed. `query` begins with its question mark."""

    operation: str
    method: str
    bucket: str
    key: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | bytearray = b""


@dataclass(frozen=True)
class Answer:
    """Headers, and the texts of the document's first level by name."""

    operation: str
    headers: Mapping[str, str]
    document: Mapping[str, str]

    def header(self, name: str) -> str:
        return self._told(self.headers, name)

    def element(self, name: str) -> str:
        return self._told(self.document, name)

    def _told(self, where: Mapping[str, str], name: str) -> str:
        if name not in where:
            raise failure(self.operation, 200, "NotS3", f"what answered {self.operation} did not tell the {name}")
        return where[name]


class Wire:
    """Up to `connections` kept-alive connections to S3. Threads may share it."""

    def __init__(self, place: Place, *, connections: int, patience: Patience) -> None:
        self.place = place
        self._patience = patience
        #: Of buckets that turned out to be elsewhere.
        self._regions: dict[str, str] = {}
        endpoint = place.endpoint(place.region)
        try:
            self._pool = pool_for(endpoint, connections=connections, ca_bundle=place.ca_bundle)
        except OSError as error:
            raise SSLError(endpoint_url=endpoint, error=f"{error}: {place.ca_bundle}") from None
        self._timeout = urllib3.Timeout(connect=patience.connect_timeout, read=_READ_TIMEOUT_S)

    def send(self, call: Call) -> Answer:
        """Raises ClientError where S3 refuses, another BotoCoreError where there is no answer."""
        failures = 0
        while True:
            try:
                return self._attempt(call)
            except (ClientError, BotoCoreError) as error:
                failures += 1
                if failures >= self._patience.attempts or not _passing(error):
                    raise
            time.sleep(self._patience.wait(failures, asked=0))

    def _attempt(self, call: Call) -> Answer:
        region = self._regions.get(call.bucket, self.place.region)
        response = self._ask(call, region)
        document = _texts(response.data)
        actual = response.headers.get("x-amz-bucket-region") or document.get("Region", region)
        if response.status in (301, 307, 400) and actual != region:
            self._regions[call.bucket] = actual
            response = self._ask(call, actual)
            document = _texts(response.data)
        if response.status >= 300:
            code = document.get("Code") or str(response.status)
            raise failure(call.operation, response.status, code, document.get("Message") or response.reason)
        if "Code" in document:
            # S3 may have begun its 200 before it knew that it would fail:
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
            raise failure(call.operation, 500, document["Code"], document.get("Message", ""))
        return Answer(call.operation, response.headers, document)

    def _ask(self, call: Call, region: str) -> Any:
        address = self.place.url(call.bucket, call.key, region=region)
        headers = {"User-Agent": "glue-ingest", **call.headers}
        request = AWSRequest(call.method, address + call.query, headers=headers)
        request.context.update(_UNSIGNED)
        S3SigV4Auth(self.place.keys(), "s3", region).add_auth(request)
        try:
            return self._pool.request(
                call.method,
                address + call.query,
                headers=dict(request.headers.items()),
                body=call.body,  # type: ignore[arg-type]  # bytearray is sent as bytes are
                timeout=self._timeout,
                redirect=False,
                retries=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unanswered(error, address) from None


def failure(operation: str, status: int, code: str, message: str | None) -> ClientError:
    """A refusal as the SDK has it."""
    told = {"Error": {"Code": code, "Message": message or ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(told, operation)


def _unanswered(error: Exception, address: str) -> BotoCoreError:
    if isinstance(error, urllib3.exceptions.SSLError):
        return SSLError(endpoint_url=address, error=reason_of(error))
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return ReadTimeoutError(endpoint_url=address)
    if isinstance(error, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)):
        return EndpointConnectionError(endpoint_url=address)
    return ConnectionClosedError(endpoint_url=address)


def _passing(error: ClientError | BotoCoreError) -> bool:
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status in _PASSING or error.response["Error"]["Code"] in _PASSING_CODES
    return isinstance(error, (ConnectionClosedError, EndpointConnectionError, ReadTimeoutError))


def _texts(document: bytes) -> dict[str, str]:
    try:
        root = ElementTree.fromstring(document) if document else ()  # noqa: S314 - S3's; expat bounds what it expands
    except ElementTree.ParseError:
        return {}  # a proxy's page
    return {child.tag.rpartition("}")[2]: child.text or "" for child in root}
