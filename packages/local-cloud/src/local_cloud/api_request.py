"""One request: who signed it, for which service, which operation it is, and its parameters."""

from __future__ import annotations

import functools
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl

#: Operations that leave everything as it was begin so. Whatever else comes is saved after it was served.
_READS = re.compile(
    r"(Get|List|Describe|Head|BatchGet|Filter|Search|Lookup|Query|Simulate|Validate|Test|Check|Estimate|Preview|Scan)"
    r"(?![a-z])"
)

#: In the user agent of what this cloud's own services ask of each other.
INTERNAL_AGENT = "local-cloud/service"

_SCOPE = re.compile(r"Credential=([^/,\s]+)/[^/]*/([^/]*)/([^/]*)/aws4_request")


def access_key_of(authorization: str) -> str:
    """Whose signature an Authorization header holds, "" without one."""
    found = _SCOPE.search(authorization)
    return found[1] if found else ""


@dataclass
class ApiRequest:
    """One request as the gateway sees it, and as the policies are asked about it."""

    environ: dict[str, Any]

    @functools.cached_property
    def _scope(self) -> tuple[str, str, str]:
        """(access key, region, signing name) of the signature."""
        authorization = self.environ.get("HTTP_AUTHORIZATION", "")
        if found := _SCOPE.search(authorization):
            return found[1], found[2], found[3].lower()
        query = self.environ.get("QUERY_STRING", "")
        if "X-Amz-Credential=" in query:
            parts = parse_qs(query)["X-Amz-Credential"][0].split("/")
            if len(parts) == 5:
                return parts[0], parts[2], parts[3].lower()
        if authorization.startswith("AWS "):  # signature version 2: only S3 still takes it
            return authorization[4:].partition(":")[0], "", "s3"
        if "AWSAccessKeyId=" in query:
            return parse_qs(query)["AWSAccessKeyId"][0], "", "s3"
        return "", "", "" if self._is_call else "s3"

    @property
    def _is_call(self) -> bool:
        """An unsigned API call (AssumeRoleWithWebIdentity is one), not the anonymous read of an object."""
        form = self.environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        return form or "HTTP_X_AMZ_TARGET" in self.environ

    @property
    def access_key(self) -> str:
        return self._scope[0]

    @property
    def session_token(self) -> str:
        """What temporary keys are sent with: a header, or a part of a presigned URL. "" without it."""
        query = parse_qs(str(self.environ.get("QUERY_STRING", "")))
        header = self.environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
        return str(header or query.get("X-Amz-Security-Token", query.get("x-amz-security-token", [""]))[0])

    @property
    def region(self) -> str:
        return self._scope[1]

    @property
    def service(self) -> str:
        """The signing name ("states", "lambda", "s3"), "" when the request does not say."""
        return self._scope[2]

    @property
    def is_s3(self) -> bool:
        control = self.environ.get("PATH_INFO", "").startswith("/v20180820/")
        return self.service in ("s3", "s3express") and not control

    @functools.cached_property
    def operation(self) -> str:
        """The API operation where header, body or path name it; "" for REST APIs, whose method tells enough."""
        if target := self.environ.get("HTTP_X_AMZ_TARGET"):
            return str(target).rpartition(".")[2]
        path = str(self.environ.get("PATH_INFO", ""))
        if found := re.fullmatch(r"/service/[^/]+/operation/([^/]+)", path):
            return found[1]
        if self.environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            return parse_qs(self.read_body().decode("utf-8", "replace")).get("Action", [""])[0]
        return parse_qs(str(self.environ.get("QUERY_STRING", ""))).get("Action", [""])[0]

    @property
    def reads_only(self) -> bool:
        if self.operation:
            return bool(_READS.match(self.operation))
        return self.environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS")

    @property
    def is_internal(self) -> bool:
        """A service of this cloud calls another one, and can wait."""
        return INTERNAL_AGENT in self.environ.get("HTTP_USER_AGENT", "")

    def api_operation(self) -> str:
        """The operation by its API name; of a REST API by method and path, as botocore's model has it, else ""."""
        return self.operation or self._routed[0]

    def parameters(self) -> Mapping[str, Any]:
        """The operation's parameters by their API names. The body can still be read by whoever serves the request."""
        if self.operation:
            return _parameters(self.environ, self.read_body())
        _, found, body_is_payload = self._routed
        return found if body_is_payload else {**_parameters(self.environ, self.read_body()), **found}

    @functools.cached_property
    def _routed(self) -> tuple[str, dict[str, Any], bool]:
        """Of a REST API: the operation, what path and query say, and whether the body is something else than JSON."""
        from moto.core.request import Request
        from moto.core.routing import NotFound, get_service_router

        try:
            # SES has two APIs and one name to sign for.
            second = self.service == "ses" and str(self.environ.get("PATH_INFO", "")).startswith("/v2/email/")
            router = get_service_router("sesv2" if second else self.service)
            operation, found = router.match(Request(dict(self.environ)))
        except (NotFound, NotImplementedError):
            return "", {}, True
        query = parse_qs(str(self.environ.get("QUERY_STRING", "")))
        shape = operation.input_shape
        names = {} if shape is None else {m.serialization.get("name", n): n for n, m in shape.members.items()}
        found = {**{names.get(name, name): values[0] for name, values in query.items()}, **found}
        return str(operation.name), found, shape is None or "payload" in shape.serialization

    def read_body(self) -> bytes:
        """The body, which can be read again by whoever serves the request."""
        body: bytes = self.environ["wsgi.input"].read()
        self.environ["wsgi.input"] = io.BytesIO(body)
        return body


def _parameters(environ: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """What a body of JSON, of a query API's form or of CBOR says. Nothing where it says nothing sensible."""
    if "cbor" in environ.get("HTTP_SMITHY_PROTOCOL", ""):
        from botocore.parsers import RpcV2CBORParser

        read = RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body))) if body else {}
    elif environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return _unflattened(parse_qsl(body.decode("utf-8", "replace")))
    else:
        try:
            read = json.loads(body or b"{}")
        except ValueError:
            read = {}
    return read if isinstance(read, dict) else {}


def _unflattened(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """`Tags.member.1.Key=a` as {"Tags": [{"Key": "a"}]}."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        inner, (*path, last) = found, [part for part in name.split(".") if part not in ("member", "entry")]
        for part in path:
            deeper = inner.setdefault(part, {})
            if not isinstance(deeper, dict):
                break
            inner = deeper
        inner[last] = value
    return {name: _lists(value) for name, value in found.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if all(name.isdigit() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(each) for name, each in value.items()}
