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
from orchestration.reviews.source import deliver

pytestmark = pytest.mark.timeout(600)

PIPELINE = pipelines.load_daily("reviews")
STATES = ["WaitForTurn", "SchemaSetupJob", "ETLJob", "ReportJob", "ListReportFiles", "WriteManifest", "ForgetFailure"]
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


def delivered(laptop: Laptop, source: Path) -> dict[str, Any]:
    """A run that succeeds, after which table, report, manifest and figures are those of the source."""
    run = laptop.elt_json("run", "reviews", "--source", str(source))
    assert [(one["name"], one["status"]) for one in run["states"] if one["name"] != "NotifyRecovery"] == [
        (name, "SUCCEEDED") for name in [*STATES, "PipelineSucceeded"]
    ]
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
    done = laptop.elt("run", "reviews", "--json", *(("--source", str(source)) if source else ()))
    assert done.returncode == 1, done.stderr
    run = json.loads(done.stdout)
    told = [(one["name"], one["status"]) for one in run["states"] if one["name"] != "RememberFailure"]
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


def test_a_failing_load(laptop: Laptop, source: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(source, tmp_path / "broken")
    (broken / "product_category=Music" / "part-0.parquet").write_text("<html>503 Slow Down</html>")
    failed(laptop, "ETLJob", "Spectrum Scan Error", source=broken)
    empty = shutil.copytree(source, tmp_path / "empty")
    for category in PIPELINE.categories:
        change(empty, category, "FROM was WHERE year < 2015")
    failed(laptop, "ETLJob", "the source holds 0 reviews of these years", source=empty)


def test_a_failing_report(laptop: Laptop, source: Path, tmp_path: Path) -> None:
    absurd = shutil.copytree(source, tmp_path / "absurd")
    change(absurd, "Home", "SELECT * REPLACE (2000000 AS star_rating, 2015 AS year) FROM was LIMIT 1")
    failed(laptop, "ReportJob", "top_reviews.sql:5:1: statement 1", source=absurd)
    deliver(str(source), laptop.client("s3"), laptop.outputs("data")["RawBucket"])


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
        deliver(str(other), s3, laptop.outputs("data")["RawBucket"])
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
def denied(laptop: Laptop, role: str, action: str) -> Iterator[None]:
    """A role that may not do something."""
    iam = laptop.client("iam")
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="denied")


@pytest.mark.parametrize(("state", "action"), [("ListReportFiles", "s3:GetObject"), ("WriteManifest", "s3:PutObject")])
def test_a_manifest_that_cannot_be_made(laptop: Laptop, source: Path, state: str, action: str) -> None:
    with denied(laptop, "elt-local-reviews", action):
        failed(laptop, state, action)


def test_the_schedule_runs_a_day_once(laptop: Laptop, source: Path) -> None:
    states, machine = laptop.client("stepfunctions"), laptop.outputs("pipelines")["Reviews"]

    def wait_for(name: str) -> dict[str, Any]:
        """The execution, which the schedule's call to the trigger starts a moment later, at its end."""
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

    for moment in ("2031-09-05T06:00:00Z", "2031-09-05T06:59:00Z", "2031-09-06T06:00:00Z"):
        fired = laptop.run(
            *("local-cloud", "fire", "elt-local-reviews", "--state", str(laptop.state), "--time", moment)
        )
        assert fired.returncode == 0, fired.stderr
    for day in ("2031-09-05", "2031-09-06"):
        execution = wait_for(f"reviews-{day}")
        assert (execution["status"], json.loads(execution["input"])) == ("SUCCEEDED", {"day": day})
    output = json.loads(execution["output"])
    assert (output["dataset"], output["day"]) == ("reviews", "2031-09-06")
    started = [one["name"] for one in states.list_executions(stateMachineArn=machine)["executions"]]
    assert sorted(name for name in started if "2031" in name) == ["reviews-2031-09-05", "reviews-2031-09-06"]
    assert table(laptop) == truth(source)


def test_real_tsv_files(laptop: Laptop) -> None:
    folder = SHARED_DATA / "amazon" / "heads"
    if not folder.is_dir():
        pytest.skip("the real review files are not beside this checkout (../shared/data)")
    done = laptop.elt("run", "reviews", "--source", str(folder))
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
