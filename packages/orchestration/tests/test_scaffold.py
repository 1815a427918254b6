"""What `elt new` proposes from a file, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
import tomllib

from orchestration import project
from orchestration.cli import invoke
from orchestration.scaffold.sample import to_name

ROOT = Path(__file__).resolve().parents[3]
DATASETS = "packages/glue-transform/src/glue_transform/datasets"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with nothing but the datasets, around the working directory."""
    shutil.copytree(ROOT / DATASETS, tmp_path / "checkout" / DATASETS)
    (tmp_path / "checkout/packages/orchestration").mkdir()
    (tmp_path / "checkout/packages/orchestration/pyproject.toml").touch()
    monkeypatch.chdir(tmp_path / "checkout")
    assert project.root() == tmp_path / "checkout"
    return tmp_path / "checkout"


def write(file: Path, columns: str, *, rows: int = 1) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {columns} FROM range({rows})) TO '{file}' (FORMAT parquet)")
    return file


def test_each_type_becomes_the_tables(checkout: Path, tmp_path: Path) -> None:
    """What no column of a table can have is known, and left out."""
    sample = write(
        tmp_path / "fhv_tripdata_2024-09.parquet",
        "1::TINYINT AS a, 1::INTEGER AS b, 1::UINTEGER AS c, 1::FLOAT AS d, 1.5::DECIMAL(5,2) AS e, "
        "1::DECIMAL(30,2) AS f, true AS g, DATE '2024-09-01' AS h, TIMESTAMP '2024-09-02' AS dropOff, "
        "TIMESTAMPTZ '2024-09-02 00:00+00' AS pickupTime, 'äöü' AS k, repeat('x', 70000) AS l, [1] AS m, "
        "7 AS PULocationID",
    )
    assert invoke(["new", "dataset", "fhv", "--sample", str(sample)]) == 0
    found = tomllib.loads((checkout / DATASETS / "fhv.toml").read_text())
    assert [(one["name"], one["type"]) for one in found["columns"]] == [
        *(("a", "SMALLINT"), ("b", "INTEGER"), ("c", "BIGINT"), ("d", "DOUBLE PRECISION"), ("e", "DECIMAL(5,2)")),
        *(("f", "DOUBLE PRECISION"), ("g", "BOOLEAN"), ("h", "DATE"), ("drop_off", "TIMESTAMP")),
        *(("pickup_time", "TIMESTAMP"), ("k", "VARCHAR(8)"), ("l", "VARCHAR(65535)"), ("pu_location_id", "INTEGER")),
    ]
    (era,) = found["eras"]
    assert (era["name"], era["also"], era["columns"]["drop_off"]) == ("2024-09", ["m"], "dropOff")
    assert [rule["name"] for rule in found["rules"]] == ["pickup_time_missing", "pickup_time_outside_month"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        *(("PULocationID", "pu_location_id"), ("DOlocationID", "do_location_id"), ("VendorID", "vendor_id")),
        *(("Trip Distance ", "trip_distance"), ("2nd", "_2nd"), ("source_month", "source_month_"), ("€", "column")),
    ],
)
def test_a_name_becomes_a_columns(source: str, name: str) -> None:
    assert to_name(source) == name


@pytest.mark.parametrize(
    ("name", "file", "columns", "reason"),
    [
        ("Fhv", "fhv_2024-09.parquet", "1 AS a", "'Fhv' is no name for this: take lower-case letters"),
        ("fhv", "fhv.parquet", "1 AS a", "fhv.parquet names no month"),
        ("fhv", "fhv_2024-09.parquet", "1 AS a", "has no column of times"),
        ("fhv", "fhv_2024-09.parquet", "1 AS a_b, 2 AS aB", "more than one column would be called a_b"),
        ("fhv", "fhv_2024-09.parquet", "TIMESTAMP '2023-01-01' AS t", "has no row of 2024-09 by t"),
        ("yellow", "y_2024-09.parquet", "TIMESTAMP '2024-09-01' AS t", "yellow.toml is there already"),
    ],
)
def test_what_cannot_be_a_dataset_is_refused(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, file: str, columns: str, reason: str
) -> None:
    before = sorted(checkout.rglob("*"))
    assert invoke(["new", "dataset", name, "--sample", str(write(tmp_path / file, columns))]) == 2
    assert reason in capsys.readouterr().err
    assert sorted(checkout.rglob("*")) == before, "nothing is written"


def test_what_is_no_parquet_file_is_refused(checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "fhv_2024-09.parquet"
    for text, reason in ((None, "there is no file"), ("<html>", "can't be read as Parquet")):
        if text:
            broken.write_text(text)
        assert invoke(["new", "dataset", "fhv", "--sample", str(broken)]) == 2
        assert reason in capsys.readouterr().err


def yellow(more: str = "", *, without: str = "") -> str:
    names = [
        *("VendorID", "passenger_count", "trip_distance", "PULocationID", "DOLocationID", "payment_type"),
        *("fare_amount", "tip_amount", "total_amount", "extra"),
    ]
    columns = [f"1 AS {name}" for name in names if name != without]
    times = [f"TIMESTAMP '2026-01-01' AS tpep_{name}_datetime" for name in ("pickup", "dropoff")]
    return ", ".join([*columns, *times, *([more] if more else [])])


def test_an_era_is_the_newest_with_what_is_new(checkout: Path, tmp_path: Path) -> None:
    """The rest of the file is untouched, comments too; done again, nothing is new."""
    file = checkout / DATASETS / "yellow.toml"
    before, old = file.read_text(), tomllib.loads(file.read_text())
    sample = str(write(tmp_path / "yellow_tripdata_2026-01.parquet", yellow("0.5 AS robot_fee")))
    assert invoke(["new", "era", "yellow", "--sample", sample]) == 0
    new = tomllib.loads(file.read_text())
    assert new["columns"] == [*old["columns"], {"name": "robot_fee", "type": "DECIMAL(2,1)"}]
    added, *rest = new["eras"]
    assert rest == old["eras"]
    first = old["eras"][0]
    assert added == {
        "name": "2026-01",
        "also": first["also"],
        "columns": {**first["columns"], "robot_fee": "robot_fee"},
    }
    kept = iter(file.read_text().splitlines())
    assert all(line in kept for line in before.splitlines()), "each line before is there, in its order"
    again = file.read_text()
    assert invoke(["new", "era", "yellow", "--sample", sample]) == 2
    assert file.read_text() == again


@pytest.mark.parametrize(
    ("dataset", "columns", "reason"),
    [
        ("yellow", yellow(), "has no column that the era 2016-07 does not know"),
        ("yellow", yellow("1 AS fare", without="fare_amount"), "lacks fare_amount, which the newest era loads"),
        ("blue", yellow(), "there is no dataset 'blue'; there are: fhvhv, green, yellow"),
    ],
)
def test_an_era_that_has_nothing_new_or_lacks_something_is_refused(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], dataset: str, columns: str, reason: str
) -> None:
    sample = write(tmp_path / "yellow_tripdata_2026-01.parquet", columns)
    assert invoke(["new", "era", dataset, "--sample", str(sample)]) == 2
    assert reason in capsys.readouterr().err


def test_a_pipeline_is_written_once(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["new", "pipeline", "trips-by-month"]) == 0
    written = capsys.readouterr().out.splitlines()
    assert len(written) == 5
    assert not [path for path in written if "@" in (checkout / path).read_text()]
    assert invoke(["new", "pipeline", "trips-by-month"]) == 2
    assert "is there already; nothing was written" in capsys.readouterr().err
    assert invoke(["new", "pipeline", "reviews"]) == 2
    assert "there is a pipeline reviews already" in capsys.readouterr().err
