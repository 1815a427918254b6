"""Sources that break, lie, change or vanish. Where the month can be had it arrives whole; else nothing is left."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glue_ingest import errors

KEY = "yellow/2024/01/yellow_tripdata_2024-01.parquet"
PATH = "/yellow_tripdata_2024-01.parquet"
PART = 5 * 1024 * 1024


@pytest.fixture
def data(site: Any, month_file: Callable[..., bytes]) -> bytes:
    site.files[PATH] = month_file(12)
    return site.files[PATH]


def fails(run: Any, kind: type[errors.IngestError], **changes: Any) -> str:
    """Run, and give the message of the error after seeing that S3 was left as it was."""
    before = run.bucket.holds()
    with pytest.raises(errors.IngestError) as error:
        run(run.request(**changes))
    assert type(error.value) is kind, error.value
    assert "\n" not in str(error.value)
    assert (run.bucket.holds(), run.bucket.unfinished()) == (before, [])
    return str(error.value)


@pytest.mark.parametrize(
    ("breaks", "goes_on"),
    [
        pytest.param([100], {0}, id="the first bytes"),
        pytest.param([0, 10_000], {-65_536 + 10_000}, id="the tail"),
        pytest.param([0, 0, 2_000_000], {2_000_000, PART + 2_000_000, 2 * PART + 2_000_000}, id="a part"),
    ],
)
def test_a_broken_range_goes_on_where_it_broke(
    run: Any, site: Any, bucket: Any, data: bytes, events: Any, breaks: list[int], goes_on: set[int]
) -> None:
    site.breaks = breaks
    run()
    assert bucket.holds() == {KEY: data}
    (retry,) = events("retry")
    assert retry["byte"] in {byte % len(data) for byte in goes_on}
    assert sum(wanted.startswith(f"bytes={retry['byte']}-") for wanted in site.gets) == (1 if retry["byte"] else 3)
    assert len(site.gets) == 6


def test_a_stream_that_broke_is_read_again_and_goes_on_there(
    run: Any, site: Any, bucket: Any, data: bytes, events: Any
) -> None:
    site.ranges, site.breaks = False, [7_000_000, 3_000_000, 0]
    run()
    assert bucket.holds() == {KEY: data}
    assert [event["byte"] for event in events("retry")] == [7_000_000, 7_000_000]
    assert site.gets[1:] == [f"bytes=7000000-{len(data) - 1}"] * 2


def test_a_stream_goes_on_by_range_where_the_server_has_them_after_all(
    run: Any, site: Any, bucket: Any, data: bytes
) -> None:
    site.ranges, site.breaks = False, [7_000_000]
    site.before_answer = lambda number: setattr(site, "ranges", number > 1)
    run()
    assert bucket.holds() == {KEY: data}


def test_a_chunked_stream_that_broke_is_noticed(run: Any, site: Any, bucket: Any, data: bytes) -> None:
    site.ranges, site.chunked, site.breaks = False, True, [7_000_000]
    run()
    assert bucket.holds() == {KEY: data}


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_failure_is_borne(run: Any, site: Any, bucket: Any, data: bytes, status: int, events: Any) -> None:
    site.statuses = [(status, b"")] * 3
    run()
    assert bucket.holds() == {KEY: data}
    assert [event["error"] for event in events("retry")] == [f"HTTP {status}"] * 3


def test_a_failure_that_stays_is_unreachable(run: Any, site: Any, data: bytes) -> None:
    site.statuses = [(503, b"")] * 100
    assert fails(run, errors.Unreachable) == (
        f"{site.address}{PATH} failed 4 times at byte 0, last: HTTP 503: see whether the source is up, then run again"
    )
    assert len(site.gets) == 4


def test_no_server_is_unreachable(run: Any) -> None:
    message = fails(run, errors.Unreachable, source_template="http://127.0.0.1:9/x")
    assert message.startswith("http://127.0.0.1:9/x failed 4 times at byte 0, last: NewConnectionError: ")
    assert "object at 0x" not in message


def test_no_such_host_is_unreachable(run: Any) -> None:
    assert "tlc.invalid" in fails(run, errors.Unreachable, source_template="http://tlc.invalid/x")


@pytest.mark.parametrize(
    ("issued_to", "trusted", "said"),
    [
        ("127.0.0.1", True, ""),
        ("127.0.0.1", False, "certificate verify failed"),
        ("127.0.0.2", True, "doesn't match"),
    ],
)
def test_the_certificate_must_be_trusted_and_the_hosts_own(
    run: Any,
    site: Any,
    data: bytes,
    new_certificate: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    issued_to: str,
    trusted: bool,
    said: str,
) -> None:
    certificate = new_certificate(issued_to)
    site.serve_tls(certificate)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    if said:
        assert said in fails(run, errors.Unreachable)
    else:
        run()
        assert run.bucket.holds() == {KEY: data}


def test_redirects_in_a_circle_are_refused(run: Any, site: Any) -> None:
    site.redirects = {"/a": "/b", "/b": "/a"}
    assert "redirects more than 5 times" in fails(run, errors.SourceRefused, source_template=site.address + "/a")


def test_a_length_that_is_too_long_is_unreachable(run: Any, site: Any, data: bytes) -> None:
    site.ranges, site.lie = False, 1000
    message = fails(run, errors.Unreachable)
    assert f"failed 4 times at byte {len(data):,}, last: " in message


def test_a_length_that_is_too_short_leaves_no_whole_file(run: Any, site: Any, data: bytes) -> None:
    site.ranges, site.lie = False, -1000
    assert "it does not end as one, so it is cut short" in fails(run, errors.NotParquet)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_version_that_appears_in_mid_download_is_read_from_its_beginning(
    run: Any, site: Any, bucket: Any, data: bytes, events: Any, ranges: bool
) -> None:
    site.ranges, site.breaks = ranges, [0, 0, 3_000_000] if ranges else [7_000_000]
    later = data[:100] + b"?" + data[101:]

    def publish_again(number: int) -> None:
        if number > (3 if ranges else 1):
            site.etag, site.files[PATH] = '"v2"', later

    site.before_answer = publish_again
    run()
    assert (bucket.holds(), bucket.unfinished()) == ({KEY: later}, [])
    assert bucket.client.head_object(Bucket=bucket.name, Key=KEY)["Metadata"]["source-etag"] == '"v2"'
    (restart,) = events("restart")
    assert restart["error"] == f"{site.address}{PATH} changed while it was read: run again"


@pytest.mark.parametrize("ranges", [True, False])
def test_a_source_that_changes_again_and_again_is_given_up(
    run: Any, site: Any, data: bytes, events: Any, ranges: bool
) -> None:
    site.ranges, site.breaks = ranges, [0] if ranges else [7_000_000] * 9
    site.before_answer = lambda number: setattr(site, "etag", f'"v{number}"')
    assert fails(run, errors.SourceChanged) == f"{site.address}{PATH} changed while it was read: run again"
    assert len(events("restart")) == 1


def test_other_bytes_under_the_same_validators_are_not_mixed_in(
    run: Any, site: Any, bucket: Any, data: bytes, events: Any
) -> None:
    site.ranges, site.etag, site.last_modified, site.breaks = False, "", "", [7_000_000]
    later = data[:100] + b"?" + data[101:]
    site.before_answer = lambda number: site.files.update({PATH: later}) if number > 1 else None
    run()
    assert bucket.holds() == {KEY: later}
    assert "changed while it was read" in events("restart")[0]["error"]


def test_without_validators_nothing_is_taken_by_ranges(run: Any, site: Any, bucket: Any, data: bytes) -> None:
    site.etag, site.last_modified, site.breaks = "", "", [0, 7_000_000]
    run()
    assert bucket.holds() == {KEY: data}
    assert site.gets == ["bytes=0-511", "bytes=0-", f"bytes=0-{len(data) - 1}"]


def test_a_server_that_stops_giving_ranges_is_read_in_a_row(
    run: Any, site: Any, bucket: Any, data: bytes, events: Any
) -> None:
    site.before_answer = lambda number: setattr(site, "ranges", number < 3)
    run()
    assert bucket.holds() == {KEY: data}
    assert "stopped giving ranges while it was read" in events("restart")[0]["error"]


def test_a_failed_run_leaves_the_earlier_object(run: Any, site: Any, bucket: Any, data: bytes) -> None:
    run()
    site.etag, site.lie, site.ranges = '"v2"', 1000, False
    fails(run, errors.Unreachable)
    assert bucket.holds() == {KEY: data}


def recent() -> dict[str, int]:
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return {"year": today.year, "month": today.month}


ACCESS_DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"


@pytest.mark.parametrize("status", [403, 404])
def test_a_young_month_is_not_published_yet(run: Any, site: Any, status: int) -> None:
    site.statuses = [(status, ACCESS_DENIED)]
    request = run.request(**recent())
    assert fails(run, errors.NotPublished, **recent()) == (
        f"{request.label} is not published yet ({request.url} answered HTTP {status}): TLC publishes about two months "
        "later, try then, or correct --source_url"
    )


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "the source has no yellow 2024-01 (URL answered HTTP 403): correct the month or the source"),
        (404, "the source has no yellow 2024-01 (URL answered HTTP 404): correct the month or the source"),
        (410, "the source has no yellow 2024-01 (URL answered HTTP 410): correct the month or the source"),
        (401, "URL answered HTTP 401 with something that begins with “log in”: correct --source_url"),
    ],
)
def test_an_old_month_that_is_refused(run: Any, site: Any, status: int, reason: str) -> None:
    site.statuses = [(status, b"log in")]
    assert fails(run, errors.SourceRefused) == reason.replace("URL", site.address + PATH)
    assert len(site.gets) == 1


def test_an_empty_file(run: Any, site: Any) -> None:
    site.files[PATH] = b""
    for site.ranges in (True, False):
        assert f"{site.address}{PATH} is empty" in fails(run, errors.NotParquet)


def test_another_months_name_is_the_wrong_month(run: Any, site: Any, data: bytes) -> None:
    site.headers["Content-Disposition"] = 'attachment; filename="yellow_tripdata_2023-12.parquet"'
    assert fails(run, errors.WrongMonth) == (
        f"{site.address}{PATH} gave yellow_tripdata_2023-12.parquet instead of yellow_tripdata_2024-01.parquet: "
        "correct --source_url"
    )


def test_a_redirect_to_another_month_is_the_wrong_month(run: Any, site: Any, data: bytes) -> None:
    site.redirects["/yellow_tripdata_2024-02.parquet"] = PATH
    assert "gave yellow_tripdata_2024-01.parquet instead of" in fails(run, errors.WrongMonth, month=2)


@pytest.mark.parametrize("ranges", [True, False])
def test_trips_of_another_month_are_the_wrong_month(
    run: Any, site: Any, month_file: Callable[..., bytes], ranges: bool
) -> None:
    site.ranges, site.files[PATH] = ranges, month_file(6, first_day="2023-06-01")
    assert fails(run, errors.WrongMonth) == (
        f"{site.address}{PATH} holds trips of 2023-06-01 to 2023-06-05, none of yellow 2024-01: correct --source_url"
    )


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_lost_its_end(run: Any, site: Any, data: bytes, ranges: bool) -> None:
    site.ranges, site.files[PATH] = ranges, data[:-100]
    assert fails(run, errors.NotParquet) == (
        f"{site.address}{PATH} ({len(data) - 100:,} bytes) is not a whole Parquet file, it does not end as one, so it "
        "is cut short: try again later, or correct --source_url"
    )


@pytest.mark.shared_data
@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("2019-01.lfs-pointer", "is not a Parquet file but a Git LFS pointer, which begins with “version https://git"),
        ("2022-01.html-error", "is not a Parquet file but an HTML page, which begins with “<!DOCTYPE HTML PUBLIC"),
        ("2024-01.s3-accessdenied", "is not a Parquet file but an S3 error document (AccessDenied), which begins with"),
        ("2024-01.truncated", "(2,471,291 bytes) is not a whole Parquet file, it does not end as one, so it is cut"),
    ],
)
def test_what_a_download_may_bring_instead(
    run: Any, site: Any, shared_data: Path, file: str, said: str, ranges: bool
) -> None:
    year, month = int(file[:4]), int(file[5:7])
    site.ranges = ranges
    site.files[f"/yellow_tripdata_{file[:7]}.parquet"] = (
        shared_data / "broken" / f"yellow_tripdata_{file}.parquet"
    ).read_bytes()
    assert said in fails(run, errors.NotParquet, year=year, month=month)
