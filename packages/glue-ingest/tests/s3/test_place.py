"""Where S3 is: as the SDK finds it, from the same settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from glue_ingest import errors
from glue_ingest.s3.place import find
from glue_ingest.store import connect

KEY = "yellow/2024/01/a b.parquet"
CONFIG = """
[default]
region = eu-west-1
[profile everything]
region = eu-west-2
endpoint_url = http://127.0.0.1:7001
[profile s3]
region = eu-west-3
endpoint_url = http://127.0.0.1:7001
services = near
[profile lost]
region = eu-west-1
services = gone
[profile flat]
region = eu-west-1
services = flat
[services flat]
s3 = http://127.0.0.1:7001
[services near]
s3 =
  endpoint_url = http://127.0.0.1:7002/s3/
"""


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, s3_endpoint: str, tmp_path: Path) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    config = tmp_path / "config"
    config.write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    # The SDK alone still has us-east-1 at the address without a region.
    monkeypatch.setenv("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "regional")


def sdks_url(bucket: str) -> str:
    """Where the SDK would send a request."""
    urls = []

    class Sent(Exception):
        pass

    def send(request: Any, **_: Any) -> None:
        urls.append(request.url)
        raise Sent

    client = boto3.session.Session().client("s3")
    client.meta.events.register("before-send.s3", send)
    with pytest.raises(Sent):
        client.head_object(Bucket=bucket, Key=KEY)
    return str(urls[0])


@pytest.mark.parametrize("bucket", ["raw-bucket", "raw.bucket", "Raw_Bucket"])
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="the default profile"),
        pytest.param({"AWS_DEFAULT_REGION": "us-east-1"}, id="us-east-1"),
        pytest.param({"AWS_DEFAULT_REGION": "cn-north-1"}, id="China"),
        pytest.param({"AWS_DEFAULT_REGION": "us-gov-west-1"}, id="GovCloud"),
        pytest.param({"AWS_DEFAULT_REGION": "us-iso-east-1"}, id="an isolated partition"),
        pytest.param({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_DEFAULT_REGION": "us-west-2"}, id="FIPS"),
        pytest.param({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, id="both versions of IP"),
        pytest.param(
            {
                "AWS_USE_FIPS_ENDPOINT": "true",
                "AWS_USE_DUALSTACK_ENDPOINT": "true",
                "AWS_DEFAULT_REGION": "us-west-2",
            },
            id="both",
        ),
        pytest.param({"AWS_ENDPOINT_URL": "http://localhost:4566"}, id="an endpoint"),
        pytest.param(
            {"AWS_ENDPOINT_URL": "http://localhost:4566", "AWS_ENDPOINT_URL_S3": "https://s3.example:9000/"},
            id="an endpoint of S3's own",
        ),
        pytest.param({"AWS_PROFILE": "everything"}, id="a profile's endpoint"),
        pytest.param({"AWS_PROFILE": "s3"}, id="a profile's endpoint of S3's own"),
        pytest.param({"AWS_PROFILE": "s3", "AWS_ENDPOINT_URL": "http://localhost:1"}, id="the environment first"),
        pytest.param({"AWS_PROFILE": "s3", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, id="no endpoint wanted"),
    ],
)
def test_it_is_where_the_sdk_finds_it(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], bucket: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    place = find()
    assert place.url(bucket, KEY, region=place.region) == sdks_url(bucket)
    assert place.region == boto3.session.Session().region_name


def test_a_bundle_of_authorities_is_the_sdk_s_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find().trusted is None
    bundle = tmp_path / "ca.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(errors.StorageRefused) as refused:
        connect(1)
    assert str(refused.value) == (
        f"S3 could not be used connecting: there is no {bundle}, named by AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or "
        "ca_bundle: check endpoint, region and keys"
    )
    bundle.touch()
    assert find().trusted == str(bundle)
    another = tmp_path / "another.pem"
    another.touch()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(another))
    assert find().trusted == str(another)


@pytest.mark.parametrize(
    "endpoint",
    [
        "127.0.0.1:4566",
        "http://",
        "nonsense",
        "ftp://h",
        "http://localhost:abc",
        "http://h:99999",
        "http://[x",
        "http://a b",
    ],
)
def test_an_endpoint_that_is_none(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(BotoCoreError, match="not an address for S3"):
        find()
    with pytest.raises(errors.StorageRefused, match=r"not an address for S3: .*: check endpoint, region and keys"):
        connect(1)


@pytest.mark.parametrize(
    "settings", [{"AWS_CONFIG_FILE": "/nowhere"}, {"AWS_DEFAULT_REGION": "aws-global"}], ids=["none", "aws-global"]
)
def test_without_a_region_it_is_the_first(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert (find().region, find().host) == ("us-east-1", "https://s3.{region}.amazonaws.com")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
        ({"AWS_PROFILE": "lost"}, "the profile's [services gone] is not there, or its s3 is no section"),
        ({"AWS_PROFILE": "flat"}, "the profile's [services flat] is not there, or its s3 is no section"),
        (
            {"AWS_DEFAULT_REGION": "us-east-1 "},
            "Provided region_name 'us-east-1 ' doesn't match a supported format.",
        ),
    ],
)
def test_nonsense_is_said(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], message: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(errors.StorageRefused) as refused:
        connect(1)
    assert str(refused.value) == f"S3 could not be used connecting: {message}: check endpoint, region and keys"
