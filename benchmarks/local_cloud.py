"""A local cloud beside MiniStack and moto's server: how soon each answers, deploys and runs a function.

    pip install ministack 'moto[server]' into an environment of their own, then
    python benchmarks/local_cloud.py [--beside /path/of/that/environment/bin] [--runs 5]

Each server starts with nothing, in a temporary folder, `--runs` times; all figures are medians. Start: from the
command to the answer of a first ListBuckets. Stack: CreateStack of ten resources to CREATE_COMPLETE. Function:
CreateFunction of a fresh state to the answer of its first Invoke. Warm: a hundred more Invokes. Objects: 100 of 1 KB,
put and got, and one of 200 MB. Memory: the resident set of the server's process in the end. moto's server runs its
functions in Docker alone: they are left out there.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from servers import Server, free_port, resident, servers

KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
STACK = {
    "Resources": {
        **{f"Bucket{n}": {"Type": "AWS::S3::Bucket"} for n in range(3)},
        **{f"Topic{n}": {"Type": "AWS::SNS::Topic"} for n in range(2)},
        **{f"Queue{n}": {"Type": "AWS::SQS::Queue"} for n in range(2)},
        **{f"Log{n}": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}} for n in range(2)},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
    }
}
MEASURES = ("start s", "stack s", "function s", "warm ms", "small objects s", "200 MB s", "memory MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", type=Path, help="the bin/ folder with ministack and moto_server")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    chosen = servers(options.beside)
    found: dict[str, list[list[float | None]]] = {name: [] for name in chosen}
    for _ in range(options.runs):
        for name, server in chosen.items():
            found[name].append(measure(server))
    medians = {name: [median(column) for column in zip(*runs, strict=True)] for name, runs in found.items()}
    print(f"{'':18}" + "".join(f"{name:>14}" for name in medians) + "   local-cloud / best of the others")
    for row, label in enumerate(MEASURES):
        values = [medians[name][row] for name in medians]
        others = [value for value in values[1:] if value is not None]
        ratio = f"{values[0] / min(others):8.1f}" if others and values[0] is not None else ""
        print(f"{label:18}" + "".join(f"{'-' if v is None else format(v, '.2f'):>14}" for v in values) + ratio)


def median(values: tuple[float | None, ...]) -> float | None:
    measured = [value for value in values if value is not None]
    return statistics.median(measured) if measured else None


def measure(server: Server) -> list[float | None]:
    port = free_port()
    with tempfile.TemporaryDirectory() as text:
        session, endpoint = boto3.Session(**KEYS), f"http://127.0.0.1:{port}"

        def client(service: str) -> Any:
            quick = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
            return session.client(service, endpoint_url=endpoint, config=quick)

        clients = {name: client(name) for name in ("s3", "cloudformation", "lambda", "iam")}
        began = time.perf_counter()
        with server(Path(text), port) as process:
            until(clients["s3"].list_buckets)
            figures: list[float | None] = [time.perf_counter() - began]
            figures.append(timed(lambda: deploy(clients["cloudformation"])))
            figures += functions(clients["iam"], clients["lambda"])
            figures += objects(clients["s3"])
            figures.append(resident(process))
            return figures


def until(call: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            call()
            return
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def deploy(cloudformation: Any) -> None:
    cloudformation.create_stack(StackName="ten", TemplateBody=json.dumps(STACK), Capabilities=["CAPABILITY_IAM"])
    while (status := cloudformation.describe_stacks(StackName="ten")["Stacks"][0]["StackStatus"]) != "CREATE_COMPLETE":
        assert status == "CREATE_IN_PROGRESS", status
        time.sleep(0.005)


def functions(iam: Any, functions: Any) -> list[float | None]:
    role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "def answer(event, context):\n    return event\n")

    def invoke() -> None:
        assert json.load(functions.invoke(FunctionName="echo", Payload=b"7")["Payload"]) == 7

    def first() -> None:
        functions.create_function(
            FunctionName="echo",
            Runtime="python3.12",
            Handler="handler.answer",
            Role=role,
            Code={"ZipFile": code.getvalue()},
        )
        while functions.get_function_configuration(FunctionName="echo")["State"] == "Pending":
            time.sleep(0.005)
        invoke()

    try:
        began = timed(first)
    except (ClientError, ValueError, AssertionError):
        return [None, None]
    return [began, timed(lambda: [invoke() for _ in range(100)]) * 10]


def objects(s3: Any) -> list[float | None]:
    s3.create_bucket(Bucket="bench")
    large = os.urandom(1 << 20) * 200

    def small() -> None:
        for number in range(100):
            s3.put_object(Bucket="bench", Key=str(number), Body=b"x" * 1000)
            s3.get_object(Bucket="bench", Key=str(number))["Body"].read()

    def big() -> None:
        s3.put_object(Bucket="bench", Key="large", Body=large)
        assert len(s3.get_object(Bucket="bench", Key="large")["Body"].read()) == len(large)

    return [timed(small), timed(big)]


if __name__ == "__main__":
    main()
