"""What a load took in memory is given back once no statement is at work; what it reported goes after a week."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.services.redshift.engine import memory
from local_cloud.services.redshift.engine.warehouse import INTERNAL, Warehouse

#: A table of some 50 MB.
FILL = "INSERT INTO t SELECT md5(range::VARCHAR) FROM range(1_000_000)"


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    monkeypatch.setattr(memory, "IDLE_S", 0.01)
    monkeypatch.setattr(memory, "KEPT", 8 << 20)
    monkeypatch.setattr(memory, "WORTH", 16 << 20)
    opened = Warehouse(tmp_path / "warehouse", temp_dir=tmp_path / "temp")
    yield opened
    opened.close()


def filled(warehouse: Warehouse) -> Any:
    """A connection that has just loaded the table."""
    _, cursor = warehouse.connect("ns", "db", first="db")
    cursor.execute("CREATE TABLE t (s VARCHAR)")
    cursor.execute(FILL)
    assert warehouse.memory.used() > memory.WORTH
    return cursor


def test_a_load_gives_its_memory_back_and_what_it_loaded_is_there(warehouse: Warehouse) -> None:
    with warehouse.memory.at_work():
        cursor = filled(warehouse)
    deadline = time.monotonic() + 60
    while warehouse.memory.used() > memory.KEPT and time.monotonic() < deadline:
        time.sleep(0.01)
    assert warehouse.memory.used() <= memory.KEPT
    assert cursor.execute("SELECT count(*), count(DISTINCT s) FROM t").fetchone() == (1_000_000, 1_000_000)
    assert cursor.execute("SELECT current_setting('memory_limit')").fetchone() == ("488.2 MiB",)


def test_nothing_is_taken_from_a_statement_at_work(warehouse: Warehouse) -> None:
    with warehouse.memory.at_work():
        with warehouse.memory.at_work():
            filled(warehouse)
        before = warehouse.memory.used()
        warehouse.memory.give_back()
        assert warehouse.memory.used() == before


def test_an_open_transaction_keeps_what_it_has_written(warehouse: Warehouse) -> None:
    cursor = filled(warehouse)
    cursor.execute("BEGIN")
    cursor.execute(FILL)
    warehouse.memory.give_back()
    cursor.execute("COMMIT")
    assert cursor.execute("SELECT count(*) FROM t").fetchone() == (2_000_000,)
    assert cursor.execute("SELECT current_setting('memory_limit')").fetchone() == ("488.2 MiB",)


def test_a_warehouse_that_is_closed_or_was_never_opened_gives_back_nothing(warehouse: Warehouse) -> None:
    warehouse.memory.give_back()
    with warehouse.memory.at_work():
        pass
    warehouse.close()
    warehouse.memory.give_back()
    assert warehouse.memory.used() == 0


def test_load_errors_go_after_seven_days(warehouse: Warehouse, tmp_path: Path) -> None:
    _, cursor = warehouse.connect("ns", "db", first="db")
    errors = f"{INTERNAL}.load_errors"
    for days in (0, 6, 8):
        cursor.execute(
            f"INSERT INTO {errors} (query_id, start_time) SELECT {days}, now()::TIMESTAMP - INTERVAL {days} DAY"
        )
    warehouse.close()
    again = Warehouse(tmp_path / "warehouse", temp_dir=tmp_path / "temp")
    _, cursor = again.connect("ns", "db", first="db")
    left = cursor.execute(f"SELECT query_id FROM {errors} ORDER BY 1").fetchall()
    again.close()
    assert left == [(0,), (6,)]
