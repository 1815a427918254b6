"""System views: the catalog as Redshift shows it."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def db(fresh_engine):
    connection = fresh_engine.connect()
    connection.script(
        "create schema shop",
        "create table shop.orders (id bigint identity(1,1) not null encode az64, v varchar(9) default 'x' encode lzo,"
        " n numeric(12,3), at timestamp default getdate()) distkey(id) compound sortkey(id, at)",
        "create view shop.seen as select v from shop.orders",
        "create temp table mine (a int)",
        "comment on table shop.orders is 'all of them'",
        "comment on column shop.orders.v is 'a value'",
        "insert into shop.orders(v) values ('a'), ('b')",
    )
    return connection


QUERIES: list[tuple[str, Any]] = [
    ("select table_catalog, table_name, table_type, remarks from svv_tables where table_schema = 'shop' order by 2",
     [("dev", "orders", "BASE TABLE", "all of them"), ("dev", "seen", "VIEW", None)]),
    ("select table_name from svv_tables where table_type = 'LOCAL TEMPORARY'", [("mine",)]),
    ("select column_name, data_type, character_maximum_length, is_nullable, remarks from svv_columns"
     " where table_name = 'orders' order by ordinal_position",
     [("id", "bigint", None, "NO", None), ("v", "character varying", 9, "YES", "a value"),
      ("n", "numeric", None, "YES", None), ("at", "timestamp without time zone", None, "YES", None)]),
    ("select numeric_precision, numeric_scale from svv_columns where column_name = 'n'", [(12, 3)]),
    ("select column_default from information_schema.columns where column_name in ('v', 'at') order by 1",
     [("'x'",), ("getdate()",)]),
    ("select table_name from information_schema.tables where table_schema = 'shop' order by 1",
     [("orders",), ("seen",)]),
    ("select schema_name from information_schema.schemata where schema_name in ('shop', 'public') order by 1",
     [("public",), ("shop",)]),
    ("select schema_name, schema_type from svv_all_schemas where schema_name = 'shop'", [("shop", "local")]),
    ("select schema_name, table_name, table_type from svv_redshift_tables where schema_name = 'shop' order by 2",
     [("shop", "orders", "TABLE"), ("shop", "seen", "VIEW")]),
    ('select "column", type, encoding, distkey, sortkey, "notnull" from pg_table_def where tablename = \'orders\''
     " and \"column\" in ('id', 'v', 'at') order by sortkey, 1",
     [("v", "character varying(9)", "lzo", False, 0, False), ("id", "bigint", "az64", True, 1, True),
      ("at", "timestamp without time zone", "none", False, 2, False)]),
    ("select tablename from pg_tables where schemaname = 'shop'", [("orders",)]),
    ("select viewname from pg_views where schemaname = 'shop'", [("seen",)]),
    ("select nspname from pg_namespace where nspname = 'shop'", [("shop",)]),
    ("select datname from pg_database order by 1", [("dev",)]),
    ("select database_name from svv_redshift_databases", [("dev",)]),
    ("select \"table\", tbl_rows from svv_table_info where \"schema\" = 'shop'", [("orders", 2)]),
    ("select n.nspname, c.relname, c.relkind from pg_catalog.pg_class c join pg_namespace n on n.oid = c.relnamespace"
     " where n.nspname = 'shop' order by 2", [("shop", "orders", "r"), ("shop", "seen", "v")]),
    ("select schema_name, column_name, data_type, encoding, distkey, sortkey from svv_redshift_columns"
     " where table_name = 'orders' and ordinal_position < 3 order by ordinal_position",
     [("shop", "id", "bigint", "az64", True, 1), ("shop", "v", "character varying(9)", "lzo", False, 0)]),
    ("select database_name, schema_name, column_name, data_type from svv_all_columns where table_name = 'orders'"
     " and ordinal_position = 2", [("dev", "shop", "v", "character varying")]),
    ("show tables from schema dev.shop", [("dev", "shop", "orders", "TABLE", None, "all of them"),
                                          ("dev", "shop", "seen", "VIEW", None, None)]),
    ("show tables from schema shop like 's%' limit 5", [("dev", "shop", "seen", "VIEW", None, None)]),
    ("show schemas from database dev like 'sh%'", [("dev", "shop", 100, "local", None)]),
    ("show columns from table shop.orders like 'v'",
     [("dev", "shop", "orders", "v", 2, "'x'", "YES", "character varying", 9, None, None, "a value")]),
    ("select count(*) from sys_load_error_detail", [(0,)]),
    ("select count(*) from svv_external_tables", [(0,)]),
    ("select t.table_name from svv_tables t join svv_columns c using (table_schema, table_name)"
     " where c.column_name = 'n'", [("orders",)]),
]  # fmt: skip


def test_views(db) -> None:
    for sql, rows in QUERIES:
        assert db.run(sql) == rows, sql


STORAGE = [
    ("create table t (a int, b int)", ("AUTO(ALL)", "AUTO(SORTKEY)", 0)),
    ("create table t (a int, b int) diststyle auto sortkey auto encode auto", ("AUTO(ALL)", "AUTO(SORTKEY)", 0)),
    ("create table t (a int, b int) distkey(b) sortkey(b, a)", ("KEY(b)", "b", 2)),
    ("create table t (a int, b int) diststyle key distkey(b)", ("KEY(b)", "AUTO(SORTKEY)", 0)),
    ("create table t (a int sortkey, b int distkey)", ("KEY(b)", "a", 1)),
    ("create table t (a int, b int) diststyle auto distkey(a)", ("AUTO(KEY(a))", "AUTO(SORTKEY)", 0)),
    ("create table t (a int, b int) diststyle even interleaved sortkey(b, a)", ("EVEN", "b", 2)),
    ("create table t (a int, b int) diststyle all", ("ALL", "AUTO(SORTKEY)", 0)),
    ("create table t distkey(a) sortkey(b) as select 1 a, 2 b", ("KEY(a)", "b", 1)),
    ("create table t (c, d) diststyle even sortkey(d) as select 1 a, 2 b", ("EVEN", "d", 1)),
    ("create table p (a int, b int) diststyle even sortkey(b);create table t (like p)", ("EVEN", "b", 1)),
    ("create table t (a int, b int) diststyle even;alter table t add column c int", ("EVEN", "AUTO(SORTKEY)", 0)),
    ("create table t (a int distkey, b int);alter table t rename column a to z", ("KEY(z)", "AUTO(SORTKEY)", 0)),
    ("create table t (a int distkey, b int);alter table t alter distkey b", ("KEY(b)", "AUTO(SORTKEY)", 0)),
    ("create table t (a int distkey, b int);alter table t alter diststyle key distkey b",
     ("KEY(b)", "AUTO(SORTKEY)", 0)),
    ("create table t (a int distkey, b int);alter table t alter diststyle all", ("ALL", "AUTO(SORTKEY)", 0)),
    ("create table t (a int distkey, b int);alter table t alter diststyle auto", ("AUTO(ALL)", "AUTO(SORTKEY)", 0)),
    ("create table t (a int, b int) diststyle even sortkey(a);alter table t alter sortkey (b, a), alter distkey a",
     ("KEY(a)", "b", 2)),
    ("create table t (a int, b int) sortkey(a);alter table t alter sortkey auto", ("AUTO(ALL)", "a", 1)),
    ("create table t (a int, b int) sortkey(a);alter table t alter sortkey none", ("AUTO(ALL)", "AUTO(SORTKEY)", 0)),
]  # fmt: skip


@pytest.mark.parametrize(("script", "told"), STORAGE, ids=[script for script, _ in STORAGE])
def test_what_steers_storage(db, script: str, told: tuple[str, str, int]) -> None:
    db.script("create schema s", "set search_path to s", *script.split(";"))
    asked = "select diststyle, sortkey1, sortkey_num from svv_table_info where \"schema\" = 's' and \"table\" = 't'"
    assert db.run(asked) == [told]


def test_a_change_of_storage_changes_nothing_else(db) -> None:
    db.script(
        "create table t (a int default 3 encode az64, b varchar(9) not null encode lzo) diststyle even",
        "comment on column t.b is 'a text'",
        "alter table t alter column b encode zstd, alter column a encode raw",
        "alter table t alter sortkey (b)",
    )
    columns = "column_name, column_default, is_nullable, remarks"
    assert db.run(f"select {columns} from svv_columns where table_name = 't' order by 1") == [
        ("a", "3", "YES", None),
        ("b", None, "NO", "a text"),
    ]
    encodings = "select \"column\", encoding, sortkey from pg_table_def where tablename = 't' order by 1"
    assert db.run(encodings) == [("a", "raw", 0), ("b", "zstd", 1)]


def test_a_view_that_is_not_kept(db) -> None:
    said = "ERROR: stl_query is not supported by the local warehouse, or does not exist\n  Position: 15"
    assert db.error("select * from stl_query") == said
    assert "does not exist" in db.error("select * from pg_catalog.pg_nothing")


def test_a_table_of_ones_own_may_be_called_like_one(db) -> None:
    db.script("create table sys_orders (a int)", "insert into sys_orders values (1)")
    assert db.run("select * from sys_orders") == [(1,)]


def test_other_databases_are_out_of_reach(db) -> None:
    assert db.run("select count(*) from dev.shop.orders") == [(2,)]
    assert 'cross-database reference to "other.public.t" is not supported here' in db.error(
        "select * from other.public.t"
    )


SETTINGS = [
    ("show search_path", [("$user, public",)]),
    ("set search_path to shop, public;show search_path;select count(*) from orders", [(2,)]),
    ("set search_path to 'shop';select count(*) from orders", [(2,)]),
    ("set datestyle to 'ISO, MDY';show datestyle", [("ISO, MDY",)]),
    ("set timezone to 'UTC';show timezone", [("UTC",)]),
    ("set query_group = 'q';reset query_group;show query_group", [("default",)]),
    ("select current_schema()", [("public",)]),
]


@pytest.mark.parametrize(("script", "rows"), SETTINGS, ids=[case[0] for case in SETTINGS])
def test_settings(db, script: str, rows: Any) -> None:
    assert db.script(*script.split(";")) == rows


def test_a_time_zone_other_than_utc(db) -> None:
    assert 'time zone "Europe/Berlin" is not supported' in db.error("set timezone to 'Europe/Berlin'")
