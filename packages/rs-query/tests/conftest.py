"""The scripted Data API, and an environment in which the SDK finds it and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from scripted_data_api import ScriptedDataApi


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedDataApi]:
    with ScriptedDataApi().serving() as serving:
        for key in [key for key in os.environ if key.startswith("AWS_")]:
            monkeypatch.delenv(key)
        for key, value in serving.environment.items():
            monkeypatch.setenv(key, value)
        yield serving
