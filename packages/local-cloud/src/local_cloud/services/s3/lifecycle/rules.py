"""Lifecycle rules: which objects a rule concerns, and when it is due.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_cloud.services.s3.storage.catalog import Upload, Version

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """One rule in force. `expire_date` is a midnight UTC; `larger` and `smaller` are sizes in bytes, both exclusive."""

    id: str
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    larger: int | None = None
    smaller: int | None = None
    expire_days: int | None = None
    expire_date: datetime.datetime | None = None
    expire_markers: bool = False
    noncurrent_days: int | None = None
    newer_noncurrent: int = 0
    abort_days: int | None = None

    @property
    def by_key_alone(self) -> bool:
        """True where neither tags nor sizes restrict it: what has none (a delete marker) is concerned too."""
        return not self.tags and self.larger is None and self.smaller is None

    def concerns(self, version: Version) -> bool:
        if not version.key.startswith(self.prefix):
            return False
        if version.size is None:
            return self.by_key_alone
        return (
            self.tags.items() <= version.tags.items()
            and (self.larger is None or version.size > self.larger)
            and (self.smaller is None or version.size < self.smaller)
        )

    def expires(self, version: Version) -> datetime.datetime | None:
        """When the rule ends a current version; None for never."""
        if not self.concerns(version):
            return None
        if self.expire_date:
            return self.expire_date
        return midnight_after(version.last_modified, self.expire_days) if self.expire_days else None


@dataclass(frozen=True)
class Due:
    """One version that rules end: deleted as by DeleteObject, or `for_good`."""

    version: Version
    for_good: bool


def midnight_after(moment: datetime.datetime, days: int) -> datetime.datetime:
    """The day's end that S3 rounds to: the midnight UTC after `days` from a moment."""
    then = moment + days * _DAY
    return then.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY


def expiration(version: Version, rules: Iterable[Rule]) -> tuple[datetime.datetime, Rule] | None:
    """When a current object expires, and by which rule: the earliest counts."""
    found = ((when, rule) for rule in rules if (when := rule.expires(version)))
    return min(found, key=lambda pair: pair[0], default=None)


def due(versions: Sequence[Version], rules: Sequence[Rule], now: datetime.datetime) -> Iterator[Due]:
    """What of one key is due. `versions` are all it has, newest (the current one) first."""
    current, *noncurrent = versions
    left = []
    for newer, version in enumerate(noncurrent):
        became = versions[newer].last_modified  # noncurrent, when the next one came
        if any(
            rule.noncurrent_days
            and rule.concerns(version)
            and newer >= rule.newer_noncurrent
            and midnight_after(became, rule.noncurrent_days) <= now
            for rule in rules
        ):
            yield Due(version, for_good=True)
        else:
            left.append(version)
    expired = any((when := rule.expires(current)) and when <= now for rule in rules)
    if current.is_delete_marker:
        # A rule with days or a date ends markers too, once they are that old.
        if not left and (expired or any(rule.expire_markers and rule.concerns(current) for rule in rules)):
            yield Due(current, for_good=True)
    elif expired:
        yield Due(current, for_good=False)


def abandoned(upload: Upload, rules: Iterable[Rule], now: datetime.datetime) -> bool:
    """Whether a rule ends an unfinished multipart upload."""
    begun = datetime.datetime.fromtimestamp(upload.initiated, datetime.UTC)
    return any(
        rule.abort_days and upload.key.startswith(rule.prefix) and midnight_after(begun, rule.abort_days) <= now
        for rule in rules
    )


def in_force(rules: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The enabled ones of the rules that `document.read` gave."""
    return tuple(_rule(fields) for fields in rules if fields["Status"] == "Enabled")


def _rule(fields: Mapping[str, Any]) -> Rule:
    chosen = fields.get("Filter") or {}
    chosen = chosen.get("And") or chosen
    tags = chosen.get("Tag") or []
    expiring, noncurrent = fields.get("Expiration", {}), fields.get("NoncurrentVersionExpiration", {})
    date = expiring.get("Date")
    return Rule(
        id=fields["ID"],
        prefix=chosen.get("Prefix") or fields.get("Prefix") or "",
        tags={tag["Key"]: tag["Value"] for tag in (tags if isinstance(tags, list) else [tags])},
        larger=chosen.get("ObjectSizeGreaterThan"),
        smaller=chosen.get("ObjectSizeLessThan"),
        expire_days=expiring.get("Days"),
        expire_date=datetime.datetime.fromisoformat(date) if date else None,
        expire_markers=expiring.get("ExpiredObjectDeleteMarker", False),
        noncurrent_days=noncurrent.get("NoncurrentDays"),
        newer_noncurrent=noncurrent.get("NewerNoncurrentVersions", 0),
        abort_days=fields.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    )
