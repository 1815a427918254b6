"""A load appears whole, after everything it is made of; what it replaces goes after that; what fails leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence

import duckdb
import pytest
from trip_files import ERAS, read_rows, write_parquet, write_raw

from glue_transform.errors import (
    EngineFailed,
    NothingKept,
    NotParquet,
    RawFileMissing,
    RowsLost,
    StorageError,
    TransformError,
)

(SHAPE,) = (shape for shape in ERAS if shape.name == "yellow 2025")
MONTH = "s3://processed/yellow/2025/01/"
REJECTED = "s3://processed/yellow_rejected/2025/01/"


@pytest.fixture
def month(lake):
    write_raw(SHAPE, lake.raw("yellow", 2025, 1))
    return lake


def kinds(journal: Sequence[tuple[str, str]], load_id: str) -> list[str]:
    """The journal with each URL said in a word."""
    words = {
        f"{MONTH}manifest.json": "manifest",
        f"{MONTH}{load_id}/part-00000.parquet": "kept",
        f"{REJECTED}{load_id}/part-00000.parquet": "rejected",
    }
    return [f"{what} {words.get(url, 'earlier')}" for what, url in journal]


def test_the_manifest_comes_last_and_earlier_files_go_after_it(month):
    first = month.transform("yellow", 2025, 1)
    month.storage.journal.clear()
    second = month.transform("yellow", 2025, 1)
    told = kinds(month.storage.journal, second["load"]["load_id"])
    assert sorted(told[:2]) == ["write kept", "write rejected"]  # side by side
    assert told[2:] == ["write manifest", "delete earlier", "delete earlier"]
    assert month.processed() == [
        f"yellow/2025/01/{second['load']['load_id']}/part-00000.parquet",
        "yellow/2025/01/manifest.json",
        f"yellow_rejected/2025/01/{second['load']['load_id']}/part-00000.parquet",
    ]
    assert month.comparable(first) == month.comparable(second)


def test_the_manifest_is_what_copy_reads(month):
    manifest = month.transform("yellow", 2025, 1)
    load_id = manifest["load"]["load_id"]
    (kept,) = month.kept(manifest)
    raw = month.storage.info("s3://raw/yellow/2025/01/yellow_tripdata_2025-01.parquet")
    assert manifest == {
        "execution": None,
        "entries": [
            {
                "url": f"{MONTH}{load_id}/part-00000.parquet",
                "mandatory": True,
                "meta": {"content_length": kept.stat().st_size},
            }
        ],
        "load": {
            "load_id": load_id,
            "dataset": "yellow",
            "source_month": "2025-01-01",
            "rows_read": 19,
            "rows_kept": 5,
            "rows_rejected": 14,
            "manifest": f"{MONTH}manifest.json",
        },
        "columns": [
            *("vendor_id", "pickup_datetime", "dropoff_datetime", "passenger_count", "trip_distance"),
            *("pickup_location_id", "dropoff_location_id", "payment_type", "fare_amount", "tip_amount"),
            *("total_amount", "source_month"),
        ],
        "rejected": {
            "pickup_missing": 2,
            "pickup_outside_month": 3,
            "trip_distance_not_positive": 3,
            "fare_amount_not_positive": 3,
            "total_amount_not_positive": 3,
        },
        "source": {
            "url": "s3://raw/yellow/2025/01/yellow_tripdata_2025-01.parquet",
            "bytes": raw.bytes,
            "etag": raw.etag,
            "era": "2016-07",
            "metadata": {},
        },
        "drift": [],
    }


def test_rejected_rows_are_whole_and_say_why(month):
    (rejected,) = month.rejected(month.transform("yellow", 2025, 1))
    with duckdb.connect() as connection:
        raw = f"read_parquet('{month.raw('yellow', 2025, 1)}')"
        names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {raw}").fetchall()]
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(rejected)]).fetchall()
        assert [row[0] for row in described] == [*names, "rejected_by"]
        query = "SELECT * EXCLUDE rejected_by FROM read_parquet(?) EXCEPT ALL SELECT * FROM " + raw
        assert connection.execute(query, [str(rejected)]).fetchall() == []


def test_every_event_names_the_load(month, events):
    manifest = month.transform("yellow", 2025, 1)
    found = events()
    assert [event["event"] for event in found] == ["started", "opened", "part", "part", "judged", "published"]
    load_id = manifest["load"]["load_id"]
    assert {(e["dataset"], e["month"], e["load_id"]) for e in found} == {("yellow", "2025-01", load_id)}
    assert [event["done"] for event in found if event["event"] == "part"][-1] == 1.0


def test_a_run_that_may_still_be_writing_is_left_alone(month):
    younger = f"{MONTH}20991231T000000Z-00000000/part-00000.parquet"
    killed = f"{MONTH}20240101T000000Z-00000000/part-00000.parquet"
    month.storage.write(younger, b"")
    month.storage.write(killed, b"")
    month.transform("yellow", 2025, 1)
    assert month.storage.read(younger) is not None
    assert month.storage.read(killed) is None


def test_a_manifest_that_is_not_ours_is_replaced(month):
    month.storage.write(f"{MONTH}manifest.json", b"<html>")
    assert month.transform("yellow", 2025, 1)["load"]["rows_kept"] == 5


@pytest.mark.parametrize("failing", ["upload", "manifest"])
def test_a_failing_storage_leaves_the_earlier_load_as_it_was(month, monkeypatch, failing: str):
    month.transform("yellow", 2025, 1)
    before = {url: month.storage.read(url) for url in month.storage.list("s3://processed/")}
    write = month.storage.write

    def refuse(url: str, content: bytes) -> None:
        if (failing == "manifest") == url.endswith("manifest.json"):
            raise StorageError(f"cannot write {url}: SlowDown")
        write(url, content)

    monkeypatch.setattr(month.storage, "write", refuse)
    with pytest.raises(StorageError):
        month.transform("yellow", 2025, 1)
    assert {url: month.storage.read(url) for url in month.storage.list("s3://processed/")} == before


def test_a_manifest_whose_answer_was_lost_keeps_its_files(month, monkeypatch):
    write = month.storage.write

    def lose_the_answer(url: str, content: bytes) -> None:
        write(url, content)
        if url.endswith("manifest.json"):
            raise StorageError(f"cannot write {url}: the connection was closed")

    monkeypatch.setattr(month.storage, "write", lose_the_answer)
    with pytest.raises(StorageError):
        month.transform("yellow", 2025, 1)
    (entry,) = json.loads(month.storage.read(f"{MONTH}manifest.json"))["entries"]
    assert month.storage.read(entry["url"]) is not None


def test_earlier_files_that_stay_are_no_failure(month, monkeypatch, events):
    first = month.transform("yellow", 2025, 1)

    def refuse(urls: Sequence[str]) -> None:
        raise StorageError(f"cannot delete {urls[0]}: SlowDown")

    monkeypatch.setattr(month.storage, "delete", refuse)
    second = month.transform("yellow", 2025, 1)
    assert second["load"]["load_id"] != first["load"]["load_id"]
    kept = first["entries"][0]["url"]
    assert events()[-1]["error"] == f"cannot delete {kept}: SlowDown"
    assert month.storage.read(kept) is not None


@pytest.mark.parametrize("denied", ["list", "delete"])
def test_what_a_failed_run_may_not_remove_is_logged_and_its_own_error_stands(month, monkeypatch, events, denied: str):
    """A role that lacks an action: nothing else would ever say why the files of failed runs stay."""

    def refuse(url: str, content: bytes) -> None:
        raise StorageError(f"cannot write {url}: SlowDown")

    def deny(*_: object) -> None:
        raise StorageError(f"cannot {denied}: AccessDenied: not authorized to perform: s3:{denied}")

    monkeypatch.setattr(month.storage, "write", refuse)
    monkeypatch.setattr(month.storage, denied, deny)
    with pytest.raises(StorageError, match="SlowDown"):
        month.transform("yellow", 2025, 1)
    last = events()[-1]
    assert (last["event"], last["level"]) == ("not_removed", "warning")
    assert last["error"].endswith(f"not authorized to perform: s3:{denied}")


def test_a_count_that_does_not_add_up_publishes_nothing(month, monkeypatch):
    from glue_transform.engines.duckdb import DuckDBEngine

    write_part = DuckDBEngine._write_part

    def lose_a_row(self, output, number):
        part, tally = write_part(self, output, number)
        return (part if output.tally else type(part)(part.url, part.bytes, part.rows - 1)), tally

    monkeypatch.setattr(DuckDBEngine, "_write_part", lose_a_row)
    with pytest.raises(RowsLost) as error:
        month.transform("yellow", 2025, 1)
    assert str(error.value) == (
        "s3://raw/yellow/2025/01/yellow_tripdata_2025-01.parquet: of its 19 rows 4 were kept and 14 rejected "
        "(pickup_missing 2, pickup_outside_month 3, trip_distance_not_positive 3, fare_amount_not_positive 3, "
        "total_amount_not_positive 3); nothing is published: run the transform again"
    )
    assert month.processed() == []


def test_a_month_of_which_nothing_is_kept_is_not_loaded(lake, engine):
    write_raw(SHAPE, lake.raw("yellow", 2019, 1))  # January 2025's trips under another month's name
    with pytest.raises(NothingKept) as error:
        lake.transform("yellow", 2019, 1, engine=engine)
    assert str(error.value) == (
        "s3://raw/yellow/2019/01/yellow_tripdata_2019-01.parquet: none of its 19 rows is kept (pickup_missing 2, "
        "pickup_outside_month 17); the month is left as it was: look at the file, and at the rules of the dataset"
    )
    assert lake.processed() == []


def test_a_file_without_rows_is_not_loaded(lake, engine):
    write_raw(SHAPE, lake.raw("yellow", 2025, 1))
    empty = lake.raw("yellow", 2025, 2)
    write_parquet(f"SELECT * FROM read_parquet('{lake.raw('yellow', 2025, 1)}') LIMIT 0", empty)
    with pytest.raises(NothingKept, match=r"none of its 0 rows is kept \(it has none\)"):
        lake.transform("yellow", 2025, 2, engine=engine)


def test_no_rejects_no_file(lake, engine):
    write_raw(SHAPE, lake.raw("yellow", 2025, 1))
    good = f"SELECT * FROM read_parquet('{lake.raw('yellow', 2025, 1)}') LIMIT 1"
    write_parquet(good, lake.storage.root / "good.parquet")
    (lake.storage.root / "good.parquet").replace(lake.raw("yellow", 2025, 1))
    manifest = lake.transform("yellow", 2025, 1, engine=engine)
    assert lake.rejected(manifest) == []
    assert (len(manifest["entries"]), sum(manifest["rejected"].values())) == (1, 0)
    assert len(read_rows(lake.kept(manifest))) == 1


def test_a_month_that_was_not_ingested(lake, engine):
    with pytest.raises(RawFileMissing) as error:
        lake.transform("green", 2024, 12, engine=engine)
    assert str(error.value) == (
        "s3://raw/green/2024/12/green_tripdata_2024-12.parquet is not there: ingest the month first"
    )
    assert lake.processed() == []


URL = "s3://raw/yellow/2024/01/yellow_tripdata_2024-01.parquet"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"<html><body>Access denied</body></html>",
            f"{URL} is not a Parquet file: it begins with b'<html><body>Access denied</body></html>'; "
            "ingest the month again when its source has it",
        ),
        (
            b"",
            f"{URL} is not a Parquet file: it begins with b''; ingest the month again when its source has it",
        ),
        (b"PAR1" + bytes(100), f"{URL} is cut short: it ends without a Parquet footer; ingest the month again"),
    ],
    ids=["html", "empty", "cut short"],
)
def test_what_is_no_parquet_file(lake, engine, content: bytes, message: str):
    lake.raw("yellow", 2024, 1).write_bytes(content)
    with pytest.raises(NotParquet) as error:
        lake.transform("yellow", 2024, 1, engine=engine)
    assert str(error.value) == message
    assert lake.processed() == []


@pytest.mark.parametrize("length", [0, 7, 1000, 2**31 - 1])
def test_a_footer_of_nonsense(lake, engine, length: int):
    content = b"PAR1" + bytes(range(256)) * 4 + length.to_bytes(4, "little") + b"PAR1"
    lake.raw("yellow", 2024, 1).write_bytes(content)
    with pytest.raises(NotParquet, match=r"its Parquet footer cannot be read: .*; ingest it again$"):
        lake.transform("yellow", 2024, 1, engine=engine)
    assert lake.processed() == []


def test_data_pages_of_nonsense(month, engine):
    file = month.raw("yellow", 2025, 1)
    content = bytearray(file.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little") + 8
    content[4:-footer] = bytes(len(content) - footer - 4)
    file.write_bytes(content)
    with pytest.raises(EngineFailed) as error:
        month.transform("yellow", 2025, 1, engine=engine)
    assert str(error.value).startswith("s3://raw/yellow/2025/01/yellow_tripdata_2025-01.parquet: ")
    assert "\n" not in str(error.value)
    assert month.processed() == []


def test_every_error_is_the_packages_own():
    import glue_transform.errors as module

    kinds = [value for value in vars(module).values() if isinstance(value, type)]
    assert all(issubclass(kind, TransformError) for kind in kinds)
    assert all(kind.__name__ in (module.__doc__ or "") for kind in kinds)
