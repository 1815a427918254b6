"""The workflows of .github/workflows, run: their steps in order, in scratch clones, against a local cloud.

Only `uses:` steps have stand-ins (github_actions/stand_ins.py): a checkout of a scratch repository that holds this
working tree, a Python of this machine, and keys of the local cloud for the role and token that GitHub would bring; and
the command gh, which asks GitHub and nobody else (github_actions/gh.py). The checkout comes with `.venv` made, out of
the environment that runs the tests, so that `make setup` has nothing to do.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tomllib
from botocore.exceptions import WaiterError

import local_cloud.permissions.command
from github_actions import gh
from github_actions.expressions import Evaluator, Loose, embedded, parse, text_of
from github_actions.runner import Event, GitHub, JobRun, Place, StepFailed
from github_actions.stand_ins import ACTIONS, CURRENT, configure_aws, interpreter
from github_actions.workflow import load
from laptop import BIN, ROOT, Laptop, free_port
from local_cloud.settings import Settings
from orchestration.generate import yellow_month
from orchestration.pipelines import Month
from orchestration.trips.source import serve
from scratch import commit, copy_checkout, git

pytestmark = pytest.mark.timeout(600)

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
BUCKET = "elt-artifacts-123456789012-us-east-1"


class Origin:
    """A repository on this machine that stands for the one on GitHub: this working tree, as one commit on main."""

    def __init__(self, root: Path) -> None:
        self.root = root
        copy_checkout(root)
        git(root, "config", "uploadpack.allowAnySHA1InWant", "true")
        self.first = git(root, "rev-parse", "HEAD").strip()

    def change_orchestration(self) -> str:
        """A new version of a package, as a change to it has to bring one."""
        package = self.root / "packages" / "orchestration"
        project, changelog = package / "pyproject.toml", package / "CHANGELOG.md"
        project.write_text(re.sub(r'(?m)^version = ".*"', 'version = "99.0.0"', project.read_text()))
        changelog.write_text(changelog.read_text() + "\n## 99.0.0\n\n- Another comment.\n")
        sql = package / "src" / "orchestration" / "pipelines" / "trips" / "sql" / "load_month.sql"
        sql.write_text(sql.read_text() + "-- Another comment.\n")
        return commit(self.root)

    def change_a_page(self) -> str:
        """What no package ships."""
        page = self.root / "docs" / "delivery.md"
        page.write_text(page.read_text() + "\nMore.\n")
        return commit(self.root)

    def workflow(self, name: str) -> Path:
        return self.root / ".github" / "workflows" / f"{name}.yml"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    return Origin(tmp_path_factory.mktemp("origin"))


def machine() -> dict[str, str]:
    """What a runner's steps find: a search path without this project's commands, and pip's index."""
    path = [folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder) != BIN]
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    cache = subprocess.run(
        [sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {"PATH": os.pathsep.join(path), "LANG": "C.UTF-8", **({"PIP_CACHE_DIR": cache} if cache else {}), **pip}


def problems(jobs: dict[str, JobRun]) -> str:
    return "\n".join(job.log for job in jobs.values())


# ---- ci: a change to the trigger, in full on one Python -------------------------------------------------------------


def test_ci_on_a_pull_request(origin: Origin, tmp_path: Path) -> None:
    """A change to one small package: its leg runs in full, on the Python at hand.

    The other packages' legs are the same steps with another name, and the other Pythons' would each install what the
    tests need anew; `load` has read them. `make lint types checkov across` is this test suite itself, and `make lowest`
    the package's tests again: make only tells what it would run.
    """
    if interpreter("3.9") is None:
        pytest.skip("this machine has no Python 3.9, on which the lowest versions are tried")
    file = origin.root / "packages" / "trigger" / "tests" / "test_more.py"
    file.write_text("def test_more() -> None:\n    assert True\n")
    changed = commit(origin.root)
    pythons = ["3.9", "3.10", "3.11", "3.12", "3.13"]
    python = CURRENT if CURRENT in pythons else pythons[-1]
    service = GitHub(
        origin.root,
        tmp_path,
        ACTIONS,
        base=machine(),
        replace={
            command: command.replace("make", "make --dry-run")
            for command in ("make lint types", "make checkov", "make across", 'make lowest PACKAGE="$PACKAGE"')
        },
        choose=lambda job, leg: leg.get("python", python) == python,
    )
    event = Event(
        "pull_request",
        "refs/pull/1/merge",
        changed,
        payload={"pull_request": {"base": {"sha": origin.first}}},
    )
    jobs = service.run(origin.workflow("ci"), event)
    assert {name: job.result for name, job in jobs.items()} == {
        "changes": "success",
        "package": "success",
        "across": "success",
        "required": "success",
    }, problems(jobs)
    assert json.loads(jobs["changes"].outputs["packages"]) == [{"package": "trigger", "pythons": pythons}]
    (leg,) = jobs["package"].legs
    build, tests, lowest = leg.legs
    assert re.search(r"trigger: [0-9a-f]{64}  trigger-[\d.]+-py3-none-any.whl, twice", build.log)
    assert "test_more.py" in tests.log or re.search(r"\d+ passed", tests.log)
    assert "--requirement requirements/lowest/trigger.txt" in lowest.log
    assert "| packages | success |" in jobs["required"].summary


# ---- delivery: dev and prod in one cloud, each job under its own role ---------------------------------------------


@dataclass
class Delivery:
    """GitHub, the repository and AWS. Of the newest run: `asked` are the environments it entered, in order, `attested`
    what it signed. `meanwhile` happens while the approval for prod is waited for.
    """

    origin: Origin
    folder: Path
    aws: Laptop
    gh: gh.Stub
    variables: dict[str, dict[str, str]]
    asked: list[str] = field(default_factory=list)
    attested: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable[[], object] = lambda: None

    def run(self, name: str, event: Event) -> dict[str, JobRun]:
        def approve(environment: str) -> bool:
            self.asked.append(environment)
            if environment == "prod":
                self.meanwhile()
            return True

        self.asked.clear()
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        base = self.gh.on(machine()) | {"AWS_ENDPOINT_URL": self.aws.sdk["AWS_ENDPOINT_URL"]}
        service = GitHub(self.origin.root, folder, ACTIONS, variables=self.variables, base=base, approve=approve)
        jobs = service.run(self.origin.workflow(name), event)
        self.attested = service.attested
        return jobs

    def push(self) -> dict[str, JobRun]:
        return self.run("deploy", Event("push", "refs/heads/main", git(self.origin.root, "rev-parse", "HEAD").strip()))

    def dispatch(self, name: str, **inputs: Any) -> dict[str, JobRun]:
        head = git(self.origin.root, "rev-parse", "HEAD").strip()
        return self.run(name, Event("workflow_dispatch", "refs/heads/main", head, inputs=inputs))

    def live(self) -> dict[str, str]:
        """The release that is live in each environment."""
        rows = self.aws.elt_json("release", "list", "--env", "dev")
        return {environment: row["release"] for row in rows for environment in row["live"]}

    def manifest(self, release: str) -> bytes:
        return bytes(self.aws.client("s3").get_object(Bucket=BUCKET, Key=f"releases/{release}.json")["Body"].read())

    def deployments(self) -> list[str]:
        """The records of what was deployed, to all environments."""
        listed = self.aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="deployments/")
        return [one["Key"] for one in listed["Contents"] if not one["Key"].endswith("lease.json")]

    def change_dev_by_hand(self) -> list[str]:
        """One of each kind that a deployment puts right, and the warehouse's limit; what it then says of them."""
        glue, iam, lambdas = self.aws.client("glue"), self.aws.client("iam"), self.aws.client("lambda")
        states, scheduler = self.aws.client("stepfunctions"), self.aws.client("scheduler")
        job = glue.get_job(JobName="elt-dev-rs-query")["Job"]
        kept = {key: job[key] for key in ("Role", "Command", "DefaultArguments", "MaxCapacity", "GlueVersion")}
        glue.update_job(JobName=job["Name"], JobUpdate={**kept, "Timeout": 5})
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        role = {"RoleName": "elt-dev-rs-query"}
        for name in ("rs-query", "more"):
            iam.put_role_policy(**role, PolicyName=name, PolicyDocument=json.dumps(everything))
        iam.attach_role_policy(**role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        trust = iam.get_role(**role)["Role"]["AssumeRolePolicyDocument"]
        trust["Statement"][0]["Principal"] = {"Service": "lambda.amazonaws.com"}
        iam.update_assume_role_policy(**role, PolicyDocument=json.dumps(trust))
        lambdas.update_function_configuration(FunctionName="elt-dev-trigger", Timeout=7)
        code = {"S3Bucket": BUCKET, "S3Key": "wheelhouse/six-1.17.0-py2.py3-none-any.whl"}
        lambdas.update_function_code(FunctionName="elt-dev-trigger", **code)
        machine = "arn:aws:states:us-east-1:123456789012:stateMachine:elt-dev-reviews"
        definition = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
        states.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))
        version = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
        route = {"stateMachineVersionArn": version, "weight": 100}
        states.update_state_machine_alias(stateMachineAliasArn=f"{machine}:live", routingConfiguration=[route])
        schedule = scheduler.get_schedule(Name="elt-dev-reviews")
        changed = {key: schedule[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
        scheduler.update_schedule(**{**changed, "State": "ENABLED"})
        self.aws.client("redshift-serverless").update_usage_limit(**self.limit() | {"amount": 1_000})
        return [
            "AWS::Glue::Job elt-dev-rs-query",
            "AWS::IAM::Role elt-dev-rs-query",
            "AWS::Lambda::Function elt-dev-trigger",
            "AWS::Scheduler::Schedule elt-dev-reviews",
            f"AWS::StepFunctions::StateMachine {machine}",
            f"AWS::StepFunctions::StateMachineAlias {machine}:live",
        ]

    def limit(self) -> dict[str, Any]:
        """The usage limit of dev's warehouse."""
        redshift = self.aws.client("redshift-serverless")
        workgroup = redshift.get_workgroup(workgroupName="elt-dev")["workgroup"]["workgroupArn"]
        (limit,) = redshift.list_usage_limits(resourceArn=workgroup)["usageLimits"]
        return {key: limit[key] for key in ("usageLimitId", "amount", "breachAction")}


@pytest.fixture(scope="module")
def delivery(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivery]:
    """An account in which a person has done what docs/first-deployment.md says, and nothing more."""
    aws = Laptop(tmp_path_factory.mktemp("aws") / "elt", free_port())
    up = aws.elt("local", "up")
    assert up.returncode == 0, up.stderr
    try:
        page = (ROOT / "docs" / "first-deployment.md").read_text(encoding="utf-8")
        (connect,) = re.findall(r"^aws cloudformation deploy .*$", page, re.MULTILINE)
        connected = aws.run(*shlex.split(connect.replace("OWNER@1001/REPO@2002", "example@1001/elt@2002")))
        assert connected.returncode == 0, connected.stderr
        (stack,) = aws.aws("cloudformation", "describe-stacks", "--stack-name", "elt-artifacts")["Stacks"]
        roles = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        variables = {"": {"PROMOTE_BY_HAND": ""}}
        for name in ("dev", "prod"):
            for variable, kind, environment in (("DEPLOY", "Deploy", name), ("PLAN", "Plan", f"{name}-plan")):
                arn = roles[f"{kind}Role{name.capitalize()}"]
                variables[environment] = {f"{variable}_ROLE_ARN": arn, "AWS_REGION": "us-east-1"}
        jobs = tmp_path_factory.mktemp("jobs")
        yield Delivery(origin, jobs, aws, gh.Stub(tmp_path_factory.mktemp("gh")), variables)
    finally:
        aws.elt("local", "down")


def results(jobs: dict[str, JobRun]) -> dict[str, str]:
    return {name: job.result for name, job in jobs.items()}


def test_a_push_reaches_prod_and_a_rollback_takes_it_back(delivery: Delivery) -> None:
    """Push, approved; push, approved too late for prod; dev forth and back. Each goes on from the one before.

    Before the first push, dev has the remains of a stack whose creation failed, which dev's role deletes. Before the
    second push, somebody changes dev by hand, which dev's role puts right.
    """
    cloudformation = delivery.aws.client("cloudformation")
    failing = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "no name of a topic"}}}}
    cloudformation.create_stack(StackName="elt-dev-pipelines", TemplateBody=json.dumps(failing))
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName="elt-dev-pipelines", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
    first = delivery.push()
    assert results(first) == {"build": "success", "dev": "success", "prod": "success"}, problems(first)
    assert delivery.asked == ["dev", "prod"]
    one = first["dev"].outputs["release"]
    assert delivery.live() == {"dev": one, "prod": one}
    manifest = json.loads(delivery.manifest(one))
    wheels = {name: digest for it in manifest["packages"].values() for name, digest in it["files"].items()}
    built = first["build"].outputs["manifest"]
    assert delivery.attested == {
        "release.json": built,
        **{name: digest for name, digest in wheels.items() if name.endswith(".whl")},
    }
    assert hashlib.sha256(delivery.manifest(one)).hexdigest() == built, "what was built and signed is what is published"
    for text in (one, "| passed | yes |", "| orchestration |"):
        assert text in first["dev"].summary
    assert one in first["prod"].summary
    assert "nothing is deployed to prod" in first["prod"].step("Tell what it will change in prod").log

    before = delivery.deployments()
    delivery.origin.change_a_page()
    same = delivery.push()
    assert results(same) == {"build": "success", "dev": "success", "prod": "skipped"}, problems(same)
    assert (delivery.asked, same["dev"].outputs["release"], delivery.deployments()) == (["dev"], one, before)
    assert same["dev"].summary.endswith(
        "No package changed: this release is published, live in dev, and has passed its smoke run there.\n"
        "Nothing was published, deployed or promoted.\n"
    )

    limit = delivery.limit()
    changed = delivery.change_dev_by_hand()
    delivery.origin.change_orchestration()

    def dev_goes_back() -> None:
        live = delivery.live()
        assert (live["prod"], delivery.limit()) == (one, limit)
        assert delivery.aws.elt("diff", "--env", "dev").stdout == f"dev is release {live['dev']}\n"
        assert delivery.aws.elt("rollback", "--env", "dev").returncode == 0

    delivery.meanwhile = dev_goes_back
    second = delivery.push()
    delivery.meanwhile = lambda: None
    assert results(second) == {"build": "success", "dev": "success", "prod": "failure"}, problems(second)
    two = second["dev"].outputs["release"]
    assert delivery.live() == {"dev": one, "prod": one}
    assert f"release {two} is superseded in dev by the rollback of release {one} at " in second["prod"].summary
    told = re.findall(r"(AWS::\S+ \S+) was changed by hand: restored", second["dev"].step("Deploy to dev").log)
    assert sorted(told) == changed

    forth = delivery.dispatch("rollback", environment="dev", release=two)
    assert results(forth) == {"rollback": "success"}, problems(forth)
    assert delivery.live() == {"dev": two, "prod": one}
    back = delivery.dispatch("rollback", environment="dev")
    assert results(back) == {"rollback": "success"}, problems(back)
    assert delivery.live() == {"dev": one, "prod": one}
    assert back["rollback"].summary.startswith("## dev rolled back\n")
    assert one in back["rollback"].summary
    wrong = delivery.dispatch("rollback", environment="dev", release="$(touch pwned)")
    assert results(wrong) == {"rollback": "failure"}
    assert "'$(touch pwned)' is not a release" in wrong["rollback"].step("Roll back").log


@pytest.mark.parametrize(
    ("current", "by_hand", "promotes"),
    [("false", "", True), ("false", "true", False), ("true", "", False), ("true", "true", False)],
)
def test_a_push_ends_with_dev_where_nothing_changed_or_a_person_promotes(
    current: str, by_hand: str, promotes: bool
) -> None:
    only_if = load(FOLDER / "deploy.yml").jobs["prod"].raw["if"]
    contexts = {"vars": {"PROMOTE_BY_HAND": by_hand}, "needs": {"dev": {"outputs": {"current": current}}}}
    assert Evaluator(contexts, {}).evaluate(parse(only_if)) is promotes


@pytest.mark.parametrize(
    ("current", "attempt", "output"),
    [("true", "1", "true"), ("false", "1", "false"), ("true", "2", "false"), ("false", "2", "false")],
)
def test_a_push_that_is_run_again_does_it_all_again(tmp_path: Path, current: str, attempt: str, output: str) -> None:
    (step,) = (one for one in load(FOLDER / "deploy.yml").jobs["dev"].steps if one.id == "publish")
    elt = tmp_path / ".venv" / "bin" / "elt"
    elt.parent.mkdir(parents=True)
    elt.write_text(f"""#!/bin/sh\necho '{{"id": "rel-3fa9c1d2e0b4", "current": {current}}}'\n""")
    elt.chmod(0o755)
    outputs = tmp_path / "outputs"
    env = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(outputs), "GITHUB_RUN_ATTEMPT": attempt}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step.raw["run"]], cwd=tmp_path, env=env | {"PATH": path}, check=True
    )
    assert outputs.read_text() == f"release=rel-3fa9c1d2e0b4\ncurrent={output}\n"


def test_of_promotions_that_wait_the_newest_stays_and_rollbacks_wait_for_none() -> None:
    """Without `queue`, a pending job is cancelled for the next one of its group; one that runs goes on.

    https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
    """
    promotion = load(FOLDER / "deploy.yml").jobs["prod"].raw["concurrency"]
    assert promotion == {"group": "promotion-to-prod", "cancel-in-progress": False}
    rollback = load(FOLDER / "rollback.yml").raw["concurrency"]
    assert (rollback["group"], rollback["queue"]) == ("environment-${{ inputs.environment }}", "max")


def test_a_backfill_runs_what_is_missing_of_a_range(delivery: Delivery, tmp_path: Path) -> None:
    """After the push: dev is deployed. One month by year and number, then a range with it: only the rest is run."""
    for number in (1, 2):
        yellow_month(tmp_path, month=Month(2019, number), rows=1_000)
    with serve(tmp_path) as url:
        one = delivery.dispatch(
            "backfill",
            environment="dev",
            pipeline="yellow-trips",
            year="2019",
            month="01",
            max_concurrency="1",
            source=url,
        )
        assert results(one) == {"plan": "success", "run": "success"}, problems(one)
        assert delivery.asked == ["dev-plan", "dev"], "approved is what was planned before it was asked"
        planned = r"\| (2019-0\d) \|.*\| (yes|no) \| no \|"  # the last: whether it is known that there is no file
        assert re.findall(planned, one["plan"].summary) == [("2019-01", "yes")], one["plan"].summary
        assert re.search(r"\| status \| SUCCEEDED \|", one["run"].summary), one["run"].summary
        span = {"from": "2019-01", "to": "2019-02"}
        both = delivery.dispatch("backfill", environment="dev", pipeline="yellow-trips", source=url, **span)
        assert results(both) == {"plan": "success", "run": "success"}, problems(both)
        assert re.findall(planned, both["plan"].summary) == [("2019-01", "no"), ("2019-02", "yes")]
    checks = delivery.aws.elt_json("verify", "yellow-trips", "--env", "dev")
    assert [(check["month"], check["read"], check["agrees"]) for check in checks] == [
        ("2019-01", 1_000, True),
        ("2019-02", 1_000, True),
    ]


@pytest.mark.parametrize(
    ("months", "reason"),
    [
        ({}, "give year and month for one month, or from and to for a range"),
        ({"year": "2024"}, "give year and month for one month"),
        ({"year": "2024", "month": "09", "from": "2024-01"}, "give year and month for one month"),
        ({"from": "2024-01"}, "give year and month for one month"),
        ({"year": "24", "month": "09"}, "'24-09' is no month; write it as 2024-09"),
        ({"from": "2024-01", "to": "2024-13"}, "'2024-13' is no month"),
        ({"from": "2024-01", "to": "2024-02; exit 0"}, "'2024-02; exit 0' is no month"),
    ],
)
def test_a_backfill_of_no_month(delivery: Delivery, months: dict[str, str], reason: str) -> None:
    jobs = delivery.dispatch("backfill", environment="dev", pipeline="yellow-trips", **months)
    assert results(jobs) == {"plan": "failure", "run": "skipped"}
    assert reason in jobs["plan"].step("Read the months").log


@pytest.mark.parametrize(
    ("pipeline", "reason"),
    [
        ("yellow", "there is no pipeline 'yellow'; there are: "),
        ("--stop", "there is no pipeline '--stop'; there are: "),
        ("$(touch pwned)", "there is no pipeline '$(touch pwned)'; there are: "),
        ("reviews", "reviews is not loaded by month; these are: "),
    ],
)
def test_a_backfill_of_no_monthly_pipeline(delivery: Delivery, pipeline: str, reason: str) -> None:
    jobs = delivery.dispatch("backfill", environment="dev", pipeline=pipeline, year="2019", month="01")
    assert results(jobs) == {"plan": "failure", "run": "skipped"}
    assert reason in jobs["plan"].step("Plan").log


def test_a_tag_publishes_the_version_that_it_names(delivery: Delivery) -> None:
    """A tag is refused unless it is the version, and on main; then it is published, again and again the same.

    What is new of it is on a release of GitHub's, with the wheel and its bill of materials.
    """
    origin = delivery.origin
    version = tomllib.loads((origin.root / "packages/trigger/pyproject.toml").read_text())["project"]["version"]

    def tag(name: str, commit: str = "main") -> dict[str, JobRun]:
        git(origin.root, "tag", name, commit)
        sha = git(origin.root, "rev-parse", commit).strip()
        return delivery.run("release", Event("push", f"refs/tags/{name}", sha))

    refused = {"tag": "failure", "build": "skipped", "publish": "skipped", "github": "skipped"}
    wrong = tag("trigger-v99.0.0")
    assert results(wrong) == refused
    refusal = f"trigger-v99.0.0 differs from the version in packages/trigger/pyproject.toml, {version}"
    assert refusal in wrong["tag"].step("Check that the tag is the version").log

    right_tag = f"trigger-v{version}"
    delivery.gh.keep_draft(right_tag)
    right = tag(right_tag)
    assert results(right) == dict.fromkeys(refused, "success"), problems(right)
    assert f"| version | {version} |" in right["tag"].summary
    (made,) = delivery.gh.releases()
    wheel = f"trigger-{version}-py3-none-any.whl"
    assert (made.tag, set(made.files)) == (right_tag, {wheel, "sbom.cdx.json"})
    assert made.files[wheel] == delivery.attested[wheel]
    changelog = (origin.root / "packages/trigger/CHANGELOG.md").read_text()
    assert made.notes.startswith("### Added\n")
    assert f"## {version}\n\n{made.notes}" in changelog
    for file in (origin.root / "packages").glob("*/pyproject.toml"):
        name, version = (tomllib.loads(file.read_text())["project"][key] for key in ("name", "version"))
        objects = delivery.aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/{version}/")
        wheel = f"{name}/{version}/{name.replace('-', '_')}-{version}-py3-none-any.whl"
        assert wheel in [one["Key"] for one in objects["Contents"]]

    git(origin.root, "checkout", "--quiet", "--detach")
    elsewhere = commit(origin.root)
    git(origin.root, "checkout", "--quiet", "main")
    git(origin.root, "tag", "--delete", right_tag)
    astray = tag(right_tag, elsewhere)
    assert results(astray) == refused
    assert "is not on main" in astray["tag"].step("Check that the commit is on main").log


OURS = "example@1001/elt@2002"


def keys(delivery: Delivery, folder: Path, role: str, environment: str | None, subject: str = OURS) -> dict[str, str]:
    """The keys of a role for a job in an environment. Errors: StepFailed."""
    service = GitHub(delivery.origin.root, folder, ACTIONS, subject=subject, base=delivery.aws.sdk)
    event = Event("push", "refs/heads/main", "0" * 40)
    place = Place(service, event, folder, folder, {"id-token": "write"}, environment)
    configure_aws({"role-to-assume": role, "aws-region": "us-east-1"}, place)
    return place.variables


def test_who_plans_a_backfill_may_start_none_and_knows_no_password(delivery: Delivery, tmp_path: Path) -> None:
    """The plan itself is made by that role in the test of the form; here is what else it asks for in vain."""
    role = delivery.variables["dev-plan"]["PLAN_ROLE_ARN"]
    for environment in ("dev", "prod-plan", "prod", None):
        with pytest.raises(StepFailed, match="AssumeRoleWithWebIdentity"):
            keys(delivery, tmp_path, role, environment)
    if not delivery.live():
        pytest.skip("needs what the tests above have deployed")
    env = delivery.aws.env | delivery.aws.sdk | keys(delivery, tmp_path, role, "dev-plan")

    def run(command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            shlex.split(command), input=text, env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )

    months = "elt backfill yellow-trips --from 2019-01 --to 2019-03 --env"
    processed = {"Bucket": "elt-dev-processed-123456789012-us-east-1", "Key": "yellow/2019/01/manifest.json"}
    delivery.aws.client("s3").delete_object(**processed)
    planned = run(f"{months} dev --plan --json")
    assert planned.returncode == 0, planned.stderr
    assert [one["decision"] for one in json.loads(planned.stdout)["months"]] == ["missing", "loaded", "missing"]
    asked = run("rs-query run - --workgroup elt-dev --database elt", "select current_user")
    assert "IAMR:elt-plan-dev" in asked.stdout, asked.stderr
    for command in (
        f"{months} dev",
        f"{months} prod --plan",
        "elt verify yellow-trips --env dev",
        "aws secretsmanager get-secret-value --secret-id redshift!elt-dev-elt_admin",
        f"aws s3api put-object --body LICENSE --bucket {BUCKET} --key trigger/9.9.9/x --if-none-match *",
        "aws s3 ls s3://elt-dev-raw-123456789012-us-east-1/",
        "aws redshift-data execute-statement --database elt --workgroup-name elt-prod --sql 'select 1'",
    ):
        done = run(command)
        assert done.returncode != 0, command
        assert "AccessDenied" in done.stderr, done.stderr


def test_a_role_is_for_its_environment_and_repository_alone(delivery: Delivery, tmp_path: Path) -> None:
    """No other repository, branch or environment gets dev's role; and dev's role gets nowhere near prod or itself."""
    role = delivery.variables["dev"]["DEPLOY_ROLE_ARN"]
    for subject, environment in (
        ("example@1001/other@2003", "dev"),
        ("example/elt", "dev"),
        (OURS, "prod"),
        (OURS, "dev-plan"),
        (OURS, None),
    ):
        with pytest.raises(StepFailed, match="AssumeRoleWithWebIdentity"):
            keys(delivery, tmp_path, role, environment, subject)
    env = delivery.aws.env | delivery.aws.sdk | keys(delivery, tmp_path, role, "dev")
    put = f"aws s3api put-object --body {delivery.origin.root}/LICENSE --bucket {BUCKET}"
    once, again = f"{put} --if-none-match * --key", f"{put} --if-match 0 --key"
    found = delivery.aws.client("redshift-serverless").list_workgroups()["workgroups"]
    workgroups = {one["workgroupName"]: one["workgroupArn"] for one in found}
    if not workgroups:
        pytest.skip("needs what the tests above have deployed")
    warehouse = "aws redshift-serverless"
    for command in (
        "elt run yellow-trips --month 2024-01 --no-wait --env prod",
        "aws s3 ls s3://elt-prod-raw-123456789012-us-east-1/",
        "aws iam put-role-policy --role-name elt-deploy-dev --policy-name more --policy-document {}",
        "aws iam put-role-policy --role-name elt-prod-trigger --policy-name more --policy-document {}",
        "aws secretsmanager get-secret-value --secret-id redshift!elt-prod-elt_admin",
        f"aws s3 rm s3://{BUCKET}/releases/x.json",
        f"aws s3 cp {delivery.origin.root}/LICENSE s3://{BUCKET}/trigger/9.9.9/x",
        f"{once} deployments/prod/999999-deploy-2026-11-22-000000000000.json",
        f"{once} deployments/prod/lease.json",
        f"{again} deployments/prod/lease.json",
        f"{again} deployments/dev/000001.json",
        f"{once} smokes/2026-11-22-000000000000/prod.json",
        f"{once} anything",
        f"{warehouse} update-workgroup --workgroup-name elt-prod --base-capacity 512",
        f"{warehouse} tag-resource --resource-arn {workgroups['elt-prod']} --tags key=environment,value=dev",
    ):
        done = subprocess.run(command.split(), env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode != 0, command
        assert "AccessDenied" in done.stderr, done.stderr
    for command in (
        f"{once} deployments/dev/0",
        f"{once} trigger/9.9.9/x",
        f"{warehouse} update-workgroup --workgroup-name elt-dev --base-capacity 8",
        f"{warehouse} tag-resource --resource-arn {workgroups['elt-dev']} --tags key=environment,value=dev",
    ):
        done = subprocess.run(command.split(), env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for key in ("deployments/dev/0", "trigger/9.9.9/x"):
        delivery.aws.client("s3").delete_object(Bucket=BUCKET, Key=key)


def until_one(look: Callable[[], list[str]], process: subprocess.Popen[str]) -> str:
    """Wait for the one thing that a process begins."""
    while not (found := look()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    (one,) = found
    return one


#: A query that ends when it is cancelled, and not before.
ENDLESS = "select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n) select i from n)"


@pytest.mark.parametrize(
    ("environment", "variable", "login"),
    [("dev", "DEPLOY_ROLE_ARN", "secret"), ("dev-plan", "PLAN_ROLE_ARN", "role")],
    ids=["deploys", "plans"],
)
def test_a_role_cancels_the_query_of_a_command_that_is_interrupted(
    delivery: Delivery, tmp_path: Path, environment: str, variable: str, login: str
) -> None:
    env = delivery.aws.env | delivery.aws.sdk
    env |= keys(delivery, tmp_path, delivery.variables[environment][variable], environment)
    if not delivery.live():
        pytest.skip("needs what the tests above have deployed")
    (tmp_path / "endless.sql").write_text(ENDLESS)
    api = delivery.aws.client("redshift-data")

    def running() -> list[str]:
        listed = api.list_statements(Status="STARTED")["Statements"]
        return [one["Id"] for one in listed if "recursive" in one["QueryString"]]

    command = ["rs-query", "run", str(tmp_path / "endless.sql"), "--workgroup", "elt-dev", "--database", "elt"]
    if login == "secret":
        namespace = delivery.aws.client("redshift-serverless").get_namespace(namespaceName="elt-dev")["namespace"]
        command += ["--secret-arn", namespace["adminPasswordSecretArn"]]
    with subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        statement = until_one(running, process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert api.describe_statement(Id=statement)["Status"] == "ABORTED"


def test_a_role_stops_the_execution_of_a_smoke_run_that_is_interrupted(delivery: Delivery, tmp_path: Path) -> None:
    env = delivery.aws.env | delivery.aws.sdk
    env |= keys(delivery, tmp_path, delivery.variables["dev"]["DEPLOY_ROLE_ARN"], "dev")
    if not delivery.live():
        pytest.skip("needs what the tests above have deployed")
    states = delivery.aws.client("stepfunctions")
    found = states.list_state_machines()["stateMachines"]
    (machine,) = [one["stateMachineArn"] for one in found if one["name"] == "elt-dev-yellow-trips"]

    def running() -> list[str]:
        listed = states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        return [one["executionArn"] for one in listed]

    command = ("elt", "smoke", "--env", "dev")
    with subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        execution = until_one(running, process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"


#: What the roles may beside what CloudFormation does by them, that none of the tests above makes them do, and why.
SPARE = {
    "cloudformation:TagResource": "asked for on AWS where a change set brings tags",
    "cloudformation:UntagResource": "as cloudformation:TagResource",
    "s3:GetBucketLocation": "asked for by tools on AWS; the laptop has one region",
    "s3:GetObjectVersion": "asked for where CloudFormation reads a template or a function's code on AWS",
}


@pytest.mark.parametrize(
    ("role", "policies", "spare"),
    [
        ("elt-deploy-dev", "DeployStacks|RunPipelines", set(SPARE)),
        ("elt-plan-dev", "PlanBackfills", set()),
    ],
)
def test_the_roles_have_no_more_than_delivery_takes(
    delivery: Delivery, role: str, policies: str, spare: set[str]
) -> None:
    """Last of all: what was granted, and never used. Of what stacks are made of, CloudFormation decides."""
    if not delivery.live():
        pytest.skip("tells something only after the tests above")
    told = local_cloud.permissions.command.usage(Settings.create(state_dir=delivery.aws.state, port=delivery.aws.port))
    used = {one["action"] for one in told["granted"] if one["owner"].endswith(f"/{role}")}
    unused = {
        one["action"]
        for one in told["unused"]
        if one["owner"].endswith(f"/{role}") and re.search(f"-({policies})-", one["policy"])
    }
    assert unused - used == spare


# ---- requirements ------------------------------------------------------------------------------------------------


def pin_anew(origin: Origin, folder: Path, stub: gh.Stub, lock: str) -> dict[str, JobRun]:
    """The weekly run, with a shell line in the place of `make lock`, which asks the package index."""
    service = GitHub(origin.root, folder, ACTIONS, base=stub.on(machine()), replace={"make lock UPGRADE=1": lock})
    head = git(origin.root, "rev-parse", "main").strip()
    return service.run(origin.workflow("requirements"), Event("schedule", "refs/heads/main", head))


def test_newer_requirements_are_a_pull_request_that_ci_checks(tmp_path: Path) -> None:
    (tmp_path / "origin").mkdir()
    (tmp_path / "gh").mkdir()
    origin, stub = Origin(tmp_path / "origin"), gh.Stub(tmp_path / "gh")

    same = pin_anew(origin, tmp_path / "same", stub, "true")
    assert results(same) == {"lock": "success", "propose": "skipped"}, problems(same)
    assert same["lock"].summary == "Nothing has a newer version.\n"
    assert (stub.pull_requests(), stub.dispatched()) == ([], [])

    for week, version in enumerate(("1.42.98", "1.42.99"), start=1):
        newer = f"sed -i 's/^boto3==1.42.9[0-9]*/boto3=={version}/' requirements/glue.txt"
        jobs = pin_anew(origin, tmp_path / version, stub, newer)
        assert results(jobs) == {"lock": "success", "propose": "success"}, problems(jobs)
        (pull,) = stub.pull_requests()
        assert (pull.head, pull.base, pull.title) == ("newer-requirements", "main", "Requirements: newer versions")
        assert f"```diff\n-boto3==1.42.97 \\\n+boto3=={version} \\\n```\n\nBefore this can be merged:\n" in pull.body
        assert re.findall(r"^- ([\w-]+): requirements/glue.txt changed, but", pull.body, re.MULTILINE) == [
            "glue-ingest",
            "glue-transform",
            "rs-query",
        ]
        assert jobs["propose"].summary == pull.body
        changed = git(origin.root, "diff", "--name-only", "main", "newer-requirements").split()
        assert changed == ["requirements/glue.txt"]
        assert stub.dispatched() == [["ci.yml", "newer-requirements"]] * week


@pytest.mark.parametrize(
    ("event", "base"),
    [
        ({"pull_request": {"base": {"sha": "1"}}}, "1"),
        ({"merge_group": {"base_sha": "2"}}, "2"),
        ({"before": "3"}, "3"),
        ({}, "origin/main"),
    ],
)
def test_ci_compares_with_what_the_change_goes_into(event: dict[str, Any], base: str) -> None:
    """Whoever sets it off by hand cannot choose: what is compared with itself has nothing to test."""
    ci = load(FOLDER / "ci.yml")
    assert ci.triggers["workflow_dispatch"] == {}
    (expression,) = embedded(ci.jobs["changes"].raw["env"]["BASE"])
    assert text_of(Evaluator({"github": Loose(event=Loose(event))}, {}).evaluate(expression)) == base


# ---- what is true of every workflow ------------------------------------------------------------------------------

#: What jobs without an environment may change on GitHub: no role of AWS trusts their tokens.
WRITES = {
    "_build": {"attest": {"id-token", "attestations"}},
    "deploy": {"build": {"id-token", "attestations"}},
    "release": {"build": {"id-token", "attestations"}, "github": {"contents"}},
    "requirements": {"propose": {"contents", "pull-requests", "actions"}},
}
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_workflow_is_sound(file: Path) -> None:
    """Read strictly, also on the paths that no test takes: unknown keys, names, needs and expressions are errors."""
    workflow = load(file)
    assert workflow.raw["permissions"] == {}, "what a job may do, it says itself"
    outward = {}
    assert workflow.raw["defaults"] == {"run": {"shell": "bash"}}, "so that a failure in a pipe fails the step"
    for job in workflow.jobs.values():
        assert "permissions" in job.raw, job.id
        assert set(job.raw["permissions"].values()) <= {"read", "write"}
        granted = {name for name, value in job.raw["permissions"].items() if value == "write"}
        if "environment" in job.raw:
            assert granted == {"id-token"}, f"{job.id}: who may take a role of AWS changes nothing on GitHub"
        elif granted:
            outward[job.id] = granted
        concurrency = job.raw.get("concurrency") or workflow.raw.get("concurrency")
        if job.raw.get("environment"):
            assert concurrency["cancel-in-progress"] is False, f"{job.id}: no deploy is cancelled"
        for step in job.steps:
            assert "${{" not in step.raw.get("run", ""), f"{step.where}: values come by env, never into a script's text"
            if step.raw.get("uses", "").startswith("actions/checkout@"):
                assert step.raw["with"]["persist-credentials"] is False, step.where
    assert outward == WRITES.get(file.stem, {})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_actions_are_pinned_by_commit(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text())
    assert [line for line in used if not line.startswith("$/") and not PINNED.fullmatch(line)] == []


def test_one_action_has_one_version() -> None:
    used = {line for file in FILES for line in re.findall(r"uses: ([^$].*)", file.read_text())}
    assert len({line.partition("@")[0] for line in used}) == len(used)


def test_the_audit_and_the_schema_find_nothing() -> None:
    options = ["--quiet", "--offline", "--pedantic", "--format", "plain", "--color", "never", ".github"]
    done = subprocess.run([str(BIN / "zizmor"), *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "No findings to report. Good job!"), done.stderr
    for schema, files in (
        ("vendor.github-workflows", FILES),
        ("vendor.dependabot", [FOLDER.parent / "dependabot.yml"]),
    ):
        check = [str(BIN / "check-jsonschema"), "--builtin-schema", schema, *map(str, files)]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
