"""Transactions against each other: locks, snapshots, and loads of the same month at the same time."""

from __future__ import annotations

import threading
import time

import pytest

from local_cloud.services.redshift.errors import SqlError

STALE = "could not complete because of conflict with concurrent transaction"


@pytest.fixture
def db(fresh_engine):
    return fresh_engine.connect()


@pytest.fixture
def other(fresh_engine):
    return fresh_engine.connect()


@pytest.fixture
def third(fresh_engine):
    return fresh_engine.connect()


@pytest.fixture
def t(db) -> None:
    db.script("create table t (id int, v varchar(5))", "insert into t values (1, 'a'), (2, 'b')")


# One session.


@pytest.mark.parametrize("end", ["rollback", "abort", "rollback work"])
def test_rollback_takes_everything_back(db, t, end: str) -> None:
    db.script("begin", "insert into t values (3, 'c')", "create table u (a int)", "update t set v = 'z'", end)
    assert db.run("select * from t order by id") == [(1, "a"), (2, "b")]
    assert "does not exist" in db.error("select * from u")


@pytest.mark.parametrize("end", ["commit", "end", "commit transaction"])
def test_commit_keeps_everything(db, other, t, end: str) -> None:
    db.script("begin transaction isolation level serializable", "insert into t values (3, 'c')", "delete from t", end)
    assert other.run("select * from t") == []


def test_a_failed_statement_fails_its_transaction(db, other, t) -> None:
    db.script("begin", "delete from t")
    db.error("select 1/0")
    assert db.error("select 1") == (
        "ERROR: current transaction is aborted, commands ignored until end of transaction block"
    )
    db.run("commit")
    assert other.run("select count(*) from t") == [(2,)]


def test_truncate_commits(db, other, t) -> None:
    db.script("create table u (a int)", "begin", "insert into u values (1)", "truncate t")
    assert other.run("select count(*) from u") == [(1,)]
    assert other.run("select count(*) from t") == [(0,)]
    db.run("rollback")
    assert db.run("select count(*) from t") == [(0,)]


def test_ddl_is_part_of_the_transaction(db, other, t) -> None:
    db.script("begin", "drop table t", "create table t (other int)", "insert into t values (7)", "commit")
    assert other.run("select * from t") == [(7,)]
    db.script("begin", "alter table t add column v int", "alter table t rename to u", "rollback")
    assert other.run("select * from t") == [(7,)]


def test_temporary_tables_are_the_sessions_own(db, other) -> None:
    db.script("create temp table x (a int)", "insert into x values (1)")
    assert "does not exist" in other.error("select * from x")
    other.script("create temp table x (b int)")
    assert db.run("select a from x") == [(1,)]


# Snapshots.


def test_a_transaction_sees_one_moment(db, other, t) -> None:
    db.script("begin", "select count(*) from t")
    other.run("insert into t values (3, 'c')")
    assert db.run("select count(*) from t") == [(2,)]
    db.run("commit")
    assert db.run("select count(*) from t") == [(3,)]


def test_a_snapshot_begins_with_the_first_query_not_with_begin(db, other, t) -> None:
    db.run("begin")
    other.run("insert into t values (3, 'c')")
    assert db.run("select count(*) from t") == [(3,)]


def test_what_is_not_committed_is_not_seen(db, other, t) -> None:
    db.script("begin", "insert into t values (3, 'c')")
    assert other.run("select count(*) from t") == [(2,)]


@pytest.mark.parametrize("write", ["delete from t where id = 1", "update t set v = 'x'", "truncate t"])
def test_a_stale_snapshot_may_not_change_rows(db, other, t, write: str) -> None:
    db.script("begin", "select count(*) from t")
    other.run("update t set v = 'o' where id = 2")
    assert STALE in db.error(write)
    db.run("rollback")
    assert db.run("select v from t where id = 2") == [("o",)]


def test_a_stale_snapshot_at_serializable_isolation_is_error_1023(fresh_engine) -> None:
    fresh_engine.connect().run("create database strict with isolation level serializable")
    one, two = fresh_engine.connect("strict"), fresh_engine.connect("strict")
    one.script("create table t (a int)", "begin", "select count(*) from t")
    two.run("insert into t values (1)")
    said = one.error("delete from t")
    assert said.startswith("ERROR: 1023\n  Detail: Serializable isolation violation on table - ")


def test_inserts_into_a_changed_table_are_no_conflict(db, other, t) -> None:
    db.script("begin", "select count(*) from t")
    other.run("insert into t values (3, 'c')")
    db.script("insert into t values (4, 'd')", "commit")
    assert db.run("select count(*) from t") == [(4,)]


def test_serializable_isolation_refuses_what_no_order_explains(fresh_engine) -> None:
    admin = fresh_engine.connect()
    admin.run("create database strict with isolation level serializable")
    one, two = fresh_engine.connect("strict"), fresh_engine.connect("strict")
    one.script("create table a (x int)", "create table b (x int)")
    one.script("begin", "insert into a select count(*) from b")
    two.script("begin", "insert into b select count(*) from a", "commit")
    said = one.error("commit")
    assert "1023" in said
    assert "Serializable isolation violation on table" in said
    assert one.run("select * from a") == []


# Locks.


def test_writers_of_a_table_wait_for_each_other(db, other, t) -> None:
    db.script("begin", "insert into t values (3, 'c')")
    waiting = other.later("insert into t values (4, 'd')")
    assert waiting.waits
    db.run("commit")
    assert waiting.result() == []
    assert db.run("select count(*) from t") == [(4,)]


def test_writers_of_different_tables_do_not_wait(db, other, t) -> None:
    db.run("create table u (a int)")
    db.script("begin", "insert into t values (3, 'c')")
    assert other.later("insert into u values (1)").result() == []


def test_readers_do_not_wait_for_writers(db, other, t) -> None:
    db.script("begin", "delete from t")
    assert other.later("select count(*) from t").result() == [(2,)]


def test_lock_keeps_writers_and_readers_out(db, other, third, t) -> None:
    db.script("begin", "lock table t")
    writer, reader = other.later("insert into t values (3, 'c')"), third.later("select 1 from t limit 1")
    assert writer.waits
    assert reader.waits
    db.run("commit")
    assert (writer.result(), reader.result()) == ([], [(1,)])


def test_a_waiting_writer_sees_what_the_holder_committed(db, other, t) -> None:
    db.script("begin", "lock t", "delete from t where id = 1")
    waiting = other.later("update t set v = 'new'")
    assert waiting.waits
    db.run("commit")
    waiting.result()
    assert db.run("select * from t") == [(2, "new")]


def test_who_holds_a_lock_and_who_waits_for_it(db, other, third, t) -> None:
    asked = """select t.pid, t.lock_mode, i."table", t.granted from svv_transactions t
        left join svv_table_info i on i.table_id = t.relation order by t.granted desc"""
    assert third.run(asked) == []
    db.script("begin", "lock t")
    waiting = other.later("delete from t where id = 1")
    assert waiting.waits
    assert third.run(asked) == [
        (db.session.process, "AccessExclusiveLock", "t", True),
        (other.session.process, "ShareRowExclusiveLock", "t", False),
    ]
    db.run("commit")
    waiting.result()
    assert third.run("select txn_owner, txn_db, xid, txn_start from svv_transactions") == []


def test_a_lock_ends_with_rollback_and_with_the_session(db, other, third, t) -> None:
    db.script("begin", "lock t")
    waiting = other.later("delete from t")
    assert waiting.waits
    db.run("rollback")
    assert waiting.result() == []
    third.script("begin", "lock t")
    waiting = other.later("select count(*) from t")
    assert waiting.waits
    third.session.close()
    assert waiting.result() == [(0,)]


def test_a_failed_transaction_gives_its_locks_up(db, other, t) -> None:
    db.script("begin", "lock t")
    db.error("select 1/0")
    assert other.later("delete from t").result() == []


def test_drop_waits_for_readers_in_a_transaction(db, other, t) -> None:
    db.script("begin", "select * from t")
    waiting = other.later("drop table t")
    assert waiting.waits
    db.run("commit")
    assert waiting.result() == []


def test_a_deadlock_ends_one_of_the_two(db, other, t) -> None:
    db.run("create table u (a int)")
    db.script("begin", "lock t")
    other.script("begin", "lock u")
    waiting = db.later("lock u")
    assert waiting.waits
    said = other.error("lock t")
    assert "deadlock detected" in said
    assert waiting.result() == []


def test_waiting_for_a_lock_can_be_cancelled(db, other, t) -> None:
    db.script("begin", "lock t")
    waiting = other.later("delete from t")
    assert waiting.waits
    other.session.cancel()
    assert "cancelled on user's request" in str(waiting.result())
    db.run("rollback")
    assert other.run("select count(*) from t") == [(2,)]


def test_statement_timeout_ends_waiting_and_running(db, other, t) -> None:
    db.script("begin", "lock t")
    other.run("set statement_timeout to 100")
    assert "cancelled" in other.error("select * from t")
    other.run("select 1")
    db.run("rollback")
    db.run("set statement_timeout to 100")
    slow = "select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n) select i from n)"
    assert "cancelled" in db.error(slow)


def test_cancel_stops_a_running_query(db, t) -> None:
    running = db.later(
        "select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n) select i from n)"
    )
    assert running.waits
    db.session.cancel()
    assert running.result() == "ERROR: Query (77) cancelled on user's request"
    assert db.run("select 1") == [(1,)]


def test_a_cancellation_that_is_repeated_to_the_end_leaves_the_session_and_its_tables(engine) -> None:
    """Interrupts go on until the statement has ended, so that some meet its BEGIN and its ROLLBACK."""
    for _ in range(20):
        db, ended = engine.connect(), threading.Event()
        db.run("create temp table kept as select 1 as n")
        running = db.later(
            "select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n) select i from n)"
        )
        insisting = threading.Thread(target=lambda db=db, ended=ended: _cancel_until(db, ended))
        insisting.start()
        assert running.result() == "ERROR: Query (77) cancelled on user's request"
        ended.set()
        insisting.join()
        assert db.run("select n from kept") == [(1,)]
        db.session.close()


def _cancel_until(db, ended: threading.Event) -> None:
    while not ended.is_set():
        db.session.cancel()


# The same month, twice at once.


def _month(engine) -> str:
    engine.s3.parquet("in/a.parquet", "select 202401 as month, range::bigint as n from range(1000)")
    return "copy trips from 's3://b/in/' iam_role default parquet"


@pytest.mark.parametrize("locked", [True, False], ids=["lock", "no lock"])
def test_two_loads_of_a_month_at_once_leave_it_once(fresh_engine, locked: bool) -> None:
    copy = _month(fresh_engine)
    first = fresh_engine.connect()
    first.script("create table trips (month int, n bigint)", copy)
    load = ["begin", *(["lock trips"] if locked else []), "delete from trips where month = 202401", copy, "commit"]
    running = [fresh_engine.connect().later(*load) for _ in range(4)]
    # They come one after the other: each takes its snapshot when it has the table's lock.
    assert [each.result() for each in running] == [[]] * 4
    assert first.run("select count(*), count(distinct n) from trips") == [(1000, 1000)]


def test_a_load_that_read_first_and_came_second_is_refused(fresh_engine) -> None:
    copy = _month(fresh_engine)
    one, two = fresh_engine.connect(), fresh_engine.connect()
    one.script("create table trips (month int, n bigint)", "begin", "select count(*) from trips")
    two.script("begin", "delete from trips where month = 202401", copy, "commit")
    assert STALE in one.error("delete from trips where month = 202401")
    one.run("rollback")
    one.script("begin", "delete from trips where month = 202401", copy, "commit")
    assert one.run("select count(*) from trips") == [(1000,)]


def test_readers_see_the_old_month_or_the_new_one(fresh_engine) -> None:
    copy = _month(fresh_engine)
    writer, reader = fresh_engine.connect(), fresh_engine.connect()
    writer.script("create table trips (month int, n bigint)", copy)
    seen, stop = set(), threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                seen.add(reader.run("select count(*) from trips")[0][0])
            except SqlError as error:
                seen.add(str(error))

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(10):
        writer.script("begin", "delete from trips where month = 202401", copy, "commit")
        time.sleep(0.002)
    stop.set()
    thread.join()
    assert seen == {1000}


def test_a_database_in_use_is_not_dropped(fresh_engine) -> None:
    admin = fresh_engine.connect()
    admin.run("create database other")
    user = fresh_engine.connect("other")
    user.script("create table t (a int)", "insert into t values (1)")
    assert admin.error("drop database other") == 'ERROR: database "other" is being accessed by other users'
    user.session.close()
    admin.script("drop database other", "create database other")
    assert "does not exist" in fresh_engine.connect("other").error("select * from t")
    assert admin.error("drop database dev") == "ERROR: cannot drop the currently open database"
