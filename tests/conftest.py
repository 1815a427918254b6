"""Fixtures of the tests across packages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from laptop import SHARED_DATA, Laptop, deployed


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """One deployed laptop for all tests of a worker that ask for it."""
    with deployed(tmp_path_factory) as machine:
        yield machine


@pytest.fixture(scope="session")
def trip_data() -> Path:
    """The folder of real trip files beside the checkout."""
    folder = SHARED_DATA / "tlc" / "trip-data"
    if not folder.is_dir():
        pytest.skip("the real trip files are not beside this checkout (../shared/data)")
    return folder
