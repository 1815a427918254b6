"""The reviews, end to end: Parquet in S3, the table, the report and what the dashboard reads; every day anew."""

from __future__ import annotations

import base64
import csv
import gzip
import html
import io
import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from laptop import SHARED_DATA, Laptop
from orchestration import pipelines
from orchestration.generate import reviews as generate
from orchestration.reviews import delivery, placing

pytestmark = pytest.mark.timeout(600)

PIPELINE = pipelines.load_daily("reviews")
STATES = ["SchemaSetupJob", "ETLJob", "ReportJob", "ListReportFiles", "WriteManifest", "ClearFailureMark"]
#: What gives a run its turn: ReadTurn and AskHolder, where another run had it before.
TURN = ["FindDelivery", "FindTurn", "ReadTurn", "AskHolder", "TakeTurn"]
COLUMNS = (
    "marketplace, customer_id, review_id, product_id, product_parent, product_title, product_category, star_rating, "
    "helpful_votes, total_votes, vine, verified_purchase, review_headline, review_body, review_date, year"
)
HEADER = ["marketplace", "product_category", "product_title", "review_id", "avg_star_rating", "helpful_votes"]
NASTY = 'Chairs, "two" of \'em;\nblack\r\n\\n | <br />\t&#34; ☕ — ümläut\\'


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is delivered, and what tests change."""
    return generate(tmp_path_factory.mktemp("source") / "reviews", categories=PIPELINE.categories, rows=1_500)


def lake(folder: Path) -> str:
    return f"read_parquet('{folder}/*/*.parquet', hive_partitioning = true, hive_types = {{product_category: VARCHAR}})"


def truth(folder: Path) -> list[tuple[Any, ...]]:
    """The rows that the table must hold, straight from the files."""
    sql = f"SELECT {COLUMNS} FROM {lake(folder)} WHERE year >= 2015 ORDER BY ALL"
    return duckdb.connect().execute(sql).fetchall()


def table(laptop: Laptop) -> list[tuple[Any, ...]]:
    return sorted(laptop.query(f"SELECT {COLUMNS} FROM public.reviews"))


def deliver(laptop: Laptop, source: Path, *, s3: Any = None) -> None:
    """Put a source in place without a run, as a client of one's own."""
    bucket, s3 = laptop.outputs("data")["RawBucket"], s3 or laptop.client("s3")
    with delivery.prepare(str(source), s3, bucket, pipeline=PIPELINE) as prepared:
        placing.place(prepared, s3, bucket)


def delivered(laptop: Laptop, source: Path, *given: str) -> dict[str, Any]:
    """A run that succeeds, after which table, report, manifest and figures are those of the source."""
    run = laptop.elt_json("run", "reviews", "--source", str(source), *given)
    assert [(one["name"], one["status"]) for one in run["states"] if one["name"] not in (*TURN, "NotifyRecovery")] == [
        (name, "SUCCEEDED") for name in [*STATES, "PipelineSucceeded"]
    ]
    assert {one["status"] for one in run["states"]} == {"SUCCEEDED"}
    agrees(laptop, source, run["name"])
    return run


def agrees(laptop: Laptop, source: Path, run: str) -> None:
    expected = truth(source)
    assert table(laptop) == expected
    checks = laptop.elt_json("verify", "reviews")
    assert [check["category"] for check in checks] == list(PIPELINE.categories)
    assert sum(check["source"] for check in checks) == sum(check["loaded"] for check in checks) == len(expected)
    assert all(check["agrees"] for check in checks)
    figures = read(laptop, "run_000.json")
    told = json.loads(figures)
    assert (told["run_id"], told["since_year"]) == (run, 2015)
    assert told["rows_read"] == told["rows_loaded"] == len(expected)
    assert told["rows_reported"] == len(report(laptop)) - 1
    assert report(laptop) == [HEADER, *expected_report(source)]
    assert table_of_audit(laptop)[-1][:3] == (run, told["rows_deleted"], told["rows_inserted"])


def expected_report(source: Path) -> list[list[str]]:
    """The report by DuckDB, from the files, as text."""
    rows = duckdb.connect().execute(f"""
        SELECT marketplace, product_category, product_title, review_id,
          printf('%.2f', avg(star_rating)), CAST(helpful_votes AS VARCHAR)
        FROM {lake(source)} WHERE year >= 2015
        GROUP BY marketplace, product_category, product_title, review_id, helpful_votes
        ORDER BY helpful_votes DESC, marketplace, product_category, product_title, review_id
    """)
    return [list(row) for row in rows.fetchall()]


def report(laptop: Laptop) -> list[list[str]]:
    """The rows of the files that the manifest names, which must be one that QuickSight takes."""
    manifest = read(laptop, "manifest.json")
    assert not manifest.startswith(b"\xef\xbb\xbf")
    found = json.loads(manifest.decode("ascii"))
    uri = f"s3://{laptop.outputs('data')['ReportsBucket']}/reviews/top_reviews/top_reviews_000.csv"
    assert found == {
        "fileLocations": [{"URIs": [uri]}],
        "globalUploadSettings": {"format": "CSV", "delimiter": ",", "textqualifier": '"', "containsHeader": "true"},
    }
    text = read(laptop, "top_reviews/top_reviews_000.csv").decode("utf-8")
    return list(csv.reader(io.StringIO(text, newline="")))


def read(laptop: Laptop, name: str) -> bytes:
    bucket = laptop.outputs("data")["ReportsBucket"]
    body: bytes = laptop.client("s3").get_object(Bucket=bucket, Key=f"reviews/{name}")["Body"].read()
    return body


def table_of_audit(laptop: Laptop) -> list[tuple[Any, ...]]:
    """Runs with the rows they deleted and inserted, oldest first."""
    return laptop.query("SELECT run_id, rows_deleted, rows_inserted FROM public.reviews_audit ORDER BY loaded_at")


def catalog(laptop: Laptop) -> tuple[Any, ...]:
    """The external table as `aws glue` shows it: columns and partitions."""
    database = laptop.outputs("data")["CatalogDatabase"]
    (found,) = laptop.aws("glue", "get-tables", "--database-name", database)["TableList"]
    partitions = laptop.aws("glue", "get-partitions", "--database-name", database, "--table-name", found["Name"])
    return (
        found["Name"],
        [column["Name"] for column in found["StorageDescriptor"]["Columns"]],
        [column["Name"] for column in found["PartitionKeys"]],
        sorted((one["Values"], one["StorageDescriptor"]["Location"]) for one in partitions["Partitions"]),
    )


def test_the_first_day_and_a_second_that_changes_nothing(laptop: Laptop, source: Path) -> None:
    delivered(laptop, source)
    first = catalog(laptop)
    place = f"s3://{laptop.outputs('data')['RawBucket']}/reviews/product_category="
    assert first == (
        "reviews",
        COLUMNS.replace(" product_category,", "").split(", "),
        ["product_category"],
        sorted(([name], f"{place}{name}/") for name in PIPELINE.categories),
    )
    storage = "SELECT diststyle, sortkey1 FROM svv_table_info WHERE \"schema\" = 'public' AND \"table\" = 'reviews'"
    assert laptop.query(storage) == [("KEY(product_id)", "review_date")]
    again = laptop.elt_json("run", "reviews")
    agrees(laptop, source, again["name"])
    assert catalog(laptop) == first
    assert table_of_audit(laptop)[-1] == (again["name"], 0, 0)
    status = laptop.elt_json("status", "reviews", "--limit", "1")
    assert [(one["name"], one["status"]) for one in status] == [(again["name"], "SUCCEEDED")]
    logged = laptop.elt("logs", again["name"])
    assert {line.split()[1] for line in logged.stdout.splitlines()} == {"SchemaSetupJob", "ETLJob", "ReportJob"}


def change(folder: Path, category: str, sql: str) -> None:
    """Replace a category's file by what `sql` makes of its rows, the table `was`."""
    (file,) = (folder / f"product_category={category}").glob("*.parquet")
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE was AS FROM read_parquet('{file}', hive_partitioning = false)")
        connection.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet)")


def test_what_changed_in_the_source_changes_in_the_table(laptop: Laptop, source: Path) -> None:
    before = {row[2]: row for row in truth(source)}
    nasty = NASTY.replace("'", "''")
    change(source, "Books", f"""
        WITH ranked AS (SELECT *, row_number() OVER (ORDER BY review_id) AS n FROM was WHERE year >= 2015)
        SELECT * EXCLUDE (n) REPLACE (
          CASE n WHEN 1 THEN '{nasty}' ELSE product_title END AS product_title,
          CASE n WHEN 2 THEN star_rating % 5 + 1 ELSE star_rating END AS star_rating,
          CASE n WHEN 3 THEN NULL ELSE review_body END AS review_body
        ) FROM ranked WHERE n <> 4
        UNION ALL SELECT * FROM was WHERE year < 2015
        UNION ALL SELECT * REPLACE ('RNEW1' AS review_id, 2016 AS year) FROM (FROM was LIMIT 1)
        UNION ALL SELECT * REPLACE ('ROLD1' AS review_id, 2014 AS year) FROM (FROM was LIMIT 1)
    """)  # fmt: skip
    # The published data has ids that stand for more than one review: every row counts, and as often as it is there.
    change(source, "Toys", """
        FROM was
        UNION ALL FROM (FROM was WHERE year >= 2015 ORDER BY review_id LIMIT 1)
        UNION ALL SELECT * REPLACE ('another text' AS review_body)
          FROM (FROM was WHERE year >= 2015 ORDER BY review_id LIMIT 1)
    """)  # fmt: skip
    run = delivered(laptop, source)
    now = [row[2] for row in truth(source)]
    assert "RNEW1" in now
    assert "ROLD1" not in now
    assert len(now) == len(before) - 1 + 1 + 2
    assert NASTY in [row[2] for row in report(laptop)]
    page = laptop.elt_json("dashboard", "reviews")
    assert (page["reviews"], page["run"]) == (len(report(laptop)) - 1, run["name"])
    assert set(titles(Path(page["path"]))) == {html.unescape(row[2]) for row in report(laptop)[1:]}
    told = laptop.elt_json("report", run["name"])
    assert (told["execution"], told["status"]) == (run["execution"], "SUCCEEDED")
    assert "+0.0 s" in Path(told["path"]).read_text(encoding="utf-8")
    # Three changed, one gone and one that is three now, out; three changed, one new and those three in.
    assert table_of_audit(laptop)[-1] == (run["name"], 3 + 1 + 1, 3 + 1 + 3)


def titles(page: Path) -> list[str]:
    """The products' titles as a page of the dashboard carries them."""
    packed = re.search(r'data-column="title" data-type="json">([^<]+)<', page.read_text(encoding="utf-8"))
    assert packed
    found: list[str] = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    return found


def failed(laptop: Laptop, state: str, cause: str, *, source: Path | None = None) -> None:
    """The run fails at `state`; terminal and mail say the same; table and audit are as they were."""
    before, mails = (table(laptop), table_of_audit(laptop)), len(laptop.mails())
    manifest = read(laptop, "manifest.json")
    done = laptop.elt("run", "reviews", "--json", *(("--source", str(source), "--yes") if source else ()))
    assert done.returncode == 1, done.stderr
    run = json.loads(done.stdout)
    told = [(one["name"], one["status"]) for one in run["states"] if one["name"] != "SetFailureMark"]
    assert told[-3:] == [(state, "FAILED"), ("NotifyFailure", "SUCCEEDED"), ("PipelineFailed", "FAILED")]
    assert f"failed at {state}: " in done.stderr
    assert cause in done.stderr
    assert "try again: elt run reviews --env local" in done.stderr
    assert "Traceback" not in done.stderr
    (mail,) = laptop.mails()[mails:]
    text = mail.get_content()
    assert mail["Subject"] == f"[local] reviews {run['day']} failed at {state}"
    assert cause in " ".join(text.split())
    assert "elt run reviews --env local" in text
    assert run["name"] in text
    assert read(laptop, "manifest.json") == manifest
    if state in ("SchemaSetupJob", "ETLJob"):
        assert (table(laptop), table_of_audit(laptop)) == before


def test_a_failing_schema_set_up(laptop: Laptop, source: Path) -> None:
    database, glue = laptop.outputs("data")["CatalogDatabase"], laptop.client("glue")
    glue.delete_database(Name=database)
    try:
        failed(laptop, "SchemaSetupJob", "schema.sql:16:1: statement 3 (CREATE EXTERNAL TABLE amzreviews.reviews")
    finally:
        glue.create_database(DatabaseInput={"Name": database})
    mails = len(laptop.mails())
    delivered(laptop, source)
    (mail,) = laptop.mails()[mails:]
    assert mail["Subject"].endswith("succeeded after a failure")


def refused(laptop: Laptop, *given: str) -> str:
    """Why a delivery is refused, of which nothing is put in place and no run is started."""
    s3, bucket = laptop.client("s3"), laptop.outputs("data")["RawBucket"]
    states, machine = laptop.client("stepfunctions"), laptop.outputs("pipelines")["Reviews"]

    def seen() -> Any:
        objects = s3.list_objects_v2(Bucket=bucket, Prefix="reviews")["Contents"]
        runs = states.list_executions(stateMachineArn=machine)["executions"]
        return [(one["Key"], one["LastModified"]) for one in objects], [one["name"] for one in runs]

    before = seen()
    done = laptop.elt("run", "reviews", *given)
    assert (done.returncode, done.stdout) == (2, "")
    assert seen() == before
    return done.stderr


def test_a_delivery_with_one_bad_file_changes_nothing(laptop: Laptop, source: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(source, tmp_path / "broken")
    (broken / "product_category=Music" / "part-0.parquet").write_text("<html>503 Slow Down</html>")
    change(broken, "Toys", "SELECT * EXCLUDE (vine) FROM was")
    assert refused(laptop, "--source", str(broken)) == (
        "elt: nothing was put in place, since\n"
        "  product_category=Music/part-0.parquet is no Parquet file: it begins with b'<htm'\n"
    )
    (broken / "product_category=Music" / "part-0.parquet").unlink()
    assert refused(laptop, "--source", str(broken)) == (
        "elt: nothing was put in place, since\n"
        "  product_category=Toys/part-0.parquet has no column vine; it must have one, VARCHAR(8)\n"
    )


def test_a_delivery_in_wider_types_and_without_years_is_the_same_reviews(
    laptop: Laptop, source: Path, tmp_path: Path
) -> None:
    """As pandas writes the original TSV files."""
    wide, dated = (shutil.copytree(source, tmp_path / name) for name in ("wide", "dated"))
    for category in PIPELINE.categories:
        change(dated, category, "SELECT * REPLACE (CAST(year(review_date) AS INTEGER) AS year) FROM was")
        change(wide, category, f"""
            SELECT * EXCLUDE (year) REPLACE (
              CAST(customer_id AS BIGINT) AS customer_id, CAST(product_parent AS BIGINT) AS product_parent,
              CAST(star_rating AS DOUBLE) AS star_rating, CAST(review_date AS TIMESTAMP) AS review_date
            ), '{category.replace("_", " ")}' AS product_category FROM was
        """)  # fmt: skip
    done = laptop.elt("run", "reviews", "--source", str(wide))
    assert done.returncode == 0, done.stderr
    rows = rows_of(source / "*" / "*.parquet")
    assert f"converted 10 files: read {rows:,}, kept {rows:,}, rejected 0\n" in done.stderr
    assert table(laptop) == truth(dated)


def not_loaded(laptop: Laptop, *, gone: str = "") -> str:
    """Why ETLJob's SQL refuses what the source holds, by a run of its file alone; table and audit are as they were."""
    before = (table(laptop), table_of_audit(laptop))
    params = {"run_id": "by-hand", "day": "2031-01-01", "since_year": PIPELINE.since_year, "gone": f"/{gone}/"}
    done = laptop.run(
        *("rs-query", "run", str(PIPELINE.folder / "sql" / "etl.sql"), "--workgroup", "elt-local"),
        *("--database", "elt", *(word for name, value in params.items() for word in ("--param", f"{name}={value}"))),
    )
    assert done.returncode == 1, done.stderr
    assert (table(laptop), table_of_audit(laptop)) == before
    return done.stderr


def rows_of(file: Path) -> int:
    (rows,) = duckdb.connect().execute(f"SELECT count(*) FROM read_parquet('{file}')").fetchone() or (0,)
    return int(rows)


def test_a_category_without_reviews_is_refused_unless_it_is_said_to_be_gone(
    laptop: Laptop, source: Path, tmp_path: Path
) -> None:
    """In a delivery, and in the bucket itself, where nobody asked `elt`."""
    less = shutil.copytree(source, tmp_path / "less")
    change(less, "Toys", "FROM was WHERE year < 2015")
    rows = rows_of(source / "product_category=Toys" / "*.parquet")
    told = f"no reviews of 2015 or later would be left of Toys ({rows} in place); if that is meant: --gone Toys"
    assert refused(laptop, "--source", str(less)) == f"elt: nothing was put in place, since {told}\n"
    deliver(laptop, less)
    ((loaded,),) = laptop.query("SELECT COUNT(*) FROM public.reviews WHERE product_category = 'Toys'")
    told = f"no reviews of Toys are in the source, {loaded} in public.reviews, which stays as it was; deliver them, or "
    for gone in ("", "Music"):
        assert f'"{told}say that they are gone: elt run reviews --gone Toys"' in not_loaded(laptop, gone=gone)
    assert '"Books: not gone, the source holds ' in not_loaded(laptop, gone="Books/Toys")
    checks = json.loads(laptop.elt("verify", "reviews", "--json").stdout)
    beside = {"source": 0, "loaded": loaded, "agrees": False, "missing_from": ["source"]}
    assert [check for check in checks if check["missing_from"]] == [{"category": "Toys", **beside}]
    laptop.elt_json("run", "reviews", "--gone", "Toys")
    assert table(laptop) == truth(less)
    shown = laptop.elt("verify", "reviews")
    assert shown.returncode == 0
    assert re.findall(r"(?m)^Toys .*\S", shown.stdout) == ["Toys              0       0  no reviews"]


def test_reviews_without_a_year_fail_the_load_and_are_not_lost(laptop: Laptop, source: Path, tmp_path: Path) -> None:
    """Delivered without `elt`, which would have found the year, or put the review aside."""
    yearless = shutil.copytree(source, tmp_path / "yearless")
    change(yearless, "Toys", "SELECT * EXCLUDE (year) FROM was")
    name = "product_category=Toys/part-0.parquet"
    bucket = laptop.outputs("data")["RawBucket"]
    laptop.client("s3").upload_file(str(yearless / name), bucket, f"reviews/{name}")
    told = f"Toys: {rows_of(yearless / name)} reviews of the source have no year; public.reviews stays as it was"
    assert f'"{told}"' in not_loaded(laptop)
    assert laptop.elt("verify", "reviews").returncode == 1


def test_far_fewer_reviews_are_not_put_in_place_unasked(laptop: Laptop, source: Path, tmp_path: Path) -> None:
    deliver(laptop, source)
    fewer = shutil.copytree(source, tmp_path / "fewer")
    change(fewer, "Books", "FROM was WHERE year >= 2015 LIMIT 20")
    rows = rows_of(source / "product_category=Books" / "*.parquet")
    told = (
        f"the delivery holds far fewer reviews than are in place: Books 20 instead of {rows}; nothing was put in place"
    )
    assert refused(laptop, "--source", str(fewer)) == f"elt: {told}; --yes says that it is meant\n"
    delivered(laptop, fewer, "--yes")


def test_a_failing_load(laptop: Laptop, source: Path, tmp_path: Path) -> None:
    """What was delivered without `elt` is found out by the load."""
    s3, bucket = laptop.client("s3"), laptop.outputs("data")["RawBucket"]
    key = "reviews/product_category=Music/part-0.parquet"
    s3.put_object(Bucket=bucket, Key=key, Body=b"<html>503 Slow Down</html>")
    failed(laptop, "ETLJob", "Spectrum Scan Error")
    empty = shutil.copytree(source, tmp_path / "empty")
    for category in PIPELINE.categories:
        change(empty, category, "FROM was WHERE year < 2015")
    deliver(laptop, empty)
    assert '"the source holds 0 reviews of these years' in not_loaded(laptop)
    deliver(laptop, source)


def test_a_failing_report(laptop: Laptop, source: Path, tmp_path: Path) -> None:
    absurd = shutil.copytree(source, tmp_path / "absurd")
    change(absurd, "Home", "SELECT * REPLACE (2000000 AS star_rating, 2015 AS year) FROM was LIMIT 1")
    failed(laptop, "ReportJob", "top_reviews.sql:5:1: statement 1", source=absurd)
    deliver(laptop, source)


def test_a_delivery_that_was_killed_is_not_loaded(laptop: Laptop, source: Path, tmp_path: Path) -> None:
    """The same reviews under other names, so that both lie there when it is killed before it deletes the old ones."""
    other = shutil.copytree(source, tmp_path / "other")
    for file in other.rglob("*.parquet"):
        file.rename(file.with_name("other.parquet"))
    s3, before = laptop.client("s3"), (table(laptop), table_of_audit(laptop))

    def killed(**_: Any) -> None:
        raise KeyboardInterrupt

    s3.delete_objects = killed
    with pytest.raises(KeyboardInterrupt):
        deliver(laptop, other, s3=s3)
    refused = laptop.elt("run", "reviews")
    assert refused.returncode == 2
    assert "a delivery is under way or was cut short: s3://" in refused.stderr
    states, machine = laptop.client("stepfunctions"), laptop.outputs("pipelines")["Reviews"]
    arn = states.start_execution(stateMachineArn=machine, input='{"day": "2031-09-04"}')["executionArn"]
    while (execution := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.1)
    assert execution["status"] == "FAILED"
    assert execution["cause"].startswith("ETLJob: ")
    assert "delivery-under-way.parquet' has an invalid version number" in execution["cause"]
    assert (table(laptop), table_of_audit(laptop)) == before
    compared = laptop.elt("verify", "reviews")
    assert compared.returncode == 1
    assert "Spectrum Scan Error" in compared.stderr
    delivered(laptop, other)


@contextmanager
def denied(laptop: Laptop, role: str, action: str, key: str) -> Iterator[None]:
    """A role that may not do something with some of the reports bucket's objects."""
    iam = laptop.client("iam")
    resource = f"arn:aws:s3:::{laptop.outputs('data')['ReportsBucket']}/{key}"
    statement = {"Effect": "Deny", "Action": action, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="denied")


@pytest.mark.parametrize(
    ("state", "action", "key"),
    [
        ("ListReportFiles", "s3:GetObject", "reviews/top_reviews/*"),
        ("WriteManifest", "s3:PutObject", "reviews/manifest.json"),
    ],
)
def test_a_manifest_that_cannot_be_made(laptop: Laptop, source: Path, state: str, action: str, key: str) -> None:
    with denied(laptop, "elt-local-reviews", action, key):
        failed(laptop, state, action)


def fire(laptop: Laptop, moment: str) -> None:
    fired = laptop.run(*("local-cloud", "fire", "elt-local-reviews", "--state", str(laptop.state), "--time", moment))
    assert fired.returncode == 0, fired.stderr


def wait_for(laptop: Laptop, name: str) -> dict[str, Any]:
    """The execution, which the schedule's call to the trigger starts a moment later, at its end."""
    states, machine = laptop.client("stepfunctions"), laptop.outputs("pipelines")["Reviews"]
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    for _ in range(600):
        try:
            execution: dict[str, Any] = states.describe_execution(executionArn=arn)
            if execution["status"] != "RUNNING":
                return execution
        except states.exceptions.ExecutionDoesNotExist:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{name} has not ended")


def test_the_schedule_without_a_delivery_says_once_what_to_do(laptop: Laptop, source: Path) -> None:
    """In an environment as it is after it was made: nothing delivered, and no run had a turn."""
    s3, buckets, ssm = laptop.client("s3"), laptop.outputs("data"), laptop.client("ssm")
    for bucket, prefix in ((buckets["RawBucket"], "reviews/"), (buckets["ReportsBucket"], "reviews/turn.json")):
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
    ssm.delete_parameters(Names=["/elt/local/failing/reviews", "/elt/local/failing/reviews/delivery"])
    before, mails = (table(laptop), table_of_audit(laptop)), len(laptop.mails())
    for day in ("2031-10-01", "2031-10-02"):
        fire(laptop, f"{day}T06:00:00Z")
        execution = wait_for(laptop, f"reviews-{day}")
        assert execution["status"] == "SUCCEEDED"
        assert json.loads(execution["output"]) == {"dataset": "reviews", "day": day, "delivered": False}
    (mail,) = laptop.mails()[mails:]
    assert mail["Subject"] == "[local] reviews waits for its first delivery"
    assert "elt run reviews --source FOLDER_OR_S3_URI --env local" in mail.get_content()
    assert (table(laptop), table_of_audit(laptop)) == before
    delivered(laptop, source)
    assert len(laptop.mails()) == mails + 1, "nothing had failed, so nothing is said of it"
    assert ssm.get_parameters(Names=["/elt/local/failing/reviews/delivery"])["Parameters"] == []


def test_the_schedule_runs_a_day_once(laptop: Laptop, source: Path) -> None:
    states, machine = laptop.client("stepfunctions"), laptop.outputs("pipelines")["Reviews"]

    for moment in ("2031-09-05T06:00:00Z", "2031-09-05T06:59:00Z", "2031-09-06T06:00:00Z"):
        fire(laptop, moment)
    for day in ("2031-09-05", "2031-09-06"):
        execution = wait_for(laptop, f"reviews-{day}")
        assert (execution["status"], json.loads(execution["input"])) == ("SUCCEEDED", {"day": day})
    output = json.loads(execution["output"])
    assert (output["dataset"], output["day"]) == ("reviews", "2031-09-06")
    started = [one["name"] for one in states.list_executions(stateMachineArn=machine)["executions"]]
    assert sorted(name for name in started if "2031-09-0" in name) == ["reviews-2031-09-05", "reviews-2031-09-06"]
    assert table(laptop) == truth(source)


def test_real_tsv_files(laptop: Laptop) -> None:
    folder = SHARED_DATA / "amazon" / "heads"
    if not folder.is_dir():
        pytest.skip("the real review files are not beside this checkout (../shared/data)")
    done = laptop.elt("run", "reviews", "--source", str(folder), "--yes")
    assert done.returncode == 0, done.stderr
    assert "read 437, kept 437, rejected 0" in done.stderr
    published = {}
    for file in folder.glob("*.tsv"):
        _, *lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        for fields in (line.split("\t") for line in lines):
            if fields[6].replace(" ", "_") in PIPELINE.categories and fields[14] >= "2015":
                published[fields[2]] = tuple(fields)
    assert len(published) > 90
    categories = ", ".join(f"'{row[6].replace(' ', '_')}'" for row in published.values())
    columns = COLUMNS.removesuffix(", year").replace("product_category", "REPLACE(product_category, '_', ' ')")
    rows = laptop.query(f"SELECT {columns} FROM public.reviews WHERE product_category IN ({categories})")
    assert {row[2]: tuple(map(str, row)) for row in rows} == published
