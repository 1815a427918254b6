"""The datasets' tables in the warehouse: brought up to what a release's datasets say, or refused by the column."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from glue_transform import datasets
from laptop import ROOT, Laptop
from orchestration import environments
from orchestration.errors import DeployError
from orchestration.stacks import tables, unmanaged
from orchestration.stacks.tables import Table
from orchestration.stacks.unmanaged import Wanted
from orchestration.warehouse import _admin_secret as administrator

BEFORE = {"bike": "VARCHAR(6)", "fare": "INTEGER", "source_month": "DATE"}
AFTER = {"bike": "VARCHAR(9)", "fare": "INTEGER", "tip": "DECIMAL(9,2)", "paid": "TIMESTAMP", "source_month": "DATE"}
ALTERED = [("bike", "character varying", 9), ("fare", "integer", None), ("source_month", "date", None)]
#: As a load does it.
INSERT = "INSERT INTO bike_trips SELECT * FROM copied"
ADDED = [("tip", "numeric", None), ("paid", "timestamp without time zone", None)]


@pytest.fixture
def warehouse(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    """A month of bikes is transformed and loaded into the table as it was before."""
    for name, value in laptop.sdk.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    administrator.cache_clear()  # other tests of this process may have asked another laptop
    bucket = laptop.outputs("data")["ProcessedBucket"]
    laptop.client("s3").put_object(Bucket=bucket, Key="bikes/2024/09/manifest.json", Body=b"{}")
    brought_to = [{"key": unmanaged.TABLES, "value": "nothing"}]
    laptop.client("redshift-serverless").tag_resource(
        resourceArn=laptop.outputs("data")["WorkgroupArn"], tags=brought_to
    )
    laptop.query("CREATE TABLE bike_trips (bike VARCHAR(6), fare INTEGER, source_month DATE)")
    laptop.query("INSERT INTO bike_trips VALUES ('a', 1, '2024-09-01'), ('b', 2, '2024-11-01')")
    yield laptop
    administrator.cache_clear()
    laptop.query("DROP TABLE IF EXISTS bike_trips")
    laptop.client("s3").delete_object(Bucket=bucket, Key="bikes/2024/09/manifest.json")


def apply(laptop: Laptop, columns: Mapping[str, str], *, going_back: bool = False) -> list[tuple[str, tuple[str, ...]]]:
    """What is changed outside the stacks for a release whose one dataset has these columns."""
    wanted = Wanted([Table("bikes", "bike_trips", columns)], going_back=going_back)
    environment, data = environments.load("local"), laptop.outputs("data")
    planned = unmanaged.plan(environment, data=data, wanted=wanted)
    assert unmanaged.apply(environment, data=data, wanted=wanted, report=lambda line: None) == planned
    return [(change.name, change.properties) for change in planned]


def columns(laptop: Laptop) -> list[tuple[Any, ...]]:
    return laptop.query(
        "SELECT column_name, data_type, character_maximum_length FROM svv_columns WHERE table_name = 'bike_trips' "
        "ORDER BY ordinal_position"
    )


def statements(laptop: Laptop) -> int:
    pages = laptop.client("redshift-data").get_paginator("list_statements").paginate(RoleLevel=False)
    return sum(len(page["Statements"]) for page in pages)


def test_columns_are_added_and_texts_widened_once_and_the_rows_stay(warehouse: Laptop) -> None:
    assert apply(warehouse, AFTER) == [("public.bike_trips", ("bike", "paid", "tip"))]
    assert columns(warehouse) == [*ALTERED, *ADDED]
    assert warehouse.query("SELECT bike, fare, tip, paid FROM bike_trips ORDER BY 1") == [
        ("a", 1, None, None),
        ("b", 2, None, None),
    ]
    before = statements(warehouse)
    assert apply(warehouse, AFTER) == []
    assert statements(warehouse) == before, "a statement would wake the warehouse"


def test_what_is_left_is_altered_where_an_earlier_attempt_was_killed(warehouse: Laptop) -> None:
    warehouse.query("ALTER TABLE bike_trips ADD COLUMN tip DECIMAL(9,2)")
    assert apply(warehouse, AFTER) == [("public.bike_trips", ("bike", "paid"))]
    assert columns(warehouse) == [*ALTERED, *ADDED]


@pytest.fixture
def load(warehouse: Laptop) -> Callable[[str], None]:
    """Runs statements of a load that copied its rows before the table was altered, in one session."""
    api, target = warehouse.client("redshift-data"), {"WorkgroupName": "elt-local", "Database": "elt"}

    def run(sql: str, **session: Any) -> str:
        started = api.execute_statement(Sql=sql, **session)
        while (found := api.describe_statement(Id=started["Id"]))["Status"] not in ("FINISHED", "FAILED", "ABORTED"):
            time.sleep(0.05)
        assert found["Status"] == "FINISHED", found.get("Error")
        return str(found["SessionId"])

    session = run("CREATE TEMP TABLE copied (LIKE bike_trips)", SessionKeepAliveSeconds=60, **target)
    run("INSERT INTO copied VALUES ('c', 3, '2024-12-01')", SessionId=session)
    return lambda sql: run(sql, SessionId=session) and None


def test_a_load_that_is_under_way_keeps_its_rows(warehouse: Laptop, load: Callable[[str], None]) -> None:
    apply(warehouse, AFTER)
    for statement in ("BEGIN", "LOCK bike_trips", INSERT, "COMMIT"):
        load(statement)
    assert warehouse.query("SELECT bike, fare, tip, paid FROM bike_trips ORDER BY 1")[2:] == [("c", 3, None, None)]


def test_a_load_that_holds_the_table_is_waited_for(warehouse: Laptop, load: Callable[[str], None]) -> None:
    for statement in ("BEGIN", "LOCK bike_trips", INSERT):
        load(statement)
    with ThreadPoolExecutor(1) as pool:
        altered = pool.submit(apply, warehouse, AFTER)
        load("COMMIT")
        assert altered.result() == [("public.bike_trips", ("bike", "paid", "tip"))]
    assert columns(warehouse) == [*ALTERED, *ADDED]
    assert warehouse.query("SELECT bike FROM bike_trips ORDER BY 1") == [("a",), ("b",), ("c",)]


def test_a_table_that_no_load_has_made_is_looked_for_again_by_the_next_deployment(warehouse: Laptop) -> None:
    """A load of an earlier release may make it meanwhile, without the column."""
    warehouse.query("DROP TABLE bike_trips")
    assert apply(warehouse, AFTER) == []
    warehouse.query("CREATE TABLE bike_trips (bike VARCHAR(6), fare INTEGER, source_month DATE)")
    assert apply(warehouse, AFTER) == [("public.bike_trips", ("bike", "paid", "tip"))]
    assert columns(warehouse) == [*ALTERED, *ADDED]


REFUSED = [
    pytest.param(
        {**BEFORE, "fare": "BIGINT"},
        "the column fare of public.bike_trips is INTEGER, and BIGINT in the dataset 'bikes': Redshift changes no "
        "column to another type; give it INTEGER again, or a column of another name",
        id="another type",
    ),
    pytest.param(
        {**BEFORE, "bike": "VARCHAR(3)"},
        "the column bike of public.bike_trips is VARCHAR(6), and VARCHAR(3) in the dataset 'bikes': text that is "
        "loaded may be longer; give it VARCHAR(6) again, or a column of another name",
        id="narrower",
    ),
    pytest.param(
        {"bike": "VARCHAR(6)", "source_month": "DATE"},
        "public.bike_trips has the column fare, and the dataset 'bikes' has not: a deployment drops no data; give it "
        "back to the dataset (an era may leave it out), or `ALTER TABLE public.bike_trips DROP COLUMN fare` and deploy "
        "again",
        id="removed",
    ),
]


@pytest.mark.parametrize(("wanted", "message"), REFUSED)
def test_what_cannot_be_is_refused_by_the_column_and_nothing_is_altered(
    wanted: Mapping[str, str], message: str, warehouse: Laptop
) -> None:
    before = columns(warehouse)
    with pytest.raises(DeployError) as refused:
        apply(warehouse, {**wanted, "tip": "DECIMAL(9,2)"})
    assert str(refused.value) == message
    assert columns(warehouse) == before


def test_all_columns_that_are_refused_are_named() -> None:
    with pytest.raises(DeployError) as refused:
        tables.alterations(
            Table("bikes", "bike_trips", {"fare": "DATE"}), {"bike": "DATE", "fare": "BIGINT"}, going_back=False
        )
    assert [word for word in ("column bike", "column fare") if word in str(refused.value)] == [
        "column bike",
        "column fare",
    ]


def test_a_release_that_was_there_before_goes_without_what_a_later_one_added(warehouse: Laptop) -> None:
    apply(warehouse, AFTER)
    assert apply(warehouse, BEFORE, going_back=True) == []
    assert columns(warehouse) == [*ALTERED, *ADDED]
    with pytest.raises(DeployError, match=r"^the column fare of public\.bike_trips is INTEGER, and DATE "):
        apply(warehouse, {**BEFORE, "fare": "DATE"}, going_back=True)


def test_the_tables_are_read_from_the_wheel_as_the_transform_reads_them() -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as wheel:
        source = ROOT / "packages" / "glue-transform" / "src"
        for file in sorted(source.rglob("*.toml")):
            wheel.write(file, file.relative_to(source).as_posix())
    described = {one.dataset: (one.name, dict(one.columns)) for one in tables.read_wheel(body.getvalue())}
    assert described == {
        name: (datasets.load(name).table, {one.name: str(one.type) for one in datasets.load(name).columns})
        for name in datasets.names()
    }


@pytest.mark.parametrize("text", ["table = ", 'table = "x"', 'table = "x"\ncolumns = [1]'])
def test_a_dataset_that_says_nothing_of_its_table_is_named(text: str) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as wheel:
        wheel.writestr("glue_transform/datasets/bikes.toml", text)
    with pytest.raises(DeployError, match=r"^the dataset bikes\.toml says nothing of its table \("):
        tables.read_wheel(body.getvalue())
