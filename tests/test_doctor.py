"""`elt doctor`: before and after a deployment, as the administrator and as somebody who may do little."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from laptop import ROOT, Laptop, free_port
from orchestration.doctor import permissions

pytestmark = pytest.mark.timeout(300)


def findings(laptop: Laptop, *arguments: str, code: int = 0, **env: str) -> list[tuple[str, str, str, str]]:
    done = subprocess.run(
        ["elt", "doctor", *arguments, "--json"],
        env=laptop.env | laptop.sdk | env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return [tuple(one.values()) for one in json.loads(done.stdout)]


def test_an_account_with_nothing_in_it(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path / "elt", free_port())
    assert laptop.elt("local", "up").returncode == 0
    try:
        root = "arn:aws:iam::123456789012:root"
        told = findings(laptop, "--env", "dev", PATH=_without_gh(laptop))
        assert told == [
            ("identity", "warning", f"{root}: the account's root", "sign in as a role or user that may administer"),
            ("region", "ok", "us-east-1", ""),
            (
                "endpoint",
                "warning",
                f"http://127.0.0.1:{laptop.port}, which is not AWS",
                'eval "$(elt local env --unset)"',
            ),
            ("network", "ok", "the default VPC has subnets in 6 availability zones", ""),
            ("quotas", "ok", "Glue job runs at once: 2000", ""),
            ("quotas", "ok", "Lambda functions at once: 1000", ""),
            ("permissions", "ok", "the root may do everything", ""),
            ("stacks", "warning", "elt-artifacts is not deployed", "elt deploy --env dev"),
            ("stacks", "warning", "elt-dev-data is not deployed", "elt deploy --env dev"),
            ("stacks", "warning", "elt-dev-pipelines is not deployed", "elt deploy --env dev"),
            (
                "alerts",
                "warning",
                "nobody is mailed when a run fails",
                "set alert_email in environments/dev.toml, then elt deploy --env dev",
            ),
            ("QuickSight", "ok", "no dashboard is asked for (quicksight_principal)", ""),
            (
                "delivery",
                "warning",
                "there is no role elt-deploy-dev: GitHub cannot deploy",
                "docs/first-deployment.md, part 6",
            ),
            (
                "delivery",
                "warning",
                "there is no role elt-plan-dev: GitHub cannot plan a backfill",
                "docs/first-deployment.md, part 6",
            ),
            ("GitHub", "ok", "not looked at: there is no command gh here", ""),
        ]
        ec2 = laptop.client("ec2")
        for subnet in ec2.describe_subnets()["Subnets"][2:]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        told = findings(laptop, "--env", "dev", code=1)
        (network,) = [one for one in told if one[0] == "network"]
        assert network == (
            "network",
            "failure",
            "the default VPC has 2 availability zones with 3 free addresses in a subnet, and Redshift Serverless asks "
            "for 3",
            "aws ec2 create-default-subnet --availability-zone ZONE",
        )
    finally:
        laptop.elt("local", "down")


def _without_gh(laptop: Laptop) -> str:
    return ":".join(folder for folder in laptop.env["PATH"].split(":") if not (Path(folder) / "gh").exists())


def test_each_environment_on_github_has_the_variables_of_its_role(laptop: Laptop, tmp_path: Path) -> None:
    """One deploys, the other plans backfills. A gh that knows the variables of two environments stands for GitHub's."""
    arn = "arn:aws:iam::123456789012:role/elt"
    region = {"name": "AWS_REGION", "value": "us-east-1"}
    for name, role in (("dev", {"name": "DEPLOY_ROLE_ARN", "value": f"{arn}-deploy-prod"}), ("dev-plan", None)):
        (tmp_path / f"{name}.json").write_text(json.dumps([region, *([role] if role else [])]))
    gh = tmp_path / "gh"
    gh.write_text(
        f'#!/bin/sh\ntest "$1 $2 $3 $5 $6" = "variable list --env --json name,value" && cat "{tmp_path}/$4.json"\n'
    )
    gh.chmod(0o755)
    told = findings(laptop, "--env", "dev", code=1, PATH=f"{tmp_path}:{laptop.env['PATH']}")
    page = "docs/first-deployment.md, part 6"
    assert [one for one in told if one[0] == "GitHub"] == [
        (
            "GitHub",
            "failure",
            f"DEPLOY_ROLE_ARN of dev is {arn}-deploy-prod, and you are asking about …:123456789012:role/elt-deploy-dev",
            page,
        ),
        ("GitHub", "ok", "AWS_REGION of dev is us-east-1", ""),
        ("GitHub", "failure", "the environment dev-plan lacks PLAN_ROLE_ARN", page),
        ("GitHub", "ok", "AWS_REGION of dev-plan is us-east-1", ""),
    ]


def test_who_may_do_little_is_told_what_is_missing(laptop: Laptop) -> None:
    """Of a check that the caller may not make, the action is named, and the others are made all the same."""
    told = {one[:3] for one in findings(laptop, "--env", "dev", code=1, **_keys(laptop, _POLICY))}
    assert ("identity", "ok", "arn:aws:sts::123456789012:assumed-role/looker/test") in told
    assert ("network", "warning", "not looked up: you may not ec2:DescribeSubnets") in told
    assert ("quotas", "warning", "not looked up: you may not servicequotas:GetServiceQuota") in told
    assert ("stacks", "warning", "elt-dev-data is not deployed") in told
    (lacking,) = [what for check, _, what in told if check == "permissions"]
    assert lacking.startswith("you may not cloudformation:CreateChangeSet, cloudwatch:PutMetricAlarm, events:PutRule, ")
    assert "iam:CreatePolicy" not in lacking, "of delivery from GitHub alone"


def test_who_may_administer_is_told_so(laptop: Laptop) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    told = [one[:3] for one in findings(laptop, "--env", "dev", **_keys(laptop, everything))]
    count = len(permissions.MAKES)
    assert ("permissions", "ok", f"{count} actions simulated, one for each type of resource") in told


def test_a_deployed_environment_is_well(laptop: Laptop) -> None:
    told = [one[:3] for one in findings(laptop, "--env", "local")]
    assert ("network", "ok", "the workgroup is deployed") in told
    assert [what.split()[0] for check, result, what in told if (check, result) == ("stacks", "ok")] == [
        "elt-artifacts",
        "elt-local-data",
        "elt-local-pipelines",
    ]
    assert ("alerts", "ok", "oncall@example.com is subscribed") in told
    lines = laptop.elt("doctor").stdout.splitlines()
    assert lines[0].split() == ["identity", "ok", "arn:aws:iam::123456789012:root"]
    assert {one[1] for one in told} == {"ok"}, "of a laptop, GitHub and whose keys are no matter"


#: What reading takes, and one action of those that deploy: the one that its simulation must allow.
_POLICY = {
    "Effect": "Allow",
    "Action": ["cloudformation:Describe*", "iam:Get*", "iam:List*", "iam:Simulate*", "glue:CreateDatabase"],
    "Resource": "*",
}


def _keys(laptop: Laptop, statement: dict[str, Any]) -> dict[str, str]:
    """Keys of the role `looker`, which may do what the statement says."""
    iam = laptop.client("iam")
    trust = [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}]
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(
            Path="/people/",
            RoleName="looker",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}),
        )
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName="looker", PolicyName="all", PolicyDocument=json.dumps(document))
    keys = laptop.client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/people/looker", RoleSessionName="test"
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


def test_each_type_that_the_stacks_make_is_asked_about() -> None:
    """But for parts of another resource, and QuickSight's, which only some environments have."""
    folder = ROOT / "packages" / "orchestration" / "src" / "orchestration"
    files = [*folder.glob("stacks/**/*.yaml"), *folder.glob("pipelines/*/stack.yaml")]
    types = {kind for file in files for kind in _types(yaml.compose(file.read_text(encoding="utf-8")))}
    parts = ("Policy", "Permission", "StateMachineVersion", "StateMachineAlias")
    asked = {kind for kind in types if "::QuickSight::" not in kind and kind.split("::")[-1] not in parts}
    assert {kind for kind in asked if not kind.endswith(("BucketPolicy", "QueuePolicy"))} == {*permissions.MAKES} - {
        "AWS::CloudFormation::Stack"
    }


def _types(node: yaml.Node) -> set[str]:
    if isinstance(node, yaml.SequenceNode):
        return {kind for one in node.value for kind in _types(one)}
    if not isinstance(node, yaml.MappingNode):
        return set()
    found = {value.value for key, value in node.value if key.value == "Type" and str(value.value).startswith("AWS::")}
    return found | {kind for _, value in node.value for kind in _types(value)}
