"""What a transform writes of every type is what the warehouse takes, in the words of `glue_transform ddl`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import boto3
import duckdb
import pytest

from glue_transform import datasets, job, redshift
from glue_transform.datasets.definition import parse
from laptop import ROOT, Laptop
from orchestration.generate import fhvhv_month
from orchestration.pipelines import Month

MONTH = Month(2025, 3)


def put(laptop: Laptop, file: Path, key: str) -> dict[str, str]:
    """Put a raw file; gives the names of the buckets as the job's arguments."""
    outputs = laptop.outputs("data")
    laptop.client("s3").upload_file(str(file), outputs["RawBucket"], key)
    return {"--raw_bucket": outputs["RawBucket"], "--processed_bucket": outputs["ProcessedBucket"]}


def copy(laptop: Laptop, dataset: datasets.Dataset, manifest: str) -> None:
    """Make the table that the dataset describes, and COPY the load into it."""
    laptop.query(redshift.create_table(dataset))
    laptop.query(
        f"COPY {dataset.table} {redshift.copy_list(dataset)} FROM '{manifest}' IAM_ROLE default "
        "FORMAT AS PARQUET MANIFEST"
    )


def test_a_month_of_high_volume_trips_is_loaded(laptop: Laptop, tmp_path: Path) -> None:
    file = fhvhv_month(tmp_path, month=MONTH, rows=500)
    buckets = put(laptop, file, f"fhvhv/{MONTH.path}/{file.name}")
    arguments = {"--dataset": "fhvhv", "--year": "2025", "--month": "03", "--engine": "duckdb", **buckets}
    script = ROOT / "packages" / "glue-transform" / "glue" / "transform_trips.py"
    done = laptop.run(sys.executable, str(script), *(word for pair in arguments.items() for word in pair))
    assert done.returncode == 0, done.stderr
    *_, published = (json.loads(line) for line in done.stdout.splitlines())
    copy(laptop, datasets.load("fhvhv"), published["manifest"])
    loaded = laptop.query("SELECT * FROM fhvhv_trips ORDER BY 1, 6, 4")
    kept = (
        duckdb.connect()
        .execute(
            "SELECT * REPLACE (shared_request_flag = 'Y' AS shared_request_flag, shared_match_flag = 'Y' AS "
            "shared_match_flag, CASE access_a_ride_flag WHEN 'N' THEN FALSE END AS access_a_ride_flag, "
            "wav_request_flag = 'Y' AS wav_request_flag, wav_match_flag = 'Y' AS wav_match_flag), DATE '2025-03-01' "
            "FROM read_parquet(?) "
            "WHERE trip_miles > 0 AND base_passenger_fare > 0 AND pickup_datetime >= '2025-02-28' ORDER BY 1, 6, 4",
            [str(file)],
        )
        .fetchall()
    )
    text = [[str(value) for value in row] for row in kept]
    assert [[str(value) for value in row] for row in loaded] == text
    assert 490 < len(loaded) < 500


#: By type: a value of a file, and how Redshift writes what becomes of it.
EVERY = {
    "SMALLINT": ("CAST(-7 AS SMALLINT)", "-7"),
    "INTEGER": ("7", "7"),
    "BIGINT": ("9007199254740993", "9007199254740993"),
    "DECIMAL(9,2)": ("19.99::DOUBLE", "19.99"),
    "DECIMAL(18,4)": ("'123456789.0125'", "123456789.0125"),
    "DOUBLE PRECISION": ("0.1::DOUBLE", "0.1"),
    "BOOLEAN": ("'Y'", "true"),
    "VARCHAR(4)": ("'\u2615a'", "\u2615a"),
    "DATE": ("'2025-03-31'", "2025-03-31"),
    "TIMESTAMP": ("TIMESTAMP '2025-03-31 10:11:12.5'", "2025-03-31 10:11:12.5"),
}


def test_every_type_is_loaded(laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [{"name": f"c{number}", "type": type_} for number, type_ in enumerate(EVERY)]
    content = {
        "table": "every_type",
        "file": "every_{year}-{month}.parquet",
        "columns": columns,
        "eras": [{"name": "one", "columns": {column["name"]: column["name"] for column in columns}}],
        "rules": [{"name": "c0_missing", "broken": "c0 IS NULL"}],
    }
    dataset = parse("every", content)
    values = ", ".join(f"{value} AS c{number}" for number, (value, _) in enumerate(EVERY.values()))
    duckdb.connect().sql(f"SELECT {values}").write_parquet(str(tmp_path / "every.parquet"))
    buckets = put(laptop, tmp_path / "every.parquet", f"every/{MONTH.path}/every_2025-03.parquet")
    monkeypatch.setattr(datasets, "names", lambda: ["every"])
    monkeypatch.setattr(datasets, "load", lambda name: dataset)
    for name, value in laptop.sdk.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    arguments = {"--dataset": "every", "--year": "2025", "--month": "03", "--engine": "duckdb", **buckets}
    job.main([word for pair in arguments.items() for word in pair])
    manifest = f"s3://{buckets['--processed_bucket']}/every/{MONTH.path}/manifest.json"
    copy(laptop, dataset, manifest)
    texts = ", ".join(f"c{number}::VARCHAR" for number in range(len(EVERY)))
    assert laptop.query(f"SELECT {texts} FROM every_type") == [tuple(text for _, text in EVERY.values())]
