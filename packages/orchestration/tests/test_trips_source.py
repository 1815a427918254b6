"""A folder served as a static file server would."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from orchestration.errors import UsageError
from orchestration.trips.source import serve, url_template


@pytest.mark.parametrize(
    ("source", "template"),
    [
        ("https://x.test/trips", "https://x.test/trips/{dataset}_tripdata_{year}-{month}.parquet"),
        ("https://x.test/trips/", "https://x.test/trips/{dataset}_tripdata_{year}-{month}.parquet"),
        ("s3://bucket/trips", "s3://bucket/trips/{dataset}_tripdata_{year}-{month}.parquet"),
        ("https://x.test/{year}/{dataset}.parquet", "https://x.test/{year}/{dataset}.parquet"),
    ],
)
def test_a_folder_or_url_becomes_a_template_of_urls(source: str, template: str) -> None:
    assert url_template(source) == template


def test_whole_files_ranges_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "yellow_tripdata_2024-09.parquet").write_bytes(b"0123456789")
    (tmp_path.parent / "secret").write_bytes(b"!")
    with serve(tmp_path) as template:
        url = template.format(dataset="yellow", year="2024", month="09")
        with urllib.request.urlopen(url) as answer:
            assert answer.read() == b"0123456789"
            assert answer.headers["Accept-Ranges"] == "bytes"
            assert answer.headers["ETag"]
        ranged = urllib.request.Request(url, headers={"Range": "bytes=2-4"})
        with urllib.request.urlopen(ranged) as answer:
            assert (answer.status, answer.read()) == (206, b"234")
        for missing in (template.format(dataset="green", year="2024", month="09"), f"{url}/../../secret"):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(missing)
            assert caught.value.code == 404


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^there is no folder .*/gone; --source takes"), serve(tmp_path / "gone"):
        pass
