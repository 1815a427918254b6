"""What tests of this package share: a reports bucket, and a browser where there is one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

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
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    if chromium.BINARY is None:
        pytest.skip("the page is tested in Chromium, which is not on this machine: apt-get install chromium")
    running = chromium.Browser(tmp_path_factory.mktemp("chromium"))
    yield running
    running.close()
