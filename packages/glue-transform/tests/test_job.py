"""The job as Glue runs it: a process with arguments and an environment, against S3 over HTTP."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from trip_files import ERAS, kept_rows, read_rows, write_raw

from glue_transform.errors import StorageError
from glue_transform.log import Log
from glue_transform.storage import S3

SCRIPT = Path(__file__).resolve().parents[1] / "glue" / "transform_trips.py"
(SHAPE,) = (shape for shape in ERAS if shape.name == "yellow 2025")
ARGUMENTS = {
    "--dataset": "yellow",
    "--year": "2025",
    "--month": "01",
    "--raw_bucket": "raw",
    "--processed_bucket": "processed",
    "--engine": "duckdb",
    "--JOB_NAME": "transform-trips",
    "--TempDir": "s3://artifacts/tmp/",
}


def command(**changes: str) -> list[str]:
    arguments = {**ARGUMENTS, **{f"--{key}": value for key, value in changes.items()}}
    return [sys.executable, str(SCRIPT), *(word for pair in arguments.items() for word in pair)]


@dataclass
class Cloud:
    """S3 by moto, and the job's environment in it."""

    env: dict[str, str]
    client: Any

    def run(self, **changes: str) -> subprocess.CompletedProcess[str]:
        arguments = {**ARGUMENTS, **{f"--{key}": value for key, value in changes.items()}}
        words = [word for pair in arguments.items() for word in pair]
        return subprocess.run(
            [sys.executable, SCRIPT, *words], env=self.env, capture_output=True, text=True, timeout=60
        )

    def put_month(self, tmp_path: Path) -> None:
        write_raw(SHAPE, tmp_path / "raw.parquet")
        key = "yellow/2025/01/yellow_tripdata_2025-01.parquet"
        self.client.upload_file(str(tmp_path / "raw.parquet"), "raw", key, ExtraArgs={"Metadata": {"sha256": "abc"}})

    def keys(self) -> list[str]:
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket="processed").get("Contents", [])]

    def manifest(self) -> dict[str, Any]:
        body = self.client.get_object(Bucket="processed", Key="yellow/2025/01/manifest.json")["Body"].read()
        return dict(json.loads(body))


def environment(endpoint: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    return {**kept, **keys, "AWS_ENDPOINT_URL": endpoint}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def cloud(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    env = environment(server)
    for name in [key for key in os.environ if key.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    for bucket in ("raw", "processed"):
        client.create_bucket(Bucket=bucket)
    yield Cloud(env, client)
    resource = boto3.resource("s3")
    for bucket in ("raw", "processed"):
        resource.Bucket(bucket).objects.all().delete()
        resource.Bucket(bucket).delete()


def test_a_month_twice(cloud: Cloud, tmp_path: Path):
    cloud.put_month(tmp_path)
    for _ in range(2):
        done = cloud.run()
        assert done.returncode == 0, done.stderr
        manifest = cloud.manifest()
        load_id = manifest["load"]["load_id"]
        assert cloud.keys() == [
            f"yellow/2025/01/{load_id}/part-00000.parquet",
            "yellow/2025/01/manifest.json",
            f"yellow_rejected/2025/01/{load_id}/part-00000.parquet",
        ]
        cloud.client.download_file("processed", cloud.keys()[0], str(tmp_path / "part.parquet"))
        assert read_rows([tmp_path / "part.parquet"]) == kept_rows(SHAPE)
        assert manifest["entries"][0]["meta"]["content_length"] == (tmp_path / "part.parquet").stat().st_size
        assert manifest["source"]["metadata"] == {"sha256": "abc"}
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert [event["event"] for event in events][-2:] in (["judged", "published"], ["removed", "removed"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (
            {"month": "02"},
            r"RawFileMissing: s3://raw/yellow/2025/02/yellow_tripdata_2025-02\.parquet is not there: ingest the "
            "month first",
        ),
        (
            {"raw_bucket": "nowhere"},
            r"RawFileMissing: s3://nowhere/yellow/2025/01/yellow_tripdata_2025-01\.parquet is not there: ingest the "
            "month first",
        ),
        (
            {"processed_bucket": "nowhere"},
            r"StorageError: cannot write s3://nowhere/yellow\S*/2025/01/\S+/part-00000\.parquet: NoSuchBucket: The "
            r"specified bucket does not exist; check the bucket and the permissions of the job's role",
        ),
        ({"engine": "polars"}, "UsageError: --engine polars: choose one of duckdb, spark"),
    ],
    ids=["not ingested", "no raw bucket", "no processed bucket", "wrong engine"],
)
def test_a_failed_run_ends_with_one_line(cloud: Cloud, tmp_path: Path, changes: dict[str, str], error: str):
    cloud.put_month(tmp_path)
    done = cloud.run(**changes)
    assert done.returncode == 1
    assert re.fullmatch(r"glue_transform\.errors\." + error, done.stderr.splitlines()[-1])
    assert cloud.keys() == []


def test_a_killed_run_publishes_nothing(cloud: Cloud, tmp_path: Path):
    cloud.put_month(tmp_path)
    cloud.run()
    before = cloud.manifest()
    words = [word for pair in ARGUMENTS.items() for word in pair]
    with subprocess.Popen(
        [sys.executable, SCRIPT, *words], env=cloud.env, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        for line in running.stdout:
            if json.loads(line)["event"] == "opened":
                running.kill()
                break
    assert cloud.manifest() == before
    for entry in before["entries"]:
        cloud.client.head_object(Bucket="processed", Key=entry["url"][len("s3://processed/") :])
    assert cloud.run().returncode == 0


def test_a_large_object_goes_in_parts(cloud: Cloud, tmp_path: Path):
    content = os.urandom(40 << 20)
    (tmp_path / "large").write_bytes(content)
    storage = S3()
    storage.upload(tmp_path / "large", "s3://processed/large")
    assert storage.info("s3://processed/large").etag.endswith("-5")
    storage.download("s3://processed/large", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content


def test_many_objects_are_listed_in_order(cloud: Cloud):
    storage = S3()
    for number in range(3):
        storage.write(f"s3://processed/many/{number}", b"{}")
    assert storage.list("s3://processed/many/") == [f"s3://processed/many/{number}" for number in range(3)]
    storage.delete([*storage.list("s3://processed/many/"), *(f"s3://processed/gone/{n}" for n in range(2000))])
    assert (storage.list("s3://processed/many/"), storage.read("s3://processed/many/0")) == ([], None)


def test_s3_that_does_not_answer(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for name, value in environment(f"http://127.0.0.1:{closed.getsockname()[1]}").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        with pytest.raises(StorageError) as error:
            S3().info("s3://raw/x")
    assert str(error.value).startswith("cannot look at s3://raw/x: Could not connect to the endpoint URL")


def test_events_are_text_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    Log({"load_id": "L"}).event("opened", rows=5, era="2009")
    assert capsys.readouterr().out == "opened           rows=5 era=2009\n"


def test_what_s3_will_not_delete_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    storage = S3()
    refused = {"Errors": [{"Key": "x", "Code": "AccessDenied", "Message": "Access Denied"}]}
    monkeypatch.setattr(storage._client, "delete_objects", lambda **request: refused)
    with pytest.raises(StorageError, match=r"^cannot delete s3://processed/x: AccessDenied: Access Denied$"):
        storage.delete(["s3://processed/x"])
