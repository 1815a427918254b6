"""Everything that an environment points at, hashed and held against its release."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from campaign.problem import Problem

if TYPE_CHECKING:
    from campaign.world import World

ARTIFACTS = "elt-artifacts-123456789012-us-east-1"
_POINTER = re.compile(rf"s3://{ARTIFACTS}/([^\s,'\"\\]+\.(?:py|whl|sql|json|toml))")


def problems(world: World, environment: str) -> list[Problem]:
    """What an environment has that is not of the release it should have; all it has, where it should have none."""
    release = world.live.get(environment)
    stack = f"elt-{environment}-pipelines"
    listed = world.machine.client("cloudformation").list_stacks()["StackSummaries"]
    status = next((one["StackStatus"] for one in listed if one["StackName"] == stack), "DELETE_COMPLETE")
    if release is None or status == "DELETE_COMPLETE":
        there = [job["Name"] for job in _jobs(world, environment)]
        wrong = [] if release is None and status == "DELETE_COMPLETE" else [f"{stack} is {status}"]
        return [Problem("release", f"{environment} should be {release}: {text}") for text in [*wrong, *there]]
    found = [] if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else [f"{stack} is {status}"]
    manifest = json.loads(_body(world, f"releases/{release}.json"))
    found += _wrong(world, environment, manifest)
    return [Problem("release", f"{environment} is not {release}: {text}") for text in found]


def _wrong(world: World, environment: str, manifest: dict[str, Any]) -> Iterator[str]:
    digests = json.dumps(manifest)
    states, lambdas = world.machine.client("stepfunctions"), world.machine.client("lambda")
    pointers = set()
    for job in _jobs(world, environment):
        pointers |= set(_POINTER.findall(json.dumps([job["Command"], job["DefaultArguments"]])))
    for machine in states.list_state_machines()["stateMachines"]:
        if not machine["name"].startswith(f"elt-{environment}-"):
            continue
        (alias,) = states.list_state_machine_aliases(stateMachineArn=machine["stateMachineArn"])["stateMachineAliases"]
        alias = states.describe_state_machine_alias(stateMachineAliasArn=alias["stateMachineAliasArn"])
        for route in alias["routingConfiguration"]:
            version = states.describe_state_machine(stateMachineArn=route["stateMachineVersionArn"])["definition"]
            pointers |= set(_POINTER.findall(version))
            if not any(_made_from(version, _body(world, key).decode()) for key in _definitions(manifest)):
                yield f"{machine['name']} runs a definition that is not the release's"
    for key in sorted(pointers):
        if hashlib.sha256(_body(world, key)).hexdigest() not in digests:
            yield f"it points at {key}"
    for function in lambdas.list_functions()["Functions"]:
        own = function["FunctionName"].startswith(f"elt-{environment}-")
        if own and base64.b64decode(function["CodeSha256"]).hex() not in digests:
            yield f"{function['FunctionName']} has code that is not the release's"
    if not pointers:
        yield "it points at nothing"


def compared(world: World, environment: str) -> list[Problem]:
    """`elt diff` says the release that the environment should have, and nothing else."""
    release = world.live.get(environment)
    done = world.run("elt", "diff", "--env", environment)
    if release is None:
        right = done.returncode == 2 and "nothing is deployed" in done.stderr
    else:
        right = done.returncode == 0 and done.stdout.strip() == f"{environment} is release {release}"
    text = f"elt diff --env {environment} (should be {release}): {done.stdout[-300:]}{done.stderr[-300:]}"
    return [] if right else [Problem("disagrees", text)]


def published(world: World, release: str) -> list[Problem]:
    """Every object of a release is there with the manifest's bytes."""
    manifest = json.loads(_body(world, f"releases/{release}.json"))
    wanted = {
        f"{package['prefix']}/{name}": digest
        for package in manifest["packages"].values()
        for name, digest in package["files"].items()
    } | manifest["wheelhouse"]
    wrong = [key for key, digest in wanted.items() if hashlib.sha256(_body(world, key)).hexdigest() != digest]
    return [Problem("release", f"{release}: other bytes under {key}") for key in wrong]


def _jobs(world: World, environment: str) -> list[dict[str, Any]]:
    jobs = world.machine.client("glue").get_jobs(MaxResults=200)["Jobs"]
    return [job for job in jobs if job["Name"].startswith(f"elt-{environment}-")]


def _definitions(manifest: dict[str, Any]) -> list[str]:
    package = manifest["packages"]["orchestration"]
    return [f"{package['prefix']}/{name}" for name in package["files"] if name.endswith(".asl.json")]


def _made_from(definition: str, written: str) -> bool:
    """The definition is what was written, with something in the place of each ${…}."""
    found, wanted = (json.dumps(json.loads(text), sort_keys=True) for text in (definition, written))
    return re.fullmatch(".*?".join(map(re.escape, re.split(r"\$\{\w+\}", wanted))), found, re.DOTALL) is not None


def _body(world: World, key: str) -> bytes:
    try:
        answer = world.machine.client("s3").get_object(Bucket=ARTIFACTS, Key=key)
    except world.machine.client("s3").exceptions.NoSuchKey:
        return b""
    return bytes(answer["Body"].read())
