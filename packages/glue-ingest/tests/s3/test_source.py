"""A month that lies in S3 already: signed with the job's own keys, read like any other source; and a prefix."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glue_ingest import errors, main
from glue_ingest.address import Address, address_of
from glue_ingest.connection import RETRY_POLICY, ConnectionFailed, Connections
from glue_ingest.store import connect

NAME = "yellow_tripdata_2024-01.parquet"
KEY = f"yellow/2024/01/{NAME}"


@pytest.fixture
def mirror(bucket: Any, month_file: Callable[..., bytes]) -> tuple[str, bytes]:
    """A bucket that holds the month under `tlc/`, and the month."""
    name, data = f"mirror-{uuid.uuid4().hex[:12]}", month_file(12)
    bucket.client.create_bucket(Bucket=name)
    bucket.client.put_object(Bucket=name, Key=f"tlc/{NAME}", Body=data)
    return name, data


def arguments(bucket: Any, template: str, *more: str) -> list[str]:
    month = ["--dataset", "yellow", "--year", "2024", "--month", "01"]
    return [*month, "--raw_bucket", bucket.name, "--source_url", template, *more]


def test_an_object_in_s3_is_read_as_any_source_and_its_signature_is_told_to_nobody(
    bucket: Any, mirror: tuple[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    name, data = mirror
    given = arguments(bucket, f"s3://{name}/tlc/{{dataset}}_tripdata_{{year}}-{{month}}.parquet")
    outcome = main(given)
    assert (outcome.stored, outcome.sha256) == (True, hashlib.sha256(data).hexdigest())
    assert bucket.holds() == {KEY: data}
    described = bucket.client.head_object(Bucket=bucket.name, Key=KEY)["Metadata"]
    assert described["source-url"] == f"s3://{name}/tlc/{NAME}"
    assert not main(given).stored
    written = "".join(capfd.readouterr())
    assert f"s3://{name}/tlc/{NAME}" in written
    for secret in ("X-Amz", "Signature"):
        assert secret not in written + str(described)


def test_the_signature_is_of_version_4_and_made_anew_for_each_method(s3_endpoint: str) -> None:
    address = address_of("s3://mirror/a/b%20c.parquet", connect())
    signed = [address.url("GET"), address.url("HEAD")]
    assert all(
        one.startswith(f"{s3_endpoint}/mirror/a/b%2520c.parquet?X-Amz-Algorithm=AWS4-HMAC-SHA256&") for one in signed
    )
    assert signed[0] != signed[1]


@pytest.mark.parametrize(
    ("template", "year", "error", "message"),
    [
        pytest.param(
            "s3://{mirror}/{{year}}.parquet",
            2015,
            errors.SourceRefused,
            "the source has no yellow 2015-01 (s3://{mirror}/2015.parquet answered HTTP 404): correct the "
            "month or the source",
            id="no such key",
        ),
        pytest.param(
            "s3://{mirror}/{{year}}.parquet",
            datetime.datetime.now(datetime.timezone.utc).year + 1,
            errors.NotPublished,
            None,
            id="no such key yet",
        ),
        pytest.param(
            "s3://{mirror}-x/{{year}}.parquet",
            2024,
            errors.SourceRefused,
            "s3://{mirror}-x/2024.parquet answered HTTP 404, there is no such bucket: correct --source_url",
            id="no such bucket",
        ),
        pytest.param(
            "s3://{mirror}/tlc/yellow_tripdata_2024-01.parquet",
            2023,
            errors.WrongMonth,
            "s3://{mirror}/tlc/yellow_tripdata_2024-01.parquet gave yellow_tripdata_2024-01.parquet instead of "
            "yellow_tripdata_2023-01.parquet: correct --source_url",
            id="another month",
        ),
    ],
)
def test_what_s3_does_not_give(
    run: Any, bucket: Any, mirror: tuple[str, bytes], template: str, year: int, error: type, message: str | None
) -> None:
    name, _ = mirror
    request = run.request(year=year, source_template=template.format(mirror=name))
    with pytest.raises(error) as raised:
        run(request, client=connect())
    assert message is None or str(raised.value) == message.format(mirror=name)
    assert (bucket.holds(), bucket.unfinished()) == ({}, [])


def test_a_role_that_may_not_read_is_told_what_it_needs(run: Any, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The S3 in these tests lets everybody read; the site answers in its place."""
    site.statuses = [(403, b"<Error><Code>AccessDenied</Code></Error>")]
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", site.address)
    with pytest.raises(errors.SourceRefused) as raised:
        run(run.request(source_template="s3://mirror/month.parquet", force=True), client=connect())
    assert str(raised.value) == (
        "s3://mirror/month.parquet answered HTTP 403: allow the job's role s3:GetObject on it, and s3:ListBucket, "
        "without which S3 says the same of a key that is not there"
    )


def test_a_private_authority_holds_for_a_source_in_s3_too(
    s3_endpoint: str, site: Any, new_certificate: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = new_certificate("127.0.0.1")
    site.serve_tls(certificate)
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.address)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    address = address_of("s3://mirror/month.parquet", connect())
    assert Connections(address, count=1, retry_policy=RETRY_POLICY).send("GET").status == 404
    with pytest.raises(ConnectionFailed, match="certificate verify failed"):
        Connections(Address(address.url), count=1, retry_policy=RETRY_POLICY).send("GET")


def test_where_the_system_has_no_authorities_the_sdks_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    pool = Connections(Address(lambda method: "https://127.0.0.1/"), count=1, retry_policy=RETRY_POLICY)._pool
    assert pool.connection_pool_kw["ssl_context"].cert_store_stats()["x509_ca"] > 100


def test_nothing_to_sign_with(monkeypatch: pytest.MonkeyPatch, run: Any, bucket: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(errors.StorageRefused) as raised:
        run(run.request(source_template="s3://mirror/month.parquet"), client=connect())
    assert str(raised.value) == (
        "S3 could not be used signing a request for s3://mirror/month.parquet: Unable to locate credentials: check "
        "endpoint, region and keys"
    )


def test_a_prefix_stands_before_every_key(run: Any, bucket: Any, front: Any, mirror: tuple[str, bytes]) -> None:
    name, data = mirror
    run(run.request(source_template=f"s3://{name}/tlc/{NAME}", prefix="smoke/1a2b"), client=connect())
    assert bucket.holds() == {f"smoke/1a2b/{KEY}": data}
    touched = {seen.path for seen in front.seen if seen.path.startswith(f"/{bucket.name}/")}
    assert touched == {f"/{bucket.name}/smoke/1a2b/{KEY}"}
