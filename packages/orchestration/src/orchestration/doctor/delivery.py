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
    if environment.is_on_this_machine:
        return
    iam = boto3.client("iam")
    name = f"elt-deploy-{environment.name}"
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        yield Finding("delivery", WARNING, f"there is no role {name}: GitHub cannot deploy", _PAGE)
        return
    statements = role["AssumeRolePolicyDocument"]["Statement"]
    provider = next((one["Principal"].get("Federated", "") for one in statements if "Principal" in one), "")
    there = [one["Arn"] for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    if provider in there and _PROVIDER in provider:
        yield Finding("delivery", OK, f"{name}, by {provider}")
    else:
        yield Finding("delivery", FAILURE, f"{name} trusts {provider or 'nobody'}, which is not there", _PAGE)


def github(environment: Environment) -> Iterator[Finding]:
    """What the repository of this folder has for the environment; not looked at without `gh`, or not signed in."""
    if environment.is_on_this_machine:
        return
    if not shutil.which("gh"):
        yield Finding("GitHub", OK, "not looked at: there is no command gh here")
        return
    variables = _gh("variable", "list", "--env", environment.name, "--json", "name,value")
    if variables is None:
        yield Finding("GitHub", WARNING, f"gh could not read the environment {environment.name}", "gh auth status")
        return
    found = {one["name"]: one["value"] for one in variables}
    account = boto3.client("sts").get_caller_identity()["Account"]
    wanted = {
        "DEPLOY_ROLE_ARN": f":{account}:role/elt-deploy-{environment.name}",
        "AWS_REGION": boto3.session.Session().region_name or "",
    }
    for name, value in wanted.items():
        if name not in found:
            yield Finding("GitHub", FAILURE, f"the environment {environment.name} lacks {name}", _PAGE)
        elif not found[name].endswith(value):
            yield Finding("GitHub", FAILURE, f"{name} is {found[name]}, and you are asking about …{value}", _PAGE)
        else:
            yield Finding("GitHub", OK, f"{name} is {found[name]}")


def _gh(*arguments: str) -> list[dict[str, str]] | None:
    """The JSON list that a command of gh's prints; None where it fails."""
    done = subprocess.run(["gh", *arguments], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        return None
    answer: list[dict[str, str]] = json.loads(done.stdout or "[]")
    return answer
