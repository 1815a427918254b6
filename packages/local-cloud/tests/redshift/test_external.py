"""External schemas and tables: the Glue catalog that `aws glue` shows, and the files under it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

NUMBERS = itertools.count()


@pytest.fixture
def upload(redshift, tmp_path: Path):
    """Puts a query of DuckDB's into the bucket as a Parquet file, or a text as it is."""

    def run(key: str, content: str, *, parquet: bool = True) -> int:
        file = tmp_path / "file"
        if parquet:
            duckdb.connect().execute(f"copy ({content}) to '{file}' (format parquet)")
        else:
            file.write_text(content)
        redshift.client("s3").upload_file(str(file), "lake", key)
        return file.stat().st_size

    return run


@pytest.fixture
def lake(redshift) -> str:
    """An external schema over a Glue database of its own; both have this name."""
    name = f"lake{next(NUMBERS)}"
    redshift.done(
        f"create external schema {name} from data catalog database '{name}' iam_role default"
        " create external database if not exists"
    )
    return name


@pytest.fixture
def trips(redshift, upload, lake: str) -> str:
    """A table partitioned by year and month with two partitions of two rows each."""
    redshift.done(
        f"create external table {lake}.trips (id bigint, zone varchar(20), fare double precision)"
        f" partitioned by (year int, month int) stored as parquet location 's3://lake/{lake}/trips/'"
    )
    for month in (1, 2):
        upload(
            f"{lake}/trips/year=2024/month={month}/a.parquet",
            f"select {month}0::bigint + range as id, 'zone ' || range as zone, 1.5::double as fare from range(2)",
        )
    redshift.done(
        f"alter table {lake}.trips add if not exists"
        f" partition (year=2024, month=1) location 's3://lake/{lake}/trips/year=2024/month=1/'"
        f" partition (year=2024, month=2) location 's3://lake/{lake}/trips/year=2024/month=2/'"
    )
    return f"{lake}.trips"


def failed(redshift, sql: str, **request: Any) -> str:
    described = redshift.run(sql, **request)
    assert described["Status"] == "FAILED", described
    return described["Error"]


def test_the_catalog_shows_the_table(redshift, trips: str) -> None:
    database = trips.partition(".")[0]
    table = redshift.client("glue").get_table(DatabaseName=database, Name="trips")["Table"]
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("id", "bigint"),
        ("zone", "varchar(20)"),
        ("fare", "double"),
    ]
    assert [(c["Name"], c["Type"]) for c in table["PartitionKeys"]] == [("year", "int"), ("month", "int")]
    assert table["StorageDescriptor"]["Location"] == f"s3://lake/{database}/trips/"
    assert "parquet" in table["StorageDescriptor"]["InputFormat"].lower()
    assert table["TableType"] == "EXTERNAL_TABLE"
    parts = redshift.client("glue").get_partitions(DatabaseName=database, TableName="trips")["Partitions"]
    assert sorted(part["Values"] for part in parts) == [["2024", "1"], ["2024", "2"]]


def test_rows_of_all_partitions(redshift, trips: str) -> None:
    assert redshift.rows(f"select id, zone, year, month from {trips} order by id") == [
        [10, "zone 0", 2024, 1],
        [11, "zone 1", 2024, 1],
        [20, "zone 0", 2024, 2],
        [21, "zone 1", 2024, 2],
    ]
    assert redshift.rows(f"select month, count(*), sum(fare) from {trips} group by month order by 1") == [
        [1, 2, 3.0],
        [2, 2, 3.0],
    ]


PRUNED = [
    "where month = 1",
    "where t.year = 2024 and month < 2 and id > 0",
    "where month in (1, 7)",
    "where month between 0 and 1 and (id = 10 or id = 11)",
    "where month = 3 - 2",
]
NOT_PRUNED = ["where id < 20", "where month = 1 or id = 1", "where month + id < 12"]


def test_partitions_that_the_query_rules_out_are_not_read(redshift, upload, trips: str) -> None:
    upload(trips.replace(".", "/") + "/year=2024/month=2/b.parquet", "no parquet", parquet=False)
    for where in PRUNED:
        assert redshift.rows(f"select count(*) from {trips} t {where}") == [[2]]
    for where in NOT_PRUNED:
        assert "Spectrum Scan Error" in failed(redshift, f"select count(*) from {trips} t {where}")


def test_external_and_stored_tables_meet(redshift, trips: str) -> None:
    redshift.done("create table if not exists zones (zone varchar(20), name varchar(20))")
    redshift.done("delete from zones")
    redshift.done("insert into zones values ('zone 0', 'Null'), ('zone 1', 'One')")
    rows = redshift.rows(
        f"select name, count(*) from {trips} join zones using (zone) where month = 1 group by 1 order by 1"
    )
    assert rows == [["Null", 1], ["One", 1]]
    redshift.done("drop table if exists loaded")
    redshift.done(f"create table loaded as select * from {trips}")
    redshift.done(f"insert into loaded select id + 100, zone, fare, year, month from {trips} where month = 2")
    assert redshift.rows("select count(*), max(id) from loaded") == [[6, 121]]
    redshift.done("create or replace view recent as select * from " + trips + " where month = 2 with no schema binding")
    assert redshift.rows("select count(*) from recent") == [[2]]


def test_new_files_and_dropped_partitions(redshift, upload, trips: str) -> None:
    upload(
        trips.replace(".", "/") + "/year=2024/month=1/c.parquet",
        "select 99::bigint as id, 'x' as zone, 0::double as fare",
    )
    assert redshift.rows(f"select count(*) from {trips} where month = 1") == [[3]]
    redshift.done(f"alter table {trips} drop partition (year=2024, month=1)")
    assert redshift.rows(f"select count(*) from {trips}") == [[2]]
    assert "Partition does not exist" in failed(redshift, f"alter table {trips} drop partition (year=2024, month=1)")


def test_a_partition_that_is_there_already(redshift, trips: str) -> None:
    add = f"partition (year=2024, month=1) location 's3://lake/{trips}/elsewhere/'"
    assert "Partition already exists" in failed(redshift, f"alter table {trips} add {add}")
    redshift.done(f"alter table {trips} add if not exists {add}")
    assert redshift.rows(f"select count(*) from {trips}") == [[4]]


def test_a_partition_moves(redshift, upload, trips: str) -> None:
    upload(f"{trips}/moved/a.parquet", "select 7::bigint as id, 'new' as zone, 1::double as fare")
    redshift.done(f"alter table {trips} partition (year=2024, month=1) set location 's3://lake/{trips}/moved/'")
    assert redshift.rows(f"select id, month from {trips} order by id") == [[7, 1], [20, 2], [21, 2]]
    move = f"alter table {trips} partition (year=2024, month=9) set location 's3://lake/{trips}/moved/'"
    assert "Partition does not exist" in failed(redshift, move)


def test_a_table_of_another_format(redshift, upload, lake: str) -> None:
    upload(f"{lake}/t/a", "select 1 as id")
    redshift.done(f"create external table {lake}.t (id int) stored as textfile location 's3://lake/{lake}/t/'")
    redshift.done(f"alter table {lake}.t set file format parquet")
    assert redshift.rows(f"select id from {lake}.t") == [[1]]
    assert "STORED AS ORC are not supported here" in failed(redshift, f"alter table {lake}.t set file format orc")


COLUMNS = [
    ("select 1::bigint as id, 2.5::double as fare, 'z' as zone", [1, "z", 2.5]),
    ("select 1::bigint as \"ID\", 'z' as other", [1, None, None]),
    ("select 1::bigint as id, 'longer than twenty bytes is cut' as zone", [1, "longer than twenty b", None]),
]


@pytest.mark.parametrize(("data", "row"), COLUMNS, ids=range(len(COLUMNS)))
def test_parquet_columns_are_found_by_name(redshift, upload, lake: str, data: str, row: list[Any]) -> None:
    upload(f"{lake}/t/a.parquet", data)
    redshift.done(
        f"create external table {lake}.t (id bigint, zone varchar(20), fare double precision)"
        f" stored as parquet location 's3://lake/{lake}/t/'"
    )
    assert redshift.rows(f"select * from {lake}.t") == [row]


def test_a_parquet_type_that_is_not_the_columns(redshift, upload, lake: str) -> None:
    upload(f"{lake}/t/a.parquet", "select 1 as id")
    redshift.done(f"create external table {lake}.t (id bigint) stored as parquet location 's3://lake/{lake}/t/'")
    said = failed(redshift, f"select * from {lake}.t")
    assert "incompatible Parquet schema for column" in said
    assert "Column type: BIGINT" in said


def test_hidden_files_are_left_out_and_an_empty_folder_has_no_rows(redshift, upload, lake: str) -> None:
    redshift.done(f"create external table {lake}.t (id int) stored as parquet location 's3://lake/{lake}/t/'")
    assert redshift.rows(f"select * from {lake}.t") == []
    upload(f"{lake}/t/_SUCCESS", "x", parquet=False)
    upload(f"{lake}/t/.part", "x", parquet=False)
    upload(f"{lake}/t/#part", "x", parquet=False)
    upload(f"{lake}/t/part~", "x", parquet=False)
    upload(f"{lake}/t/a", "select 1 as id")
    assert redshift.rows(f"select * from {lake}.t") == [[1]]


def test_a_manifest_as_location(redshift, upload, lake: str) -> None:
    entries = []
    for name in "ab":
        size = upload(f"{lake}/data/{name}", f"select {ord(name)} as id")
        entries.append({"url": f"s3://lake/{lake}/data/{name}", "mandatory": True, "meta": {"content_length": size}})
    upload(f"{lake}/manifest", json.dumps({"entries": entries[:1]}), parquet=False)
    redshift.done(f"create external table {lake}.t (id int) stored as parquet location 's3://lake/{lake}/manifest'")
    assert redshift.rows(f"select id from {lake}.t") == [[97]]


TEXT = [
    ("row format delimited fields terminated by ','", "", "1,a\n2,\\N\nx,b\n", [[1, "a"], [2, None], [None, "b"]]),
    ("row format delimited fields terminated by '\\t'", "", "1\ta\n", [[1, "a"]]),
    ("row format delimited fields terminated by '|'", "'skip.header.line.count'='1'", "h|h\n1|a\n", [[1, "a"]]),
    ("row format delimited fields terminated by ','", "", '1,a,zzz\n2,"b,c"\n', [[1, "a"], [2, '"b']]),
    ("row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'", "", '1,"a,b"\n', [[1, "a,b"]]),
    ("row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'", "", "1,a,zzz\n2\n", [[1, "a"], [2, None]]),
]


@pytest.mark.parametrize(("form", "properties", "text", "rows"), TEXT, ids=range(len(TEXT)))
def test_text(redshift, upload, lake: str, form: str, properties: str, text: str, rows: list[Any]) -> None:
    upload(f"{lake}/t/a.csv", text, parquet=False)
    table = f"create external table {lake}.t (id int, v varchar(20)) {form} stored as textfile location 's3://lake/{lake}/t/'"
    redshift.done(table + (f" table properties ({properties})" if properties else ""))
    assert redshift.rows(f"select * from {lake}.t order by id nulls last") == rows


def test_a_format_by_its_classes(redshift, upload, lake: str) -> None:
    upload(f"{lake}/t/a.csv", "1,a\n", parquet=False)
    text = (
        f"create external table {lake}.t (id int, v varchar(20)) row format delimited fields terminated by ','"
        " stored as inputformat '{}' outputformat '{}'" + f" location 's3://lake/{lake}/t/'"
    )
    classes = [
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    ]
    redshift.done(text.format(*classes))
    assert redshift.rows(f"select * from {lake}.t") == [[1, "a"]]
    stored = redshift.client("glue").get_table(DatabaseName=lake, Name="t")["Table"]["StorageDescriptor"]
    assert [stored["InputFormat"], stored["OutputFormat"]] == classes
    assert "STORED AS INPUTFORMAT 'a' OUTPUTFORMAT 'b' are not supported" in failed(redshift, text.format("a", "b"))


def test_a_table_that_glue_made(redshift, upload, lake: str) -> None:
    upload(f"{lake}/t/a", "select 1::bigint as id, ['x'] as tags")
    redshift.client("glue").create_table(
        DatabaseName=lake,
        TableInput={
            "Name": "t",
            "StorageDescriptor": {
                "Columns": [{"Name": "id", "Type": "bigint"}, {"Name": "gone", "Type": "string"}],
                "Location": f"s3://lake/{lake}/t",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
            },
        },
    )
    assert redshift.rows(f"select id, gone from {lake}.t") == [[1, None]]


def test_what_unload_writes_can_be_read_by_partition(redshift, lake: str) -> None:
    redshift.done(
        "unload ('select 1 as id, ''a'' as kind union all select 2, ''b''')"
        f" to 's3://lake/{lake}/out/' iam_role default parquet partition by (kind)"
    )
    redshift.done(
        f"create external table {lake}.out (id int) partitioned by (kind varchar(5)) stored as parquet"
        f" location 's3://lake/{lake}/out/'"
    )
    redshift.done(
        f"alter table {lake}.out add partition (kind='a') location 's3://lake/{lake}/out/kind=a/'"
        f" partition (kind='b') location 's3://lake/{lake}/out/kind=b/'"
    )
    assert redshift.rows(f"select * from {lake}.out order by id") == [[1, "a"], [2, "b"]]


def test_metadata_lists_external_tables(redshift, trips: str) -> None:
    schema = trips.partition(".")[0]
    where = f"where schemaname = '{schema}'"
    assert redshift.rows(f"select databasename from svv_external_schemas {where}") == [[schema]]
    assert redshift.rows(f"select tablename, location from svv_external_tables {where}") == [
        ["trips", f"s3://lake/{schema}/trips/"]
    ]
    found = redshift.rows(f'select "values" from svv_external_partitions {where} order by 1')
    assert found == [['["2024","1"]'], ['["2024","2"]']]
    found = redshift.rows(f"select columnname, part_key from svv_external_columns {where} order by columnnum")
    assert found == [["id", 0], ["zone", 0], ["fare", 0], ["year", 1], ["month", 2]]
    target = {"WorkgroupName": "etl", "Database": "dev"}
    tables = redshift.api.list_tables(**target, SchemaPattern=schema)["Tables"]
    assert tables == [{"name": "trips", "type": "EXTERNAL TABLE", "schema": schema}]
    columns = redshift.api.describe_table(**target, Schema=schema, Table="trips")["ColumnList"]
    assert [(c["name"], c["typeName"]) for c in columns] == [
        ("id", "int8"),
        ("zone", "varchar"),
        ("fare", "float8"),
        ("year", "int4"),
        ("month", "int4"),
    ]


REFUSED = [
    ("create external schema {s} from data catalog database 'x' iam_role default", 'schema "{s}" already exists'),
    ("create external table {s}.trips (a int) stored as parquet location 's3://lake/x/'",
     'Relation "trips" already exists'),
    ("create external table public.t (a int) stored as parquet location 's3://lake/x/'",
     'External table "t" must be in an external schema; "public" is none'),
    ("create external table {s}.t (a int, a int) stored as parquet location 's3://lake/x/'", 'column "a" duplicated'),
    ("create external table {s}.t (a int) stored as orc location 's3://lake/x/'",
     "STORED AS ORC are not supported here"),
    ("create external table {s}.t (a int) stored as parquet location 'x'", "The expected format is s3://bucket/key"),
    ("select * from {s}.nope", 'relation "{s}.nope" does not exist'),
    ("alter table {s}.trips add partition (year=2024) location 's3://lake/x/'",
     "Partition column values must be given for all partition columns; missing: month"),
    ("alter table {s}.trips add partition (year=2024, day=1) location 's3://lake/x/'",
     'column "day" is not a partition column of "trips"'),
    ("drop table {s}.nope", 'Table "nope" does not exist'),
]  # fmt: skip


def test_refused(redshift, trips: str) -> None:
    schema = trips.partition(".")[0]
    for sql, message in REFUSED:
        assert message.format(s=schema) in failed(redshift, sql.format(s=schema)), sql


IN_TRANSACTION = [
    ("create external table {s}.t (a int) stored as parquet location 's3://lake/x/'", "CREATE EXTERNAL TABLE"),
    ("create external schema other_schema from data catalog database 'x' iam_role default", "CREATE EXTERNAL SCHEMA"),
    ("alter table {s}.trips add partition (year=2025, month=1) location 's3://lake/x/'", "ALTER EXTERNAL TABLE"),
    ("alter table {s}.trips partition (year=2024, month=1) set location 's3://lake/x/'", "ALTER EXTERNAL TABLE"),
    ("vacuum", "VACUUM"),
]


def test_external_ddl_is_refused_in_a_transaction(redshift, trips: str) -> None:
    for sql, command in IN_TRANSACTION:
        described = redshift.batch("select 1", sql.format(s=trips.partition(".")[0]))
        assert described["Status"] == "FAILED"
        assert f"{command} cannot run inside a transaction block" in described["SubStatements"][1]["Error"], sql


def test_rows_cannot_be_changed(redshift, trips: str) -> None:
    for sql in (f"delete from {trips}", f"update {trips} set id = 1", f"truncate {trips}"):
        assert redshift.run(sql)["Status"] == "FAILED"
    assert redshift.rows(f"select count(*) from {trips}") == [[4]]


def test_drop(redshift, trips: str) -> None:
    schema = trips.partition(".")[0]
    redshift.done(f"alter table {trips} set location 's3://lake/other/'")
    table = redshift.client("glue").get_table(DatabaseName=schema, Name="trips")["Table"]
    assert table["StorageDescriptor"]["Location"] == "s3://lake/other/"
    redshift.done(f"drop table {trips}")
    assert redshift.client("glue").get_tables(DatabaseName=schema)["TableList"] == []
    redshift.done(f"drop schema {schema}")
    assert redshift.client("glue").get_database(Name=schema)["Database"]["Name"] == schema
    assert "does not exist" in failed(redshift, f"select * from {trips}")
