"""Whether a push can deploy: the roles that GitHub's jobs take, and what `gh` says of the repository."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import boto3
from botocore.exceptions import ClientError

from orchestration.doctor.finding import FAILURE, OK, WARNING, Finding
from orchestration.environments import Environment

_PROVIDER = "token.actions.githubusercontent.com"
_PAGE = "docs/first-deployment.md, part 6"


def roles(environment: Environment) -> Iterator[Finding]:
    """Yield those of an environment: one deploys, one plans backfills."""
    if environment.is_on_this_machine:
        return
    for kind, task in (("deploy", "deploy"), ("plan", "plan a backfill")):
        yield from _role(f"elt-{kind}-{environment.name}", task)


def _role(name: str, task: str) -> Iterator[Finding]:
    iam = boto3.client("iam")
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        yield Finding("delivery", WARNING, f"there is no role {name}: GitHub cannot {task}", _PAGE)
        return
    statements = role["AssumeRolePolicyDocument"]["Statement"]
    provider = next((one["Principal"].get("Federated", "") for one in statements if "Principal" in one), "")
    there = [one["Arn"] for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    if provider in there and _PROVIDER in provider:
        yield Finding("delivery", OK, f"{name}, by {provider}")
    else:
        yield Finding("delivery", FAILURE, f"{name} trusts {provider or 'nobody'}, which is not there", _PAGE)


def github(environment: Environment) -> Iterator[Finding]:
    """Yield what the repository of this folder has for the environment, and for planning its backfills.

    Not looked at without `gh`, or not signed in.
    """
    if environment.is_on_this_machine:
        return
    if not shutil.which("gh"):
        yield Finding("GitHub", OK, "not looked at: there is no command gh here")
        return
    yield from _variables(environment.name, "DEPLOY_ROLE_ARN", f"elt-deploy-{environment.name}")
    yield from _variables(f"{environment.name}-plan", "PLAN_ROLE_ARN", f"elt-plan-{environment.name}")


def _variables(environment: str, variable: str, role: str) -> Iterator[Finding]:
    """Yield those of an environment on GitHub."""
    variables = _gh("variable", "list", "--env", environment, "--json", "name,value")
    if variables is None:
        yield Finding("GitHub", WARNING, f"gh could not read the environment {environment}", "gh auth status")
        return
    found = {one["name"]: one["value"] for one in variables}
    account = boto3.client("sts").get_caller_identity()["Account"]
    wanted = {variable: f":{account}:role/{role}", "AWS_REGION": boto3.session.Session().region_name or ""}
    for name, value in wanted.items():
        if name not in found:
            yield Finding("GitHub", FAILURE, f"the environment {environment} lacks {name}", _PAGE)
        elif not found[name].endswith(value):
            yield Finding(
                "GitHub", FAILURE, f"{name} of {environment} is {found[name]}, and you are asking about …{value}", _PAGE
            )
        else:
            yield Finding("GitHub", OK, f"{name} of {environment} is {found[name]}")


def _gh(*arguments: str) -> list[dict[str, str]] | None:
    """List the JSON list that a command of gh's prints; None where it fails."""
    done = subprocess.run(["gh", *arguments], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        return None
    answer: list[dict[str, str]] = json.loads(done.stdout or "[]")
    return answer
