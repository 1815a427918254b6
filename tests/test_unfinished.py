"""Deployments that are cut short, at every step of them: the next one ends what was begun, and says nothing of hands.

Two releases take turns: the first has a job and its role that the second has no more.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from checkouts import Checkout
from gate import Gate, Request, When, gate
from laptop import Laptop
from orchestration.releases.bucket import history, records
from orchestration.releases.bucket.store import Store

pytestmark = pytest.mark.timeout(600)

BUCKET = "elt-artifacts-123456789012-us-east-1"
PIPELINES = "elt-dev-pipelines"
SPARE = """\
Resources:
  SpareRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub elt-${Environment}-spare
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: glue.amazonaws.com}, Action: sts:AssumeRole}]

  Spare:
    Type: AWS::Glue::Job
    Properties:
      Name: !Sub elt-${Environment}-spare
      Role: !GetAtt SpareRole.Arn
      Command: {Name: pythonshell, PythonVersion: "3.9", ScriptLocation: !Sub "s3://${ArtifactBucket}/${RsQueryScript}"}
"""


#: What no stack can have; it comes after the function.
BROKEN = """\
  Broken:
    Type: AWS::Glue::Job
    DependsOn: Trigger
    Properties:
      Name: !Sub elt-${Environment}-broken
      Role: !GetAtt QueryRole.Arn
      Timeout: 99999
      Command: {Name: pythonshell, PythonVersion: "3.9", ScriptLocation: "s3://nowhere/none.py"}

"""


@dataclass
class Dev:
    """The environment dev, and `elt` on its way to it through a gate."""

    checkout: Checkout
    gate: Gate
    releases: tuple[str, str]

    @property
    def machine(self) -> Laptop:
        return self.checkout.machine

    @property
    def store(self) -> Store:
        return Store(self.machine.client("s3"), BUCKET)

    @property
    def live(self) -> str:
        found = records.standing(self.store, "dev")
        assert found.live
        assert found.unfinished is None
        return found.live.release

    @property
    def other(self) -> str:
        one, two = self.releases
        return two if self.live == one else one

    def listed(self) -> dict[str, list[str]]:
        """Where `elt release list` says that each release is: `dev`, or `dev unfinished`."""
        rows = json.loads(self.checkout.said("release", "list", "--json", "--env", "dev"))
        return {row["release"]: [*row["live"], *(f"{one} unfinished" for one in row["unfinished"])] for row in rows}

    def cut(
        self,
        *command: str,
        at: Callable[[Request], bool],
        when: When,
        by: signal.Signals = signal.SIGKILL,
    ) -> tuple[int, str]:
        """Run `elt` and send it a signal when it gets there; its exit code and the last line it said."""
        process = subprocess.Popen(
            ("elt", *command),
            env=self.machine.env | self.machine.sdk | {"AWS_ENDPOINT_URL": self.gate.url},
            cwd=self.checkout.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

        def act() -> None:
            if when == "during":
                self.wait_for_half_an_update()
            process.send_signal(by)
            if by == signal.SIGKILL:
                process.wait(60)

        self.gate.set(at, when, act)
        _, said = process.communicate(timeout=120)
        assert self.gate.reached.is_set(), said
        assert "Traceback" not in said
        return process.returncode, (said.splitlines() or [""])[-1]

    def wait_for_half_an_update(self, stack: str = PIPELINES) -> None:
        """Some resources have changed, others not."""
        cloudformation, deadline = self.machine.client("cloudformation"), time.monotonic() + 60
        while time.monotonic() < deadline:
            events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
            statuses = [one["ResourceStatus"] for one in events if one["LogicalResourceId"] == stack]
            now = events[: next(i for i, one in enumerate(events) if one["LogicalResourceId"] == stack)]
            if statuses[0] == "UPDATE_IN_PROGRESS" and any(one["ResourceStatus"].endswith("COMPLETE") for one in now):
                return
            assert statuses[0].endswith("COMPLETE") or statuses[0] == "UPDATE_IN_PROGRESS", statuses[0]
            time.sleep(0.01)

    def age_the_lease(self) -> None:
        """As if it had not been renewed for as long as it is good: its age is S3's to tell."""
        s3, key = self.machine.client("s3"), "deployments/dev/lease.json"
        terms = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(terms | {"seconds": 0}).encode())

    def elt(self, *command: str) -> str:
        """What a command says that succeeds: nothing of hands."""
        done = self.checkout.elt(*command)
        assert done.returncode == 0, done.stderr
        assert "by hand" not in done.stderr
        return done.stderr

    def is_at(self, release: str) -> None:
        """By the records, the stack, and what only the first release has."""
        assert self.live == release
        (stack,) = self.machine.client("cloudformation").describe_stacks(StackName=PIPELINES)["Stacks"]
        assert stack["StackStatus"].endswith("_COMPLETE")
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
        assert history.release(self.store, release).parameters(BUCKET).items() <= parameters.items()
        jobs = self.machine.client("glue").get_jobs()["Jobs"]
        assert ("elt-dev-spare" in [one["Name"] for one in jobs]) == (release == self.releases[0])


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """Dev is at the first release."""
    machine = Laptop.new(tmp_path_factory)
    checkout = Checkout.make(tmp_path_factory.mktemp("checkout") / "project", machine)
    checkout.said("local", "up")
    try:
        spare = checkout.folder / "packages/orchestration/src/orchestration/stacks/pipelines/spare.yaml"
        spare.write_text(SPARE)
        checkout.commit()
        first = checkout.said("release", "publish", "--env", "dev")
        checkout.said("deploy", "--env", "dev", "--release", first)
        spare.unlink()
        checkout.raise_version("orchestration", "0.2.0")
        checkout.commit()
        second = checkout.said("release", "publish", "--env", "dev")
        with gate(machine.port) as passing:
            yield Dev(checkout, passing, (first, second))
    finally:
        checkout.elt("local", "down")


def action(name: str, stack: str = PIPELINES) -> Callable[[Request], bool]:
    return lambda request: request.what == name and stack in request.parameters.get("StackName", [""])[0]


def put(name: str, environment: str = "dev") -> Callable[[Request], bool]:
    """The writing of a record whose name is like that."""
    pattern = re.compile(rf"PUT /{BUCKET}/deployments/{environment}/{name}\.json(\?.*)?")
    return lambda request: pattern.fullmatch(request.what) is not None


ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
BEGUN, ENDED = r"\d{6}", r"\d{6}-.*"
WINDOWS: dict[str, tuple[Callable[[Request], bool], When]] = {
    "it is recorded that it begins": (put(BEGUN), "after"),
    "the change set is made": (action("CreateChangeSet"), "after"),
    "the stack is half updated": (action("ExecuteChangeSet"), "during"),
    "the stack is updated": (action("ExecuteChangeSet"), "after"),
    "what no stack holds is set": (lambda request: request.what == "ListUsageLimits", "before"),
    "it is read back": (action("GetTemplate"), "before"),
    "it is recorded that it has ended": (put(ENDED), "before"),
}
KILL, TERM, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGINT
CODES = {KILL: -9, TERM: 143, INT: 130}


@pytest.mark.parametrize(
    ("window", "by", "then"),
    [
        ("it is recorded that it begins", KILL, "again"),
        ("the change set is made", TERM, "back"),
        ("the stack is half updated", KILL, "again"),
        ("the stack is updated", INT, "back"),
        ("what no stack holds is set", KILL, "again"),
        ("it is read back", TERM, "again"),
        ("it is recorded that it has ended", KILL, "back"),
    ],
)
def test_a_deployment_cut_short(dev: Dev, window: str, by: signal.Signals, then: str) -> None:
    """The same command ends it, or a rollback undoes it."""
    before, after = dev.live, dev.other
    at, when = WINDOWS[window]
    deploy = ("deploy", "--env", "dev", "--release", after)
    code, line = dev.cut(*deploy, at=at, when=when, by=by)
    assert code == CODES[by], line
    if by == KILL:
        dev.age_the_lease()
    else:
        assert line == (
            f"elt: interrupted: deploy of release {after} to dev is unfinished, and what CloudFormation has begun of "
            f"it goes on by itself: `elt deploy --env dev --release {after}` goes on with it, `elt rollback --env dev` "
            f"goes back to release {before}"
        )
    dev.elt(*deploy) if then == "again" else dev.elt("rollback", "--env", "dev")
    dev.is_at(after if then == "again" else before)


def test_what_commands_say_of_an_unfinished_deployment(dev: Dev) -> None:
    """The stack has the new release, and no command says that one or the other is live."""
    before, after = dev.live, dev.other
    deploy = ("deploy", "--env", "dev", "--release", after)
    dev.cut(*deploy, at=action("ExecuteChangeSet"), when="after", by=TERM)
    assert dev.listed() == {after: ["dev unfinished"], before: []}
    diff = dev.checkout.elt("diff", "--env", "dev")
    assert diff.returncode == 1
    unfinished = rf"deploy of release {after} to dev, begun .* UTC by arn:\S+, was not finished"
    assert re.match(
        rf"{unfinished}\n  its pipelines stack is UPDATE_COMPLETE, at release {after}\n  orchestration ", diff.stdout
    )
    assert " became " not in diff.stdout
    assert "A deployment of it would do" not in diff.stdout
    assert diff.stderr.endswith(f"restore with: elt deploy --env dev --release {after}\n")
    for command in (("smoke", "--env", "dev"), ("promote", "--from", "dev", "--to", "prod")):
        assert re.fullmatch(
            rf"elt: {unfinished}, so no one release is live in dev: `elt deploy --env dev --release {after}` goes on "
            rf"with it, `elt rollback --env dev` goes back to release {before}",
            dev.checkout.refused(*command),
        )
    dev.elt(*deploy)
    dev.is_at(after)
    assert dev.checkout.said("diff", "--env", "dev") == f"dev is release {after}"


def test_nothing_is_begun_before_it_is_recorded(dev: Dev) -> None:
    before, after = dev.live, dev.other
    deploy = ("deploy", "--env", "dev", "--release", after)
    assert dev.cut(*deploy, at=put(BEGUN), when="before", by=TERM) == (143, "elt: interrupted")
    dev.is_at(before)


def test_a_deployment_that_is_recorded_has_ended(dev: Dev) -> None:
    """Also where the command is killed before it knows."""
    after = dev.other
    code, _ = dev.cut("deploy", "--env", "dev", "--release", after, at=put(ENDED), when="after")
    assert code == -9
    dev.age_the_lease()
    dev.is_at(after)


def test_a_rollback_cut_short_goes_on_to_the_same_release(dev: Dev, slow_clock: dict[str, str]) -> None:
    """And not to the one before, though its own release may run already. It undoes a deployment by a slow clock."""
    before, after = dev.live, dev.other
    done = dev.checkout.elt("deploy", "--env", "dev", "--release", after, **slow_clock)
    assert done.returncode == 0, done.stderr
    dev.is_at(after)
    newest = records.standing(dev.store, "dev").live
    (written,) = [at for key, at in dev.store.keys("deployments/dev/") if newest and key == newest.key]
    assert newest and newest.at[:10] < f"{written:%Y-%m-%d}", "the clock was slow"
    code, line = dev.cut("rollback", "--env", "dev", at=action("ExecuteChangeSet"), when="after", by=INT)
    assert (code, line) == (
        130,
        f"elt: interrupted: rollback of release {before} to dev is unfinished, and what CloudFormation has begun of it "
        f"goes on by itself: `elt deploy --env dev --release {before}` goes on with it",
    )
    dev.elt("rollback", "--env", "dev")
    dev.is_at(before)


@pytest.fixture
def slow_clock(tmp_path: Path) -> dict[str, str]:
    """What makes a Python's clock a day slow."""
    (tmp_path / "sitecustomize.py").write_text(
        "import datetime, time\n"
        "now = time.time\n"
        "time.time = lambda: now() - 86_400\n"
        "class Slow(datetime.datetime):\n"
        "    @classmethod\n"
        "    def now(cls, tz=None):\n"
        "        return cls.fromtimestamp(time.time(), tz)\n"
        "datetime.datetime = Slow\n"
    )
    return {"PYTHONPATH": str(tmp_path)}


def test_what_was_changed_by_hand_differs_from_what_a_cut_short_deployment_changed(dev: Dev) -> None:
    """The role was changed before the deployment that was cut short, the schedule after it, which touched neither."""
    after, iam, scheduler = dev.other, dev.machine.client("iam"), dev.machine.client("scheduler")
    role, schedule = "elt-dev-trigger", "elt-dev-reviews"
    iam.put_role_policy(RoleName=role, PolicyName="by-hand", PolicyDocument=json.dumps(ANYTHING))
    deploy = ("deploy", "--env", "dev", "--release", after)
    dev.cut(*deploy, at=put(BEGUN), when="after")
    dev.age_the_lease()
    dev.cut(*deploy, at=action("ExecuteChangeSet"), when="after")
    dev.age_the_lease()
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["start-pipelines"]
    found = scheduler.get_schedule(Name=schedule)
    changed = {key: found[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**changed, State="ENABLED")
    shown = [
        one["resource"] for one in json.loads(dev.checkout.elt("diff", "--env", "dev", "--json").stdout)["by_hand"]
    ]
    assert set(shown) == {f"AWS::Scheduler::Schedule {schedule}"}
    done = dev.checkout.elt(*deploy)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"(\S+ \S+) was changed by hand: restored", done.stderr) == [
        f"AWS::Scheduler::Schedule {schedule}"
    ]
    assert scheduler.get_schedule(Name=schedule)["State"] == found["State"]
    dev.is_at(after)


def test_going_back_after_a_failure_is_cut_short(dev: Dev) -> None:
    """What failed is not taken for what is live, and what was live before is where it goes on to."""
    before, after, s3 = dev.live, dev.other, dev.machine.client("s3")
    key = next(iter(_objects(dev, after) - _objects(dev, before)))
    kept = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=key, Body=kept + b"\n", ChecksumAlgorithm="SHA256")
    try:
        executed = []

        def second_update(request: Request) -> bool:
            executed.extend([request] if action("ExecuteChangeSet")(request) else [])
            return len(executed) == 2

        deploy = ("deploy", "--env", "dev", "--release", after)
        code, line = dev.cut(*deploy, at=second_update, when="after", by=TERM)
        assert (code, line) == (
            143,
            f"elt: interrupted: restore of release {before} to dev is unfinished, and what CloudFormation has begun of "
            f"it goes on by itself: `elt deploy --env dev --release {before}` goes on with it",
        )
        unfinished = records.standing(dev.store, "dev").unfinished
        assert str(unfinished) == f"restore of release {before} to dev"
    finally:
        s3.put_object(Bucket=BUCKET, Key=key, Body=kept, ChecksumAlgorithm="SHA256")
    dev.elt("deploy", "--env", "dev", "--release", before)
    dev.is_at(before)


def _objects(dev: Dev, release: str) -> set[str]:
    body = dev.machine.client("s3").get_object(Bucket=BUCKET, Key=f"releases/{release}.json")["Body"].read()
    packages = json.loads(body)["packages"].values()
    return {f"{one['prefix']}/{name}" for one in packages for name in one["files"] if name == "sbom.cdx.json"}


def test_two_at_once(dev: Dev) -> None:
    """The second says whose is under way, changes nothing and fails; the first ends as if it had been alone."""
    after = dev.other
    seconds: list[subprocess.CompletedProcess[str]] = []

    def deploy_too() -> None:
        commands = (("deploy", "--release", dev.releases[0]), ("destroy", "--yes"))
        seconds.extend(dev.checkout.elt(*command, "--env", "dev") for command in commands)

    dev.gate.set(action("ExecuteChangeSet"), "after", deploy_too)
    first = dev.checkout.elt("deploy", "--env", "dev", "--release", after, AWS_ENDPOINT_URL=dev.gate.url)
    assert first.returncode == 0, first.stderr
    for done in seconds:
        assert done.returncode == 1
        *_, line = done.stderr.splitlines()
        assert re.fullmatch(
            rf"elt: deploy of release {after} to dev, by arn:\S+, is under way since \S+ \S+ UTC: nothing was changed; "
            "do this again when that has ended",
            line,
        )
    assert len(seconds) == 2
    dev.is_at(after)


def test_a_stack_that_is_stuck(dev: Dev) -> None:
    """The line names the commands that help, and once the cause is mended, they do."""
    before, after = dev.live, dev.other
    deploy = ("deploy", "--env", "dev", "--release", after)
    with stuck(dev):
        line = dev.checkout.refused(*deploy, code=1)
    assert line == (
        f"elt: stack {PIPELINES} is UPDATE_ROLLBACK_FAILED: look at its events, fix what they name, "
        f"`aws cloudformation continue-update-rollback --stack-name {PIPELINES}` and "
        f"`aws cloudformation wait stack-rollback-complete --stack-name {PIPELINES}`, then do this again"
    )
    assert dev.live == before, "nothing was begun"
    for command in re.findall(r"`(aws .*?)`", line):
        done = dev.machine.run(*command.split())
        assert done.returncode == 0, done.stderr
    dev.elt(*deploy)
    dev.is_at(after)


@contextmanager
def stuck(dev: Dev) -> Iterator[None]:
    """An update by other ways fails, and cannot be rolled back: the code from before is gone while this lasts."""
    s3, cloudformation = dev.machine.client("s3"), dev.machine.client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=PIPELINES)["Stacks"]
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    template = cloudformation.get_template(StackName=PIPELINES, TemplateStage="Original")["TemplateBody"]
    broken = template.replace("\nResources:\n", f"\nResources:\n{BROKEN}", 1)
    assert broken != template
    s3.put_object(Bucket=BUCKET, Key="scratch/broken.yaml", Body=broken.encode())
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in parameters if name != "TriggerWheel"]
    other = {"ParameterKey": "TriggerWheel", "ParameterValue": "wheelhouse/six-1.17.0-py2.py3-none-any.whl"}
    gone = s3.delete_object(Bucket=BUCKET, Key=parameters["TriggerWheel"])["VersionId"]
    try:
        cloudformation.update_stack(
            StackName=PIPELINES,
            TemplateURL=f"{s3.meta.endpoint_url}/{BUCKET}/scratch/broken.yaml",
            Parameters=[*kept, other],
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        while True:
            status = cloudformation.describe_stacks(StackName=PIPELINES)["Stacks"][0]["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(0.1)
        assert status == "UPDATE_ROLLBACK_FAILED"
        yield
    finally:
        s3.delete_object(Bucket=BUCKET, Key=parameters["TriggerWheel"], VersionId=gone)


def test_the_cloud_dies_in_mid_update(dev: Dev) -> None:
    """The command ends with one line; once the cloud is back, what was begun is ended."""
    after = dev.other
    deploy = ("deploy", "--env", "dev", "--release", after)

    def kill() -> None:
        dev.wait_for_half_an_update()
        os.kill(dev.machine.pid, KILL)

    dev.gate.set(action("ExecuteChangeSet"), "during", kill)
    done = dev.checkout.elt(*deploy, AWS_ENDPOINT_URL=dev.gate.url)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    dev.checkout.said("local", "up")
    dev.age_the_lease()
    dev.elt(*deploy)
    dev.is_at(after)


def test_a_promotion_cut_short(dev: Dev) -> None:
    """To prod, which takes what passed a smoke run; and nothing of prod is in the way of dev."""
    release = dev.live
    smoked = {"release": release, "environment": "dev", "at": "", "passed": True, "reason": ""}
    smoked |= {"execution": "", "rows": {}, "seconds": 1.0}
    dev.machine.client("s3").put_object(
        Bucket=BUCKET, Key=f"smokes/{release}/dev.json", Body=json.dumps(smoked).encode()
    )
    promote = ("promote", "--from", "dev", "--to", "prod")
    code, _ = dev.cut(*promote, at=put(BEGUN, "prod"), when="after", by=TERM)
    assert code == 143
    diff = dev.checkout.elt("diff", "--env", "prod")
    assert diff.returncode == 1
    assert re.match(
        rf"promote of release {release} to prod, begun .* UTC by arn:\S+, was not finished\n"
        r"  it has no pipelines stack\n\nA deployment of it would do:\n",
        diff.stdout,
    )
    dev.elt(*promote)
    assert dev.listed()[release] == ["dev", "prod"]
    assert dev.checkout.said("diff", "--env", "prod") == f"prod is release {release}"


def test_a_destruction_cut_short(dev: Dev) -> None:
    """Undone by a rollback where all is gone already; and ended by the same command where nothing is."""
    release, cloudformation = dev.live, dev.machine.client("cloudformation")
    destroy = ("destroy", "--env", "dev", "--yes")
    code, line = dev.cut(*destroy, at=put(ENDED), when="before", by=TERM)
    assert (code, line) == (
        143,
        "elt: interrupted: destroy of dev is unfinished, and what CloudFormation has begun of it goes on by itself: "
        f"`elt destroy --env dev` goes on with it, `elt rollback --env dev` goes back to release {release}",
    )
    diff = dev.checkout.elt("diff", "--env", "dev").stdout
    assert re.match(r"destroy of dev, begun .* UTC by arn:\S+, was not finished\n  it has no pipelines stack\n", diff)
    dev.elt("rollback", "--env", "dev")
    dev.is_at(release)
    assert dev.cut(*destroy, at=action("DeleteStack"), when="before")[0] == -9
    dev.age_the_lease()
    dev.elt(*destroy)
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=PIPELINES)
    assert records.standing(dev.store, "dev") == records.Standing(None, None, ())


def test_a_publication_cut_short(dev: Dev) -> None:
    """The same commit is published whole by the same command."""
    checkout, s3 = dev.checkout, dev.machine.client("s3")
    checkout.raise_version("trigger", "0.2.0")
    checkout.commit()

    def manifest(request: Request) -> bool:
        return request.what.startswith(f"PUT /{BUCKET}/releases/")

    code, line = dev.cut("release", "publish", "--env", "dev", at=manifest, when="before", by=TERM)
    assert (code, line) == (143, "elt: interrupted")
    release = checkout.said("release", "publish", "--env", "dev")
    manifest_: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key=f"releases/{release}.json")["Body"].read())
    assert manifest_["packages"]["trigger"]["version"] == "0.2.0"


def test_change_sets_without_changes_do_not_pile_up(dev: Dev) -> None:
    """One that a killed command left is deleted by the next that asks for one; CloudFormation itself keeps it."""
    cloudformation = dev.machine.client("cloudformation")

    def left() -> list[str]:
        found = cloudformation.list_change_sets(StackName="elt-artifacts")["Summaries"]
        return [one["Status"] for one in found if one["ExecutionStatus"] != "EXECUTE_COMPLETE"]

    publish = ("release", "publish", "--env", "dev")
    assert dev.cut(*publish, at=action("DeleteChangeSet", "elt-artifacts"), when="before")[0] == -9
    assert left() == ["FAILED"]
    dev.elt(*publish)
    assert left() == []
