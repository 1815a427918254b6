"""What tests of this package share: a reports bucket, and a browser where there is one."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

import local_cloud
from orchestration.releases.bucket.store import Store

sys.path.insert(0, str(Path(__file__).parent / "support"))

import chromium
import reports


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """S3 with a reports bucket."""
    with pytest.MonkeyPatch.context() as settings, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            settings.setenv(name, "local")
        settings.delenv("AWS_ENDPOINT_URL", raising=False)
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=reports.BUCKET)
        yield client


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """S3 as the local cloud has it, which keeps checksums and conditions as AWS does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = local_cloud.Settings.create(state_dir=tmp_path_factory.mktemp("cloud"), port=port)
    local_cloud.up(settings)
    try:
        client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        client.create_bucket(Bucket="artifacts")
        yield Store(client, "artifacts")
    finally:
        local_cloud.down(settings)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    if chromium.BINARY is None:
        pytest.skip("the page is tested in Chromium, which is not on this machine: apt-get install chromium")
    running = chromium.Browser(tmp_path_factory.mktemp("chromium"))
    yield running
    running.close()
