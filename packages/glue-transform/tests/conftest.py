"""The two engines on a folder that stands for S3, and S3 itself as moto serves it."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from folder_storage import FolderStorage

from glue_transform import engines
from glue_transform.arguments import Request
from glue_transform.datasets import load
from glue_transform.engines import factory
from glue_transform.job import transform

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
BUCKETS = ("raw", "processed")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real samples beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("needs the real sample files in ../shared/data")
    return SHARED


@pytest.fixture(scope="session")
def lake_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("s3")
    for bucket in BUCKETS:
        (root / bucket).mkdir()
    return root


@pytest.fixture(scope="session")
def spark(lake_root: Path) -> Iterator[Any]:
    """A Spark session in which the folders of `lake_root` are the buckets of s3://."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("needs PySpark: pip install 'glue-transform[spark]'")
    from glue_transform.engines.spark import find_java

    find_java()
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",  # small jobs end before the slow compiler pays
        "spark.sql.shuffle.partitions": "1",
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.viewfs.ViewFs",
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    }
    for bucket in BUCKETS:
        settings[f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback"] = f"file://{lake_root}/{bucket}"
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@dataclass
class Lake:
    """The buckets raw and processed, and transforms of months in them."""

    storage: FolderStorage
    folder: Path

    def raw(self, dataset: str, year: int, month: int) -> Path:
        """Where a month's raw file goes."""
        name = load(dataset).file_name(year=year, month=month)
        file = self.storage.root / "raw" / dataset / f"{year}/{month:02}" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def transform(
        self, dataset: str, year: int, month: int, *, engine: str = "duckdb", keep: bool = False
    ) -> dict[str, Any]:
        """Run a transform and give its manifest. With `keep` its files outlive the month's next transform."""
        self.folder.mkdir(exist_ok=True)
        request = Request(dataset, year, month, "raw", "processed", engine)
        running = factory.create(engine, storage=self.storage, folder=self.folder)
        url = transform(request, storage=self.storage, engine=running)
        manifest = dict(json.loads(self.storage.read(url) or b""))
        if keep:
            self.storage.delete([url])
        return manifest

    def kept(self, manifest: dict[str, Any]) -> list[Path]:
        return [self.storage.path(entry["url"]) for entry in manifest["entries"]]

    def rejected(self, manifest: dict[str, Any]) -> list[Path]:
        """The load's files in the quarantine."""
        load_of = manifest["load"]
        month = load_of["source_month"][:7].replace("-", "/")
        prefix = f"s3://processed/{load_of['dataset']}_rejected/{month}/{load_of['load_id']}/"
        return [self.storage.path(url) for url in self.storage.list(prefix)]

    def processed(self) -> list[str]:
        """The keys of the processed bucket."""
        return [url[len("s3://processed/") :] for url in self.storage.list("s3://processed/")]

    def comparable(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """The manifest without what two runs cannot share: the load's name and the files' sizes."""
        text = json.dumps(manifest).replace(manifest["load"]["load_id"], "LOAD")
        same: dict[str, Any] = json.loads(text)
        for entry in same["entries"]:
            entry["meta"] = {"content_length": "BYTES"}
        return same


@pytest.fixture
def lake(lake_root: Path, tmp_path: Path) -> Lake:
    for bucket in BUCKETS:
        shutil.rmtree(lake_root / bucket)
        (lake_root / bucket).mkdir()
    return Lake(FolderStorage(lake_root), tmp_path / "it's work")


@pytest.fixture(params=engines.NAMES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of each engine in turn; Spark is skipped, saying so, where it is not installed."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    return str(request.param)


@pytest.fixture
def events(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """The log lines since the last call."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

    return read
