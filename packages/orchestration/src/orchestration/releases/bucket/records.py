"""What was done to an environment: two documents in the artifact bucket for each deployment.

deployments/<environment>/<number>.json                        it has begun: written before anything changes
deployments/<environment>/<number>-<action>-<release>.json     it has ended: the environment is at that release

A number is taken once, by a write that only succeeds where there is no such object: it, and no clock, is the order of
deployments. One that has begun and not ended, with none after it, is unfinished: where the environment is, the stacks
say. Before there were numbers, a deployment that succeeded left `<time>-<action>-<release>.json`; those come first, in
the order in which S3 got them.

A later version of `elt` may add fields: what is not known is not read.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

import boto3

from orchestration.errors import DeployError, PublishError, UsageError
from orchestration.releases.bucket.store import Store

#: The action after which an environment has no release, and what stands for one in its records.
DESTROY = "destroy"
NO_RELEASE = "nothing"
_BEGUN = re.compile(r"(\d{6,})\.json")
_ENDED = re.compile(r"(\d{6,}|\d{4}-\d\d-\d\dT\d{6}\.\d{6}Z)-([a-z]+)-(.+)\.json")
_LEASE = "lease.json"

Properties = Mapping[str, Any]
#: Resource (`AWS::Glue::Job elt-dev-ingest-raw`) to its properties; None for one that the stack has and AWS has not.
State = Mapping[str, Properties | None]


@dataclass(frozen=True)
class Reading:
    """What there was at one time. `touched` is when CloudFormation last changed each resource, by its own clock."""

    state: State = field(default_factory=dict)
    touched: Mapping[str, str] = field(default_factory=dict)


NOTHING = Reading()


@dataclass(frozen=True)
class Deployed:
    """A deployment that succeeded.

    `action` is deploy, promote, rollback, restore or destroy, `by` the ARN of who did it, `at` when, in UTC, by the
    clock of who did it. `resources` is what AWS had after it, by resource and property, and `touched` when
    CloudFormation had last changed each: a later difference was made by somebody else. `settings` are those of the
    environment that it made, as Environment.settings has them. `number` is 0 for one from before there were
    numbers.
    """

    release: str
    environment: str
    action: str
    at: str
    by: str
    resources: State = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    touched: Mapping[str, str] = field(default_factory=dict, repr=False)
    number: int = 0

    @property
    def reading(self) -> Reading:
        """What AWS had after it."""
        return Reading(self.resources, self.touched)

    @property
    def key(self) -> str:
        name = f"{self.number:06}" if self.number else self.at.replace(":", "")
        return f"deployments/{self.environment}/{name}-{self.action}-{self.release}.json"


@dataclass(frozen=True)
class Begun:
    """A deployment that has begun: `number` is its place in the environment's order. `at` is S3's time.

    `settings` are those it is to bring about.
    """

    number: int
    release: str
    environment: str
    action: str
    by: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    holder: str = ""
    at: str = ""

    @property
    def key(self) -> str:
        return f"deployments/{self.environment}/{self.number:06}.json"

    def __str__(self) -> str:
        return what(self.action, self.release, self.environment)


@dataclass(frozen=True)
class Standing:
    """Where an environment is, as far as records tell.

    `live` is the last deployment that succeeded, None where there was none or all is destroyed since. `unfinished` has
    begun after that and not ended: `attempts` are the releases of all such, oldest first.
    """

    live: Deployed | None
    unfinished: Begun | None
    attempts: tuple[str, ...]

    @property
    def unfinished_in_words(self) -> str:
        """What is unfinished, since when and by whom."""
        assert self.unfinished
        return f"{self.unfinished}, begun {self.unfinished.at} by {self.unfinished.by}, was not finished"

    @property
    def ways_on(self) -> str:
        """The commands that end what is unfinished, one way or the other."""
        assert self.unfinished
        return ways_on(self.unfinished, self.live)


@dataclass(frozen=True)
class _Ended:
    """A listed record of a deployment that ended; `number` is 0 for one from before there were numbers."""

    key: str
    number: int
    action: str
    release: str


def now() -> str:
    """Return the time by this machine's clock, UTC. For people to read: nothing is ordered by it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def what(action: str, release: str, environment: str) -> str:
    """Return a deployment in words, such as `promote of release rel-3fa9c1d2e0b4 to prod`."""
    return f"destroy of {environment}" if action == DESTROY else f"{action} of release {release} to {environment}"


def ways_on(begun: Begun, live: Deployed | None) -> str:
    """Return the commands that end a deployment that has begun; `live` is the one before it."""
    command = f"destroy --env {begun.environment}"
    if begun.action != DESTROY:
        command = f"deploy --env {begun.environment} --release {begun.release}"
    on = f"`elt {command}` goes on with it"
    if live is None or live.release == begun.release or begun.action == "rollback":
        return on
    return f"{on}, `elt rollback --env {begun.environment}` goes back to release {live.release}"


def begin(
    store: Store, environment: str, release: str, *, action: str, settings: Mapping[str, Any], holder: str
) -> Begun:
    """Note that a deployment by the caller, who holds the lease, is about to change something.

    Errors: DeployError where somebody else has done so at the same time.
    """
    begun, ended = _list_documents(store, environment)
    number = max([0, *begun, *(one.number for one in ended)]) + 1
    by = str(boto3.client("sts").get_caller_identity()["Arn"])
    new = Begun(number, release, environment, action, by, settings, holder)
    try:
        store.put_document(new.key, {name: value for name, value in asdict(new).items() if name != "at"}, once=True)
    except PublishError as error:
        raise DeployError(f"another deployment to {environment} began at the same time: do this again") from error
    return new


def end(store: Store, begun: Begun, *, reading: Reading = NOTHING) -> Deployed:
    """Note that a deployment has succeeded, and what there is of it now."""
    deployed = Deployed(
        begun.release,
        begun.environment,
        begun.action,
        at=now(),
        by=begun.by,
        resources=reading.state,
        settings=begun.settings,
        touched=reading.touched,
        number=begun.number,
    )
    store.put_document(deployed.key, asdict(deployed), once=True)
    return deployed


def standing(store: Store, environment: str) -> Standing:
    """Raise DeployError for a record that no deployment has written, as the next one would act on it."""
    begun, ended = _list_documents(store, environment)
    last = ended[-1] if ended else None
    live = None
    if last is not None and last.action != DESTROY:
        live = record(Deployed, store, last.key)
        if live is None or live.key != last.key:
            raise _not_ours(store, last.key)
    attempts = []
    for number in sorted(number for number in begun if last is None or number > last.number):
        key, at = begun[number]
        attempt = record(Begun, store, key, at=f"{at:%Y-%m-%d %H:%M:%S} UTC")
        if attempt is None or attempt.key != key:
            raise _not_ours(store, key)
        attempts.append(attempt)
    return Standing(live, attempts[-1] if attempts else None, tuple(one.release for one in attempts))


def find_live(store: Store, environment: str) -> Deployed | None:
    """Return what is live in an environment; None where nothing is.

    Errors: UsageError while a deployment is unfinished.
    """
    found = standing(store, environment)
    if found.unfinished:
        raise UsageError(f"{found.unfinished_in_words}, so no one release is live in {environment}: {found.ways_on}")
    return found.live


def deployments(store: Store, environment: str) -> list[tuple[str, str]]:
    """Action and release of every deployment to an environment that succeeded, oldest first. Errors: DeployError."""
    return [(one.action, one.release) for one in _list_documents(store, environment)[1]]


def _list_documents(store: Store, environment: str) -> tuple[dict[int, tuple[str, datetime.datetime]], list[_Ended]]:
    """Return what began, by its number: the key, and when S3 got it. And what ended, in order.

    Errors: DeployError for an object that is neither.
    """
    begun: dict[int, tuple[str, datetime.datetime]] = {}
    ended = []
    for key, written in store.keys(f"deployments/{environment}/"):
        name = key.rsplit("/", 1)[-1]
        if match := _BEGUN.fullmatch(name):
            begun[int(match[1])] = (key, written)
        elif match := _ENDED.fullmatch(name):
            number = int(match[1]) if match[1].isdigit() else 0
            ended.append((number, written, _Ended(key, number, action=match[2], release=match[3])))
        elif name != _LEASE:
            raise _not_ours(store, key)
    ended.sort(key=lambda one: (one[0], one[1], one[2].key))
    return begun, [one for *_, one in ended]


def _not_ours(store: Store, key: str) -> DeployError:
    return DeployError(
        f"{store.uri(key)} tells of another deployment than its name says, or of none: find out who wrote it, and "
        "delete it"
    )


Record = TypeVar("Record")


def record(kind: type[Record], store: Store, key: str, **more: Any) -> Record | None:
    """Return a record (a dataclass) from its document, with `more`; None where there is none.

    Errors: DeployError for a document of something else.
    """
    document = store.document(key)
    if document is None:
        return None
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    try:
        return kind(**{name: document[name] for name in names if name in document} | more)
    except TypeError as error:
        raise DeployError(f"{store.uri(key)} is no record of a deployment or smoke run ({error})") from error
