"""UNLOAD: the names, the content and the manifest of the files it writes."""

from __future__ import annotations

import bz2
import gzip
import json
from typing import Any

import duckdb
import pytest

from local_cloud.services.redshift.errors import SqlError

ROWS = (
    "create table t (id int, v varchar(20), n decimal(6,2), f float, b bool, d date, ts timestamp)",
    "insert into t values (1, 'one', 1.5, 2, true, '2024-01-02', '2024-01-02 03:04:05'),"
    " (2, null, null, 0.25, false, null, null), (3, 'a,b\"c', 3, null, null, null, null)",
)


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    return f"p{abs(hash(request.node.nodeid))}"


@pytest.fixture
def unload(engine, db, place: str):
    """Runs UNLOAD of a query with options; the names under its prefix with the prefix cut off."""
    db.script(*ROWS)

    def run(query: str = "select id, v from t order by id", options: str = "", prefix: str = "x_") -> list[str]:
        quoted = query.replace("'", "''")
        db.run(f"unload ('{quoted}') to 's3://b/{place}/{prefix}' iam_role default {options}")
        return [key.removeprefix(f"{place}/{prefix}") for key in engine.s3.keys(place)]

    run.read = lambda name, prefix="x_": engine.s3.read("b", f"{place}/{prefix}{name}")
    return run


NAMES = [
    ("", ["0000_part_00", "0001_part_00"]),
    ("parallel on", ["0000_part_00", "0001_part_00"]),
    ("parallel true", ["0000_part_00", "0001_part_00"]),
    ("parallel off", ["000"]),
    ("parallel false csv", ["000"]),
    ("gzip", ["0000_part_00.gz", "0001_part_00.gz"]),
    ("bzip2", ["0000_part_00.bz2", "0001_part_00.bz2"]),
    ("csv zstd parallel off", ["000.zst"]),
    ("format parquet", ["0000_part_00.parquet", "0001_part_00.parquet"]),
    ("parquet parallel off", ["000.parquet"]),
    ("csv extension 'csv' parallel off", ["000.csv"]),
    ("csv extension 'csv.gz' gzip parallel off", ["000.csv.gz"]),
    ("manifest parallel off", ["000", "manifest"]),
    ("csv partition by (id) parallel off", ["/id=1/000", "/id=2/000", "/id=3/000"]),
]


@pytest.mark.parametrize(("options", "names"), NAMES, ids=[case[0] for case in NAMES])
def test_names_of_the_files(unload, options: str, names: list[str]) -> None:
    assert unload(options=options, prefix="x") == names


TEXT = [
    ("", "select id, v from t order by id", '1|one\n2|\n3|a,b"c\n'),
    ("header", "select id, v from t order by id", 'id|v\n1|one\n2|\n3|a,b"c\n'),
    ("csv", "select id, v from t order by id", '1,one\n2,\n3,"a,b""c"\n'),
    ("format as csv header", "select v as Name from t where id = 1", "name\none\n"),
    ("csv delimiter as '|'", "select id, v from t order by id", '1|one\n2|\n3|"a,b""c"\n'),
    ("delimiter ';'", "select id, v from t where id = 1", "1;one\n"),
    ("delimiter '\\t'", "select id, v from t where id = 1", "1\tone\n"),
    ("null as 'NULL'", "select id, v from t where id = 2", "2|NULL\n"),
    ("addquotes", "select id, v from t where id = 1", '"1"|"one"\n'),
    ("delimiter ',' escape", "select id, v from t where id = 3", '3|a\\,b"c\n'.replace("|", ",")),
    ("csv", "select n, f, b, d, ts from t order by id",
     "1.50,2,t,2024-01-02,2024-01-02 03:04:05\n,0.25,f,,\n3.00,,,,\n"),
    ("json", "select id, v, b from t where id < 3 order by id",
     '{"id":1,"v":"one","b":"t"}\n{"id":2,"v":null,"b":"f"}\n'),
    ("fixedwidth 'id:3,v:6,b:1'", "select id, v, b from t order by id", '1  one   t\n2        f\n3  a,b"c  \n'),
    ("fixedwidth '0:3,1:4' null as '-'", "select id, v from t where id = 2", "2  -   \n"),
    ("csv header", "select id, v from t where id > 9", "id,v\n"),
    ("csv", "select id, v from t where id > 9", ""),
]  # fmt: skip


@pytest.mark.parametrize(("options", "query", "content"), TEXT, ids=[f"{c[0]}-{c[1][-14:]}" for c in TEXT])
def test_content(unload, options: str, query: str, content: str) -> None:
    assert unload(query, f"{options} parallel off") == ["000"]
    assert unload.read("000").decode() == content


@pytest.mark.parametrize(("kind", "suffix", "read"), [("gzip", "gz", gzip), ("bzip2", "bz2", bz2)])
def test_compressed_content(unload, kind: str, suffix: str, read: Any) -> None:
    assert unload(options=f"{kind} parallel off manifest") == [f"000.{suffix}", "manifest"]
    data = unload.read(f"000.{suffix}")
    assert read.decompress(data) == b'1|one\n2|\n3|a,b"c\n'
    (entry,) = json.loads(unload.read("manifest"))["entries"]
    assert entry["meta"]["content_length"] == len(data)


def test_parquet_keeps_types_and_values(unload, engine, db, place: str) -> None:
    unload("select * from t order by id", "parquet parallel off")
    file = engine.s3.path("b", f"{place}/x_000.parquet")
    found = duckdb.connect().execute(f"select id, v, n::varchar, f, b, d::varchar from '{file}' order by id").fetchall()
    assert found == [
        (1, "one", "1.50", 2.0, True, "2024-01-02"),
        (2, None, None, 0.25, False, None),
        (3, 'a,b"c', "3.00", None, None, None),
    ]
    # What was unloaded can be loaded again, strict as COPY is about types.
    db.script("create table back (like t)", f"copy back from 's3://b/{place}/' iam_role default parquet")
    assert db.run("select * from back minus select * from t") == []
    assert db.count == 0


def test_order_is_kept_in_every_slice(unload) -> None:
    unload("select n from (with recursive r(n) as (select 1 union all select n + 1 from r where n < 50)"
           " select n from r) order by n desc", "")  # fmt: skip
    slices = [[int(line) for line in unload.read(f"000{i}_part_00").split()] for i in range(2)]
    assert all(part == sorted(part, reverse=True) for part in slices)
    assert sorted(slices[0] + slices[1]) == list(range(1, 51))


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_nothing_to_write_is_no_file(unload, kind: str) -> None:
    assert unload("select id from t where id > 9", f"{kind} manifest") == []


@pytest.mark.parametrize(
    ("kind", "include"), [("csv", ""), ("csv", "include"), ("parquet", ""), ("parquet", "include")]
)
def test_partitions_leave_out_their_columns(unload, engine, place: str, kind: str, include: str) -> None:
    query = "select id, v, d from t where id < 3 order by id"
    names = unload(query, f"{kind} partition by (d, v) {include} parallel off", prefix="out/")
    suffix = ".parquet" if kind == "parquet" else ""
    null = "__HIVE_DEFAULT_PARTITION__"
    assert names == [f"d=2024-01-02/v=one/000{suffix}", f"d={null}/v={null}/000{suffix}"]
    if kind == "csv":
        assert unload.read(names[0], prefix="out/").decode() == ("1,one,2024-01-02\n" if include else "1\n")
    else:
        file = engine.s3.path("b", f"{place}/out/{names[0]}")
        columns = [row[0] for row in duckdb.connect().execute(f"describe from read_parquet('{file}', "
                                                              "hive_partitioning = false)").fetchall()]  # fmt: skip
        assert columns == (["id", "v", "d"] if include else ["id"])


def test_files_are_cut_at_maxfilesize(unload, engine, db, place: str) -> None:
    db.run("create table big (v varchar(1000))")
    engine.s3.parquet(f"in-{place}/a", "select repeat(md5(range::varchar), 30) as v from range(16000)")
    db.run(f"copy big from 's3://b/in-{place}/' iam_role default parquet")
    names = unload("select v from big", "csv maxfilesize 5 mb parallel off manifest verbose", prefix="out_")
    assert names[:2] == ["000", "001"]
    assert len(names) > 3
    manifest = json.loads(unload.read("manifest", prefix="out_"))
    assert sum(entry["meta"]["record_count"] for entry in manifest["entries"]) == 16000
    assert manifest["meta"] == {
        "content_length": sum(len(unload.read(name, prefix="out_")) for name in names[:-1]),
        "record_count": 16000,
    }


def test_manifest(unload, place: str) -> None:
    unload(options="csv manifest parallel off")
    assert json.loads(unload.read("manifest")) == {
        "entries": [{"url": f"s3://b/{place}/x_000", "meta": {"content_length": len(unload.read("000"))}}]
    }


def test_verbose_manifest(unload, place: str) -> None:
    unload("select id, v, n, f, d from t", "parquet manifest verbose parallel off")
    manifest = json.loads(unload.read("manifest"))
    size = len(unload.read("000.parquet"))
    assert manifest["entries"] == [
        {"url": f"s3://b/{place}/x_000.parquet", "meta": {"content_length": size, "record_count": 3}}
    ]
    assert manifest["schema"]["elements"] == [
        {"name": "id", "type": {"base": "integer"}},
        {"name": "v", "type": {"base": "character varying", "max_length": 20}},
        {"name": "n", "type": {"base": "numeric", "precision": 6, "scale": 2}},
        {"name": "f", "type": {"base": "double precision"}},
        {"name": "d", "type": {"base": "date"}},
    ]
    assert manifest["author"]["name"] == "Amazon Redshift"


def test_a_manifest_can_be_loaded(unload, db, place: str) -> None:
    unload("select id from t", "parquet manifest")
    db.run("create table back (id int)")
    db.run(f"copy back from 's3://b/{place}/x_manifest' iam_role default parquet manifest")
    assert db.run("select count(*) from back") == [(3,)]


REFUSED = [
    ("select id from t limit 1", "", "Limit clause is not supported in the outermost select of an UNLOAD statement"),
    ("delete from t", "", "UNLOAD takes a SELECT statement"),
    ("select nope from t", "", 'column "nope" does not exist'),
    ("select id from t", "csv addquotes", "ADDQUOTES is not supported for UNLOAD to CSV"),
    ("select id from t", "escape format as csv", "ESCAPE is not supported for UNLOAD to CSV"),
    ("select id from t", "csv fixedwidth '0:3'", "FIXEDWIDTH is not supported for UNLOAD to CSV"),
    ("select id from t", "json header", "HEADER is not supported for UNLOAD to JSON"),
    ("select id from t", "json null as 'x'", "NULL is not supported for UNLOAD to JSON"),
    ("select id from t", "parquet header", "HEADER is not supported for UNLOAD to PARQUET"),
    ("select id from t", "parquet delimiter ','", "DELIMITER is not supported for UNLOAD to PARQUET"),
    ("select id from t", "parquet gzip", "GZIP is not supported for UNLOAD to PARQUET"),
    ("select id from t", "allowoverwrite cleanpath", "CLEANPATH and ALLOWOVERWRITE cannot be used together"),
    ("select id from t", "maxfilesize 1 mb", "MAXFILESIZE must be between 5 MB and 6.2 GB"),
    ("select id from t", "csv partition by (zz)", 'Partition column "zz" is not in the query result'),
    ("select id from t", "csv partition by (id)", "At least one column must not be a partition column"),
    ("select id from t", "parquet bzip2", "BZIP2 is not supported for UNLOAD to PARQUET"),
    ("select id from t", "fixedwidth '0:3' header", "HEADER is not supported for UNLOAD with FIXEDWIDTH"),
    ("select id from t", "fixedwidth '0:x'", "Invalid fixed-width specification '0:x'"),
    ("select id from t", "fixedwidth '0:3,1:2'", "FIXEDWIDTH names 2 columns, the query has 1"),
    ("select v from t", "fixedwidth 'v:4'", "Column v has a value of 5 characters, FIXEDWIDTH gives it 4"),
    ("select id from t", "nonsense", 'syntax error at or near "nonsense"'),
]


@pytest.mark.parametrize(("query", "options", "message"), REFUSED, ids=[f"{c[0]} {c[1]}" for c in REFUSED])
def test_refused(unload, engine, place: str, query: str, options: str, message: str) -> None:
    with pytest.raises(SqlError) as raised:
        unload(query, options)
    assert raised.value.message.startswith(message)
    assert engine.s3.keys(place) == []


def test_a_destination_that_is_not_empty(unload, engine, place: str) -> None:
    engine.s3.put("b", f"{place}/x_old", b"x")
    with pytest.raises(SqlError, match="Specified unload destination on S3 is not empty"):
        unload(options="parallel off")
    assert unload(options="parallel off allowoverwrite") == ["000", "old"]
    assert unload(options="csv parallel off cleanpath") == ["000"]


def test_a_bucket_that_is_not_there(db) -> None:
    assert "The specified bucket does not exist" in db.error("unload ('select 1') to 's3://nowhere/x' iam_role default")


def test_quotes_in_the_query(unload) -> None:
    unload("select 'it''s' as a, id from t where v = 'one'", "csv parallel off")
    assert unload.read("000") == b"it's,1\n"


def test_dollar_quotes_around_the_query(db, engine, place: str) -> None:
    db.run(f"unload ($$select 'x' as a$$) to 's3://b/{place}/' iam_role default csv parallel off")
    assert engine.s3.read("b", f"{place}/000") == b"x\n"


def test_count_of_the_session(unload, db) -> None:
    unload()
    assert db.count == 3
    assert db.value("pg_last_unload_count()") == 3


def test_a_transaction_sees_its_own_rows(unload, db) -> None:
    db.script("begin", "insert into t (id) values (4)")
    unload("select id from t order by id", "csv parallel off")
    db.run("rollback")
    assert unload.read("000") == b"1\n2\n3\n4\n"
