"""Drift: what differs between what AWS has and what was recorded, or what a release says.

What a deployment that was cut short has changed since is no hand's work: CloudFormation knows when it last changed each
resource.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from orchestration.errors import DeployError
from orchestration.releases.bucket.records import Properties, Reading, State
from orchestration.releases.bucket.store import Store
from orchestration.releases.building.manifest import Release
from orchestration.releases.environment import resources
from orchestration.stacks import Stack


@dataclass(frozen=True)
class Difference:
    """A property that is not what it should be; `wanted` or `found` is None for what is not to be, or not there."""

    resource: str
    property: str
    wanted: Any
    found: Any


def differences(wanted: State, found: State) -> list[Difference]:
    """Compare two states: every property that differs, by resource; a whole resource is the property ""."""
    different: list[Difference] = []
    for resource in sorted({*wanted, *found}):
        one, other = wanted.get(resource), found.get(resource)
        if one is None or other is None:
            if (one is None) != (other is None):
                there = [None if state is None else "there" for state in (one, other)]
                different.append(Difference(resource, "", *there))
            continue
        different += [Difference(resource, *of_property) for of_property in _compare("", one, other)]
    return different


def by_hand(recorded: Reading, found: Reading, *, unfinished: bool) -> list[Difference]:
    """Compare with a deployment's record: what differs and no deployment explains, so that a hand has changed it.

    While one is `unfinished`, it explains what CloudFormation has made, changed or removed since the record.
    """
    return [
        one
        for one in differences(recorded.state, found.state)
        if not unfinished or found.touched.get(one.resource, "") == recorded.touched.get(one.resource)
    ]


def require_present(changed: list[Difference], found: Reading) -> None:
    """Raise DeployError where AWS lacks what the stack has: CloudFormation would not make it again."""
    gone = [one.resource for one in changed if one.resource in found.state and found.state[one.resource] is None]
    if gone:
        raise DeployError(
            f"{', '.join(dict.fromkeys(gone))} was deleted by hand, which CloudFormation does not notice: "
            "delete the stack with `elt destroy`, which keeps all data, and deploy again"
        )


def restore(
    changed: list[Difference], recorded: Reading, found: Reading, *, archives: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Write every resource that was changed as the record has it; yields those written, one by one.

    What only one of the two has is for CloudFormation to make or delete. `archives` maps the CodeSha256 of functions
    to the S3Bucket and S3Key of their code.
    """
    kinds = resources.kinds(archives)
    for resource in dict.fromkeys(one.resource for one in changed):
        properties = recorded.state.get(resource)
        if properties is not None and found.state.get(resource) is not None:
            kind, name = resource.split(" ", 1)
            kinds[kind].write(name, properties)
            yield resource


def _compare(path: str, wanted: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name in sorted({*wanted, *found}):
            yield from _compare(f"{path}.{name}" if path else name, wanted.get(name), found.get(name))
    elif wanted != found:
        yield path, wanted, found


def from_release(release: Release, store: Store, found: State, templates: Mapping[str, Stack]) -> list[Difference]:
    """Compare what is deployed with a release's manifest. `found` is of resources.read, by name; `templates` of stacks.

    Compared are: the checksums of all its objects in S3; every object that a job or a state machine points at
    in the artifact bucket; the code of functions; the definitions that aliases run; the templates of the stacks.
    """
    state = {resource: properties for resource, properties in found.items() if properties is not None}
    return [
        *(Difference(resource, "", "there", None) for resource in found if resource not in state),
        *objects(release, store),
        *_pointers(release, store, state),
        *_functions(release, store, state),
        *_definitions(release, store, state),
        *_templates(release, templates),
    ]


def objects(release: Release, store: Store) -> Iterator[Difference]:
    """Compare a release's objects with S3: those that have other bytes there, or are missing."""
    for key, found in store.checksums(list(release.objects)).items():
        if found != release.objects[key]:
            yield Difference(store.uri(key), "sha256", release.objects[key], found)


def _pointers(release: Release, store: Store, state: Mapping[str, Properties]) -> Iterator[Difference]:
    """Find keys of the bucket, of an object or a folder, under which the release has nothing."""
    location = re.compile(rf"s3://{re.escape(store.bucket)}/([^\s,'\"]*)")
    for resource, properties in state.items():
        for path, text in _texts("", properties):
            for key in location.findall(text):
                if not any(own == key or own.startswith(f"{key.rstrip('/')}/") for own in release.objects):
                    yield Difference(resource, path, f"an object of release {release.id}", store.uri(key))


def _functions(release: Release, store: Store, state: Mapping[str, Properties]) -> Iterator[Difference]:
    known = archives(release, store.bucket)
    for resource, properties in state.items():
        if "CodeSha256" in properties and properties["CodeSha256"] not in known:
            yield Difference(resource, "CodeSha256", f"a wheel of release {release.id}", properties["CodeSha256"])


def _definitions(release: Release, store: Store, state: Mapping[str, Properties]) -> Iterator[Difference]:
    """Compare the versions that aliases lead to with the release's definitions.

    A definition has something in the place of each ${…}.
    """
    states = boto3.client("stepfunctions")
    keys = [key for key in release.objects if key.endswith(".asl.json")]
    definitions = [store.document(key) for key in keys]
    for resource, properties in state.items():
        for version in properties.get("routes", {}):
            definition = json.loads(states.describe_state_machine(stateMachineArn=version)["definition"])
            if not any(_is_made_from(definition, one) for one in definitions):
                yield Difference(resource, version, f"a definition of release {release.id}", "another definition")


def _is_made_from(definition: Any, written: Any) -> bool:
    if isinstance(written, dict) and isinstance(definition, dict):
        return written.keys() == definition.keys() and all(_is_made_from(definition[k], written[k]) for k in written)
    if isinstance(written, list) and isinstance(definition, list):
        return len(written) == len(definition) and all(map(_is_made_from, definition, written))
    if isinstance(written, str) and isinstance(definition, str):
        pattern = ".*?".join(map(re.escape, re.split(r"\$\{\w+\}", written)))
        return re.fullmatch(pattern, definition, re.DOTALL) is not None
    return bool(written == definition)


def _templates(release: Release, templates: Mapping[str, Stack]) -> Iterator[Difference]:
    cloudformation = boto3.client("cloudformation")
    files = release.packages["orchestration"].files
    for name, stack in templates.items():
        body = cloudformation.get_template(StackName=stack.name, TemplateStage="Original")["TemplateBody"]
        found, wanted = hashlib.sha256(body.encode()).hexdigest(), files[f"stacks/{name}.yaml"]
        if found != wanted:
            yield Difference(f"stack {stack.name}", "template", wanted, found)


def archives(release: Release, bucket: str) -> dict[str, dict[str, str]]:
    """Return where the code of functions lies in S3, by its CodeSha256."""
    return {
        base64.b64encode(bytes.fromhex(digest)).decode(): {"S3Bucket": bucket, "S3Key": key}
        for key, digest in release.objects.items()
        if key.endswith(".whl")
    }


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every text in a value, with the path to it."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _texts(f"{path}.{name}" if path else str(name), one)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _texts(f"{path}[{number}]", one)
    elif isinstance(value, str):
        yield path, value
