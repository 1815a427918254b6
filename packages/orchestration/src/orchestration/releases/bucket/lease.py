"""The lease on an environment: who holds it may change what is there, so that two deployments never meet.

`deployments/<environment>/lease.json` in the artifact bucket, and nothing but S3: each write has the condition that
the object is what was read (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html), and its age
is the difference of two dates in S3's own answer, whatever the clocks of those who ask. The holder renews it in the
background; one who was killed no longer does, and the lease is free a few seconds later.
"""

from __future__ import annotations

import datetime
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from orchestration.errors import DeployError, EltError, LeaseLost
from orchestration.releases.bucket.store import Store

#: How long a lease holds after it was last renewed, and how often it is.
SECONDS = 12
_RENEWAL_SECONDS = 3
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Terms:
    """What the object says. `holder` is one deployment and no other, `by` its ARN; `since` is S3's time.

    `renewals` makes each writing of it another object, with an ETag of its own.
    """

    holder: str
    by: str
    what: str
    since: str
    seconds: int = SECONDS
    renewals: int = 0
    free: bool = False

    def __str__(self) -> str:
        return f"{self.what}, by {self.by}, is under way since {self.since}"


@dataclass(frozen=True)
class _Found:
    """The object as S3 answered: `age` is in seconds, `now` S3's time; no terms where there is no object."""

    terms: Terms | None
    etag: str
    age: float
    now: datetime.datetime

    @property
    def is_free(self) -> bool:
        return self.terms is None or self.terms.free or self.age > self.terms.seconds


class Lease:
    """A lease that is held."""

    def __init__(self, store: Store, environment: str, terms: Terms, etag: str) -> None:
        self.terms = terms
        self._store, self._environment, self._etag = store, environment, etag
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{environment}", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Renew it now. Errors: LeaseLost where somebody else has it."""
        with self._lock:
            while True:
                terms = replace(self.terms, renewals=self.terms.renewals + 1)
                etag = _write(self._store, self._environment, terms, etag=self._etag)
                if etag is not None:
                    self.terms, self._etag = terms, etag
                    return
                found = _read(self._store, self._environment)
                if found.terms is None or found.terms.holder != self.terms.holder:
                    raise LeaseLost(
                        f"{self._environment} was taken over ({found.terms or 'the lease is gone'}): this command had "
                        "not been heard of for a while, has stopped where it was, and undoes nothing"
                    )
                self._etag = found.etag  # an own write whose answer was lost

    def give_up(self) -> str:
        """Let it go: why that failed, "" where it did not. It is free then when it has aged."""
        self._ended.set()
        try:
            with self._lock:
                _write(self._store, self._environment, replace(self.terms, free=True), etag=self._etag)
        except (BotoCoreError, ClientError) as error:
            return str(error)
        return ""

    def _keep(self) -> None:
        while not self._ended.wait(_RENEWAL_SECONDS):
            try:
                self.check()
            except EltError:
                return  # it is lost: the next step that would change something finds out
            except (BotoCoreError, ClientError):
                continue  # S3 did not answer: it may yet, before anybody else asks for the lease


@contextmanager
def hold(store: Store, environment: str, *, what: str, report: Callable[[str], None]) -> Iterator[Lease]:
    """Hold the lease on an environment; `what` is said to others who ask for it.

    One that is held is watched until it is renewed or has aged, to tell a deployment from one that was killed.
    Errors: DeployError where another deployment is under way.
    """
    lease = _acquire(store, environment, what=what, report=report)
    try:
        yield lease
    finally:
        if reason := lease.give_up():
            report(f"the lease on {environment} was not given up, so it is free in {SECONDS} s: {reason}")


def holder(store: Store, environment: str) -> Terms | None:
    """Return who holds the lease on an environment, None where it is free."""
    found = _read(store, environment)
    return None if found.is_free else found.terms


def _acquire(store: Store, environment: str, *, what: str, report: Callable[[str], None]) -> Lease:
    by, own = str(boto3.client("sts").get_caller_identity()["Arn"]), uuid.uuid4().hex
    first = found = _read(store, environment)
    while True:
        if found.terms is not None and found.terms.holder == own:  # written, but the answer was lost
            return Lease(store, environment, found.terms, found.etag)
        if found.is_free:
            terms = Terms(own, by, what, f"{found.now:%Y-%m-%d %H:%M:%S} UTC")
            etag = _write(store, environment, terms, etag=found.etag)
            if etag is not None:
                return Lease(store, environment, terms, etag)
        elif found.etag != first.etag:
            raise DeployError(f"{found.terms}: nothing was changed; do this again when that has ended")
        else:
            if found is first:
                report(f"{found.terms}: waiting for a sign of life")
            time.sleep(_POLL_SECONDS)
        found = _read(store, environment)


def _key(environment: str) -> str:
    return f"deployments/{environment}/lease.json"


def _read(store: Store, environment: str) -> _Found:
    """Raise DeployError for an object that is no lease."""
    try:
        answer = store.s3.get_object(Bucket=store.bucket, Key=_key(environment))
    except store.s3.exceptions.NoSuchKey as error:
        return _Found(None, "", 0.0, _date(error.response))
    try:
        document = json.loads(answer["Body"].read())
        terms = Terms(**{one.name: document[one.name] for one in fields(Terms) if one.name in document})
    except (TypeError, ValueError) as error:
        uri = store.uri(_key(environment))
        raise DeployError(f"{uri} is no lease ({error}): find out who wrote it, and delete it") from error
    now = _date(answer)
    return _Found(terms, answer["ETag"], (now - answer["LastModified"]).total_seconds(), now)


def _write(store: Store, environment: str, terms: Terms, *, etag: str) -> str | None:
    """Write the lease over that of `etag` ("" for none); the new ETag, None where another write came first."""
    condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
    body = json.dumps(asdict(terms), indent=2).encode()
    try:
        written = store.s3.put_object(
            Bucket=store.bucket, Key=_key(environment), Body=body, ContentType="application/json", **condition
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"):
            raise
        return None
    return str(written["ETag"])


def _date(answer: Mapping[str, Any]) -> datetime.datetime:
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
