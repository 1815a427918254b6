"""Step Functions of a local cloud: the first execution, many executions, a large Map, and memory over it all.

    python benchmarks/stepfunctions.py [--executions 1000] [--items 6000] [--endpoint http://127.0.0.1:5000]

Starts a local cloud of its own in a temporary folder, unless `--endpoint` names another server, as of `moto_server`.
First: from the start of the first CreateStateMachine to the end of its execution. Executions: of a machine of five
Pass and Choice states, started one after another by one client; until the last has ended. Map: an inline Map with
MaxConcurrency 1. Memory: the server's resident set before and after the executions, where the server is its own.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

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
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
            "ResultPath": None,
            "End": True,
        }
    },
}
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=1000)
    parser.add_argument("--items", type=int, default=6000, help="of the Map; a history ends at 25,000 events")
    parser.add_argument("--endpoint")
    options = parser.parse_args()
    if options.endpoint:
        measure(options.endpoint, None, options)
        return
    with local_cloud() as (endpoint, process):
        measure(endpoint, process, options)


def measure(endpoint: str, process: int | None, options: argparse.Namespace) -> None:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    role = boto3.client("iam", endpoint_url=endpoint, **keys).create_role(
        RoleName="bench", AssumeRolePolicyDocument=json.dumps(TRUST)
    )["Role"]["Arn"]
    api = boto3.client("stepfunctions", endpoint_url=endpoint, **keys)

    def create(name: str, definition: object) -> str:
        return str(
            api.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
        )

    def wait(execution: str) -> str:
        while (status := api.describe_execution(executionArn=execution)["status"]) == "RUNNING":
            time.sleep(0.002)
        return str(status)

    def run(machine: str, value: object) -> str:
        return str(api.start_execution(stateMachineArn=machine, input=json.dumps(value))["executionArn"])

    began = time.perf_counter()
    five = create("five", FIVE)
    assert wait(run(five, {"n": 0})) == "SUCCEEDED"
    print(f"first execution          {time.perf_counter() - began:8.2f} s")

    before = resident(process)
    began = time.perf_counter()
    executions = [run(five, {"n": number}) for number in range(options.executions)]
    assert {wait(execution) for execution in executions[-50:]} == {"SUCCEEDED"}
    seconds = time.perf_counter() - began
    print(f"{options.executions:6} executions        {seconds:8.2f} s {options.executions / seconds:8.0f} a second")

    began = time.perf_counter()
    assert wait(run(create("map", MAP), list(range(options.items)))) == "SUCCEEDED"
    seconds = time.perf_counter() - began
    print(f"{options.items:6} items of a Map    {seconds:8.2f} s {options.items / seconds:8.0f} a second")
    if process:
        print(f"memory                   {before:8.0f} MB before, {resident(process):.0f} MB after")


@contextmanager
def local_cloud() -> Iterator[tuple[str, int]]:
    """A local cloud in a temporary folder: its endpoint and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("local-cloud"))]
        up = [*command, "up", "--state", folder, "--port", str(port)]
        subprocess.run(up, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        status = subprocess.run([*command, "status", "--state", folder], check=True, capture_output=True, text=True)
        try:
            yield f"http://127.0.0.1:{port}", int(status.stdout.partition("pid ")[2].partition(",")[0])
        finally:
            subprocess.run([*command, "down", "--state", folder], check=True, capture_output=True)


def resident(process: int | None) -> float:
    """Megabytes."""
    if process is None:
        return 0.0
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
