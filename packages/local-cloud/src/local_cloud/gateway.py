"""The front door: every request is recognised, allowed, served and made durable here, in this order."""

from __future__ import annotations

import contextlib
import json
import logging
import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any

from local_cloud import browsers, faults, moto_state
from local_cloud.api_request import ApiRequest
from local_cloud.cloud import Cloud
from local_cloud.errors import StateNotSaved, StateUnusable
from local_cloud.httpd import Reply
from local_cloud.permissions import wire
from local_cloud.permissions.errors import AccessDenied
from local_cloud.refusals import REFUSED, refusal
from local_cloud.saving import cause_of
from local_cloud.snapshot import package_of

log = logging.getLogger("local_cloud.gateway")

#: Where the cloud tells who it is; no bucket can have this name.
STATUS_PATH = "/_local-cloud/status"

#: What a service does in the name of another one, inside the process: their state is saved with its own.
_REACHES: dict[str, tuple[str, ...]] = {
    "events": ("sqs", "sns", "logs"),
    "s3": ("sqs", "sns"),
    "sns": ("sqs",),
}

#: Services that keep nothing in moto's backends. They have locks of their own, and operations that wait.
_OWN = frozenset({"cloudformation", "redshiftdata", "redshiftserverless", "stepfunctions"})

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Gateway:
    """The WSGI application."""

    def __init__(self, cloud: Cloud) -> None:
        from moto.moto_server import werkzeug_app

        moto_state.release_in_waits()
        werkzeug_app.DISABLE_GLOBAL_CORS = True  # see browsers.py
        self._cloud = cloud
        self._moto = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
        # It looks at each folder of moto's for each request, and what it finds depends on the host alone.
        self._moto.get_backend_for_host = lru_cache(maxsize=256)(self._moto.get_backend_for_host)

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
        request = ApiRequest(environ)
        try:
            if request.is_s3:
                return self._serve_s3(request, start_response, request_id)
            self._cloud.permissions.check_request(request)
            return self._serve_moto(request, start_response)
        except AccessDenied as error:
            fault = wire.fault(error, environ, service=request.service)
        except faults.UnknownService as error:
            fault = faults.Fault(400, "UnknownOperationException", str(error))
        except NotImplementedError as error:  # moto's word for an operation or an argument that it lacks
            what = f"{request.service}:{request.api_operation()}"
            fault = faults.Fault(400, "UnknownOperationException", f"The local cloud does not serve {what}: {error}")
        except ConnectionError:
            raise
        except StateNotSaved as error:
            message = f"The local cloud cannot save its state in {self._cloud.settings.state_dir}: {error}."
            fault = faults.Fault(500, "InternalFailure", message)
        except StateUnusable as error:
            fault = faults.Fault(500, "InternalFailure", error.said(self._cloud.settings.typed.command))
        except OSError as error:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], environ.get("REQUEST_URI"))
            fault = faults.Fault(500, "InternalFailure", f"The local cloud cannot do that: {cause_of(error)}.")
        except Exception as error:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], environ.get("REQUEST_URI"))
            fault = faults.Fault(500, "InternalFailure", f"The local cloud failed: {type(error).__name__}: {error}")
        return _start(start_response, faults.reply(fault, environ, service=request.service, request_id=request_id))

    def _serve_s3(self, request: ApiRequest, start_response: StartResponse, request_id: str) -> Iterable[bytes]:
        answer = self._cloud.s3.serve(
            request.environ,
            start_response,
            check=partial(self._cloud.permissions.check_s3, request),
            read_body=request.read_body,
            forward=partial(self._serve_moto, request),
            request_id=request_id,
        )
        return _start(start_response, answer) if isinstance(answer, Reply) else answer

    def _serve_moto(self, request: ApiRequest, start_response: StartResponse) -> Iterable[bytes]:
        if request.service in REFUSED and (why := refusal(request.service, request.api_operation())):
            raise faults.UnknownService(why)
        reads_only = request.reads_only  # before the body is gone
        app = self._application(request)
        service = package_of(app.service)
        body = request.read_body()  # nobody waits for a client while the state is held
        if not reads_only:
            self._cloud.persistence.check(patient=request.is_internal)
        result: Iterable[bytes]
        answer = self._cloud.apis.get(service)
        if answer and request.environ.get("HTTP_X_AMZ_TARGET") and request.environ.get("PATH_INFO") == "/":
            status, headers, text = answer(request.operation, body)
            result = _start(start_response, Reply(status, headers, text.encode()))
        else:
            with contextlib.nullcontext() if service in _OWN else moto_state.held():
                result = app(request.environ, _without_missing_routes(request, start_response))
        if not reads_only:
            self._cloud.persistence.save_after(request.api_operation, service, patient=request.is_internal)
            for name in _REACHES.get(service, ()):
                self._cloud.persistence.save(name, patient=request.is_internal)
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


def _without_missing_routes(request: ApiRequest, start_response: StartResponse) -> StartResponse:
    """Return a `start_response` that raises UnknownService where moto has no route, which it says in HTML."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        if status.startswith("404") and kind.startswith("text/html") and not request.is_s3:
            what = request.api_operation() or request.environ.get("PATH_INFO", "")
            raise faults.UnknownService(f"The local cloud does not serve {request.service}:{what}.")
        return start_response(status, headers, *more)

    return start
