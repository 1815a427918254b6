"""Releases, with dev and prod side by side in one cloud: publish, deploy, try, promote, change, roll back, compare."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from checkouts import Checkout
from laptop import Laptop
from local_cloud.processes import interpreters
from orchestration.generate import yellow_month
from orchestration.pipelines import Month

pytestmark = pytest.mark.timeout(600)

ARTIFACTS = "elt-artifacts-123456789012-us-east-1"
AWS_PYTHON = interpreters.find("3.9")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Dev and prod have the endpoint from the caller, as the checks of a change have it.

    Where AWS's Python is on this machine, jobs run on it with pip kept from every index: what they install comes from
    the bucket, and from nowhere else.
    """
    folder = tmp_path_factory.mktemp("checkout") / "project"
    made = Checkout.make(folder, Laptop.new(tmp_path_factory))
    no_index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""} if AWS_PYTHON else {}
    made.said("local", "up", **no_index)
    yield made
    made.elt("local", "down")


@pytest.fixture(scope="module")
def first(checkout: Checkout) -> str:
    """A release, live in dev."""
    release = checkout.said("release", "publish", "--env", "dev")
    checkout.said("deploy", "--env", "dev", "--release", release)
    return release


@pytest.fixture(scope="module")
def second(checkout: Checkout, first: str) -> str:
    """Another: the query job says so in its log, and its version is raised."""
    checkout.edit("packages/rs-query/glue/rs_query_job.py", lambda text: text + 'print("the second release")\n')
    checkout.raise_version("rs-query", "0.2.0")
    checkout.commit()
    return checkout.said("release", "publish", "--env", "dev")


def manifest(checkout: Checkout, release: str) -> dict[str, Any]:
    body = checkout.machine.client("s3").get_object(Bucket=ARTIFACTS, Key=f"releases/{release}.json")["Body"].read()
    found: dict[str, Any] = json.loads(body)
    return found


def pointed_at(checkout: Checkout, environment: str) -> dict[str, str]:
    """The sha256 of every object that an environment's jobs point at, as downloaded."""
    s3, glue = checkout.machine.client("s3"), checkout.machine.client("glue")
    jobs = [job for job in glue.get_jobs()["Jobs"] if job["Name"].startswith(f"elt-{environment}-")]
    assert len(jobs) == 4
    uris = {job["Command"]["ScriptLocation"] for job in jobs}
    for job in jobs:
        uris |= set(job["DefaultArguments"]["--additional-python-modules"].split(","))
    keys = {uri.removeprefix(f"s3://{ARTIFACTS}/") for uri in uris}
    return {
        key: hashlib.sha256(s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read()).hexdigest() for key in sorted(keys)
    }


def objects(release: dict[str, Any]) -> dict[str, str]:
    own = {
        f"{package['prefix']}/{name}": digest
        for package in release["packages"].values()
        for name, digest in package["files"].items()
    }
    return own | release["wheelhouse"]


def test_a_commit_that_changes_no_package_is_the_same_release(checkout: Checkout, first: str, tmp_path: Path) -> None:
    """Whether it is built and published at once, or from a folder; the first commit stays on record."""
    release = manifest(checkout, first)
    assert (release["commit"], release["dirty"], release["development"]) == (checkout.head, False, False)
    checkout.edit("docs/delivery.md", lambda text: text + "\nMore.\n")
    checkout.commit()
    nothing = f"publishing: nothing is new: release {first} is published already, of commit {release['commit'][:12]}"
    at_once = checkout.elt("release", "publish", "--env", "dev")
    assert (at_once.returncode, at_once.stdout.strip()) == (0, first), at_once.stderr
    assert nothing in at_once.stderr.splitlines()
    checkout.said("release", "build", "--out", str(tmp_path))
    assert json.loads((tmp_path / "release.json").read_text()) == {**release, "commit": checkout.head}
    from_folder = checkout.elt("release", "publish", "--env", "dev", "--from", str(tmp_path), "--json")
    assert from_folder.returncode == 0, from_folder.stderr
    assert nothing in from_folder.stderr.splitlines()
    where = {"live": ["dev"], "unfinished": [], "smokes": {}, "current": False}
    assert json.loads(from_folder.stdout) == {**release, **where}
    assert manifest(checkout, first) == release
    assert {name: one["prefix"] for name, one in release["packages"].items()} == {
        name: f"{name}/{one['version']}" for name, one in release["packages"].items()
    }
    s3 = checkout.machine.client("s3")
    for key, digest in objects(release).items():
        body = s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read()
        assert hashlib.sha256(body).hexdigest() == digest, key


def test_a_version_is_published_once(checkout: Checkout, first: str) -> None:
    path = "packages/trigger/src/trigger/__init__.py"
    before = (checkout.folder / path).read_text()
    checkout.edit(path, lambda text: text + "\n# changed\n")
    assert checkout.refused("release", "publish", "--env", "dev").startswith(f"elt: {path} differ from commit ")
    checkout.commit()
    line = checkout.refused("release", "publish", "--env", "dev", code=1)
    assert re.fullmatch(
        rf"elt: s3://{ARTIFACTS}/trigger/0\.1\.0/\S+ is published with other bytes; raise the package's version", line
    )
    assert [one["release"] for one in json.loads(checkout.said("release", "list", "--env", "dev", "--json"))] == [first]
    (checkout.folder / path).write_text(before)
    checkout.commit()


def test_pip_installs_from_the_bucket_and_from_nowhere_else(checkout: Checkout, first: str, tmp_path: Path) -> None:
    """All that rs-query needs is there; the SDK's own hashes and pip's agree."""
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1"}
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tmp_path), "rs-query")
    checkout.said("release", "serve", "--env", "dev", "--", *command, **nowhere)
    code = "import rs_query, boto3; print(rs_query.__file__, boto3.__version__)"
    ran = subprocess.run(
        (sys.executable, "-c", code), env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [str(tmp_path / "rs_query" / "__init__.py"), "1.42.97"]
    missing = checkout.elt("release", "serve", "--env", "dev", "--", *command[:-1], "not-ours", **nowhere)
    assert missing.returncode == 1
    assert "No matching distribution found for not-ours" in missing.stderr


def test_the_index_is_objects_in_the_bucket(checkout: Checkout, first: str) -> None:
    release, s3 = manifest(checkout, first), checkout.machine.client("s3")
    wheel = "rs-query/0.1.0/rs_query-0.1.0-py3-none-any.whl"
    digest = objects(release)[wheel]

    def page(key: str) -> tuple[str, bytes]:
        found = s3.get_object(Bucket=ARTIFACTS, Key=key)
        return found["ContentType"], found["Body"].read()

    kind, body = page("simple/rs-query/index.json")
    assert kind == "application/vnd.pypi.simple.v1+json"
    assert json.loads(body) == {
        "meta": {"api-version": "1.0"},
        "name": "rs-query",
        "files": [
            {"filename": wheel.rsplit("/", 1)[1], "url": f"../../{wheel}", "hashes": {"sha256": digest}},
        ],
    }
    kind, body = page("simple/rs-query/index.html")
    assert kind == "text/html; charset=utf-8"
    assert f'<a href="../../{wheel}#sha256={digest}">rs_query-0.1.0-py3-none-any.whl</a>' in body.decode()
    projects = [one["name"] for one in json.loads(page("simple/index.json")[1])["projects"]]
    assert {"rs-query", "glue-ingest", "boto3", "python-dateutil", "duckdb"} <= set(projects)


def test_promoted_are_the_bytes_that_passed(checkout: Checkout, first: str) -> None:
    promote = ("promote", "--from", "dev", "--to", "prod")
    assert checkout.refused(*promote) == (
        f"elt: release {first} has had no smoke run in dev; run `elt smoke --env dev` first"
    )
    smoke = json.loads(checkout.said("smoke", "--env", "dev", "--release", first, "--json"))
    assert (smoke["release"], smoke["environment"], smoke["passed"], smoke["reason"]) == (first, "dev", True, "")
    rows = smoke["rows"]
    assert rows["source"] == rows["read"] == rows["kept"] + rows["rejected"] == 2000
    assert rows["kept"] == rows["loaded"] > 1900
    s3 = checkout.machine.client("s3")
    for kind in ("raw", "processed"):
        left = s3.list_objects_v2(Bucket=f"elt-dev-{kind}-123456789012-us-east-1", Prefix="smoke/")
        assert left["KeyCount"] == 0, "nothing is left of a smoke run"
    assert json.loads(checkout.said(*promote, "--json"))["release"] == first
    live, tried = pointed_at(checkout, "prod"), pointed_at(checkout, "dev")
    assert live == tried
    assert live.items() <= objects(manifest(checkout, first)).items()
    (listed,) = json.loads(checkout.said("release", "list", "--json"))
    assert (listed["live"], listed["smokes"]) == (["dev", "prod"], {"dev": True})
    head, row = checkout.said("release", "list").splitlines()
    assert head.split() == ["release", "made", "commit", "live", "in", "smoke", "runs"]
    assert re.fullmatch(rf"{first}  [\d-]+ [\d:]+  {listed['commit'][:12]}  dev, prod  dev passed", row.rstrip())
    assert checkout.said("diff", "--env", "prod") == f"prod is release {first}"
    published = json.loads(checkout.said("release", "publish", "--env", "dev", "--json"))
    assert (published["live"], published["smokes"], published["current"]) == (["dev", "prod"], {"dev": True}, True)


def test_jobs_install_from_the_bucket_and_from_nowhere_else(checkout: Checkout, first: str) -> None:
    """The smoke run had all it needs from there; what is on every index and not there, a job does not get."""
    if not AWS_PYTHON:
        pytest.skip("Python 3.9, AWS's for these jobs, is not on this machine: theirs took its wheels from pip's index")
    glue = checkout.machine.client("glue")
    job, arguments = "elt-dev-rs-query", {"--additional-python-modules": "idna"}
    run = glue.start_job_run(JobName=job, Arguments=arguments)["JobRunId"]
    while (told := glue.get_job_run(JobName=job, RunId=run)["JobRun"])["JobRunState"] in ("STARTING", "RUNNING"):
        threading.Event().wait(0.1)
    assert told["JobRunState"] == "FAILED"
    assert "No matching distribution found" in told["ErrorMessage"]


def test_what_cannot_be_promoted(checkout: Checkout, first: str) -> None:
    assert checkout.refused("promote", "--from", "dev", "--to", "dev") == "elt: --from and --to are both dev"
    unknown = "2020-01-01-000000000000"
    assert checkout.refused("promote", "--from", "dev", "--to", "prod", "--release", unknown) == (
        f"elt: there is no release {unknown} in s3://{ARTIFACTS}; `elt release list` names them"
    )
    assert checkout.refused("deploy", "--env", "prod") == (
        "elt: prod takes published releases only: `elt release publish`, deploy and try it in dev, then "
        "`elt promote --from dev --to prod`"
    )
    assert checkout.refused("smoke", "--env", "local") == (
        "elt: nothing is deployed to local; run `elt deploy --env local` first"
    )


def test_built_into_a_folder_of_ones_own(checkout: Checkout, tmp_path: Path) -> None:
    lines = checkout.said("release", "build", "--out", str(tmp_path), "rs-query").splitlines()
    digests = dict(reversed(line.split("  ")) for line in lines)
    assert {Path(file).relative_to(tmp_path).as_posix() for file in digests} == {
        f"rs-query/{name}"
        for name in ("rs_query-0.1.0-py3-none-any.whl", "rs_query_job.py", "sbom.cdx.json", "SHA256SUMS")
    }
    for file, digest in digests.items():
        assert hashlib.sha256(Path(file).read_bytes()).hexdigest() == digest
    assert "boto3-1.42.97-py3-none-any.whl" in {file.name for file in (tmp_path / "wheelhouse").iterdir()}


class Held(BaseHTTPRequestHandler):
    """Serves one file, but only when it is let go."""

    file: Path
    asked = threading.Event()
    free = threading.Event()

    def do_GET(self) -> None:
        self.asked.set()
        self.free.wait(120)
        body = self.file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Not on the tests' own output."""


def test_a_running_execution_keeps_to_its_release(checkout: Checkout, first: str, second: str, tmp_path: Path) -> None:
    """The second release is deployed while an execution of the first is in its first state."""
    states, glue = checkout.machine.client("stepfunctions"), checkout.machine.client("glue")
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:elt-dev-yellow-trips:live"
    Held.file = yellow_month(tmp_path, month=Month(2024, 2), rows=200)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Held)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def run() -> str:
        url = f"http://127.0.0.1:{server.server_port}/{{dataset}}-{{year}}-{{month}}"
        given = {"year": "2024", "month": "02", "source_url": url}
        return str(states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"])

    def ended(arn: str) -> None:
        while (told := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            threading.Event().wait(0.1)
        assert told["status"] == "SUCCEEDED", told

    def query_run() -> tuple[str, str]:
        """The newest run of the query job: its script, and what it logged."""
        newest = glue.get_job_runs(JobName="elt-dev-rs-query", MaxResults=1)["JobRuns"][0]
        events = checkout.machine.client("logs").filter_log_events(
            logGroupName="/aws-glue/python-jobs/output", logStreamNames=[newest["Id"]]
        )["events"]
        return newest["Arguments"]["--scriptLocation"], "\n".join(event["message"] for event in events)

    try:
        arn = run()
        assert Held.asked.wait(120)
        checkout.said("deploy", "--env", "dev", "--release", second)
        job = glue.get_job(JobName="elt-dev-rs-query")["Job"]
        assert job["Command"]["ScriptLocation"] == f"s3://{ARTIFACTS}/rs-query/0.2.0/rs_query_job.py"
        Held.free.set()
        ended(arn)
        script, logged = query_run()
        assert script == f"s3://{ARTIFACTS}/rs-query/0.1.0/rs_query_job.py"
        assert '"event": "run"' in logged
        assert "the second release" not in logged
        ended(run())
        script, logged = query_run()
        assert script == f"s3://{ARTIFACTS}/rs-query/0.2.0/rs_query_job.py"
        assert "the second release" in logged
    finally:
        Held.free.set()
        server.shutdown()
        server.server_close()


def test_an_alias_turns_to_a_release_last_of_all(checkout: Checkout, first: str, second: str) -> None:
    """After the job, the machine and its version: whoever starts a run by it then gets all of the release."""
    checkout.said("deploy", "--env", "dev", "--release", second)
    pages = checkout.machine.client("cloudformation").get_paginator("describe_stack_events")
    stack = "elt-dev-pipelines"
    events = [event for page in pages.paginate(StackName=stack) for event in page["StackEvents"]]
    update = [(one["LogicalResourceId"], one["ResourceStatus"]) for one in events]  # newest first
    update = update[: update.index((stack, "UPDATE_IN_PROGRESS"))][::-1]
    for name in ("YellowTrips", "GreenTrips", "Reviews"):
        steps = ("RsQuery", name, f"{name}Version", f"{name}Live")
        ended = [update.index((step, "UPDATE_COMPLETE")) for step in steps]
        begun = [update.index((step, "UPDATE_IN_PROGRESS")) for step in steps]
        assert all(before < after for before, after in zip(ended[:-1], begun[1:], strict=True)), update


def test_a_promotion_that_comes_late_is_refused(checkout: Checkout, first: str, second: str) -> None:
    """Dev has another release by now: the older one would take prod back. Who means that says so."""
    promote = ("promote", "--from", "dev", "--to", "prod", "--release", first)
    assert re.fullmatch(
        rf"elt: release {first} is superseded in dev by the deploy of release {second} at \S+Z: promote what is live "
        "there, or this with --superseded",
        checkout.refused(*promote),
    )
    assert json.loads(checkout.said(*promote, "--superseded", "--json"))["release"] == first


def test_changes_by_hand_are_shown_and_put_right_and_a_release_is_rolled_back(
    checkout: Checkout, first: str, second: str
) -> None:
    """Also: what prod has never had and nobody has tried comes neither by a deployment nor by a rollback."""
    assert checkout.refused("rollback", "--env", "prod", "--to", second) == (
        f"elt: release {second} was never live in prod; the last ones were {first}"
    )
    assert checkout.refused("deploy", "--env", "prod", "--release", second) == (
        f"elt: release {second} has passed no smoke run and was never live in prod: deploy it to dev, `elt smoke "
        "--env dev`, `elt promote --from dev --to prod`; or deploy it with --untried"
    )
    checkout.said("deploy", "--env", "prod", "--release", second, "--untried")
    glue = checkout.machine.client("glue")
    name = "elt-prod-ingest-raw"
    before = glue.get_job(JobName=name)["Job"]
    settable = {key: before[key] for key in ("Role", "Command", "DefaultArguments", "MaxCapacity", "GlueVersion")}
    by_hand = {**settable, "Timeout": 5, "Command": {**before["Command"], "ScriptLocation": "s3://somewhere/else.py"}}
    glue.update_job(JobName=name, JobUpdate=by_hand)
    done = checkout.elt("diff", "--env", "prod")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"AWS::Glue::Job {name}",
        f'  Command.ScriptLocation: "{before["Command"]["ScriptLocation"]}" became "s3://somewhere/else.py"',
        f'  Description: "{before["Description"]}" became nothing',
        "  ExecutionProperty.MaxConcurrentRuns: 8 became 1",
        "  Timeout: 60 became 5",
    ]
    compared = json.loads(checkout.elt("diff", "--env", "prod", "--release", first, "--json").stdout)
    assert compared["packages"] == {"rs-query": ["0.2.0", "0.1.0"]}
    assert "RsQuery" in {change["resource"] for change in compared["changes"]}
    assert len(compared["by_hand"]) == 4

    rolled_back = checkout.elt("rollback", "--env", "prod")
    assert rolled_back.returncode == 0, rolled_back.stderr
    assert f"deploying: AWS::Glue::Job {name} was changed by hand: restored" in rolled_back.stderr
    after = glue.get_job(JobName=name)["Job"]
    assert {**after, "LastModifiedOn": None} == {**before, "LastModifiedOn": None}
    assert checkout.said("diff", "--env", "prod") == f"prod is release {first}"
    assert "rs-query/0.1.0/rs_query_job.py" in pointed_at(checkout, "prod")
    assert checkout.refused("rollback", "--env", "prod") == (
        f"elt: no other release was deployed to prod before {first}; name one with --to"
    )


def test_an_alias_a_function_and_a_role_changed_by_hand_are_put_right(
    checkout: Checkout, first: str, second: str
) -> None:
    states, lambdas = checkout.machine.client("stepfunctions"), checkout.machine.client("lambda")
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:elt-prod-green-trips"
    listed = states.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]
    versions = [one["stateMachineVersionArn"] for one in listed]
    alias = f"{machine}:live"
    routes = states.describe_state_machine_alias(stateMachineAliasArn=alias)["routingConfiguration"]
    other = next(one for one in versions if one != routes[0]["stateMachineVersionArn"])
    states.update_state_machine_alias(
        stateMachineAliasArn=alias, routingConfiguration=[{"stateMachineVersionArn": other, "weight": 100}]
    )
    lambdas.update_function_configuration(
        FunctionName="elt-prod-trigger", Timeout=7, DeadLetterConfig={"TargetArn": ""}
    )
    lambdas.update_function_code(
        FunctionName="elt-prod-trigger", S3Bucket=ARTIFACTS, S3Key="wheelhouse/six-1.17.0-py2.py3-none-any.whl"
    )
    iam, role = checkout.machine.client("iam"), "elt-prod-rs-query"
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    before = iam.get_role_policy(RoleName=role, PolicyName="rs-query")["PolicyDocument"]
    for name in ("rs-query", "by-hand"):
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(everything))
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    compared = json.loads(checkout.elt("diff", "--env", "prod", "--json").stdout)
    assert [(one["resource"].split()[0], one["property"].split(":")[0]) for one in compared["by_hand"]] == [
        ("AWS::IAM::Role", "AttachedPolicies"),
        ("AWS::IAM::Role", "Policies.by-hand"),
        ("AWS::IAM::Role", "Policies.rs-query.Statement"),
        ("AWS::Lambda::Function", "CodeSha256"),
        ("AWS::Lambda::Function", "DeadLetterConfig.TargetArn"),
        ("AWS::Lambda::Function", "Timeout"),
        ("AWS::StepFunctions::StateMachineAlias", "routes.arn"),
        ("AWS::StepFunctions::StateMachineAlias", "routes.arn"),
    ]
    checkout.said("deploy", "--env", "prod", "--release", first)
    assert checkout.said("diff", "--env", "prod") == f"prod is release {first}"
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["rs-query"]
    assert iam.get_role_policy(RoleName=role, PolicyName="rs-query")["PolicyDocument"] == before
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []


def test_a_deployment_that_fails_leaves_what_was_there(checkout: Checkout, first: str, second: str) -> None:
    """Bytes that are not the manifest's, and a stack that AWS refuses."""
    before = pointed_at(checkout, "prod")
    s3, key = checkout.machine.client("s3"), "rs-query/0.2.0/sbom.cdx.json"
    kept = s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read()
    s3.put_object(Bucket=ARTIFACTS, Key=key, Body=b"{}", ChecksumAlgorithm="SHA256")
    line = checkout.refused("deploy", "--env", "prod", "--release", second, code=1)
    assert line == (
        f"elt: prod is not what release {second} says: sha256 of s3://{ARTIFACTS}/{key} is "
        f"{hashlib.sha256(b'{}').hexdigest()}, not {hashlib.sha256(kept).hexdigest()}; "
        f"prod is at release {first} as before"
    )
    assert pointed_at(checkout, "prod") == before
    s3.put_object(Bucket=ARTIFACTS, Key=key, Body=kept, ChecksumAlgorithm="SHA256")

    fragment = "packages/orchestration/src/orchestration/stacks/pipelines/queries.yaml"
    checkout.edit(fragment, lambda text: text.replace("Timeout: 60", "Timeout: 99999"))
    checkout.raise_version("orchestration", "0.2.0")
    checkout.commit()
    broken = checkout.said("release", "publish", "--env", "prod")
    settings = "packages/orchestration/src/orchestration/environments/prod.toml"
    checkout.edit(settings, lambda text: text.replace("schedules = []", 'schedules = ["reviews"]').replace("96", "97"))
    own = {"PYTHONPATH": str(checkout.folder / "packages/orchestration/src")}
    line = checkout.refused("deploy", "--env", "prod", "--release", broken, "--untried", code=1, **own)
    assert line.startswith("elt: stack elt-prod-pipelines ended UPDATE_ROLLBACK_COMPLETE: RsQuery: ")
    assert line.endswith(f"; prod is at release {first} as before")
    assert pointed_at(checkout, "prod") == before
    schedules = checkout.machine.client("scheduler").list_schedules(NamePrefix="elt-prod-")["Schedules"]
    assert {one["State"] for one in schedules} == {"DISABLED"}
    assert {limit["amount"] for limit in usage_limits(checkout, "prod")} == {96}
    assert checkout.said("diff", "--env", "prod") == f"prod is release {first}"
    (*changes,) = json.loads(checkout.elt("diff", "--env", "prod", "--json", **own).stdout)["changes"]
    assert {change["kind"] for change in changes} == {
        "AWS::CloudWatch::Alarm",  # with the schedules come the alarms that they have not run
        "AWS::RedshiftServerless::UsageLimit",
        "AWS::Scheduler::Schedule",
    }


def usage_limits(checkout: Checkout, environment: str) -> list[dict[str, Any]]:
    redshift = checkout.machine.client("redshift-serverless")
    arn = redshift.get_workgroup(workgroupName=f"elt-{environment}")["workgroup"]["workgroupArn"]
    found: list[dict[str, Any]] = redshift.list_usage_limits(resourceArn=arn)["usageLimits"]
    return found


def test_a_smoke_run_that_fails_is_recorded_and_leaves_nothing(checkout: Checkout, second: str) -> None:
    """The dev environment has the second release; its query job is broken by hand."""
    glue = checkout.machine.client("glue")
    job = glue.get_job(JobName="elt-dev-rs-query")["Job"]
    kept = {key: value for key, value in job.items() if key in ("Role", "Command", "DefaultArguments", "GlueVersion")}
    glue.update_job(JobName="elt-dev-rs-query", JobUpdate={**kept, "NonOverridableArguments": {"--workgroup": "none"}})
    done = checkout.elt("smoke", "--env", "dev")
    assert (done.returncode, done.stdout) == (1, "")
    *_, line = done.stderr.splitlines()
    assert re.match(rf"elt: release {second} failed its smoke run in dev: smoke-\S+ failed: LoadRedshift: ", line)
    s3 = checkout.machine.client("s3")
    for kind in ("raw", "processed"):
        left = s3.list_objects_v2(Bucket=f"elt-dev-{kind}-123456789012-us-east-1", Prefix="smoke/")
        assert left["KeyCount"] == 0
    assert checkout.refused("promote", "--from", "dev", "--to", "prod").startswith(
        f"elt: release {second} failed its smoke run (smoke-"
    )


def test_a_smoke_run_that_does_not_end_is_no_pass(checkout: Checkout, second: str) -> None:
    """Interrupted in the middle, it stops its execution and takes away what it made."""
    process = subprocess.Popen(
        ("elt", "smoke", "--env", "dev"),
        env=checkout.machine.env | checkout.machine.sdk,
        cwd=checkout.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if line == "smoke run: running the pipeline\n":
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode
    assert re.match(
        rf"elt: release {second} failed its smoke run \(one that began at \S+Z has not ended\)",
        checkout.refused("promote", "--from", "dev", "--to", "prod"),
    )
    s3 = checkout.machine.client("s3")
    assert s3.list_objects_v2(Bucket="elt-dev-raw-123456789012-us-east-1", Prefix="smoke/")["KeyCount"] == 0


def test_what_is_gone_and_what_is_destroyed(checkout: Checkout, first: str) -> None:
    checkout.machine.client("glue").delete_job(JobName="elt-prod-rs-query")
    done = checkout.elt("diff", "--env", "prod")
    assert (done.returncode, done.stdout) == (1, 'AWS::Glue::Job elt-prod-rs-query\n  exists: "there" became nothing\n')
    assert checkout.refused("deploy", "--env", "prod", "--release", first, code=1) == (
        "elt: AWS::Glue::Job elt-prod-rs-query was deleted by hand, which CloudFormation does not notice: delete the "
        "stack with `elt destroy`, which keeps all data, and deploy again; prod is at release "
        f"{first} still, but for what was changed by hand: `elt diff --env prod` shows it"
    )
    checkout.said("destroy", "--env", "prod", "--yes")
    for command in (("diff", "--env", "prod"), ("diff", "--env", "prod", "--release", first)):
        assert checkout.refused(*command) == "elt: nothing is deployed to prod; run `elt deploy --env prod` first"
    checkout.said("deploy", "--env", "prod", "--release", first)
    assert checkout.said("diff", "--env", "prod") == f"prod is release {first}"
