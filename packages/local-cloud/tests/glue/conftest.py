"""Glue as a user of boto3 drives it: put a script, make a job, run it, read its log."""

from __future__ import annotations

import sys
import textwrap
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

FINAL = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"}
OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class Glue:
    """One cloud's Glue, and a bucket for scripts and libraries."""

    cloud: Any
    bucket: str = "artifacts"
    count: int = 0
    clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud.role("glue-role")
        self.s3.create_bucket(Bucket=self.bucket)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.cloud.client(service)
        return self.clients[service]

    @property
    def api(self) -> Any:
        return self.client("glue")

    @property
    def s3(self) -> Any:
        return self.client("s3")

    def put(self, key: str, body: str | bytes) -> str:
        data = textwrap.dedent(body).encode() if isinstance(body, str) else body
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return f"s3://{self.bucket}/{key}"

    def job(self, script: str, **definition: Any) -> str:
        """Create a job with a script's text; its name. It runs on the tests' own Python, to need one environment."""
        self.count += 1
        name = definition.pop("Name", f"job-{self.count}")
        command = {
            "Name": "pythonshell",
            "PythonVersion": OWN_PYTHON,
            "ScriptLocation": self.put(f"scripts/{name}.py", script),
            **definition.pop("Command", {}),
        }
        self.api.create_job(Name=name, Role="glue-role", Command=command, **definition)
        return str(name)

    def start(self, job: str, arguments: dict[str, str] | None = None, **request: Any) -> str:
        return str(self.api.start_job_run(JobName=job, Arguments=arguments or {}, **request)["JobRunId"])

    def get(self, job: str, run_id: str) -> Any:
        return self.api.get_job_run(JobName=job, RunId=run_id)["JobRun"]

    def wait(self, job: str, run_id: str, states: set[str] = FINAL) -> Any:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            run = self.get(job, run_id)
            if run["JobRunState"] in states:
                return run
            assert run["JobRunState"] not in FINAL, run
            time.sleep(0.05)
        raise AssertionError(f"{run_id} is still {run['JobRunState']}")

    def run(self, job: str, arguments: dict[str, str] | None = None, **request: Any) -> Any:
        """Start a run and wait for its end."""
        return self.wait(job, self.start(job, arguments, **request))

    def lines(self, run: Any, kind: str = "output") -> list[str]:
        logs, group = self.client("logs"), f"{run['LogGroupName']}/{kind}"
        try:
            pages = logs.get_log_events(logGroupName=group, logStreamName=run["Id"], startFromHead=True)
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in pages["events"]]


@pytest.fixture(scope="module")
def glue(cloud: Any) -> Glue:
    return Glue(cloud)


@pytest.fixture(scope="session")
def glue_of() -> type[Glue]:
    """For tests that start clouds of their own."""
    return Glue
