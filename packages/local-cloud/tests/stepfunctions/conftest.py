"""Step Functions as a user of boto3 drives it: create a machine, run it, look at what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/machine"
_NO_INPUT: Any = object()


@dataclass(frozen=True)
class Outcome:
    """What one execution came to."""

    arn: str
    status: str
    output: Any
    error: str | None
    cause: str | None
    events: list[dict[str, Any]]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def result(self) -> Any:
        """The output of one that succeeded, else error and cause."""
        return self.output if self.status == "SUCCEEDED" else (self.error, self.cause)

    def details(self, event_type: str) -> list[dict[str, Any]]:
        """Of all events of a type, in order."""
        member = event_type[0].lower() + event_type[1:] + "EventDetails"
        return [event.get(member, {}) for event in self.events if event["type"] == event_type]


@dataclass
class StepFunctions:
    """One cloud's Step Functions."""

    cloud: Any
    count: int = 0
    clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud.role("machine")

    def client(self, service: str) -> Any:
        if service not in self.clients:
            # StartSyncExecution goes to the host `sync-…` otherwise.
            self.clients[service] = self.cloud.client(service, config=Config(inject_host_prefix=False))
        return self.clients[service]

    @property
    def api(self) -> Any:
        return self.client("stepfunctions")

    def machine(self, definition: Any, **request: Any) -> str:
        """Create a machine; its ARN."""
        self.count += 1
        text = definition if isinstance(definition, str) else json.dumps(definition)
        request = {"name": f"machine-{self.count}", "roleArn": ROLE} | request
        return str(self.api.create_state_machine(definition=text, **request)["stateMachineArn"])

    def start(self, machine: str, input: Any = _NO_INPUT, **request: Any) -> str:
        """Start an execution; its ARN."""
        if input is not _NO_INPUT:
            request["input"] = json.dumps(input)
        return str(self.api.start_execution(stateMachineArn=machine, **request)["executionArn"])

    def wait(self, execution: str) -> Outcome:
        """Until it has ended."""
        described = self.until(lambda: self.describe(execution), lambda each: each["status"] != "RUNNING")
        return Outcome(
            arn=execution,
            status=described["status"],
            output=json.loads(described["output"]) if "output" in described else None,
            error=described.get("error"),
            cause=described.get("cause"),
            events=self.history(execution),
        )

    def run(self, definition: Any, input: Any = _NO_INPUT, **request: Any) -> Outcome:
        """Create a machine, start an execution of it and wait for its end."""
        return self.wait(self.start(self.machine(definition, **request), input))

    def describe(self, execution: str) -> dict[str, Any]:
        described: dict[str, Any] = self.api.describe_execution(executionArn=execution)
        return described

    def history(self, execution: str) -> list[dict[str, Any]]:
        pages = self.api.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def until_event(self, execution: str, event_type: str) -> dict[str, Any]:
        """Wait for an event of the history."""

        def find() -> dict[str, Any] | None:
            return next((event for event in self.history(execution) if event["type"] == event_type), None)

        found: dict[str, Any] = self.until(find, lambda event: event is not None)
        return found

    def until(self, look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
        """Look until what is seen is good; that."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            seen = look()
            if good(seen):
                return seen
            time.sleep(0.01)
        raise AssertionError(f"still {seen}")

    def threads(self) -> int:
        """How many threads the server has."""
        return len(list(Path(f"/proc/{self.cloud.process.pid}/task").iterdir()))

    def refused(self, operation: str, **request: Any) -> tuple[str, str]:
        """Code and message of the error an operation answers with."""
        with pytest.raises(ClientError) as raised:
            getattr(self.api, operation)(**request)
        error = raised.value.response["Error"]
        return error["Code"], error["Message"]

    @staticmethod
    def one(state: dict[str, Any], **machine: Any) -> dict[str, Any]:
        """A machine of one state, S, and of two it may go to."""
        ends = {"Caught": {"Type": "Pass", "End": True}, "Other": {"Type": "Pass", "End": True}}
        text = json.dumps(state)
        wanted = {name: end for name, end in ends.items() if f'"{name}"' in text}
        if state["Type"] not in ("Choice", "Fail", "Succeed"):
            state = {"End": True, **state}
        return {"StartAt": "S", "States": {"S": state, **wanted}, **machine}

    @staticmethod
    def chain(*states: dict[str, Any], **machine: Any) -> dict[str, Any]:
        """A machine of states S0, S1, …, one after the other."""
        last = len(states) - 1
        moves: list[dict[str, Any]] = [{"Next": f"S{index + 1}"} for index in range(last)] + [{"End": True}]
        if states[-1]["Type"] in ("Fail", "Succeed"):
            moves[-1] = {}
        named = {f"S{index}": state | move for index, (state, move) in enumerate(zip(states, moves, strict=True))}
        return {"StartAt": "S0", "States": named, **machine}


@pytest.fixture(scope="package")
def cloud(new_cloud: Callable[..., Any]) -> Iterator[Any]:
    running = new_cloud()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def sfn_of() -> Callable[[Any], StepFunctions]:
    """For tests that start clouds of their own."""
    return step_functions


@pytest.fixture(scope="package")
def sfn(cloud: Any) -> StepFunctions:
    return step_functions(cloud)


def step_functions(cloud: Any) -> StepFunctions:
    """Of a cloud that runs, with the role of its machines."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    cloud.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps(trust))
    return StepFunctions(cloud)
