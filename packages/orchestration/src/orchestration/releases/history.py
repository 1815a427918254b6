"""What was published, deployed and tried: documents in the artifact bucket.

releases/<id>.json                a release's manifest, written once
deployments/<environment>/<time>-<action>-<id>.json    a deployment that succeeded, written once; the newest is live
smokes/<id>/<environment>.json    the last smoke run of a release in an environment

A later version of `elt` may add fields to deployments and smoke runs: what is not known is not read.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

import boto3

from orchestration.errors import DeployError, UsageError
from orchestration.releases import manifest
from orchestration.releases.live import State
from orchestration.releases.manifest import Release
from orchestration.releases.store import Store

#: The action after which an environment has no release.
DESTROY = "destroy"
#: How much later than S3 a clock may be that a deployment is dated by: to one further off, AWS does not answer.
_CLOCKS = datetime.timedelta(minutes=15)


@dataclass(frozen=True)
class Deployed:
    """A deployment that succeeded.

    `action` is deploy, promote, rollback, restore or destroy, `by` the ARN of who did it, `at` when, in UTC.
    `resources` is what AWS had after it, by resource and property: a later difference was made by somebody else.
    `settings` are those of the environment that it brought about, as Environment.settings has them.
    """

    release: str
    environment: str
    action: str
    at: str
    by: str
    resources: State = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Smoke:
    """The outcome of a smoke run: `passed`, else why not in `reason`."""

    release: str
    environment: str
    at: str
    passed: bool
    reason: str
    execution: str
    rows: Mapping[str, int]
    seconds: float


def now() -> str:
    """The time to the microsecond, UTC, in a form that sorts: deployments are in order of their keys."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def save_release(store: Store, release: Release) -> None:
    """Errors: PublishError."""
    store.put_document(f"releases/{release.id}.json", release.as_json(), once=True)


def release(store: Store, release_id: str) -> Release:
    """Errors: UsageError where there is none of that id; DeployError for one that cannot be read."""
    key = f"releases/{manifest.check_id(release_id)}.json"
    document = store.document(key)
    if document is None:
        raise UsageError(f"there is no release {release_id} in s3://{store.bucket}; `elt release list` names them")
    return manifest.parse(document, where=store.uri(key))


def releases(store: Store) -> list[tuple[str, datetime.datetime]]:
    """The ids of all releases and when each was made, newest first."""
    found = sorted(store.keys("releases/"), key=lambda one: one[1], reverse=True)
    names = [(key.removeprefix("releases/").removesuffix(".json"), written) for key, written in found]
    return [(name, written) for name, written in names if manifest.is_id(name)]


def save_deployment(
    store: Store, environment: str, release_id: str, *, action: str, resources: State, settings: Mapping[str, Any]
) -> Deployed:
    """Note that a deployment by the caller has just succeeded."""
    by = boto3.client("sts").get_caller_identity()["Arn"]
    deployed = Deployed(release_id, environment, action, now(), by, resources, settings)
    store.put_document(_key(deployed), asdict(deployed), once=True)
    return deployed


def deployments(store: Store, environment: str) -> list[tuple[str, str]]:
    """Action and release of every deployment to an environment, oldest first. Errors: DeployError, as `live`."""
    return [(action, release_id) for _, action, release_id in _records(store, environment)]


def had(store: Store, environment: str) -> list[str]:
    """The releases that an environment has or had, the last one first."""
    return list(dict.fromkeys(one for action, one in reversed(deployments(store, environment)) if action != DESTROY))


def live(store: Store, environment: str) -> Deployed | None:
    """The newest deployment of an environment; None where there was none, or all is destroyed since.

    Errors: DeployError for a record that no deployment has written, as the next one would act on it.
    """
    records = _records(store, environment)
    if not records or records[-1][1] == DESTROY:
        return None
    key = records[-1][0]
    deployed = _record(Deployed, store, key)
    if deployed is None or _key(deployed) != key:
        raise _no_record(store, key)
    return deployed


def _key(deployed: Deployed) -> str:
    at = deployed.at.replace(":", "")
    return f"deployments/{deployed.environment}/{at}-{deployed.action}-{deployed.release}.json"


def _records(store: Store, environment: str) -> list[tuple[str, str, str]]:
    """Key, action and release of every deployment, oldest first. Errors: DeployError for one dated in the future."""
    found = []
    for key, written in store.keys(f"deployments/{environment}/"):
        at, _, rest = key.rsplit("/", 1)[-1].removesuffix(".json").partition("Z-")
        action, _, release_id = rest.partition("-")
        try:
            made = datetime.datetime.strptime(f"{at}Z", "%Y-%m-%dT%H%M%S.%f%z")
        except ValueError:
            made = None
        if made is None or made > written + _CLOCKS:
            raise _no_record(store, key)
        found.append((key, action, release_id))
    return found


def _no_record(store: Store, key: str) -> DeployError:
    return DeployError(
        f"{store.uri(key)} was written at another time, or tells of another deployment, than its name says: "
        "find out who wrote it, and delete it"
    )


def previous(deployments: list[tuple[str, str]]) -> str | None:
    """The release before the one that is live, None where there is none.

    A rollback takes back what came after its target, so that rolling back once more goes one further, not forward.
    """
    releases: list[str] = []
    for action, release_id in deployments:
        if action == DESTROY:
            releases.clear()
        elif action == "rollback" and release_id in releases:
            del releases[len(releases) - releases[::-1].index(release_id) :]
        elif not releases or releases[-1] != release_id:
            releases.append(release_id)
    return releases[-2] if len(releases) > 1 else None


def needed(store: Store, environment: str) -> set[str]:
    """The releases that an environment still needs: the one it has, and the one a rollback goes to."""
    deployed = deployments(store, environment)
    found = live(store, environment)
    return {one for one in (found.release if found else None, previous(deployed)) if one}


def save_smoke(store: Store, smoke: Smoke) -> None:
    store.put_document(f"smokes/{smoke.release}/{smoke.environment}.json", asdict(smoke), once=False)


def smoke(store: Store, release_id: str, environment: str) -> Smoke | None:
    return _record(Smoke, store, f"smokes/{release_id}/{environment}.json")


Record = TypeVar("Record", Deployed, Smoke)


def _record(kind: type[Record], store: Store, key: str) -> Record | None:
    """A record from its document; None where there is none. Errors: DeployError for a document of something else."""
    document = store.document(key)
    if document is None:
        return None
    known = {one.name: document[one.name] for one in fields(kind) if one.name in document}
    try:
        return kind(**known)
    except TypeError as error:
        raise DeployError(f"{store.uri(key)} is no record of a deployment or smoke run ({error})") from error
