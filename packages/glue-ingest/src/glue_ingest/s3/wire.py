"""One signed request to S3 and its answer, tried again where that may help."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, SSLError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from glue_ingest.connection import Patience
from glue_ingest.s3.place import REGION, Place

#: What another attempt may cure: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_PASSING = frozenset({429, 500, 502, 503, 504, 509})
_PASSING_CODES = frozenset(
    {"RequestTimeout", "RequestTimeoutException", "SlowDown", "Throttling", "ThrottlingException"}
)
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
    """Up to `connections` kept-alive connections to S3, by the SDK's own. Threads may share it.

    Once `stop` is set, nothing is tried again.
    """

    def __init__(self, place: Place, *, connections: int, patience: Patience, stop: threading.Event) -> None:
        self.place = place
        self._patience = patience
        self._stop = stop
        #: Of buckets that turned out to be elsewhere.
        self._regions: dict[str, str] = {}
        self._http = URLLib3Session(
            verify=place.trusted or True,
            proxies=get_environ_proxies(place.url("", "", region=place.region)),
            timeout=(patience.connect_timeout, patience.read_timeout),
            max_pool_connections=connections,
        )

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
                if self._stop.wait(self._patience.wait(failures, asked=0)):
                    raise

    def _attempt(self, call: Call) -> Answer:
        region = self._regions.get(call.bucket, self.place.region)
        response = self._ask(call, region)
        document = _texts(response.content)
        actual = response.headers.get("x-amz-bucket-region") or (document or {}).get("Region", "")
        if response.status_code in (301, 307, 400) and REGION.fullmatch(actual) and actual != region:
            self._regions[call.bucket] = actual
            response = self._ask(call, actual)
            document = _texts(response.content)
        told = document or {}
        if response.status_code >= 300:
            code = told.get("Code") or str(response.status_code)
            message = told.get("Message") or http.client.responses.get(response.status_code, "")
            raise failure(call.operation, response.status_code, code, message)
        if document is None:
            raise failure(call.operation, 500, "NotS3", f"what answered {call.operation} is not a document of S3's")
        if "Code" in told:
            # S3 may have begun its 200 before it knew that it would fail:
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
            raise failure(call.operation, 500, told["Code"], told.get("Message", ""))
        return Answer(call.operation, response.headers, told)

    def _ask(self, call: Call, region: str) -> Any:
        url = self.place.url(call.bucket, call.key, region=region) + call.query
        headers = {"User-Agent": "glue-ingest", **call.headers}
        request = AWSRequest(call.method, url, headers=headers, data=call.body)
        request.context.update(_UNSIGNED)
        S3SigV4Auth(self.place.keys(), "s3", region).add_auth(request)
        return self._http.send(request.prepare())


def failure(operation: str, status: int, code: str, message: str) -> ClientError:
    """A refusal as the SDK has it."""
    told = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(told, operation)


def _passing(error: ClientError | BotoCoreError) -> bool:
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status in _PASSING or error.response["Error"]["Code"] in _PASSING_CODES
    if isinstance(error, SSLError):  # also that of a connection that ends in the middle
        return not re.search("certificate|hostname", str(error), re.IGNORECASE)
    return isinstance(error, (ConnectionError, HTTPClientError))


def _texts(document: bytes) -> dict[str, str] | None:
    """None where it is no XML: a proxy's page, or half an answer."""
    if not document:
        return {}
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - expat bounds what it expands
    except (ElementTree.ParseError, ValueError, LookupError):  # the last two of encodings that Python has not
        return None
    return {child.tag.rpartition("}")[2]: child.text or "" for child in root}
