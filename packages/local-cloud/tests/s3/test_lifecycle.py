"""Lifecycle rules: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html"""

from __future__ import annotations

import datetime
import os
import time
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from local_cloud.services.s3.lifecycle.document import read, write
from local_cloud.services.s3.lifecycle.expiry import Lifecycle
from local_cloud.services.s3.storage import catalog
from local_cloud.services.s3.storage.catalog import Attributes, Upload
from local_cloud.services.s3.storage.store import Content, Store

BUCKET = "bucket"


def day(number: float) -> datetime.datetime:
    """Day 0 begins at a midnight UTC."""
    return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=number)


class Bucket:
    """A bucket that the test gives its time. `versioning` is "", "Enabled" or "Suspended"."""

    def __init__(self, root, monkeypatch, versioning):
        self.versioning = versioning
        self.now = day(0)
        self.events: list[tuple[str, str]] = []
        clock = SimpleNamespace(time_ns=lambda: int(self.now.timestamp() * 1e9), time=time.time)
        monkeypatch.setattr(catalog, "time", clock)
        self.store = Store(root, versioning=lambda bucket: self.versioning)
        self.store.create_bucket(BUCKET)
        self.lifecycle = Lifecycle(
            self.store, notify=lambda event, version: self.events.append((event, version.key)), changed=lambda: None
        )

    def rules(self, *rules: str) -> None:
        inner = "".join(f"<Rule><Status>Enabled</Status>{rule}</Rule>" for rule in rules)
        parsed = read(f"<LifecycleConfiguration>{inner}</LifecycleConfiguration>".encode())
        self.lifecycle.put(BUCKET, {"rules": parsed})

    def put(self, key, at, *, size=1, tags=None) -> None:
        self.now = at
        with self.store.stage() as staged:
            staged.file.write(b"x" * size)
            staged.file.flush()
            self.store.put(BUCKET, key, staged.path, content=Content(f"{key}{at}", Attributes(), tags or {}))

    def delete(self, key, at) -> None:
        self.now = at
        self.store.delete(BUCKET, key)

    def left(self, at) -> list[str]:
        """The keys after a run at `at`, with `-` for a delete marker on top and `*` for each older version."""
        self.now = at
        self.lifecycle.run(at)
        shown = []
        for key in self.store.all_keys(BUCKET):
            (newest, _), *older = self.store.versions(BUCKET, key)
            shown.append(key + "-" * newest.is_delete_marker + "*" * len(older))
        return shown


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    made = []

    def make(versioning=""):
        made.append(Bucket(tmp_path / str(len(made)), monkeypatch, versioning))
        return made[-1]

    yield make
    for one in made:
        one.store.catalog.close()


ALL = "<Filter/>"


def expiration(days: int) -> str:
    return f"<Expiration><Days>{days}</Days></Expiration>"


def noncurrent(days: int, newer: str = "") -> str:
    kept = f"<NewerNoncurrentVersions>{newer}</NewerNoncurrentVersions>" if newer else ""
    return f"<NoncurrentVersionExpiration><NoncurrentDays>{days}</NoncurrentDays>{kept}</NoncurrentVersionExpiration>"


MARKERS = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"


@pytest.mark.parametrize("hour", [0, 10.5, 23.99])
def test_days_count_from_the_creation_and_are_rounded_up_to_the_next_midnight_utc(bucket, hour):
    one = bucket()
    one.rules(ALL + expiration(3))
    one.put("a", day(14 + hour / 24))
    assert one.left(day(18) - datetime.timedelta(seconds=1)) == ["a"]
    assert one.left(day(18)) == []
    assert one.events == [("s3:LifecycleExpiration:Delete", "a")]


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ("<Filter/>", []),
        ("<Prefix/>", []),
        ("<Prefix>logs/</Prefix>", ["big", "tagged"]),
        ("<Filter><Prefix>logs/</Prefix></Filter>", ["big", "tagged"]),
        ("<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>", ["big", "logs/a"]),
        ("<Filter><Tag><Key>k</Key><Value>w</Value></Tag></Filter>", ["big", "logs/a", "tagged"]),
        ("<Filter><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan></Filter>", ["logs/a", "tagged"]),
        ("<Filter><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan></Filter>", ["big", "logs/a", "tagged"]),
        ("<Filter><ObjectSizeLessThan>10</ObjectSizeLessThan></Filter>", ["big"]),
        (
            "<Filter><And><Prefix>t</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value>w</Value>"
            "</Tag><ObjectSizeLessThan>2</ObjectSizeLessThan></And></Filter>",
            ["big", "logs/a"],
        ),
    ],
)
def test_a_rule_concerns_what_its_filter_says(bucket, chosen, left):
    one = bucket()
    one.rules(chosen + expiration(1))
    one.put("logs/a", day(0))
    one.put("big", day(0), size=10)
    one.put("tagged", day(0), tags={"k": "v", "l": "w"})
    assert one.left(day(2)) == left


def test_a_rule_that_is_not_enabled_does_nothing(bucket):
    one = bucket()
    rule = f"<Rule><Status>Disabled</Status>{ALL}{expiration(1)}</Rule>".encode()
    one.lifecycle.put(BUCKET, {"rules": read(b"<LifecycleConfiguration>" + rule + b"</LifecycleConfiguration>")})
    one.put("a", day(0))
    assert one.left(day(99)) == ["a"]


def test_a_date_ends_what_is_there_then_and_what_comes_later(bucket):
    one = bucket()
    one.rules(ALL + "<Expiration><Date>2026-01-05T00:00:00.000Z</Date></Expiration>")
    one.put("a", day(0))
    assert one.left(day(4) - datetime.timedelta(seconds=1)) == ["a"]
    assert one.left(day(4)) == []
    one.put("b", day(5))
    assert one.left(day(5)) == []


def test_in_a_versioned_bucket_an_object_expires_behind_a_marker_and_goes_by_the_rules_for_old_versions(bucket):
    one = bucket("Enabled")
    one.rules(ALL + expiration(1), ALL + noncurrent(2), ALL + MARKERS)
    one.put("a", day(0.5))
    assert one.left(day(2)) == ["a-*"]
    assert one.events == [("s3:LifecycleExpiration:DeleteMarkerCreated", "a")]
    assert one.left(day(5) - datetime.timedelta(seconds=1)) == ["a-*"]  # noncurrent since day 2 began
    assert one.left(day(5)) == []  # the version, and with it the marker that nothing is left under
    assert one.events[1:] == [("s3:LifecycleExpiration:Delete", "a")]


def test_old_versions_count_from_when_the_next_one_came(bucket):
    one = bucket("Enabled")
    one.rules(ALL + noncurrent(2))
    for at in (0, 5, 7.5):
        one.put("a", day(at))
    assert one.left(day(8) - datetime.timedelta(seconds=1)) == ["a**"]
    assert one.left(day(8)) == ["a*"]  # replaced on day 5
    assert one.left(day(10) - datetime.timedelta(seconds=1)) == ["a*"]
    assert one.left(day(10)) == ["a"]
    assert one.left(day(99)) == ["a"]


def test_as_many_old_versions_stay_as_the_rule_keeps_however_old(bucket):
    one = bucket("Enabled")
    one.rules(ALL + noncurrent(1, newer="2"))
    for at in range(5):
        one.put("a", day(at))
    assert one.left(day(4) - datetime.timedelta(seconds=1)) == ["a***"]  # another is to go, but not old enough yet
    assert one.left(day(99)) == ["a**"]


@pytest.mark.parametrize(("rule", "goes"), [(MARKERS, day(0.5)), (expiration(10), day(11))], ids=["its own", "by age"])
def test_a_marker_with_nothing_under_it_goes_by_its_own_rule_or_once_it_is_as_old_as_objects_get(bucket, rule, goes):
    one = bucket("Enabled")
    one.rules(ALL + rule)
    one.put("a", day(0))
    one.delete("a", day(0.5) - datetime.timedelta(seconds=1))
    one.put("b", day(0))
    one.delete("b", day(0.5) - datetime.timedelta(seconds=1))
    one.store.delete_version(BUCKET, "a", one.store.versions(BUCKET, "a")[1][0].version_id)
    if rule != MARKERS:
        assert one.left(goes - datetime.timedelta(seconds=1)) == ["a-", "b-*"]
    assert one.left(goes) == ["b-*"]  # under which a version is left


def test_while_versioning_is_suspended_an_object_expires_behind_a_null_marker(bucket):
    one = bucket("Enabled")
    one.rules(ALL + expiration(1))
    one.put("a", day(0))
    one.versioning = "Suspended"
    one.put("a", day(0.1))
    assert one.left(day(2)) == ["a-*"]
    assert one.store.versions(BUCKET, "a")[0][0].version_id == "null"


def test_unfinished_uploads_are_aborted(bucket):
    one = bucket()
    one.rules("<Prefix>in/</Prefix><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>"
              "</AbortIncompleteMultipartUpload>")  # fmt: skip
    for key in ("in/a", "out/a"):
        (one.store.uploads / key.replace("/", "-")).mkdir()
        one.store.catalog.add_upload(Upload(key.replace("/", "-"), BUCKET, key, day(0.5).timestamp(), Attributes(), {}))
    one.lifecycle.run(day(2) - datetime.timedelta(seconds=1))
    assert len(one.store.catalog.uploads(BUCKET)) == 2
    one.lifecycle.run(day(2))
    assert [upload.key for upload in one.store.catalog.uploads(BUCKET)] == ["out/a"]
    assert [folder.name for folder in one.store.uploads.iterdir()] == ["out-a"]


def test_the_earliest_of_several_rules_counts_and_transitions_end_nothing(bucket):
    one = bucket()
    moves = "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>"
    one.rules(ALL + expiration(9), ALL + moves, "<Prefix>a</Prefix>" + expiration(2))
    one.put("a", day(0))
    one.put("b", day(0))
    assert one.left(day(3)) == ["b"]
    assert one.left(day(10)) == []


def test_what_has_been_written_since_it_was_looked_at_stays(bucket, monkeypatch):
    one = bucket()
    one.rules(ALL + expiration(1))
    one.put("a", day(0))
    due = one.lifecycle._due

    def and_then_somebody_writes(*arguments):
        found = due(*arguments)
        one.put("a", day(2))
        return found

    monkeypatch.setattr(one.lifecycle, "_due", and_then_somebody_writes)
    assert one.left(day(2)) == ["a"]
    assert one.events == []


def test_a_configuration_is_given_back_as_it_came():
    text = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<Rule><ID>x</ID><Status>Enabled</Status><Filter><And><Prefix>p</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>"
        b"<Tag><Key>l</Key><Value></Value></Tag><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></And></Filter>"
        b"<Transition><Days>30</Days><StorageClass>GLACIER_IR</StorageClass></Transition>"
        b"<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays>"
        b"<NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>"
        b"</LifecycleConfiguration>"
    )
    assert write(read(text)) == text


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ("", "MalformedXML"),
        (f"<Rule>{ALL}{expiration(1)}</Rule>", "MalformedXML"),
        (f"<Rule><Status>on</Status>{ALL}{expiration(1)}</Rule>", "MalformedXML"),
        (f"<Rule><Status>Enabled</Status>{expiration(1)}</Rule>", "MalformedXML"),
        (f"<Rule><Status>Enabled</Status><Prefix/>{ALL}{expiration(1)}</Rule>", "MalformedXML"),
        (f"<Rule><Status>Enabled</Status>{ALL}</Rule>", "InvalidRequest"),
        (f"<Rule><Status>Enabled</Status>{ALL}{expiration(0)}</Rule>", "InvalidArgument"),
        (f"<Rule><Status>Enabled</Status>{ALL}<Expiration><Days>x</Days></Expiration></Rule>", "MalformedXML"),
        (f"<Rule><Status>Enabled</Status>{ALL}{expiration(1)}{expiration(2)}</Rule>", "MalformedXML"),
        (f"<Rule><Status>Enabled</Status>{ALL}<Expiry>1</Expiry></Rule>", "MalformedXML"),
        (f"<Rule><Status>Enabled</Status>{ALL}{noncurrent(0)}</Rule>", "InvalidArgument"),
        (f"<Rule><Status>Enabled</Status>{ALL}{noncurrent(1, newer='101')}</Rule>", "InvalidArgument"),
        (
            f"<Rule><Status>Enabled</Status>{ALL}<Expiration><Date>2026-01-01T01:00:00Z</Date></Expiration></Rule>",
            "InvalidArgument",
        ),
        (f"<Rule><ID>{'x' * 256}</ID><Status>Enabled</Status>{ALL}{expiration(1)}</Rule>", "InvalidArgument"),
        (f"<Rule><ID>x</ID><Status>Enabled</Status>{ALL}{expiration(1)}</Rule>" * 2, "InvalidArgument"),
        (
            f"<Rule><Status>Enabled</Status><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>{MARKERS}</Rule>",
            "InvalidRequest",
        ),
    ],
)
def test_what_s3_refuses_is_refused(rules, code):
    with pytest.raises(Exception) as refused:
        read(f"<LifecycleConfiguration>{rules}</LifecycleConfiguration>".encode())
    assert refused.value.code == code


def test_rules_put_by_the_api_act_at_the_next_start_too_and_answers_tell_when_an_object_expires(new_cloud):
    cloud = new_cloud()
    cloud.start()
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)
    rules = [
        {"ID": "old logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 1}},
        {
            "ID": "few",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"] == rules

    put = s3.put_object(Bucket=BUCKET, Key="logs/new", Body=b"x")
    made = s3.head_object(Bucket=BUCKET, Key="logs/new")["LastModified"]
    gone = made.replace(hour=0, minute=0, second=0) + datetime.timedelta(days=2)
    assert put["Expiration"] == gone.strftime('expiry-date="%a, %d %b %Y 00:00:00 GMT", rule-id="old%%20logs"')
    for answer in (
        s3.head_object(Bucket=BUCKET, Key="logs/new"),
        s3.get_object(Bucket=BUCKET, Key="logs/new"),
    ):
        assert answer["Expiration"] == put["Expiration"]
    assert "old%20logs" in s3.copy_object(Bucket=BUCKET, Key="logs/copy", CopySource=f"{BUCKET}/logs/new")["Expiration"]
    assert "Expiration" not in s3.put_object(Bucket=BUCKET, Key="kept", Body=b"x")

    cloud.stop()
    old = cloud.state_dir / "s3" / BUCKET / "logs" / "old"
    old.write_bytes(b"x")
    os.utime(old, (0, 0))
    cloud.start()
    deadline = time.monotonic() + 30
    while old.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    there = [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert there == ["kept", "logs/copy", "logs/new"]
    assert s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"] == rules
    s3.delete_bucket_lifecycle(Bucket=BUCKET)
    assert "Expiration" not in s3.head_object(Bucket=BUCKET, Key="logs/new")
    cloud.stop()
