"""Lambda as a user of boto3 drives it."""

from __future__ import annotations

import base64
import io
import json
import sys
import textwrap
import time
import zipfile
from dataclasses import dataclass, field
from typing import Any

import pytest

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


def zipped(files: dict[str, str]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, textwrap.dedent(text))
    return body.getvalue()


@dataclass(frozen=True)
class Answer:
    """What an invocation answered."""

    payload: Any
    error: str | None
    log: str
    status: int
    version: str


@dataclass
class Lambda:
    """One cloud's functions, with a role for them."""

    cloud: Any
    count: int = 0
    clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.role = self.cloud.role("function")

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.cloud.client(service)
        return self.clients[service]

    @property
    def api(self) -> Any:
        return self.client("lambda")

    def function(self, handler: str = "", files: dict[str, str] | None = None, **settings: Any) -> str:
        """Create a function from a handler's text (or more files); its name."""
        self.count += 1
        name = settings.pop("FunctionName", f"function-{self.count}")
        settings = {"Role": self.role, "Runtime": RUNTIME, "Handler": "app.main", "Timeout": 30, **settings}
        code = settings.pop("Code", None) or {"ZipFile": zipped(files or {"app.py": handler})}
        self.api.create_function(FunctionName=name, Code=code, **settings)
        return str(name)

    def invoke(self, name: str, event: Any = None, **request: Any) -> Answer:
        payload = json.dumps({} if event is None else event)
        said = self.api.invoke(FunctionName=name, Payload=payload, LogType="Tail", **request)
        body = said["Payload"].read()
        return Answer(
            payload=json.loads(body) if body else None,
            error=said.get("FunctionError"),
            log=base64.b64decode(said.get("LogResult", "")).decode(),
            status=said["StatusCode"],
            version=said.get("ExecutedVersion", ""),
        )

    def queue(self, name: str) -> str:
        """Create a queue; its ARN."""
        self.client("sqs").create_queue(QueueName=name)
        return f"arn:aws:sqs:us-east-1:123456789012:{name}"

    def receive(self, name: str) -> Any:
        """The next message of a queue, waited for and deleted."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"]).get(
                "Messages", []
            ):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                return message
        raise AssertionError(f"nothing came to {name}")


@pytest.fixture(scope="module")
def functions(cloud: Any) -> Lambda:
    return Lambda(cloud)


@pytest.fixture(scope="session")
def functions_of() -> type[Lambda]:
    return Lambda


@pytest.fixture(scope="session")
def make_zip() -> Any:
    return zipped
