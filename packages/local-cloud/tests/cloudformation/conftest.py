"""A cloud with CloudFormation, and short words for what the tests do with stacks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TEMPLATES = Path(__file__).parent / "templates"
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


@dataclass
class Stacks:
    """One cloud's CloudFormation, as a user of boto3 sees it."""

    cloud: Any

    def __post_init__(self) -> None:
        self.api = self.cloud.client("cloudformation")

    def create(self, name: str, template: str, *, wait: bool = True, **options: Any) -> str:
        stack_id: str = self.api.create_stack(**self._request(name, template, options))["StackId"]
        return stack_id

    def update(self, name: str, template: str, **options: Any) -> None:
        self.api.update_stack(**self._request(name, template, options))

    def delete(self, name: str, **options: Any) -> None:
        self.api.delete_stack(StackName=name, **options)

    def stack(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.describe_stacks(StackName=name)["Stacks"][0]
        return found

    def status(self, name: str) -> str:
        return str(self.stack(name)["StackStatus"])

    def outputs(self, name: str) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.stack(name).get("Outputs", [])}

    def resources(self, name: str) -> dict[str, str]:
        """Logical id → physical id."""
        found = self.api.describe_stack_resources(StackName=name)["StackResources"]
        return {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in found}

    def events(self, name: str, *, of: str = "") -> list[tuple[str, str, str]]:
        """(logical id, status, reason), oldest first."""
        pages = self.api.get_paginator("describe_stack_events").paginate(StackName=name)
        found = [
            (each["LogicalResourceId"], each["ResourceStatus"], each.get("ResourceStatusReason", ""))
            for page in pages
            for each in page["StackEvents"]
        ]
        return [event for event in reversed(found) if not of or event[0] == of]

    def failures(self, name: str) -> dict[str, str]:
        """Logical id → the reason of its failure."""
        return {logical_id: reason for logical_id, status, reason in self.events(name) if status.endswith("_FAILED")}

    def _request(self, name: str, template: str, options: dict[str, Any]) -> dict[str, Any]:
        request = {"StackName": name, "TemplateBody": template, "Capabilities": CAPABILITIES}
        parameters = options.pop("parameters", {})
        request["Parameters"] = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        tags = options.pop("tags", None)
        if tags is not None:
            request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return request | options


@pytest.fixture(scope="module")
def stacks(cloud: Any) -> Stacks:
    return Stacks(cloud)


@pytest.fixture(scope="module")
def code_bucket(cloud: Any) -> str:
    """A bucket with a function's package, a job's script and a state machine's definition."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="code")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return event\n")
    definition = (
        '{"Comment": "${Variant} runs ${JobName}", "StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
    )
    s3.put_object(Bucket="code", Key="function.zip", Body=package.getvalue())
    s3.put_object(Bucket="code", Key="job.py", Body=b"print(1)\n")
    s3.put_object(Bucket="code", Key="machine.asl.json", Body=definition.encode())
    return "code"


@pytest.fixture
def gone(stacks: Stacks) -> Iterator[Callable[[str], str]]:
    """Names a stack for one test, and deletes it afterwards."""
    names: list[str] = []

    def named(name: str) -> str:
        names.append(name)
        return name

    yield named
    for name in names:
        stacks.delete(name)
