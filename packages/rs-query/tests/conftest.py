"""The scripted Data API, and an environment in which the SDK finds it and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from scripted_data_api import ScriptedDataApi


def sdk_environment(endpoint: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return kept | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedDataApi]:
    with ScriptedDataApi().serving() as serving:
        for key, value in sdk_environment(serving.endpoint).items():
            monkeypatch.setenv(key, value)
        yield serving
