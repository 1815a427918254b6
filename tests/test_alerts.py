"""What reaches the person on call: which mail, when, and saying what."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from laptop import ROOT, Laptop, deployed
from orchestration import pipelines
from orchestration.generate import yellow_month
from orchestration.pipelines import Month

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """One of its own: alarms and schedules see everything that runs here."""
    with deployed(tmp_path_factory) as machine:
        yield machine


def run(laptop: Laptop, month: str, source: str) -> dict[str, Any]:
    done = laptop.elt("run", "yellow-trips", "--month", month, "--source", source, "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def new_mails(laptop: Laptop, before: int, *, count: int = 1) -> list[EmailMessage]:
    found = laptop.mails()[before:]
    assert len(found) == count, [mail["Subject"] for mail in found]
    return found


def test_a_failed_job_as_a_mail(laptop: Laptop, tmp_path: Path) -> None:
    before = len(laptop.mails())
    run_ = run(laptop, "2021-03", str(tmp_path))
    (mail,) = new_mails(laptop, before)
    glue = laptop.client("glue")
    (job_run,) = glue.get_job_runs(JobName="elt-local-ingest-raw")["JobRuns"]
    assert "\n" not in job_run["ErrorMessage"]
    assert "404" in job_run["ErrorMessage"]
    assert {name: mail[name] for name in ("From", "To", "Subject")} == {
        "From": "AWS Notifications <no-reply@sns.amazonaws.com>",
        "To": "oncall@example.com",
        "Subject": "[local] yellow-trips 2021-03 failed at IngestRaw",
    }
    assert mail.get_content().replace("\r\n", "\n") == (
        "yellow-trips 2021-03 failed at IngestRaw.\n"
        "\n"
        f"Cause:     {job_run['ErrorMessage']}\n"
        "Execution: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1"
        f"#/v2/executions/details/{run_['execution']}\n"
        f"Logs:      elt logs {run_['name']} --env local\n"
        f"Try again: elt run yellow-trips --month 2021-03 --source {tmp_path} --env local\n"
        "\n"
        "Trying again is safe: the table holds a month exactly once, or as it was.\n"
    )
    # The commands in the mail are ones that work.
    logs = laptop.elt("logs", run_["name"], "--env", "local")
    assert logs.returncode == 0, logs.stderr


def test_a_success_after_a_failure_says_so_once(laptop: Laptop, tmp_path: Path) -> None:
    before = len(laptop.mails())
    assert run(laptop, "2022-05", str(tmp_path))["status"] == "FAILED"
    assert run(laptop, "2022-05", str(tmp_path))["status"] == "FAILED"
    yellow_month(tmp_path, month=Month(2022, 5), rows=500)
    succeeded = run(laptop, "2022-05", str(tmp_path))
    assert run(laptop, "2022-05", str(tmp_path))["status"] == "SUCCEEDED"
    *_, recovery = new_mails(laptop, before, count=3)
    assert recovery["Subject"] == "[local] yellow-trips 2022-05 succeeded after a failure"
    assert recovery.get_content().replace("\r\n", "\n") == (
        "yellow-trips 2022-05 succeeded; it had failed before.\n"
        "\n"
        "Execution: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1"
        f"#/v2/executions/details/{succeeded['execution']}\n"
        f"Logs:      elt logs {succeeded['name']} --env local\n"
        "\n"
        "Nothing is left to do.\n"
    )
    assert [state["name"] for state in succeeded["states"]][-3:] == [
        "ClearFailureMark",
        "NotifyRecovery",
        "PipelineSucceeded",
    ]
    parameters = laptop.client("ssm").get_parameters_by_path(Path="/elt/local/failing/yellow-trips")["Parameters"]
    assert "2022-05" not in [parameter["Name"].rsplit("/", 1)[-1] for parameter in parameters]


@pytest.mark.parametrize(
    "given",
    [
        {"year": "2024"},
        {"year": 2024, "month": 9},
        {"year": "2024", "month": "13"},
        {"year": "2024", "month": "09", "force": True},
        {"month": "2024-09"},
    ],
    ids=str,
)
def test_bad_input_starts_no_job(laptop: Laptop, given: dict[str, Any]) -> None:
    before = len(laptop.mails())
    started = laptop.client("stepfunctions").start_execution(
        stateMachineArn=laptop.outputs("pipelines")["YellowTripsLive"], input=json.dumps(given)
    )
    ended = laptop.finished(started["executionArn"])
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidInput")
    (mail,) = new_mails(laptop, before)
    assert mail["Subject"] == "[local] yellow-trips ? failed at ValidateInput"
    text = mail.get_content()
    assert f"the input was {json.dumps(given, separators=(',', ':'))}" in text.replace("\r\n", "\n")
    assert "Try again: elt run yellow-trips --month YYYY-MM --env local" in text


@pytest.mark.parametrize("given", [{"year": "2024"}, {"day": "2024-9-5"}, {"day": 5}], ids=str)
def test_reviews_without_a_day_are_told_of_too(laptop: Laptop, given: dict[str, Any]) -> None:
    before = len(laptop.mails())
    started = laptop.client("stepfunctions").start_execution(
        stateMachineArn=laptop.outputs("pipelines")["ReviewsLive"], input=json.dumps(given)
    )
    ended = laptop.finished(started["executionArn"])
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidInput")
    (mail,) = new_mails(laptop, before)
    assert mail["Subject"] == "[local] reviews ? failed at ValidateInput"


@contextmanager
def silent_server() -> Iterator[str]:
    """The address of one that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        connections = []
        threading.Thread(target=lambda: connections.append(listener.accept()), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_job_that_times_out_is_mailed(laptop: Laptop) -> None:
    def shorten(definition: dict[str, Any]) -> None:
        definition["States"]["IngestRaw"]["TimeoutSeconds"] = 2

    before = len(laptop.mails())
    with laptop.machine_with(shorten) as machine, silent_server() as address:
        given = {"year": "2020", "month": "11", "source_url": f"{address}/{{dataset}}-{{year}}-{{month}}"}
        started = laptop.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(given))
        ended = laptop.finished(started["executionArn"])
        assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    (mail,) = new_mails(laptop, before)
    assert mail["Subject"] == "[local] yellow-trips 2020-11 failed at IngestRaw"
    assert "Cause:     it took longer than its timeout allows and was told to stop" in mail.get_content()
    # It was stopped, not left behind.
    for _ in range(200):
        (job_run, *_) = laptop.client("glue").get_job_runs(JobName="elt-local-ingest-raw")["JobRuns"]
        if job_run["JobRunState"] in ("STOPPED", "STOPPING"):
            return
        time.sleep(0.1)
    raise AssertionError(job_run["JobRunState"])


@pytest.mark.parametrize(
    ("role", "action"), [("elt-local-trips", "glue:StartJobRun"), ("elt-local-ingest-raw", "s3:PutObject")]
)
def test_a_denied_permission(laptop: Laptop, tmp_path: Path, role: str, action: str) -> None:
    iam, before = laptop.client("iam"), len(laptop.mails())
    yellow_month(tmp_path, month=Month(2019, 7), rows=100)
    denial = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]}
    iam.put_role_policy(RoleName=role, PolicyName="taken-away", PolicyDocument=json.dumps(denial))
    try:
        assert run(laptop, "2019-07", str(tmp_path))["status"] == "FAILED"
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="taken-away")
    (mail,) = new_mails(laptop, before)
    assert mail["Subject"] == "[local] yellow-trips 2019-07 failed at IngestRaw"
    (cause,) = [line for line in mail.get_content().splitlines() if line.startswith("Cause:     ")]
    assert f"assumed-role/{role}/" in cause
    assert f"is not authorized to perform: {action}" in cause


def test_what_fails_while_a_failure_is_told_changes_nothing(laptop: Laptop) -> None:
    def break_the_telling(definition: dict[str, Any]) -> None:
        for name in ("NotifyFailure", "NotifyRecovery"):
            definition["States"][name]["Arguments"]["TopicArn"] += "-that-is-not-there"
        for name in ("SetFailureMark", "ClearFailureMark"):
            definition["States"][name]["Arguments"] = {"Name": "/"} if name == "SetFailureMark" else {"Names": ["/"]}
        definition["States"]["SetFailureMark"]["Arguments"] |= {"Value": "x"}
        definition["States"]["IngestRaw"]["Arguments"]["JobName"] = "no-such-job"

    before = len(laptop.mails())
    with laptop.machine_with(break_the_telling) as machine:
        given = {"year": "2020", "month": "12"}
        started = laptop.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(given))
        ended = laptop.finished(started["executionArn"])
        history = laptop.client("stepfunctions").get_execution_history(
            executionArn=started["executionArn"], maxResults=1000
        )["events"]
    assert ended["status"] == "FAILED"
    assert ended["cause"].startswith("IngestRaw: ")
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    assert entered[-2:] == ["NotifyFailure", "PipelineFailed"]
    assert len(laptop.mails()) == before


def with_a_threshold_of_nothing(laptop: Laptop, name: str) -> None:
    """An alarm as it is deployed, but with a millisecond in place of an hour."""
    cloudwatch = laptop.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["Threshold"], alarm["StateValue"]) == (3_600_000, "OK")
    kept = ("AlarmName", "AlarmDescription", "AlarmActions", "Metrics", "EvaluationPeriods", "ComparisonOperator")
    changed = {key: alarm[key] for key in kept} | {"Threshold": 1, "TreatMissingData": alarm["TreatMissingData"]}
    cloudwatch.put_metric_alarm(**changed)


def told(laptop: Laptop, execution: str) -> dict[str, Any]:
    """What the function that mails unseen failures did about an execution, once it has."""
    logs = laptop.client("logs")
    for _ in range(600):
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/elt-local-failures")["events"]
        except logs.exceptions.ResourceNotFoundException:
            events = []
        lines = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
        if found := [line for line in lines if line.get("execution") == execution]:
            (line,) = found
            return dict(line)
        time.sleep(0.1)
    raise AssertionError(f"nothing was done about {execution}")


@contextmanager
def latest(laptop: Laptop, change: Callable[[dict[str, Any]], None]) -> Iterator[str]:
    """The deployed machine of yellow trips, whose latest revision is another: its alias goes on as it was."""
    states, machine = laptop.client("stepfunctions"), laptop.outputs("pipelines")["YellowTrips"]
    deployed = states.describe_state_machine(stateMachineArn=machine)["definition"]
    definition = json.loads(deployed)
    change(definition)
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))
    yield machine
    states.update_state_machine(stateMachineArn=machine, definition=deployed)


def fails_by_itself(definition: dict[str, Any]) -> None:
    """In an expression, which no Catch is around."""
    definition["States"]["ValidateInput"]["Choices"][0]["Assign"]["period"] = "{% $number('nine') %}"


def waits(definition: dict[str, Any]) -> None:
    definition["States"]["Waiting"] = {"Type": "Wait", "Seconds": 600, "Next": definition["StartAt"]}
    definition["StartAt"] = "Waiting"


def takes_too_long(definition: dict[str, Any]) -> None:
    waits(definition)
    definition["TimeoutSeconds"] = 1


@pytest.mark.parametrize(
    ("change", "status", "subject", "cause"),
    [
        (fails_by_itself, "FAILED", "failed", "States.QueryEvaluationError: "),
        (takes_too_long, "TIMED_OUT", "timed out", "its TimeoutSeconds were over"),
        (waits, "ABORTED", "was stopped", "enough: by hand"),
    ],
)
def test_an_end_that_no_state_can_mail_is_mailed_once(
    laptop: Laptop, change: Callable[[dict[str, Any]], None], status: str, subject: str, cause: str
) -> None:
    states, before = laptop.client("stepfunctions"), len(laptop.mails())
    with latest(laptop, change) as machine:
        given = json.dumps({"year": "2018", "month": "02"})
        arn = states.start_execution(stateMachineArn=machine, input=given)["executionArn"]
        if status == "ABORTED":
            states.stop_execution(executionArn=arn, error="enough", cause="by hand")
        assert laptop.finished(arn)["status"] == status
        assert told(laptop, arn)["mailed"] is True
    (mail,) = new_mails(laptop, before)
    assert mail["Subject"] == f"[local] yellow-trips 2018-02 {subject}"
    text = mail.get_content().replace("\r\n", "\n")
    assert f"\nCause:     {cause}" in text
    assert f"/details/{arn}\n" in text
    assert f"\nLogs:      elt logs {arn.rsplit(':', 1)[1]} --env local\n" in text
    assert "\nTry again: elt run yellow-trips --month 2018-02 --env local\n" in text


def test_a_failure_that_was_mailed_is_not_mailed_again(laptop: Laptop, tmp_path: Path) -> None:
    before = len(laptop.mails())
    failed = run(laptop, "2018-03", str(tmp_path))
    assert told(laptop, failed["execution"])["reason"] == "it has mailed its failure itself"
    (mail,) = new_mails(laptop, before)
    assert mail["Subject"] == "[local] yellow-trips 2018-03 failed at IngestRaw"


def test_a_failure_whose_mail_sns_refused_is_mailed_by_the_function(laptop: Laptop, tmp_path: Path) -> None:
    iam, before = laptop.client("iam"), len(laptop.mails())
    denial = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"}],
    }
    iam.put_role_policy(RoleName="elt-local-trips", PolicyName="no-mail", PolicyDocument=json.dumps(denial))
    try:
        failed = run(laptop, "2018-04", str(tmp_path))
    finally:
        iam.delete_role_policy(RoleName="elt-local-trips", PolicyName="no-mail")
    assert told(laptop, failed["execution"])["mailed"] is True
    (mail,) = new_mails(laptop, before)
    assert mail["Subject"] == "[local] yellow-trips 2018-04 failed"
    (cause,) = [line for line in mail.get_content().splitlines() if line.startswith("Cause:     ")]
    assert "IngestRaw: " in cause
    assert "404" in cause
    assert f"Try again: elt run yellow-trips --month 2018-04 --source {tmp_path} --env local" in mail.get_content()


def test_a_backfill_that_is_stopped_mails_once_and_its_months_do_not(laptop: Laptop) -> None:
    states, before = laptop.client("stepfunctions"), len(laptop.mails())
    machine = laptop.outputs("pipelines")["YellowTrips"]
    with silent_server() as address:
        given = {"pipeline": "yellow-trips", "months": ["2017-01", "2017-02"], "max_concurrency": 1}
        given |= {"source_url": f"{address}/{{dataset}}-{{year}}-{{month}}"}
        arn = states.start_execution(
            stateMachineArn=laptop.outputs("pipelines")["BackfillLive"], name="many", input=json.dumps(given)
        )["executionArn"]
        for _ in range(600):
            month = states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
            if month:
                break
            time.sleep(0.1)
        states.stop_execution(executionArn=arn)
        assert told(laptop, arn)["mailed"] is True
        assert told(laptop, month[0]["executionArn"])["reason"] == "its backfill mails for all of its months"
    (mail,) = new_mails(laptop, before)
    assert mail["Subject"] == "[local] backfill many was stopped"
    text = mail.get_content().replace("\r\n", "\n")
    assert "\nLogs:      elt backfill yellow-trips --follow --env local\n" in text
    assert "\nTry again: elt backfill yellow-trips --from 2017-01 --to 2017-02 --env local\n" in text


def test_no_alarm_repeats_what_was_mailed(laptop: Laptop) -> None:
    """After all the failures above."""
    alarms = {
        one["AlarmName"]: one["StateValue"] for one in laptop.client("cloudwatch").describe_alarms()["MetricAlarms"]
    }
    slow = [f"elt-local-{name}-slow" for name in pipelines.find_scheduled()]
    assert alarms == dict.fromkeys([*slow, "elt-local-undelivered"], "OK")
    assert laptop.alarms() == []


def alarm_mail(laptop: Laptop, name: str) -> str:
    """The text of an alarm's one mail, as soon as there is one."""
    for _ in range(600):
        texts = [mail.get_content() for mail in laptop.alarms() if mail["Subject"] == f'ALARM: "{name}" in us-east-1']
        if texts:
            (text,) = texts
            return " ".join(text.split())
        time.sleep(0.1)
    raise AssertionError(f"{name} sent no mail")


def test_a_run_that_took_long_is_told_of(laptop: Laptop) -> None:
    with_a_threshold_of_nothing(laptop, "elt-local-yellow-trips-slow")
    machine = laptop.outputs("pipelines")["YellowTripsLive"]
    laptop.finished(laptop.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"])
    assert "`elt status yellow-trips` tells which one" in alarm_mail(laptop, "elt-local-yellow-trips-slow")


def test_a_run_that_hangs_is_told_of_while_it_does(laptop: Laptop) -> None:
    with_a_threshold_of_nothing(laptop, "elt-local-green-trips-slow")
    states, machine = laptop.client("stepfunctions"), laptop.outputs("pipelines")["GreenTripsLive"]
    with silent_server() as address:
        given = {"year": "2020", "month": "11", "source_url": f"{address}/{{dataset}}-{{year}}-{{month}}"}
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
        (checked,) = laptop.elt_json("local", "fire", "green-trips-overdue")["log"]
        assert checked["running_ms"] > 1
        assert "has been running for so long" in alarm_mail(laptop, "elt-local-green-trips-slow")
        assert states.describe_execution(executionArn=arn)["status"] == "RUNNING"
        states.stop_execution(executionArn=arn)


def test_the_page_for_those_on_call_tells_who_holds_a_lock(laptop: Laptop) -> None:
    page = (ROOT / "docs" / "on-call.md").read_text(encoding="utf-8").partition("## The warehouse does not answer")[2]
    commands = page.partition("```sh\n")[2].partition("```")[0].replace("elt-prod", "elt-local")
    laptop.query("CREATE TABLE held (a INT)")
    redshift = laptop.client("redshift-data")
    begun = redshift.execute_statement(
        WorkgroupName="elt-local", Database="elt", Sql="BEGIN", SessionKeepAliveSeconds=300
    )
    done(redshift, begun["Id"])
    done(redshift, redshift.execute_statement(SessionId=begun["SessionId"], Sql="LOCK held")["Id"])
    told = laptop.run("bash", "-euo", "pipefail", "-c", commands)
    assert told.returncode == 0, told.stderr
    (lock,) = [line.split() for line in told.stdout.splitlines() if line.endswith(" held")]
    assert lock[1:2] + lock[-3:] == ["IAM:root", "AccessExclusiveLock", "true", "held"]
    assert "FROM sys_query_history" in told.stdout, "what is running: the question itself"
    done(redshift, redshift.execute_statement(SessionId=begun["SessionId"], Sql="ROLLBACK")["Id"])


def done(redshift: Any, statement: str) -> None:
    while (told := redshift.describe_statement(Id=statement))["Status"] not in ("FINISHED", "FAILED", "ABORTED"):
        time.sleep(0.05)
    assert told["Status"] == "FINISHED", told
