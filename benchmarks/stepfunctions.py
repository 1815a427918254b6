"""Step Functions of a local cloud beside MiniStack and moto's server: first execution, many executions, a large Map.

    pip install ministack 'moto[server,stepfunctions]' into an environment of their own, then
    python benchmarks/stepfunctions.py [--beside /path/of/that/environment/bin] [--executions 1000] [--items 10000]

Each server starts with nothing, in a temporary folder. First: from the start of the first CreateStateMachine to the end
of its execution. Executions: of a machine of five Pass, Choice and Succeed states, started one after another by one
client, until the last has ended. Map: of as many items, in distributed mode with MaxConcurrency 1. Memory: the server's
resident set before and after `--kept` more executions of the local cloud.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from servers import Server, free_port, resident, servers

KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
PASS = {"Type": "Pass", "Result": {"a": 1}, "ResultPath": "$.r"}
FIVE = {
    "StartAt": "A",
    "States": {
        "A": PASS | {"Next": "B"},
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericGreaterThan": -1, "Next": "C"}],
            "Default": "E",
        },
        "C": PASS | {"Parameters": {"n.$": "$.n", "t.$": "States.Format('{}', $.n)"}, "Next": "D"},
        "D": PASS | {"Next": "E"},
        "E": {"Type": "Succeed"},
    },
}
MAP = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "P",
                "States": {"P": {"Type": "Pass", "End": True}},
            },
            "ResultPath": None,
            "End": True,
        }
    },
}
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


MEASURES = ("first execution s", "executions / s", "Map s", "memory MB", "memory after MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", type=Path, help="the bin/ folder with ministack and moto_server")
    parser.add_argument("--executions", type=int, default=1000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--kept", type=int, default=10_000)
    options = parser.parse_args()
    found = {}
    for name, server in servers(options.beside).items():
        kept = options.kept if name == "local-cloud" else 0
        found[name] = measure(server, executions=options.executions, items=options.items, kept=kept)
    print(f"{'':20}" + "".join(f"{name:>14}" for name in found))
    for row, label in enumerate(MEASURES):
        values = [figures[row] for figures in found.values()]
        print(f"{label:20}" + "".join(f"{'-' if v is None else format(v, '.2f'):>14}" for v in values))


def measure(server: Server, *, executions: int, items: int, kept: int) -> list[float | None]:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), port) as process:
        api = boto3.client("stepfunctions", endpoint_url=endpoint, **KEYS)
        until_there(api)
        execute_in_moto(endpoint)
        machines = Machines(endpoint, api)
        began = time.perf_counter()
        five = machines.create("five", FIVE)
        machines.wait(machines.start(five, {"n": 0}))
        first = time.perf_counter() - began
        began = time.perf_counter()
        machines.run_all(five, executions)
        rate = executions / (time.perf_counter() - began)
        began = time.perf_counter()
        try:
            machines.wait(machines.start(machines.create("map", MAP), list(range(items))))
            large: float | None = time.perf_counter() - began
        except (ClientError, AssertionError):
            large = None
        before = resident(process)
        machines.run_all(five, kept)
        return [first, rate, large, before, resident(process) if kept else None]


class Machines:
    """State machines of one server."""

    def __init__(self, endpoint: str, api: Any) -> None:
        self.api = api
        iam = boto3.client("iam", endpoint_url=endpoint, **KEYS)
        self.role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]

    def create(self, name: str, definition: object) -> str:
        created = self.api.create_state_machine(name=name, definition=json.dumps(definition), roleArn=self.role)
        return str(created["stateMachineArn"])

    def start(self, machine: str, value: object) -> str:
        name = str(uuid.uuid4())  # moto's server gives none
        started = self.api.start_execution(stateMachineArn=machine, name=name, input=json.dumps(value))
        return str(started["executionArn"])

    def wait(self, execution: str) -> None:
        while (status := self.api.describe_execution(executionArn=execution)["status"]) == "RUNNING":
            time.sleep(0.002)
        assert status == "SUCCEEDED", status

    def run_all(self, machine: str, count: int) -> None:
        started = [self.start(machine, {"n": number}) for number in range(count)]
        for execution in started[-50:]:
            self.wait(execution)


def until_there(api: Any) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            api.list_state_machines()
            return
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def execute_in_moto(endpoint: str) -> None:
    """Else moto's server executes nothing. https://docs.getmoto.org/en/latest/docs/configuration/index.html"""
    config = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    with contextlib.suppress(urllib.error.HTTPError):  # of the others
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/config", data=config)).close()


if __name__ == "__main__":
    main()
