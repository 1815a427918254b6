"""The front door: every request is recognised, allowed, served and made durable here, in this order."""

from __future__ import annotations

import functools
import io
import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from local_cloud import browsers, faults
from local_cloud.authorization import AccessDenied, principal_of
from local_cloud.cloud import Cloud
from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.request import Reply, S3Request
from local_cloud.snapshot import package_of

log = logging.getLogger("local_cloud.gateway")

#: Where the cloud tells who it is; no bucket can have this name.
STATUS_PATH = "/_local-cloud/status"

#: Operations that leave everything as it was begin so. Whatever else comes is saved after it was served.
_READS = re.compile(
    r"(Get|List|Describe|Head|BatchGet|Filter|Search|Lookup|Query|Simulate|Validate|Test|Check|Estimate|Preview|Scan)"
    r"(?![a-z])"
)

_SCOPE = re.compile(r"Credential=([^/,\s]+)/[^/]*/([^/]*)/([^/]*)/aws4_request")

#: What a service does in the name of another one, inside the process: their state is saved with its own.
_REACHES: dict[str, tuple[str, ...]] = {
    "events": ("sqs", "sns", "logs"),
    "s3": ("sqs", "sns"),
    "sns": ("sqs",),
}

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


@dataclass
class ApiRequest:
    """One request as the gateway sees it. It is also the `Access` that an authorizer is asked about."""

    environ: dict[str, Any]
    account_id: str
    s3_action: str = ""
    s3_resource: str = "*"

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
        if authorization.startswith("AWS ") or "AWSAccessKeyId=" in query:
            return authorization[4:].partition(":")[0], "", "s3"  # signature version 2: only S3 still takes it
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
            form: bytes = self.environ["wsgi.input"].read()
            self.environ["wsgi.input"] = io.BytesIO(form)
            return parse_qs(form.decode("utf-8", "replace")).get("Action", [""])[0]
        return parse_qs(str(self.environ.get("QUERY_STRING", ""))).get("Action", [""])[0]

    @property
    def reads_only(self) -> bool:
        if self.operation:
            return bool(_READS.match(self.operation))
        return self.environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS")

    @property
    def principal(self) -> str:
        return principal_of(self.access_key, self.account_id)

    @property
    def action(self) -> str:
        return self.s3_action or f"{self.service}:{self.api_operation()}"

    @property
    def resource(self) -> str:
        return self.s3_resource

    def api_operation(self) -> str:
        """The operation by its API name; of a REST API by method and path, as botocore's model has it, else ""."""
        if self.operation:
            return self.operation
        from moto.core.request import Request
        from moto.core.routing import NotFound, get_service_router

        try:
            operation, _ = get_service_router(self.service).match(Request(dict(self.environ)))
        except (NotFound, NotImplementedError):
            return ""
        return str(operation.name)


class Gateway:
    """The WSGI application."""

    def __init__(self, cloud: Cloud) -> None:
        from moto.moto_server import werkzeug_app

        werkzeug_app.DISABLE_GLOBAL_CORS = True  # see browsers.py
        self._cloud = cloud
        self._moto = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request_id = str(uuid.uuid4())
        if reason := browsers.refusal(environ):
            fault = faults.Fault(403, "AccessDeniedException", reason)
            return _start(start_response, faults.reply(fault, environ, service="", request_id=request_id))
        if environ.get("PATH_INFO") == STATUS_PATH:
            body = json.dumps(self._cloud.describe()).encode()
            return _start(start_response, Reply(200, {"Content-Type": "application/json"}, body))
        if respond := self._cloud.routes.get(environ.get("PATH_INFO", "")):
            return _start(start_response, _own(environ, respond))
        request = ApiRequest(environ, self._cloud.settings.account_id)
        try:
            if request.is_s3:
                return self._serve_s3(request, start_response, request_id)
            self._cloud.authorizer.check(request)
            return self._serve_moto(request, start_response)
        except AccessDenied as error:
            fault = faults.Fault(403, "AccessDeniedException", str(error))
        except faults.UnknownService as error:
            fault = faults.Fault(400, "UnknownOperationException", str(error))
        except ConnectionError:
            raise
        except Exception as error:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], environ.get("REQUEST_URI"))
            fault = faults.Fault(500, "InternalFailure", f"The local cloud failed: {type(error).__name__}: {error}")
        return _start(start_response, faults.reply(fault, environ, service=request.service, request_id=request_id))

    def _serve_s3(self, request: ApiRequest, start_response: StartResponse, request_id: str) -> Iterable[bytes]:
        s3 = self._cloud.s3
        parsed: S3Request | None = None
        try:
            parsed = S3Request.of(request.environ)
            found = s3.operation(parsed)
            if parsed.bucket:
                request.s3_resource = f"arn:aws:s3:::{parsed.bucket}" + (f"/{parsed.key}" if parsed.key else "")
            request.s3_action = found[0] if found else ""
            self._cloud.authorizer.check(request)
            if found is None:
                return self._serve_moto(request, start_response)
            reply = s3.handle(parsed, found)
        except AccessDenied as error:
            reply = s3.error(parsed, S3Error("AccessDenied", str(error)), request_id=request_id)
        except S3Error as error:
            reply = s3.error(parsed, error, request_id=request_id)
        reply.headers |= {"x-amz-request-id": request_id, "x-amz-id-2": "local-cloud", "Server": "AmazonS3"}
        return _start(start_response, reply)

    def _serve_moto(self, request: ApiRequest, start_response: StartResponse) -> Iterable[bytes]:
        reads_only = request.reads_only  # before the body is gone
        app = self._application(request)
        result: Iterable[bytes] = app(request.environ, start_response)
        if not reads_only:
            service = package_of(app.service)
            self._cloud.persistence.save_after(request.api_operation, service)
            for name in _REACHES.get(service, ()):
                self._cloud.persistence.save(name)
        return result

    def _application(self, request: ApiRequest) -> Any:
        """moto's application for a request's service."""
        path = request.environ.get("PATH_INFO", "")
        if path.startswith("/moto-api"):
            raise faults.UnknownService("The local cloud does not serve moto's own API.")
        try:
            return self._moto.get_application(request.environ)
        except (AttributeError, KeyError, ImportError) as error:  # moto has no module for it, or one that needs more
            raise faults.UnknownService(f"The local cloud has no service {request.service or path!r}.") from error


def _own(environ: dict[str, Any], respond: Callable[[bytes], tuple[int, dict[str, Any]]]) -> Reply:
    """One of the cloud's own paths. A web page cannot send JSON here without asking first, and is not allowed to."""
    if environ["REQUEST_METHOD"] != "POST" or environ.get("CONTENT_TYPE") != "application/json":
        status, answer = 405, {"error": "POST JSON, with Content-Type: application/json"}
    else:
        status, answer = respond(environ["wsgi.input"].read())
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(answer, default=str).encode())


def _start(start_response: StartResponse, reply: Reply) -> Iterable[bytes]:
    headers = list(reply.headers.items())
    if isinstance(reply.body, bytes) and "Content-Length" not in reply.headers and reply.status not in (204, 304):
        headers.append(("Content-Length", str(len(reply.body))))
    start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
    return [reply.body] if isinstance(reply.body, bytes) else reply.body
