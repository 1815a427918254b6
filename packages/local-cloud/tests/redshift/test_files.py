"""The warehouse's files: written by another DuckDB, closed, killed, cut off."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.commits import Commits
from local_cloud.errors import CommitsLost, StateUnusable
from local_cloud.services.redshift.engine.warehouse import Warehouse

#: A thousand rows in the file and one in the log, left by DuckDB 1.4.5 when it was killed.
WRITTEN = Path(__file__).parent / "written" / "duckdb-1.4.5.tar.xz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with tarfile.open(WRITTEN) as archive:
        archive.extractall(tmp_path / "warehouse" / "elt", filter="data")
    return tmp_path / "warehouse"


@pytest.fixture
def warehouse(folder: Path) -> Iterator[Warehouse]:
    opened = Warehouse(folder, temp_dir=folder.parent / "temp")
    yield opened
    opened.close()


def count(warehouse: Warehouse) -> int:
    database, cursor = warehouse.connect("elt", "dev", first="dev")
    try:
        return int(cursor.execute("SELECT count(*) FROM public.t").fetchone()[0])
    finally:
        warehouse.disconnect(database, cursor)


def add_row(warehouse: Warehouse) -> None:
    database, cursor = warehouse.connect("elt", "dev", first="dev")
    cursor.execute("BEGIN")
    cursor.execute("INSERT INTO public.t VALUES (1, 'a')")
    warehouse.commit(database, cursor)
    warehouse.disconnect(database, cursor)


def test_tables_of_an_older_duckdb_are_kept_with_what_was_in_its_log(warehouse: Warehouse) -> None:
    warehouse.check_all()
    assert count(warehouse) == 1001
    add_row(warehouse)
    assert count(warehouse) == 1002


def test_what_was_closed_in_good_order_is_not_opened_at_the_next_start(folder: Path, warehouse: Warehouse) -> None:
    add_row(warehouse)
    file = folder / "elt" / "dev.duckdb"
    assert not Commits(file).is_untouched()
    warehouse.close()
    assert Commits(file).is_untouched()
    assert not file.with_name("dev.duckdb.wal").exists()
    with file.open("ab") as opened:
        opened.write(b"\0")
    assert not Commits(file).is_untouched()


def test_an_older_copy_is_noticed_and_can_be_accepted(folder: Path, warehouse: Warehouse) -> None:
    file = folder / "elt" / "dev.duckdb"
    add_row(warehouse)
    warehouse.close()
    copy = file.read_bytes()
    for _ in range(2):
        add_row(warehouse)
    warehouse.close()
    file.write_bytes(copy)
    with pytest.raises(CommitsLost, match=r"has lost its last 2 commits, the newest of .* UTC") as lost:
        warehouse.check_all()
    lost.value.accept()
    warehouse.check_all()
    assert count(warehouse) == 1002


def test_a_counter_that_holds_no_number_is_named(folder: Path, warehouse: Warehouse) -> None:
    counter = folder / "elt" / "dev.duckdb.commits"
    counter.write_bytes(b"junk")
    expected = f"{counter} is damaged; it held the number of commits of dev.duckdb. Delete it: the count begins again."
    with pytest.raises(StateUnusable) as error:
        warehouse.check_all()
    assert str(error.value) == expected
    counter.unlink()
    assert count(warehouse) == 1001


def test_transactions_that_only_read_are_not_counted(folder: Path, warehouse: Warehouse) -> None:
    count(warehouse)
    warehouse.close()
    assert Commits(folder / "elt" / "dev.duckdb")._lines()[0] == f"{0:020d}"
