"""What a kill may leave behind: work that never ends, processes, objects, files and locks."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.deployed import ARTIFACTS
from campaign.problem import Problem

if TYPE_CHECKING:
    from campaign.world import World

_RUNNING = ("STARTING", "RUNNING", "STOPPING", "WAITING")
#: Keys that are there only while somebody works: smoke runs, deliveries, leases and intents.
_UNDER_WAY = re.compile(r"(^|/)smoke/|under-way|(^|/)(leases?|locks?|intents?)/|\.(lease|lock|intent)\.json$")
_TEMPORARY = re.compile(r"\.(tmp|part|partial|unfinished|new)$|^\.tmp|^tmp[a-z0-9_]{8}$")
QUIET_AFTER = 120.0


def stuck(world: World) -> list[Problem]:
    """What still runs long after the last command has ended."""
    deadline = time.monotonic() + QUIET_AFTER
    while (running := [*_running(world)]) and time.monotonic() < deadline:
        time.sleep(0.3)
    return [Problem("stuck", text) for text in running]


def _running(world: World) -> Iterator[str]:
    states, glue = world.machine.client("stepfunctions"), world.machine.client("glue")
    for machine in states.list_state_machines()["stateMachines"]:
        listed = states.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")
        yield from (f"execution {one['name']} is RUNNING" for one in listed["executions"])
    for job in glue.get_jobs(MaxResults=200)["Jobs"]:
        for run in glue.get_job_runs(JobName=job["Name"], MaxResults=20)["JobRuns"]:
            if run["JobRunState"] in _RUNNING:
                yield f"run {run['Id']} of {job['Name']} is {run['JobRunState']}"
    for stack in world.machine.client("cloudformation").list_stacks()["StackSummaries"]:
        if stack["StackStatus"].endswith("_IN_PROGRESS"):
            yield f"stack {stack['StackName']} is {stack['StackStatus']}"
    for status in ("SUBMITTED", "PICKED", "STARTED"):
        for one in world.machine.client("redshift-data").list_statements(Status=status)["Statements"]:
            yield f"statement {one['Id']} is {status}"


def left(world: World) -> list[Problem]:
    """Objects, uploads, change sets, stacks and files that nobody works on any more."""
    return [
        Problem("left", text)
        for text in (*_in_s3(world), *_of_deployments(world), *_in_cloudformation(world), *_in_files(world))
    ]


def _in_s3(world: World) -> Iterator[str]:
    s3 = world.machine.client("s3")
    for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"]):
        for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            yield f"upload of s3://{bucket}/{upload['Key']} is unfinished"
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            yield from (
                f"s3://{bucket}/{one['Key']}" for one in page.get("Contents", []) if _UNDER_WAY.search(one["Key"])
            )


def _of_deployments(world: World) -> Iterator[str]:
    """Leases that are held, and the last deployment of an environment where it has begun and not ended."""
    s3 = world.machine.client("s3")
    for environment in world.live:
        prefix = f"deployments/{environment}/"
        listed = s3.get_paginator("list_objects_v2").paginate(Bucket=ARTIFACTS, Prefix=prefix)
        names = sorted(one["Key"].removeprefix(prefix) for page in listed for one in page.get("Contents", []))
        if "lease.json" in names:
            lease = json.loads(s3.get_object(Bucket=ARTIFACTS, Key=f"{prefix}lease.json")["Body"].read())
            if not lease["free"]:
                yield f"the lease of {environment} is held: {lease['what']}"
        begun = [name.removesuffix(".json") for name in names if re.fullmatch(r"\d+\.json", name)]
        if begun and not any(name.startswith(f"{begun[-1]}-") for name in names):
            yield f"deployment {begun[-1]} of {environment} has begun and not ended"


def _in_cloudformation(world: World) -> Iterator[str]:
    cloudformation = world.machine.client("cloudformation")
    for stack in cloudformation.list_stacks()["StackSummaries"]:
        if stack["StackStatus"] == "DELETE_COMPLETE":
            continue
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            yield f"stack {stack['StackName']} is {stack['StackStatus']}"
        for change in cloudformation.list_change_sets(StackName=stack["StackName"])["Summaries"]:
            if change["ExecutionStatus"] == "EXECUTE_COMPLETE":
                continue
            yield f"change set {change['ChangeSetName']} of {stack['StackName']} is {change['Status']}"


def _in_files(world: World) -> Iterator[str]:
    yield from (f"temporary {entry.name}" for entry in sorted(world.temporary.iterdir()))
    for folder, _, files in os.walk(world.machine.state):
        if "environments" in folder or "packages" in folder or "/s3/elt-" in folder:
            continue  # other people's files
        yield from (f"{folder}/{name}" for name in files if _TEMPORARY.search(name))
    for run in sorted((world.machine.state / "cache" / "glue-runs").glob("*")):
        yield f"folder of the job run {run.name}"
