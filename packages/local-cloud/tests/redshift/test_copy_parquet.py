"""COPY … FORMAT AS PARQUET: by prefix and by manifest, as strict as Redshift about shape and types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_cloud.services.redshift.errors import SqlError

COPY = "copy t from 's3://b/{}' iam_role default format as parquet"
WHERE = "https://s3.us-east-1.amazonaws.com/b/"


@pytest.fixture
def s3(engine, db, request: pytest.FixtureRequest):
    """The bucket, with a folder of the test's own to write into."""
    engine.s3.denied = set()
    return engine.s3


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    return f"p{abs(hash(request.node.nodeid))}"


def failure(db, *statements: str) -> tuple[str, str]:
    """Message and detail of the error of the last statement."""
    db.script(*statements[:-1])
    with pytest.raises(SqlError) as raised:
        db.run(statements[-1])
    return raised.value.message, raised.value.detail or ""


def test_every_file_under_a_prefix_by_position(db, s3, place: str) -> None:
    db.run("create table t (id bigint, name varchar(10))")
    s3.parquet(f"{place}/a.parquet", "select 1::bigint as anything, 'one' as goes")
    s3.parquet(f"{place}/b.parquet", "select 2::bigint as other, 'two' as names")
    s3.parquet(f"{place}/sub/c.parquet", "select 3::bigint as x, 'three' as y")
    s3.put("b", f"{place}/empty/", b"")
    db.run(COPY.format(f"{place}/"))
    assert db.count == 3
    assert db.run("select * from t order by id") == [(1, "one"), (2, "two"), (3, "three")]
    assert db.value("pg_last_copy_count()") == 3


def test_a_prefix_is_a_beginning_not_a_folder(db, s3, place: str) -> None:
    db.run("create table t (id bigint)")
    for name in ("2024-01.parquet", "2024-010.parquet", "2024-02.parquet"):
        s3.parquet(f"{place}/{name}", "select 1::bigint as id")
    db.run(COPY.format(f"{place}/2024-01"))
    assert db.run("select count(*) from t") == [(2,)]


def test_loading_twice_loads_twice(db, s3, place: str) -> None:
    db.run("create table t (id bigint)")
    s3.parquet(f"{place}/a", "select range as id from range(5)")
    db.script(COPY.format(place), COPY.format(place))
    assert db.run("select count(*) from t") == [(10,)]


def test_a_manifest_names_the_files(db, s3, place: str) -> None:
    db.run("create table t (id bigint)")
    for name in "abc":
        s3.parquet(f"{place}/{name}", f"select ascii('{name}')::bigint as id")
    # Keys that COPY does not know are left alone.
    s3.manifest(f"{place}/m", f"{place}/a", f"{place}/c", record_count=1)
    document = json.loads(s3.read("b", f"{place}/m")) | {"etag": "x", "month": "2024-01"}
    document["entries"][0]["etag"] = "y"
    s3.put("b", f"{place}/m", json.dumps(document).encode())
    db.run(COPY.format(f"{place}/m") + " manifest")
    assert db.run("select id from t order by id") == [(97,), (99,)]


MANIFESTS: list[tuple[Any, str, str]] = [
    ("{", "Manifest file is not in correct json format", "Manifest: "),
    ([], "Manifest file does not have 'entries' key.", "Manifest: "),
    ({"entries": {}}, "Manifest file does not have 'entries' key.", "Manifest: "),
    ({"entries": [{}]}, "File entry does not have 'url' key.", ""),
    ({"entries": [{"url": "s3://b/{p}/a"}]}, "File entry does not have 'meta' key.", ""),
    ({"entries": [{"url": "s3://b/{p}/a", "meta": {}}]}, "'meta' key does not have 'content_length' key.", ""),
    ({"entries": [{"url": "s3://b/{p}/a", "meta": {"content_length": "9"}}]},
     "'meta' key does not have 'content_length' key.", ""),
    ({"entries": [{"url": "s3://b/{p}/a", "meta": {"content_length": 1}}]}, "Spectrum Scan Error",
     "its content_length in the manifest is 1, its size in S3"),
    ({"entries": [{"url": "s3://b/{p}/gone", "mandatory": True, "meta": {"content_length": 1}}]},
     "Spectrum Scan Error", "File not found: s3://b/{p}/gone"),
    ({"entries": [{"url": "s3://b/{p}/gone", "meta": {"content_length": 1}}]},
     "None of the files in the manifest were found.", ""),
    ({"entries": [{"url": "https://b/a", "meta": {"content_length": 1}}]},
     "The source 'https://b/a' is not valid. The expected format is s3://bucket/key.", ""),
]  # fmt: skip


@pytest.mark.parametrize(("manifest", "message", "detail"), MANIFESTS, ids=range(len(MANIFESTS)))
def test_a_manifest_that_cannot_be_followed(db, s3, place: str, manifest: Any, message: str, detail: str) -> None:
    s3.parquet(f"{place}/a", "select 1::bigint as id")
    text = manifest if isinstance(manifest, str) else json.dumps(manifest).replace("{p}", place)
    s3.put("b", f"{place}/m", text.encode())
    said = failure(db, "create table t (id bigint)", COPY.format(f"{place}/m") + " manifest")
    assert said[0] == message.replace("{p}", place)
    assert detail.replace("{p}", place) in said[1]
    assert db.run("select count(*) from t") == [(0,)]


def test_one_missing_file_loads_nothing_of_the_others(db, s3, place: str) -> None:
    s3.parquet(f"{place}/a", "select 1::bigint as id")
    s3.parquet(f"{place}/b", "select 2::bigint as id")
    s3.manifest(f"{place}/m", f"{place}/a", f"{place}/b")
    s3.delete("b", f"{place}/b")
    failure(db, "create table t (id bigint)", COPY.format(f"{place}/m") + " manifest")
    assert db.run("select count(*) from t") == [(0,)]


PLACES = [
    ("s3://b/{p}/nothing", "The specified S3 prefix '{p}/nothing' does not exist"),
    ("s3://nowhere/x", "S3ServiceException:The specified bucket does not exist,Status 404,Error NoSuchBucket,"),
    ("s3://b/{p}/nothing' manifest 'x", "S3ServiceException:The specified key does not exist.,Status 404,"),
    ("x", "The source 'x' is not valid. The expected format is s3://bucket/key."),
]


@pytest.mark.parametrize(("url", "message"), PLACES)
def test_a_place_that_is_not_there(db, s3, place: str, url: str, message: str) -> None:
    options = " manifest" if "manifest" in url else ""
    url = url.split("'", maxsplit=1)[0].format(p=place)
    said, _ = failure(db, "create table t (id bigint)", f"copy t from '{url}' iam_role default parquet{options}")
    assert said.startswith(message.format(p=place))


def test_what_the_role_may_not_read(db, s3, place: str) -> None:
    s3.parquet(f"{place}/a", "select 1::bigint as id")
    s3.denied = {f"{place}/a"}
    said, _ = failure(db, "create table t (id bigint)", COPY.format(place))
    assert said.startswith("S3ServiceException:Access Denied,Status 403,Error AccessDenied,")


ROLES = [
    ("iam_role default", {}, ""),
    ("iam_role 'arn:aws:iam::123456789012:role/copier'", {}, ""),
    ("iam_role 'arn:aws:iam::123456789012:role/copier,arn:aws:iam::1:role/next'", {}, ""),
    ("credentials 'aws_iam_role=arn:aws:iam::123456789012:role/copier'", {}, ""),
    ("credentials 'aws_access_key_id=a;aws_secret_access_key=b'", {}, ""),
    ("access_key_id 'a' secret_access_key 'b'", {}, ""),
    ("iam_role 'arn:aws:iam::123456789012:role/other'", {}, "is not authorized to assume IAM Role arn:aws:iam::1234"),
    ("iam_role default", {"default_role": ""}, "is not authorized to assume IAM Role default"),
    ("", {}, "Invalid credentials. Must be of the format: credentials 'aws_iam_role=...' or"),
]


@pytest.mark.parametrize(("clause", "namespace", "error"), ROLES, ids=range(len(ROLES)))
def test_role(engine, s3, place: str, clause: str, namespace: dict[str, str], error: str) -> None:
    s3.parquet(f"{place}/a", "select 1::bigint as id")
    asked: list[str] = []
    connection = engine.connect(objects=lambda role: asked.append(role) or engine.s3, **namespace)
    connection.run(f"create table {place} (id bigint)")
    statement = f"copy {place} from 's3://b/{place}' {clause} format as parquet"
    if error:
        assert error in failure(connection, statement)[0]
        assert not asked
    else:
        connection.run(statement)
        assert connection.run(f"select count(*) from {place}") == [(1,)]
        named = clause.split("'")[1] if clause.startswith("iam_role '") else ""
        assert asked == [named or ("" if "key" in clause else "arn:aws:iam::123456789012:role/copier")]


COLUMNS = [
    # Column list, data, rows of (a, b, c), or the error.
    ("(c, a)", "select 'x' as x, 1 as y", [(1, 7, "x")]),
    ("(a)", "select 1 as y", [(1, 7, None)]),
    ("", "select 1 as x, 2 as y, 'z' as z", [(1, 2, "z")]),
    ("", "select 1 as x, 2 as y",
     "Unmatched number of columns between table and file. Table columns: 3, Data columns: 2"),
    ("(a, b)", "select 1 as x, 2 as y, 'z' as z",
     "Unmatched number of columns between table and file. Table columns: 2, Data columns: 3"),
    ("(a, a)", "select 1 as x, 2 as y", 'Column "a" specified more than once'),
    ("(a, zz)", "select 1 as x, 2 as y", 'Column "zz" of relation "t" does not exist'),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "data", "expected"), COLUMNS, ids=range(len(COLUMNS)))
def test_columns(db, s3, place: str, columns: str, data: str, expected: Any) -> None:
    s3.parquet(f"{place}/a", data)
    db.run("create table t (a int, b int default 7, c varchar(5))")
    statement = f"copy t {columns} from 's3://b/{place}' iam_role default format parquet"
    if isinstance(expected, list):
        db.run(statement)
        assert db.run("select a, b, c from t") == expected
    else:
        message, detail = failure(db, statement)
        assert expected in (message if message != "Spectrum Scan Error" else detail)
        assert db.run("select count(*) from t") == [(0,)]


def test_fillrecord_fills_what_a_file_lacks_at_its_end(db, s3, place: str) -> None:
    db.run("create table t (a int, b int, c varchar(5))")
    s3.parquet(f"{place}/a", "select 1 as x")
    s3.parquet(f"{place}/b", "select 2 as x, 3 as y, 'z' as z")
    db.run(COPY.format(place) + " fillrecord")
    assert db.run("select * from t order by a") == [(1, None, None), (2, 3, "z")]


def test_identity_columns_fill_themselves(db, s3, place: str) -> None:
    db.run("create table t (id int identity(1,1), v int)")
    s3.parquet(f"{place}/a", "select 5 as x union all select 6")
    db.run(COPY.format(place))
    assert db.run("select id from t order by id") == [(1,), (2,)]
    s3.parquet(f"{place}x/a", "select 9 as x, 7 as y")
    db.run(COPY.format(f"{place}x") + " explicit_ids")
    assert db.run("select id from t where v = 7") == [(9,)]
    assert "EXPLICIT_IDS" in db.error(f"copy t (id, v) from 's3://b/{place}x' iam_role default parquet")


#: What each column type takes; every other pair of these is refused.
SOURCES = {
    "smallint": "1::smallint",
    "integer": "1::integer",
    "bigint": "1::bigint",
    "real": "1.5::float",
    "double precision": "1.5::double",
    "boolean": "true",
    "varchar(20)": "'text'",
    "date": "date '2024-01-01'",
    "timestamp": "timestamp '2024-01-01 01:02:03'",
    "decimal(9,2)": "1.5::decimal(9,2)",
    "decimal(18,4)": "1.5::decimal(18,4)",
    "decimal(38,10)": "1.5::decimal(38,10)",
}
ALSO = {
    ("timestamp", "timestamptz"),
    ("timestamp", "timestamp_ms"),
    ("varchar(20)", "blob"),
    ("char(4)", "varchar(20)"),
    ("char(4)", "blob"),
    ("smallint", "tinyint"),
    ("varbyte(10)", "blob"),
}
OTHERS = {
    "timestamptz": "timestamptz '2024-01-01 00:00:00+00'",
    "timestamp_ms": "'2024-01-01'::timestamp_ms",
    "timestamp_ns": "'2024-01-01'::timestamp_ns",
    "blob": "'text'::blob",
    "tinyint": "1::tinyint",
    "uinteger": "1::uinteger",
    "list": "[1]",
    "struct": "{'a': 1}",
}


def test_a_type_takes_only_itself(db, s3, place: str) -> None:
    sources = SOURCES | OTHERS
    for number, value in enumerate(sources.values()):
        s3.parquet(f"{place}/{number}.parquet", f"select {value} as v")
    taken = set()
    for target in (*SOURCES, "char(4)", "varbyte(10)", "timestamptz"):
        db.run(f"create table t (v {target})")
        for number, source in enumerate(sources):
            try:
                db.run(COPY.format(f"{place}/{number}.parquet"))
            except SqlError as error:
                assert error.message == "Spectrum Scan Error", (target, source)
            else:
                taken.add((target, source))
        db.run("drop table t")
    assert taken == {(name, name) for name in SOURCES} | ALSO


WORDS = [
    ("bigint", "1.5::double", "incompatible Parquet schema for column 's3://b/{p}/a.v'. Column type: BIGINT, Parquet"
     " schema: required double v [i:0 d:0 r:0]"),
    ("varchar(9)", "1", "Column type: VARCHAR(9), Parquet schema: required int32 v [i:0 d:0 r:0]"),
    ("date", "timestamp '2024-01-01'", "Column type: DATE, Parquet schema: required int64 v [i:0 d:0 r:0]"),
    ("int", "[1]", "Column type: INT, Parquet schema: required group v [i:0 d:0 r:0]"),
    ("decimal(9,2)", "1.5::decimal(9,3)", "column 's3://b/{p}/a.v' has a scale that does not match the table metadata"
     " scale. File metadata scale: 3, table metadata scale: 2"),
    ("decimal(9,2)", "1.5::decimal(8,2)", "column 's3://b/{p}/a.v' has a precision that does not match the table"
     " metadata precision. File metadata precision: 8, table metadata precision: 9"),
    ("varchar(3)", "'abcd'", "The length of the data column v is longer than the length defined in the table. Table: 3,"
     " Data: 4, File name: " + WHERE + "{p}/a"),
    ("varchar(3)", "'äö'", "Table: 3, Data: 4"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "words"), WORDS, ids=range(len(WORDS)))
def test_words_of_a_refusal(db, s3, place: str, kind: str, value: str, words: str) -> None:
    s3.parquet(f"{place}/a", f"select {value} as v")
    message, detail = failure(db, f"create table t (v {kind})", COPY.format(place))
    assert message == "Spectrum Scan Error"
    assert words.replace("{p}", place) in " ".join(detail.split())
    assert "code:      15007" in detail


def test_a_refused_file_is_in_sys_load_error_detail(db, s3, place: str) -> None:
    s3.parquet(f"{place}/a", "select 1.5::double as v")
    failure(db, "create table t (id bigint)", COPY.format(place))
    rows = db.run(
        "select file_name, column_name, error_code, error_message from sys_load_error_detail"
        f" where file_name like '%{place}%'"
    )
    assert [(file.strip(), column.strip(), code) for file, column, code, _ in rows] == [
        (f"s3://b/{place}/a", "id", 15007)
    ]
    assert "incompatible Parquet schema" in rows[0][3]


NULLS = [
    ("create table t (v int not null)", "Cannot insert a NULL value into column v"),
    ("create table t (v int)", ""),
]


@pytest.mark.parametrize(("table", "error"), NULLS, ids=("not null", "null"))
def test_nulls(db, s3, place: str, table: str, error: str) -> None:
    s3.parquet(f"{place}/a", "select null::int as v")
    db.run(table)
    if error:
        assert error in db.error(COPY.format(place))
    else:
        db.run(COPY.format(place))
        assert db.run("select * from t") == [(None,)]


OPTIONS = [
    ("truncatecolumns", "TRUNCATECOLUMNS argument is not supported for PARQUET based COPY"),
    ("maxerror 5", "MAXERROR argument is not supported for PARQUET based COPY"),
    ("gzip", "GZIP argument is not supported for PARQUET based COPY"),
    ("delimiter ','", "DELIMITER argument is not supported for PARQUET based COPY"),
    ("compupdate off", "COMPUPDATE argument is not supported for PARQUET based COPY"),
    ("nonsense", 'syntax error at or near "nonsense"'),
    ("manifest manifest", "conflicting or redundant options: manifest"),
]


@pytest.mark.parametrize(("option", "message"), OPTIONS)
def test_options_that_parquet_does_not_take(db, s3, place: str, option: str, message: str) -> None:
    assert message in failure(db, "create table t (v int)", f"{COPY.format(place)} {option}")[0]


def test_super_needs_serializetojson(db, s3, place: str) -> None:
    s3.parquet(f"{place}/a", "select {'a': [1, 2]} as v")
    db.run("create table t (v super)")
    assert "SUPER column in COPY query requires SERIALIZETOJSON option" in db.error(COPY.format(place))
    db.run(COPY.format(place) + " serializetojson")
    assert db.run("select v from t") == [('{"a":[1,2]}',)]


def test_the_table_must_be_there(db, s3, place: str) -> None:
    s3.parquet(f"{place}/a", "select 1 as v")
    assert failure(db, COPY.format(place))[0] == "Cannot COPY into nonexistent table t"


def test_a_temporary_table_takes_a_load(db, s3, place: str) -> None:
    s3.parquet(f"{place}/a", "select 1 as v")
    db.script("create temp table t (v int)", COPY.format(place))
    assert db.run("select * from t") == [(1,)]


def test_what_is_no_parquet_file(db, s3, place: str) -> None:
    for name, body in (("html", b"<html>Not found</html>"), ("short", b"PAR1"), ("cut", b"PAR1" + b"\0" * 100)):
        s3.put("b", f"{place}/{name}", body)
        db.run("create table if not exists t (v int)")
        message, detail = failure(db, COPY.format(f"{place}/{name}"))
        assert message == "Spectrum Scan Error"
        assert "has an invalid version number" in detail


@pytest.mark.shared_data
def test_the_broken_files_of_the_wild(db, s3, place: str) -> None:
    folder = Path(__file__).resolve().parents[5] / "shared" / "data" / "broken"
    if not folder.is_dir():
        pytest.skip("needs the real sample files in ../shared/data")
    db.run("create table t (v int)")
    for file in folder.iterdir():
        s3.put("b", f"{place}/{file.name}", file.read_bytes())
        message, detail = failure(db, COPY.format(f"{place}/{file.name}"))
        assert (message, "has an invalid version number" in detail) == ("Spectrum Scan Error", True)


def test_a_failed_load_in_a_transaction_takes_the_rest_back(db, s3, place: str) -> None:
    s3.parquet(f"{place}/good", "select 1 as v")
    s3.parquet(f"{place}/bad", "select 'x' as v")
    db.script("create table t (v int)", "insert into t values (9)", "begin", "delete from t")
    db.run(COPY.format(f"{place}/good"))
    failure(db, COPY.format(f"{place}/bad"))
    assert "current transaction is aborted" in db.error("select 1")
    db.run("commit")
    assert db.run("select * from t") == [(9,)]
