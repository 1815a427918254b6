"""A stack that has nothing to do with this project: deployed by the `aws` command, used, and deleted."""

from __future__ import annotations

import json
import time
from typing import Any

from .conftest import TEMPLATES, Stacks

TEMPLATE = TEMPLATES / "website.yaml"
DEPLOY = ["cloudformation", "deploy", "--stack-name", "site", "--template-file", str(TEMPLATE)]


def succeeded(result: Any) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return str(result.stdout)


def deploy(cloud: Any, *arguments: str) -> Any:
    """The command names its change set after the second it starts in, so each deploy gets a second of its own."""
    time.sleep(1.01 - time.time() % 1)
    return cloud.aws(*DEPLOY, "--capabilities", "CAPABILITY_IAM", *arguments)


def test_deploy_use_update_delete(stacks: Stacks, cloud: Any) -> None:
    succeeded(deploy(cloud, "--tags", "team=web", "cost=1"))

    described = json.loads(succeeded(cloud.aws("cloudformation", "describe-stacks", "--stack-name", "site")))
    stack = described["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Tags"] == [{"Key": "team", "Value": "web"}, {"Key": "cost", "Value": "1"}]
    assert outputs["Url"] == f"http://{outputs['Bucket']}.s3-website-us-east-1.amazonaws.com"
    assert "Alarm" not in outputs

    event = {"Records": [{"s3": {"object": {"key": "index.html"}}}]}
    answer = cloud.client("lambda").invoke(FunctionName=outputs["Function"], Payload=json.dumps(event))
    assert json.loads(answer["Payload"].read()) == {"stage": "dev", "count": 1}
    messages = cloud.client("sqs").receive_message(QueueUrl=outputs["Queue"])["Messages"]
    assert [message["Body"] for message in messages] == ["index.html"]
    states = cloud.client("stepfunctions")
    run = states.start_execution(stateMachineArn=outputs["Machine"], input=json.dumps(event))["executionArn"]
    while (execution := states.describe_execution(executionArn=run))["status"] == "RUNNING":
        time.sleep(0.1)
    assert json.loads(execution["output"]) == {"stage": "dev", "count": 1}

    same = deploy(cloud, "--tags", "team=web", "cost=1", "--no-fail-on-empty-changeset")
    assert "No changes to deploy. Stack site is up to date" in succeeded(same)
    strict = deploy(cloud, "--tags", "team=web", "cost=1")
    assert strict.returncode != 0
    assert "No changes to deploy" in strict.stderr

    live = ["--parameter-overrides", "Stage=live", "AlertEmail=ops@example.com"]
    succeeded(deploy(cloud, *live))
    function = cloud.client("lambda").get_function_configuration(FunctionName=outputs["Function"])
    assert (function["MemorySize"], function["Environment"]["Variables"]["STAGE"]) == (512, "live")
    assert stacks.outputs("site")["Alarm"].startswith("site-TooMany-")

    events = json.loads(succeeded(cloud.aws("cloudformation", "describe-stack-events", "--stack-name", "site")))
    assert events["StackEvents"][0]["ResourceStatus"] == "UPDATE_COMPLETE"
    succeeded(cloud.aws("cloudformation", "delete-stack", "--stack-name", "site"))
    succeeded(cloud.aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "site"))
    gone = cloud.aws("cloudformation", "describe-stacks", "--stack-name", "site")
    assert gone.returncode != 0
    assert "Stack with id site does not exist" in gone.stderr


def test_a_deploy_that_fails_says_so(stacks: Stacks, cloud: Any, tmp_path: Any) -> None:
    template = tmp_path / "t.yaml"
    template.write_text("Resources: {P: {Type: AWS::IAM::RolePolicy, Properties: {PolicyName: p, RoleName: nobody}}}")
    command = ["cloudformation", "deploy", "--stack-name", "fails", "--template-file", str(template)]
    unacknowledged = cloud.aws(*command)
    assert "Requires capabilities : [CAPABILITY_IAM]" in unacknowledged.stderr
    failed = cloud.aws(*command, "--capabilities", "CAPABILITY_IAM")
    assert failed.returncode != 0
    assert "Failed to create/update the stack" in failed.stderr
    assert stacks.status("fails") == "ROLLBACK_COMPLETE"
    template.write_text("Resources: {X: {Type: AWS::No::Such}}")
    wrong = cloud.aws(*command, "--capabilities", "CAPABILITY_IAM")
    assert f"Stack:{stacks.stack('fails')['StackId']} is in ROLLBACK_COMPLETE state" in wrong.stderr
    stacks.delete("fails")
    wrong = cloud.aws(*command)
    assert "Template format error: Unrecognized resource types: [AWS::No::Such]" in wrong.stderr


def test_the_waiters_of_boto3(stacks: Stacks) -> None:
    template = "Resources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: %s}}}"
    quickly = {"Delay": 1, "MaxAttempts": 20}
    for waiter, act in {
        "stack_create_complete": lambda: stacks.create("waited", template % "a"),
        "stack_update_complete": lambda: stacks.update("waited", template % "b"),
        "stack_exists": lambda: None,
        "stack_delete_complete": lambda: stacks.delete("waited"),
    }.items():
        act()
        stacks.api.get_waiter(waiter).wait(StackName="waited", WaiterConfig=quickly)
