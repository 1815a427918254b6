"""No permission too many, none too few: what the pipelines' roles may, held against what they do.

Every such role's actions are taken away one at a time; then the shortest path that needs the action has to fail with
AWS's own error. What no path here reaches is in NOT_REACHED, the roles that are not here in ELSEWHERE, with the reason.
"""

from __future__ import annotations

import functools
import http.server
import itertools
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import local_cloud.permissions.command
from laptop import ROOT, Laptop, deployed
from local_cloud.settings import Settings
from orchestration import objects
from orchestration.errors import EltError
from orchestration.generate import yellow_month
from orchestration.pipelines import Month

pytestmark = pytest.mark.timeout(600)

FOLDER = ROOT / "packages" / "orchestration" / "src" / "orchestration"
MONTH, MISSING = "2022-02", "2022-03"
#: It begins as Parquet does, and is a few parts of an upload long.
NOISE = b"PAR1" + bytes(20_000_000)
RUNNING = ("STARTING", "RUNNING", "STOPPING")
ROLE = "arn:aws:iam::123456789012:role/elt-local-"
#: What a machine knows of a failure when it tells of it.
FAILURE = {"state": "S", "error": "E", "cause": "c", "summary": "s", "logs": "l", "details": "d"}

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html (permissions)
_BROKEN = "only after an upload broke off in the middle: tests/test_faults.py kills jobs, too late to count on it here"
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
_SYNC = "in the policy that AWS gives for `glue:startJobRun.sync`; it does not say when it is used"
# https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-iam-policies.html
_SPECTRUM = "in the policy that AWS gives for external tables; it does not say which statement uses it"
_REGION = "Redshift may ask in which region a bucket is; the laptop has one"
_WHOLE = "AWS asks for it for UNLOAD; the laptop writes each file in one piece and does not read it back"
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
_DELIVERY = "a dead-letter queue of a function gets an event after two retries, three minutes later"

#: Grants, as `str(Grant)` has them, that no path below uses, and why they are there all the same.
NOT_REACHED = {
    "transform-trips/transform-trips/Processed/s3:AbortMultipartUpload": _BROKEN,
    "warehouse/write-reports/Files/s3:AbortMultipartUpload": _BROKEN,
    "warehouse/write-reports/Files/s3:ListMultipartUploadParts": _WHOLE,
    "warehouse/write-reports/Files/s3:GetObject": _WHOLE,
    "trips/run-jobs/Jobs/glue:GetJobRuns": _SYNC,
    "reviews/run-queries/Jobs/glue:GetJobRuns": _SYNC,
    "warehouse/read-reviews/ExternalTables/glue:GetDatabase": _SPECTRUM,
    "warehouse/read-reviews/ExternalTables/glue:GetPartition": _SPECTRUM,
    "warehouse/read-reviews/ExternalTables/glue:BatchGetPartition": _SPECTRUM,
    "warehouse/read-reviews/ExternalTables/glue:CreatePartition": _SPECTRUM,
    "warehouse/load-processed//s3:GetBucketLocation": _REGION,
    "warehouse/read-reviews/Locate/s3:GetBucketLocation": _REGION,
    "warehouse/write-reports/Locate/s3:GetBucketLocation": _REGION,
    "trigger/start-pipelines/GiveUp/sqs:SendMessage": _DELIVERY,
    "overdue/ask-and-answer/GiveUp/sqs:SendMessage": _DELIVERY,
    "failures/ask-and-mail/GiveUp/sqs:SendMessage": _DELIVERY,
}

#: Parts of grants whose lack is noticed without their action being named, since nobody is there who could.
UNNAMED = {
    "/logs:": "it is the log that lacks",
    "/sqs:SendMessage": "the queue is where it would be said",
    "/glue:BatchStopJobRun": "when an execution is stopped, Step Functions says nothing of what it could not stop",
    "/states:StopExecution": "as glue:BatchStopJobRun",
    "trips/run-jobs/MeasureRaw/": "S3 answers HEAD with 403 and no words",
    "warehouse/": "Redshift has its own words for it: S3ServiceException:Access Denied",
    "/events:": "Step Functions has its own words for it: is not authorized to create managed-rule",
}

#: The templates' other roles, and what shows that they have no permission too many.
ELSEWHERE = {
    "quicksight": "local-cloud has no QuickSight, which alone would ask for something by it",
    "deploy-dev": "what CloudFormation asks for in tests/test_policies.py, all else in tests/test_workflows.py",
    "deploy-prod": "its policies are those of deploy-dev",
    "plan-dev": "tests/test_workflows.py",
    "plan-prod": "its policy is that of plan-dev",
}


@dataclass(frozen=True)
class Grant:
    """One action of one statement of a role's inline policy."""

    role: str
    policy: str
    statement: int
    sid: str
    action: str

    def __str__(self) -> str:
        return f"{self.role}/{self.policy}/{self.sid}/{self.action}"


class Source(http.server.SimpleHTTPRequestHandler):
    """A folder over HTTP; what is asked for under /slow/ comes when the server ends, under /noise/ is no Parquet."""

    end = threading.Event()

    def do_GET(self) -> None:
        if self.path.startswith("/slow/"):
            self.end.wait(60)
            return
        if self.path.startswith("/noise/"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(NOISE)))
            self.end_headers()
            self.wfile.write(NOISE)
            return
        super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Not on stderr."""


@dataclass
class Ground:
    """A deployed laptop, and the paths over it. Each path returns what somebody would notice, "" when all is well."""

    laptop: Laptop
    source: str
    counter: Any = field(default_factory=itertools.count)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.laptop.client(service)
        return self.clients[service]

    @property
    def slow_source(self) -> str:
        return self.source.replace("/{dataset}", "/slow/{dataset}")

    @functools.cached_property
    def outputs(self) -> dict[str, str]:
        return self.laptop.outputs("artifacts") | self.laptop.outputs("data") | self.laptop.outputs("pipelines")

    def usage(self) -> dict[str, Any]:
        return local_cloud.permissions.command.usage(
            Settings.create(state_dir=self.laptop.state, port=self.laptop.port)
        )

    # Jobs

    def job(self, name: str, **arguments: str) -> str:
        """Run a job to its end: its error; of one that succeeds, the denials in its log, or that it has no log."""
        glue = self.client("glue")
        given = {f"--{key}": value for key, value in arguments.items()}
        run_id = glue.start_job_run(JobName=f"elt-local-{name}", Arguments=given)["JobRunId"]
        while (run := glue.get_job_run(JobName=f"elt-local-{name}", RunId=run_id)["JobRun"])["JobRunState"] in RUNNING:
            time.sleep(0.1)
        if run["JobRunState"] != "SUCCEEDED":
            return str(run["ErrorMessage"])
        lines = self.lines("/aws-glue/python-jobs/output", run_id)
        return "".join(map(denial_in, lines)) if lines else f"{name} left no log"

    def newest(self, job: str) -> dict[str, Any]:
        return dict(self.client("glue").get_job_runs(JobName=f"elt-local-{job}")["JobRuns"][0])

    def lines(self, group: str, stream: str) -> list[str]:
        logs = self.client("logs")
        try:
            found = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
        except ClientError:
            return []
        return [event["message"] for event in found]

    def ingest(self) -> str:
        """Into a place of its own each time."""
        prefix = f"permissions/{next(self.counter)}"
        return self.job("ingest-raw", **self.month, source_url=self.source, prefix=prefix)

    def ingest_into_a_new_log(self) -> str:
        with without_log_group(self, "/aws-glue/python-jobs/output"):
            return self.ingest()

    def ingest_what_is_not_in_s3(self) -> str:
        """A month that is missing is said to be missing, not to be forbidden."""
        url = f"s3://{self.outputs['RawBucket']}/none/{{dataset}}_tripdata_{{year}}-{{month}}.parquet"
        error = self.job("ingest-raw", **self.month, source_url=url, prefix=f"permissions/{next(self.counter)}")
        return "" if "404" in error else error

    def ingest_what_is_no_parquet(self) -> str:
        """A stream that turns out to be something else when parts of it are in S3: those are removed."""
        url, prefix = self.source.replace("/{dataset}", "/noise/{dataset}"), f"permissions/{next(self.counter)}"
        error = self.job("ingest-raw", **self.month, source_url=url, prefix=prefix)
        assert "NotParquet" in error, error
        left = self.client("s3").list_multipart_uploads(Bucket=self.outputs["RawBucket"]).get("Uploads", [])
        lines = self.lines("/aws-glue/python-jobs/output", self.newest("ingest-raw")["Id"])
        said = "".join(map(denial_in, lines))
        return said or (f"left: {left}" if any(each["Key"].startswith(prefix) for each in left) else "")

    def transform(self) -> str:
        return self.job("transform-trips", **self.month)

    def transform_again(self) -> str:
        """Twice: the second load takes the place of the first, which is deleted."""
        noticed = self.transform()
        listed = self.client("s3").list_objects_v2(Bucket=self.outputs["ProcessedBucket"], Prefix="yellow/2022/02/")
        loads = {item["Key"].split("/")[3] for item in listed["Contents"] if item["Key"].count("/") == 4}
        return noticed or (f"{len(loads)} loads are left" if len(loads) > 1 else "")

    def transform_what_is_not_in_s3(self) -> str:
        """A month that is missing is said to be missing, not to be forbidden."""
        error = self.job("transform-trips", dataset="yellow", year=MISSING[:4], month=MISSING[5:])
        return "" if "ingest the month first" in error else error

    def transform_into_a_new_log(self) -> str:
        with without_log_group(self, "/aws-glue/python-jobs/output"):
            return self.transform()

    def query(self, sql: str = "select 1", **options: str) -> str:
        key = f"orchestration/permissions/{uuid.uuid4()}.sql"
        bucket = self.outputs["ArtifactBucket"]
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=sql.encode())
        return self.job("rs-query", sql=f"s3://{bucket}/{key}", **options)

    def query_that_loads_a_broken_file(self) -> str:
        """Its error has what Redshift says of the file."""
        bucket = self.outputs["ProcessedBucket"]
        self.client("s3").put_object(Bucket=bucket, Key="permissions/broken.csv", Body=b"1,two\n")
        copy = f"COPY t FROM 's3://{bucket}/permissions/broken.csv' IAM_ROLE default FORMAT AS CSV"
        error = self.query(f"CREATE TEMP TABLE t (a INTEGER, b INTEGER); {copy}")
        found = f"load error in s3://{bucket}/permissions/broken.csv, line 1, column b (int4): Invalid digit"
        return "" if found in error else error

    def query_into_a_new_log(self) -> str:
        with without_log_group(self, "/aws-glue/python-jobs/output"):
            return self.query()

    def query_as_transaction(self) -> str:
        return self.query("select 1; select 2", transaction="true")

    def query_with_manifest(self) -> str:
        manifest = f"s3://{self.outputs['ProcessedBucket']}/yellow/2022/02/manifest.json#/load"
        names = ["load_id", "dataset", "source_month", "rows_read", "rows_kept", "rows_rejected", "manifest"]
        return self.query(f"select {', '.join(f':{name}' for name in names)}", **{"params-uri": manifest})

    def query_until_it_takes_too_long(self) -> str:
        """It waits for a lock; its statement is gone with the run."""
        session = self.begin("lock table contended")
        error = self.query("insert into contended values (1)", timeout="4")
        left = self.at_work()
        self.in_session(session, "rollback")
        assert error, "it was to take too long"
        return error if left else ""

    def query_that_conflicts(self) -> str:
        """Its snapshot is stale when it gets the lock: the transaction is undone, and run again."""
        session = self.begin("insert into contended values (1)")

        def commit() -> None:
            self.until(lambda: "delete from contended" in self.at_work())
            self.in_session(session, "commit")

        other = threading.Thread(target=commit)
        other.start()
        noticed = self.query("begin; select count(*) from contended; delete from contended; commit")
        other.join()
        lines = self.lines("/aws-glue/python-jobs/output", self.newest("rs-query")["Id"])
        return noticed or ("" if any('"retry"' in line for line in lines) else "there was no conflict")

    def begin(self, sql: str) -> str:
        """Open a transaction on the table `contended`, of somebody else; its session."""
        self.sql("create table if not exists contended (a int)")
        api = self.client("redshift-data")
        begun = api.execute_statement(Sql="begin", SessionKeepAliveSeconds=60, **self.database)
        self.until(lambda: api.describe_statement(Id=begun["Id"])["Status"] == "FINISHED")
        self.in_session(begun["SessionId"], sql)
        return str(begun["SessionId"])

    def in_session(self, session: str, sql: str) -> None:
        api = self.client("redshift-data")
        statement = api.execute_statement(Sql=sql, SessionId=session)["Id"]
        self.until(lambda: api.describe_statement(Id=statement)["Status"] == "FINISHED")

    def at_work(self) -> list[str]:
        """List the statements that run or wait for a lock."""
        found = self.client("redshift-data").list_statements(Status="STARTED", RoleLevel=False)["Statements"]
        return [each["QueryString"].strip() for each in found]

    @property
    def database(self) -> dict[str, str]:
        return {"WorkgroupName": self.outputs["Workgroup"], "Database": self.outputs["Database"]}

    @property
    def month(self) -> dict[str, str]:
        return {"dataset": "yellow", "year": MONTH[:4], "month": MONTH[5:]}

    # The warehouse

    def sql(self, *statements: str) -> str:
        """Statements by the warehouse's administrator: only the warehouse's role can be lacking something."""
        api, serverless = self.client("redshift-data"), self.client("redshift-serverless")
        namespace = serverless.get_namespace(namespaceName=self.outputs["Namespace"])["namespace"]
        for statement in statements:
            found = api.execute_statement(Sql=statement, SecretArn=namespace["adminPasswordSecretArn"], **self.database)
            while (told := api.describe_statement(Id=found["Id"]))["Status"] not in ("FINISHED", "FAILED"):
                time.sleep(0.02)
            if told["Status"] == "FAILED":
                return str(told["Error"])
        return ""

    def copy(self) -> str:
        manifest = f"s3://{self.outputs['ProcessedBucket']}/yellow/2022/02/manifest.json"
        return self.sql(
            "create table if not exists copied (like yellow_trips)",
            f"copy copied from '{manifest}' iam_role default format as parquet manifest",
        )

    def copy_by_prefix(self) -> str:
        load = self.client("s3").list_objects_v2(Bucket=self.outputs["ProcessedBucket"], Prefix="yellow/2022/02/")
        part = next(item["Key"] for item in load["Contents"] if item["Key"].endswith(".parquet"))
        return self.sql(
            "create table if not exists copied (like yellow_trips)",
            f"copy copied from 's3://{self.outputs['ProcessedBucket']}/{part}' iam_role default format as parquet",
        )

    def external(self) -> str:
        """An external table over the reviews' folder: made, listed, read, and dropped."""
        s3, raw = self.client("s3"), self.outputs["RawBucket"]
        month = s3.list_objects_v2(Bucket=raw, Prefix="yellow/2022/02/")["Contents"][0]["Key"]
        s3.copy_object(Bucket=raw, Key="reviews/permissions/p=x/a", CopySource=f"{raw}/{month}")
        folder = f"s3://{raw}/reviews/permissions/"
        name = f"t{next(self.counter)}"
        try:
            return self.sql(
                "create external schema if not exists permissions from data catalog "
                f"database '{self.outputs['CatalogDatabase']}' iam_role default",
                f"create external table permissions.{name} (vendorid int) partitioned by (p varchar(9)) "
                f"stored as parquet location '{folder}'",
                f"alter table permissions.{name} add partition (p = 'x') location '{folder}p=x/'",
                f"select count(vendorid) from permissions.{name}",
                "select count(*) from svv_external_tables where schemaname = 'permissions'",
                f"drop table permissions.{name}",
            )
        finally:
            glue = self.client("glue")
            for table in glue.get_tables(DatabaseName=self.outputs["CatalogDatabase"])["TableList"]:
                if table["Name"] == name:
                    glue.delete_table(DatabaseName=self.outputs["CatalogDatabase"], Name=name)

    def unload(self) -> str:
        folder = f"s3://{self.outputs['ReportsBucket']}/reviews/permissions/"
        return self.sql(
            f"unload ('select 1 as a') to '{folder}a_' iam_role default format as csv allowoverwrite manifest"
        )

    # Machines

    def state(self, pipeline: str, name: str, /, *, stop: bool = False, on: bool = False, **variables: Any) -> str:
        """Run a deployed machine from one of its states on, as the machine's role: what somebody would notice.

        What the state catches goes on as it would. Where nothing is caught the execution ends, unless it is to go `on`.
        Nothing is tried again. With `stop`, the execution is stopped once its Task has begun.
        """
        states = self.client("stepfunctions")
        machine = states.describe_state_machine(stateMachineArn=self.outputs[pipeline].removesuffix(":live"))
        found = json.loads(machine["definition"])["States"]
        first = variables.pop("start_at", "")
        given = {"period": MISSING, "day": "2022-03-01", "rerun": "again", "pipeline": "yellow-trips", "healed": []}
        found |= {
            "Given": {"Type": "Pass", "Assign": given | variables, "Next": name},
            "Cut": {"Type": "Succeed", "Output": {}},
            name: {key: value for key, value in found[name].items() if key != "Retry"}
            | ({} if on else {"Next": "Cut"}),
        }
        if first:  # of a Map, one state by itself
            inner = found[name]["ItemProcessor"]
            found[name]["ItemProcessor"] = inner | {"StartAt": first, "States": {first: alone(inner["States"][first])}}
        short = {"QueryLanguage": "JSONata", "StartAt": "Given", "States": reachable_from(found, "Given")}
        try:  # what its role needs to hear of other executions' end is asked for when it is made
            arn = states.create_state_machine(
                name=f"permissions-{uuid.uuid4()}", roleArn=machine["roleArn"], definition=json.dumps(short)
            )["stateMachineArn"]
        except ClientError as error:
            return str(error)
        execution = states.start_execution(stateMachineArn=arn)["executionArn"]
        if stop:
            self.until(lambda: "TaskSubmitted" in self.events(execution))
            states.stop_execution(executionArn=execution)
        ended = self.until(
            lambda: (one := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and one
        )
        if ended["status"] == "SUCCEEDED":
            return str(json.loads(ended["output"]).get("warning", ""))
        return "" if stop else str(ended.get("cause", ""))

    def take_turn(self) -> str:
        turn = self.client("s3").head_object(Bucket=self.outputs["ReportsBucket"], Key="reviews/turn.json")
        return self.state("ReviewsLive", "TakeTurn", etag=turn["ETag"])

    def ask_holder(self) -> str:
        """Of a run of reviews that ended at once, since it was given no day."""
        states = self.client("stepfunctions")
        started = states.start_execution(stateMachineArn=self.outputs["ReviewsLive"], input="{}")
        return self.state("ReviewsLive", "AskHolder", holder=started["executionArn"])

    def events(self, execution: str) -> list[str]:
        history = self.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        return [event["type"] for event in history]

    @staticmethod
    def until(ready: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 60
        while not (found := ready()):
            assert time.monotonic() < deadline, "it did not come"
            time.sleep(0.05)
        return found

    def ingest_state(self, *, slow: bool = False) -> str:
        """IngestRaw of a month whose file is not there; or of one that does not come, stopped half way."""
        year, month = MISSING.split("-")
        prefix = f"permissions/{next(self.counter)}"
        url = self.slow_source if slow else self.source
        given = {"year": year, "month": month, "source_url": url, "force": "false", "prefix": prefix}
        told = self.state("YellowTripsLive", "IngestRaw", stop=slow, **given)
        if slow:
            return self.not_stopped("ingest-raw")
        return denial_in(told)

    def spark_state(self) -> str:
        """TransformTrips on Spark, of what is no month: the job refuses it before Spark starts."""
        job, given = "elt-local-transform-trips-spark", {"year": "2022", "month": "13", "prefix": ""}
        return denial_in(
            self.state("YellowTripsLive", "TransformTrips", transform_job=job, transform_modules="", **given)
        )

    def not_stopped(self, job: str) -> str:
        """Whether the newest run was not stopped. It is, afterwards."""
        deadline = time.monotonic() + 3
        while (run := self.newest(job))["JobRunState"] in RUNNING and time.monotonic() < deadline:
            time.sleep(0.05)
        if run["JobRunState"] in RUNNING:
            self.client("glue").batch_stop_job_run(JobName=run["JobName"], JobRunIds=[run["Id"]])
            self.until(lambda: self.newest(job)["JobRunState"] not in RUNNING)
        return "" if run["JobRunState"] == "STOPPED" else f"the job was not stopped: {run['JobRunState']}"

    def query_state(self, *, slow: bool = False) -> str:
        """ReportJob of the reviews, whose SQL finds no table here; or stopped half way."""
        told = self.state("ReviewsLive", "ReportJob", stop=slow)
        if slow:
            return self.not_stopped("rs-query")
        return denial_in(told)

    def month_of_a_backfill(
        self, start_at: str, *, item: str = "2022-99", source_url: str = "", pipeline: str = "YellowTripsLive"
    ) -> str:
        live = self.outputs[pipeline]
        return self.state(
            "BackfillLive",
            "RunMonths",
            start_at=start_at,
            months=[item],
            machine=live,
            dataset="yellow",
            results=[],
            failed=[],
            max_concurrency=1,
            month=item,
            given={"source_url": source_url} if source_url else {},
        )

    def start_a_month(self, pipeline: str = "YellowTripsLive") -> str:
        """A month that cannot be: the pipeline refuses it at once."""
        return denial_in(self.month_of_a_backfill("RunMonth", pipeline=pipeline))

    def stop_a_backfill(self) -> str:
        """With the month that it waits for."""
        states, live = self.client("stepfunctions"), self.outputs["YellowTripsLive"]
        machine = live.removesuffix(":live")
        thread = threading.Thread(
            target=self.month_of_a_backfill,
            args=("RunMonth",),
            kwargs={"item": MISSING, "source_url": self.slow_source},
        )
        thread.start()

        def running(arn: str) -> list[str]:
            found = states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
            return [each["executionArn"] for each in found]

        (child,) = self.until(lambda: running(machine))
        for each in states.list_state_machines()["stateMachines"]:
            for execution in running(each["stateMachineArn"]) if each["name"].startswith("permissions-") else ():
                states.stop_execution(executionArn=execution)
        thread.join()
        # The month that it waited for is stopped after the backfill itself has ended.
        deadline = time.monotonic() + 15
        while (left := running(machine)) and time.monotonic() < deadline:
            time.sleep(0.1)
        for execution in left:
            states.stop_execution(executionArn=execution)
        self.not_stopped("ingest-raw")
        return f"{child} goes on" if left else ""

    def publish(self, pipeline: str) -> str:
        return denial_in(self.state(pipeline, "NotifyFailure", on=True, failure=FAILURE))

    def remember(self, pipeline: str) -> str:
        return denial_in(self.state(pipeline, "SetFailureMark", on=True, failure=FAILURE))

    # Functions and schedules

    def invoke(self, function: str, event: dict[str, Any]) -> str:
        """A new process each time, with a log stream of its own: its error, or that its log is empty."""
        functions, name = self.client("lambda"), f"elt-local-{function}"
        functions.update_function_configuration(FunctionName=name, Description=f"permissions {next(self.counter)}")
        started = int(time.time() * 1000)
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
        payload = answer["Payload"].read().decode()
        if answer.get("FunctionError"):
            return payload
        logs = self.client("logs")
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", startTime=started)["events"]
        return "" if any("REPORT" in event["message"] for event in found) else f"{name} left no log"

    def trigger(self) -> str:
        """For a month that has run under this name: nothing is started twice."""
        return self.invoke("trigger", self.due)

    def look_for_the_month(self) -> str:
        """For a month that is loaded: its source is not asked."""
        return self.invoke("trigger", self.due | {"pipeline": "yellow-trips", "source": self.source})

    @property
    def due(self) -> dict[str, Any]:
        machine = self.outputs["YellowTripsLive"]
        return {"state_machine": machine, "dataset": "yellow", "year": int(MONTH[:4]), "month": int(MONTH[5:])}

    def mail_what_was_stopped(self) -> str:
        return self.invoke("failures", {"detail": {"executionArn": self.stopped, "status": "ABORTED"}})

    @functools.cached_property
    def stopped(self) -> str:
        states, given = self.client("stepfunctions"), {"year": "2022", "month": "04", "source_url": self.slow_source}
        arn = states.start_execution(stateMachineArn=self.outputs["YellowTripsLive"], input=json.dumps(given))
        states.stop_execution(executionArn=arn["executionArn"])
        return str(arn["executionArn"])

    def trigger_others(self) -> str:
        """The other pipelines, for what has run under this name. (It ended at once, since it was given no period.)"""
        states = self.client("stepfunctions")
        states.start_execution(stateMachineArn=self.outputs["GreenTripsLive"], name=f"green-{MONTH}", input="{}")
        states.start_execution(stateMachineArn=self.outputs["ReviewsLive"], name=f"reviews-{MONTH}-01", input="{}")
        green = self.due | {"dataset": "green", "state_machine": self.outputs["GreenTripsLive"]}
        reviews = {"dataset": "reviews", "state_machine": self.outputs["ReviewsLive"], "day": f"{MONTH}-01"}
        looking = green | {"pipeline": "green-trips", "source": self.source}
        return self.invoke("trigger", green) or self.invoke("trigger", looking) or self.invoke("trigger", reviews)

    def overdue(self) -> str:
        machine = self.outputs["YellowTripsLive"].removesuffix(":live")
        event = {"pipeline": "yellow-trips", "state_machine": machine}
        return self.invoke("overdue", event | {"dataset": "yellow", "lag_months": 2, "due_day": 8})

    def schedule(self, role: str, arn: str, expression: str, event: dict[str, Any]) -> str:
        name = f"permissions-{uuid.uuid4()}"
        self.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={
                "Arn": arn,
                "RoleArn": f"{ROLE}{role}",
                "Input": json.dumps(event),
                "DeadLetterConfig": {"Arn": self.queue_arn},
            },
        )
        return name

    def fire(self, role: str, function: str) -> str:
        arn = self.client("lambda").get_function(FunctionName=f"elt-local-{function}")["Configuration"]["FunctionArn"]
        name = self.schedule(role, arn, "rate(1 day)", {"dataset": "none"})
        done = self.laptop.run("local-cloud", "fire", name)
        self.client("scheduler").delete_schedule(Name=name)
        return "" if done.returncode == 0 else done.stderr

    def give_up(self, role: str) -> str:
        """A schedule whose target its role may not call: the event is in the queue."""
        soon = time.strftime("at(%Y-%m-%dT%H:%M:%S)", time.gmtime(time.time() + 3))
        target = "arn:aws:lambda:us-east-1:123456789012:function:not-for-this-role"
        before, began = self.waiting(), time.time()
        self.schedule(role, target, soon, {})

        def refused() -> bool:
            found = (each for each in self.usage()["refused"] if each["time"] > began)
            return any((each["identity"], each["action"]) == (ROLE + role, "sqs:SendMessage") for each in found)

        self.until(lambda: self.waiting() > before or refused())
        return "" if self.waiting() > before else "the event is lost"

    @property
    def queue_arn(self) -> str:
        return "arn:aws:sqs:us-east-1:123456789012:elt-local-undelivered"

    def waiting(self) -> int:
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="elt-local-undelivered")["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"])


def alone(state: dict[str, Any]) -> dict[str, Any]:
    """A state that ends its execution, one way or the other."""
    dropped = ("Catch", "Retry", "Next", "Assign", "Output", "End")
    return {name: value for name, value in state.items() if name not in dropped} | {"End": True}


def reachable_from(states: dict[str, Any], start: str) -> dict[str, Any]:
    """The states that an execution can come to: Step Functions takes no others."""
    found: dict[str, Any] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = state = states[name]
            ways = (state, *state.get("Catch", []), *state.get("Choices", []))
            waiting += [way[key] for way in ways for key in ("Next", "Default") if key in way]
    return found


def denial_in(text: str) -> str:
    """What somebody would notice of a path that ends in a failure anyhow: a missing permission alone counts."""
    # S3 answers HEAD without a word of its own: ingest says what it then does not know.
    return text if "is not authorized" in text or '"event": "not_compared"' in text else ""


@contextmanager
def without_log_group(ground: Ground, name: str) -> Iterator[None]:
    """A group that is not there: jobs make it."""
    logs = ground.client("logs")
    logs.delete_log_group(logGroupName=name)
    try:
        yield
    finally:
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=name)


#: The shortest path to each (role, statement or policy, action); "" stands for every other action.
PATHS: dict[str, dict[tuple[str, str], Callable[[Ground], str]]] = {
    "ingest-raw": {
        ("", "logs:CreateLogGroup"): Ground.ingest_into_a_new_log,
        ("", "s3:ListBucket"): Ground.ingest_what_is_not_in_s3,
        ("", "s3:AbortMultipartUpload"): Ground.ingest_what_is_no_parquet,
        ("", ""): Ground.ingest,
    },
    "transform-trips": {
        ("", "s3:ListBucket"): Ground.transform_again,
        ("", "logs:CreateLogGroup"): Ground.transform_into_a_new_log,
        ("", "s3:DeleteObject"): Ground.transform_again,
        ("", ""): Ground.transform,
    },
    "rs-query": {
        ("", "logs:CreateLogGroup"): Ground.query_into_a_new_log,
        ("", "redshift-data:BatchExecuteStatement"): Ground.query_as_transaction,
        ("", "redshift-data:CancelStatement"): Ground.query_until_it_takes_too_long,
        ("", "redshift-data:GetStatementResult"): Ground.query_that_loads_a_broken_file,
        ("Manifests", ""): Ground.query_with_manifest,
        ("", ""): Ground.query,
    },
    "warehouse": {
        ("load-processed", "s3:ListBucket"): Ground.copy_by_prefix,
        ("load-processed", ""): Ground.copy,
        ("read-reviews", ""): Ground.external,
        ("write-reports", ""): Ground.unload,
    },
    "trips": {
        ("", "glue:BatchStopJobRun"): functools.partial(Ground.ingest_state, slow=True),
        ("Jobs", ""): Ground.ingest_state,
        ("MeasureRaw", ""): lambda g: g.state("YellowTripsLive", "MeasureRaw", base="", year="2022", month="02"),
        ("Alert", ""): lambda g: g.publish("YellowTripsLive"),
        ("", "ssm:PutParameter"): lambda g: g.remember("YellowTripsLive"),
        ("", "ssm:DeleteParameters"): lambda g: g.state("YellowTripsLive", "ClearFailureMark", on=True),
    },
    "reviews": {
        ("", "glue:BatchStopJobRun"): functools.partial(Ground.query_state, slow=True),
        ("Jobs", ""): Ground.query_state,
        ("FindDelivery", ""): lambda g: g.state("ReviewsLive", "FindDelivery"),
        ("FindTurn", ""): lambda g: g.state("ReviewsLive", "FindTurn"),
        ("TakeTurn", "s3:GetObject"): lambda g: g.state("ReviewsLive", "ReadTurn"),
        ("TakeTurn", "s3:PutObject"): Ground.take_turn,
        ("AskHolder", ""): Ground.ask_holder,
        ("ListReportFiles", ""): lambda g: g.state("ReviewsLive", "ListReportFiles"),
        ("WriteManifest", ""): lambda g: g.state("ReviewsLive", "WriteManifest", files=[]),
        ("Alert", ""): lambda g: g.publish("ReviewsLive"),
        ("", "ssm:PutParameter"): lambda g: g.remember("ReviewsLive"),
        ("", "ssm:DeleteParameters"): lambda g: g.state("ReviewsLive", "ClearFailureMark", on=True),
    },
    "backfill": {
        ("", "states:StopExecution"): Ground.stop_a_backfill,
        ("CountRows", ""): lambda g: g.month_of_a_backfill("ReadManifest", item=MONTH),
        ("Alert", ""): lambda g: g.publish("BackfillLive"),
        ("", ""): Ground.start_a_month,
    },
    "trigger": {("", "states:ListExecutions"): Ground.look_for_the_month, ("", ""): Ground.trigger},
    "failures": {("", ""): Ground.mail_what_was_stopped},
    "overdue": {("", ""): Ground.overdue},
    "schedules": {
        ("", "sqs:SendMessage"): lambda g: g.give_up("schedules"),
        ("", ""): lambda g: g.fire("schedules", "trigger"),
    },
    "overdue-schedules": {
        ("", "sqs:SendMessage"): lambda g: g.give_up("overdue-schedules"),
        ("", ""): lambda g: g.fire("overdue-schedules", "overdue"),
    },
}


#: Roles' ways to a statement's other resources, which the shortest paths above do not take.
DETOURS: dict[str, Callable[[Ground], str]] = {
    "a month that is not in S3": Ground.transform_what_is_not_in_s3,
    "Spark": Ground.spark_state,
    "a serialization conflict": Ground.query_that_conflicts,
    "reviews without a delivery": lambda g: g.state("ReviewsLive", "SetWaitingMark", on=True),
    "a backfill of green trips": functools.partial(Ground.start_a_month, pipeline="GreenTripsLive"),
    "schedules of green trips and reviews": Ground.trigger_others,
}


def path_of(grant: Grant) -> Callable[[Ground], str]:
    paths = PATHS[grant.role]
    place = grant.sid if any(key[0] == grant.sid for key in paths) else grant.policy
    for key in (("", grant.action), (place, grant.action), (place, ""), ("", "")):
        if key in paths:
            return paths[key]
    raise AssertionError(f"no path uses {grant}: give it one, or a reason in NOT_REACHED, or take it away")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A laptop on which a month was loaded, under the name that its schedule would give it."""
    folder = tmp_path_factory.mktemp("source")
    yellow_month(folder, month=Month.parse(MONTH), rows=200)
    handler = functools.partial(Source, directory=str(folder))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        deployed(tmp_path_factory, here=True) as laptop,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{{dataset}}_tripdata_{{year}}-{{month}}.parquet"
        found = Ground(laptop, url)
        states = found.client("stepfunctions")
        year, month = MONTH.split("-")
        execution = states.start_execution(
            stateMachineArn=found.outputs["YellowTripsLive"],
            name=f"yellow-{MONTH}",
            input=json.dumps({"year": year, "month": month, "source_url": url}),
        )["executionArn"]
        ended = Ground.until(
            lambda: (one := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and one
        )
        assert ended["status"] == "SUCCEEDED", ended.get("cause")
        s3 = found.client("s3")
        reports = found.outputs["ReportsBucket"]
        s3.put_object(Bucket=reports, Key="reviews/top_reviews/top_reviews_manifest", Body=b'{"entries": []}')
        s3.put_object(Bucket=reports, Key="reviews/turn.json", Body=b'{"execution": "nobody"}')
        yield found
        Source.end.set()
        server.shutdown()


def grants(ground: Ground) -> list[Grant]:
    """All that the deployed roles' policies allow, whatever template they come from. None has one that is attached."""
    iam = ground.client("iam")
    found = []
    for page in iam.get_paginator("list_roles").paginate():
        for role in (each["RoleName"] for each in page["Roles"] if each["RoleName"].startswith("elt-local-")):
            assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
                for index, statement in enumerate(document["Statement"]):
                    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                    found += [
                        Grant(role.removeprefix("elt-local-"), policy, index, statement.get("Sid", ""), action)
                        for action in actions
                    ]
    return found


@contextmanager
def without(ground: Ground, grant: Grant) -> Iterator[None]:
    """The role without one action of one statement."""
    iam, role = ground.client("iam"), f"elt-local-{grant.role}"
    document = iam.get_role_policy(RoleName=role, PolicyName=grant.policy)["PolicyDocument"]
    less = json.loads(json.dumps(document))
    statement = less["Statement"][grant.statement]
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    # A statement must keep an action: one that there is not.
    statement["Action"] = [action for action in actions if action != grant.action] or ["none:Such"]
    iam.put_role_policy(RoleName=role, PolicyName=grant.policy, PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=grant.policy, PolicyDocument=json.dumps(document))


def check(ground: Ground, grant: Grant) -> str:
    """Take the action away and walk its path: "" when somebody notices, and reads which action it is; else why not."""
    began = time.time()
    with without(ground, grant):
        noticed = path_of(grant)(ground)
    refused = [
        each["reason"]
        for each in ground.usage()["refused"]
        if each["time"] >= began and each["identity"] == ROLE + grant.role and each["action"] == grant.action
    ]
    if not refused:
        return f"{grant}: nothing asked for it ({noticed or 'all went well'})"
    if not all("is not authorized to perform: " in reason and " on resource: " in reason for reason in refused):
        return f"{grant}: refused in other words: {refused}"
    if not noticed:
        return f"{grant}: it is refused, and nobody notices"
    named = grant.action.lower() in noticed.lower() or any(part in str(grant) for part in UNNAMED)
    return "" if named else f"{grant}: what is noticed does not name it: {noticed}"


#: What the roles of one batch do, no other one of it does: batches run one after the other, their roles side by side.
BATCHES = (
    ("ingest-raw", "warehouse", "schedules", "overdue"),
    ("transform-trips", "overdue-schedules", "trigger"),
    ("rs-query", "failures"),
    ("trips", "reviews"),
    ("backfill",),
)


@pytest.fixture(scope="module")
def walked(ground: Ground) -> dict[str, str]:
    """What was noticed on each path, with all that is granted."""
    paths = {f"{role} {place}": path for role, found in PATHS.items() for place, path in found.items()}
    return {name: path(ground) for name, path in (paths | DETOURS).items()}


def test_every_path_works(walked: dict[str, str]) -> None:
    """This is what the other tests stand on."""
    assert {name: noticed for name, noticed in walked.items() if noticed} == {}


def test_every_action_and_every_resource_is_used_on_a_path(ground: Ground, walked: dict[str, str]) -> None:
    """By what local-cloud granted. A pattern of Resource counts where any action of its statement was used on it."""
    usage = ground.usage()
    unused = {
        f"{each['owner'].removeprefix(ROLE)}/{each['policy']}/{each['sid']}/{each.get('action', each.get('resource'))}"
        for each in (*usage["unused"], *usage["unused_resources"])
        if each["owner"].startswith(ROLE)
    }
    assert unused == NOT_REACHED.keys()


@pytest.mark.parametrize("batch", BATCHES, ids=" ".join)
def test_no_action_can_be_taken_away(ground: Ground, batch: tuple[str, ...]) -> None:
    wrong: list[str] = []
    lock = threading.Lock()

    def walk(role: str) -> None:
        for grant in grants(ground):
            if grant.role == role and str(grant) not in NOT_REACHED:
                told = check(ground, grant)
                with lock:
                    wrong.extend([told] if told else [])

    threads = [threading.Thread(target=walk, args=(role,)) for role in batch]
    for pair in itertools.zip_longest(*[iter(threads)] * 2):
        for thread in filter(None, pair):
            thread.start()
        for thread in filter(None, pair):
            thread.join()
    assert wrong == []


def test_every_role_and_every_reason_is_looked_at(ground: Ground) -> None:
    found = grants(ground)
    assert {grant.role for grant in found} == set(PATHS) == {role for batch in BATCHES for role in batch}
    assert NOT_REACHED.keys() <= {str(grant) for grant in found}, "reasons for what is not granted"
    templates = "\n".join(file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.yaml"))
    named = re.findall(r"RoleName: (?:!Sub )?elt-(?:\$\{Environment\}-)?(\S+)", templates)
    assert set(named) == PATHS.keys() | ELSEWHERE.keys()


# ---- what goes on without a permission says so ---------------------------------------------------------------------

_LIVE = {"trips": "YellowTripsLive", "reviews": "ReviewsLive", "backfill": "BackfillLive"}


@pytest.mark.parametrize(
    ("role", "state", "action", "said"),
    [
        ("trips", "SetFailureMark", "ssm:PutParameter", "could not be remembered"),
        ("trips", "ClearFailureMark", "ssm:DeleteParameters", "whether it had failed before could not be asked"),
        ("trips", "NotifyRecovery", "sns:Publish", "the mail that says that it recovered was not sent"),
        ("trips", "NotifyFailure", "sns:Publish", "no mail of it was sent"),
        ("reviews", "SetFailureMark", "ssm:PutParameter", "could not be remembered"),
        ("reviews", "ClearFailureMark", "ssm:DeleteParameters", "whether it had failed before could not be asked"),
        ("reviews", "NotifyRecovery", "sns:Publish", "the mail that says that it recovered was not sent"),
        ("reviews", "NotifyFailure", "sns:Publish", "no mail of it was sent"),
        ("reviews", "SetWaitingMark", "ssm:PutParameter", "that it was said could not be remembered"),
        ("backfill", "NotifyRecovery", "sns:Publish", "the mail that says which months recovered was not sent"),
        ("backfill", "NotifyFailure", "sns:Publish", "no mail of it was sent"),
    ],
)
def test_a_machine_that_goes_on_without_a_permission_says_which(
    ground: Ground, role: str, state: str, action: str, said: str
) -> None:
    """In the cause of its failure, or in the output of its success."""
    (grant,) = (one for one in grants(ground) if (one.role, one.action) == (role, action))
    variables = {"failure": FAILURE, "had_failed": True, "results": []}
    with without(ground, grant):
        noticed = ground.state(_LIVE[role], state, on=True, **variables)
    assert said in noticed
    name = action.replace("sns:", "SNS:")
    assert f"is not authorized to perform: {name} on resource: " in noticed


def test_what_s3_will_not_delete_of_a_batch_is_an_error(ground: Ground) -> None:
    """It answers 200 all the same. Of a role that may list, and not delete."""
    iam, bucket, key = ground.client("iam"), ground.outputs["RawBucket"], "permissions-of-a-batch/kept"
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    trust_text, may_text = (json.dumps({"Version": "2012-10-17", "Statement": [one]}) for one in (trust, may))
    role = iam.create_role(RoleName="lister", AssumeRolePolicyDocument=trust_text)["Role"]["Arn"]
    iam.put_role_policy(RoleName="lister", PolicyName="may", PolicyDocument=may_text)
    keys = ground.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    lister = boto3.client(
        "s3",
        endpoint_url=ground.laptop.sdk["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    ground.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    with pytest.raises(EltError) as caught:
        objects.delete_under(lister, bucket, "permissions-of-a-batch/")
    assert str(caught.value).startswith(f"s3://{bucket}/{key} could not be deleted: AccessDenied: User: ")
    assert "is not authorized to perform: s3:DeleteObject on resource: " in str(caught.value)
    ground.client("s3").head_object(Bucket=bucket, Key=key)
