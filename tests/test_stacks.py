"""The life of an environment: planned, deployed, changed, destroyed, and at last removed with its data."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator

import pytest

from laptop import ROOT, Laptop
from orchestration import environments, stacks
from orchestration.stacks import unmanaged
from orchestration.stacks.unmanaged import Wanted

pytestmark = pytest.mark.timeout(300)

ACCOUNT = "123456789012-us-east-1"
SOURCES = ROOT / "packages" / "orchestration" / "src" / "orchestration"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """Nothing is deployed to it yet; the tests follow one another."""
    machine = Laptop.new(tmp_path_factory)
    yield machine
    machine.elt("local", "down")


def output(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", stacks.templates(SOURCES))
def test_a_template_is_read_back_as_it_was_written(name: str) -> None:
    """GetTemplate has a question mark for what is not ASCII, and a deployment compares.

    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/814
    """
    assert stacks.templates(SOURCES)[name].isascii()


def test_before_anything_is_there_all_of_it_is_to_add(laptop: Laptop) -> None:
    plan = output(laptop.elt("plan"))
    assert [line for line in plan if line and not line.startswith(" ")][:-1] == [
        "elt-artifacts",
        "elt-local-data",
        "elt-local-pipelines",
        "outside the stacks",
    ]
    assert plan[plan.index("outside the stacks") + 1 : -2] == [
        "  Add      warehouse usage limit UsageLimit",
        "  Add      warehouse privilege DatabasePrivilege (IAMR:elt-local-rs-query, IAMR:elt-plan-local)",
        "  Add      log group LogGroup (/aws-glue/python-jobs/output)",
        "  Add      log group LogGroup (/aws-glue/python-jobs/error)",
        "  Add      log group LogGroup (/aws-glue/jobs/output)",
        "  Add      log group LogGroup (/aws-glue/jobs/error)",
    ]
    assert {line.split()[0] for line in plan if line.startswith("  ")} == {"Add"}
    there = laptop.client("cloudformation").list_stacks()["StackSummaries"]
    assert {one["StackStatus"] for one in there} <= {"DELETE_COMPLETE"}, "a plan leaves nothing behind"


def test_once_deployed_there_is_nothing_to_change(laptop: Laptop) -> None:
    output(laptop.elt("deploy"))
    assert output(laptop.elt("plan")) == ["Nothing to change."]
    assert laptop.elt_json("plan") == []
    (limit,) = laptop.client("redshift-serverless").list_usage_limits()["usageLimits"]
    assert (limit["usageType"], limit["period"], limit["amount"], limit["breachAction"]) == (
        "serverless-compute",
        "daily",
        24,
        "deactivate",
    )
    groups = laptop.client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"] for group in groups if group.get("retentionInDays") != 90} == set()


def test_where_nothing_changes_the_warehouse_is_asked_nothing(laptop: Laptop) -> None:
    """A statement would wake it, and Redshift bills a minute at least."""

    def asked() -> int:
        pages = laptop.client("redshift-data").get_paginator("list_statements").paginate(RoleLevel=False)
        return sum(len(page["Statements"]) for page in pages)

    before = asked()
    output(laptop.elt("plan"))
    output(laptop.elt("diff"))
    output(laptop.elt("deploy"))
    assert asked() == before


def test_readers_get_a_role_that_may_select_and_lose_it_again(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in laptop.sdk.items():
        monkeypatch.setenv(name, value)
    data, local = laptop.outputs("data"), environments.load("local")
    arn = "arn:aws:iam::123456789012:"
    sso = "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Analysts_1a2b"

    def reading(*readers: str) -> tuple[list[str], list[tuple[str, str]]]:
        """What a deployment changes for these readers, and who then has the role."""
        environment = dataclasses.replace(local, readers=[f"{arn}{one}" for one in readers])
        planned = unmanaged.plan(environment, data=data, wanted=Wanted())
        assert unmanaged.apply(environment, data=data, wanted=Wanted(), report=print) == planned
        members = laptop.query("SELECT role_name, user_name FROM svv_user_grants ORDER BY 2")
        return [change.name for change in planned], members

    planner = "IAMR:elt-plan-local"
    assert reading() == ([], [("elt_readers", planner)])
    users = ["IAM:alice", "IAMR:AWSReservedSSO_Analysts_1a2b", planner]
    planned, members = reading("user/team/alice", sso)
    assert planned == [", ".join(["IAMR:elt-local-rs-query", *users])]
    assert members == [("elt_readers", user) for user in users]
    assert reading("user/team/alice", sso)[0] == []
    assert reading(sso)[1] == [("elt_readers", user) for user in users[1:]]
    assert reading() == ([f"IAMR:elt-local-rs-query, {planner}"], [("elt_readers", planner)])


def test_what_takes_tags_says_whose_it_is(laptop: Laptop) -> None:
    arn, account = "arn:aws:{}:us-east-1:123456789012:{}", ACCOUNT

    def of(service: str, operation: str, member: str, **which: str) -> dict[str, str]:
        tags = getattr(laptop.client(service), operation)(**which)[member]
        pairs = [{name.lower(): value for name, value in tag.items()} for tag in tags] if isinstance(tags, list) else []
        return {pair["key"]: pair["value"] for pair in pairs} if pairs else dict(tags)

    machine = arn.format("states", "stateMachine:elt-local-yellow-trips")
    group = arn.format("logs", "log-group:/aws/lambda/elt-local-trigger")
    queue = laptop.client("sqs").get_queue_url(QueueName="elt-local-undelivered")["QueueUrl"]
    (namespace,) = laptop.client("redshift-serverless").list_namespaces()["namespaces"]
    found = [
        of("s3", "get_bucket_tagging", "TagSet", Bucket=f"elt-local-raw-{account}"),
        of("redshift-serverless", "list_tags_for_resource", "tags", resourceArn=namespace["namespaceArn"]),
        of("stepfunctions", "list_tags_for_resource", "tags", resourceArn=machine),
        of("glue", "get_tags", "Tags", ResourceArn=arn.format("glue", "job/elt-local-ingest-raw")),
        of("lambda", "list_tags", "Tags", Resource=arn.format("lambda", "function:elt-local-trigger")),
        of("iam", "list_role_tags", "Tags", RoleName="elt-local-trips"),
        of("sns", "list_tags_for_resource", "Tags", ResourceArn=arn.format("sns", "elt-local-alerts")),
        of("sqs", "list_queue_tags", "Tags", QueueUrl=queue),
        of("logs", "list_tags_for_resource", "tags", resourceArn=group),
        of(
            "cloudwatch",
            "list_tags_for_resource",
            "Tags",
            ResourceARN=arn.format("cloudwatch", "alarm:elt-local-undelivered"),
        ),
    ]
    assert found == [{"project": "elt", "environment": "local"}] * len(found)
    artifacts = of("s3", "get_bucket_tagging", "TagSet", Bucket=f"elt-artifacts-{account}")
    assert artifacts == {"project": "elt"}, "of no environment's own"


def test_what_is_outside_the_stacks_is_put_right_but_nobodys_choice_undone(laptop: Laptop) -> None:
    redshift, logs = laptop.client("redshift-serverless"), laptop.client("logs")
    (limit,) = redshift.list_usage_limits()["usageLimits"]
    redshift.update_usage_limit(usageLimitId=limit["usageLimitId"], amount=500)
    logs.put_retention_policy(logGroupName="/aws-glue/python-jobs/error", retentionInDays=365)
    logs.delete_retention_policy(logGroupName="/aws-glue/python-jobs/output")
    assert output(laptop.elt("plan")) == [
        "outside the stacks",
        "  Change   warehouse usage limit UsageLimit: amount",
        "  Change   log group LogGroup (/aws-glue/python-jobs/output): retentionInDays",
        "",
        "2 to change.",
    ]
    output(laptop.elt("deploy"))
    (limit,) = redshift.list_usage_limits()["usageLimits"]
    assert limit["amount"] == 24
    groups = {one["logGroupName"]: one["retentionInDays"] for one in logs.describe_log_groups()["logGroups"]}
    assert groups["/aws-glue/python-jobs/output"] == 90
    assert groups["/aws-glue/python-jobs/error"] == 365


def test_destroy_says_what_it_keeps_and_how_that_is_removed(laptop: Laptop) -> None:
    laptop.client("ssm").put_parameter(Name="/elt/local/failing/yellow-trips/2024-09", Type="String", Value="x")
    told = output(laptop.elt("destroy", "--yes"))
    raw, processed, reports = (f"elt-local-{kind}-{ACCOUNT}" for kind in ("raw", "processed", "reports"))

    def emptied(bucket: str) -> str:
        code = f'import boto3; b = boto3.resource("s3").Bucket("{bucket}"); b.object_versions.delete(); b.delete()'
        return f"  python -c '{code}'"

    commands = [
        "  aws cloudformation delete-stack --stack-name elt-local-data",
        "  aws cloudformation wait stack-delete-complete --stack-name elt-local-data",
        "  aws redshift-serverless delete-workgroup --workgroup-name elt-local",
        "  while aws redshift-serverless get-workgroup --workgroup-name elt-local > /dev/null 2>&1; do sleep 5; done",
        "  aws redshift-serverless delete-namespace --namespace-name elt-local",
        *map(emptied, (raw, processed, reports)),
    ]
    assert told == [
        "elt-local-pipelines: deleted",
        "",
        "Kept, for the data in it:",
        f"  {raw:<{len(processed)}}  bucket",
        f"  {processed:<{len(processed)}}  bucket",
        f"  {reports:<{len(processed)}}  bucket",
        f"  {'elt-local':<{len(processed)}}  warehouse namespace",
        f"  {'elt-local':<{len(processed)}}  warehouse workgroup",
        f"  {'elt-artifacts-' + ACCOUNT:<{len(processed)}}  bucket of releases, which all environments share",
        "",
        "To remove that of this environment too, for good:",
        *commands,
    ]
    assert laptop.client("glue").get_jobs()["Jobs"] == []
    assert laptop.client("stepfunctions").list_state_machines()["stateMachines"] == []
    assert laptop.client("ssm").get_parameters_by_path(Path="/elt", Recursive=True)["Parameters"] == []
    assert {(one["stack"], one["action"]) for one in laptop.elt_json("plan")} == {("elt-local-pipelines", "Add")}
    again = laptop.elt_json("destroy", "--yes")
    assert (again["deleted"], again["kept"]["Namespace"]) == (False, "elt-local")

    laptop.client("s3").put_object(Bucket=raw, Key="yellow/a", Body=b"one")
    laptop.client("s3").put_object(Bucket=raw, Key="yellow/a", Body=b"two")
    for command in commands:
        done = laptop.run("sh", "-c", command)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    left = [one["Name"] for one in laptop.client("s3").list_buckets()["Buckets"]]
    assert left == [f"elt-artifacts-{ACCOUNT}"]
    assert laptop.client("redshift-serverless").list_namespaces()["namespaces"] == []
    assert json.loads(laptop.elt("destroy", "--yes", "--json").stdout)["kept"] == {"ArtifactBucket": left[0]}
