"""Transform: AWS::Serverless, by AWS's own translator, through change sets as `sam deploy` makes them."""

from __future__ import annotations

import gc
import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.parameters import ParameterValue
from local_cloud.services.cloudformation.templates.template import Template

from .conftest import TEMPLATES, Stacks

APPLICATION = (TEMPLATES / "serverless.yaml").read_text()
MINIMAL = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Timeout: 10}}
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.11, Handler: index.h, %s}}
"""


def test_a_function_becomes_a_function_and_its_role() -> None:
    template = Template.parse(MINIMAL % "InlineCode: 'def h(e, c): return 1'")
    assert {name: each.type for name, each in template.resources.items()} == {
        "F": "AWS::Lambda::Function",
        "FRole": "AWS::IAM::Role",
    }
    assert template.resources["F"].properties["Timeout"] == 10
    assert "Globals" not in json.loads(template.processed)


def test_the_translator_writes_nothing_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    for code in ("a", "b"):  # it would complain of the first one's metrics at the second
        Template.parse(MINIMAL % f"InlineCode: {code}")
    gc.collect()
    assert caplog.records == []


def test_the_translator_reads_the_parameters_of_the_deployment() -> None:
    text = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Alias: {Type: String, Default: live}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, Handler: index.h, InlineCode: x, AutoPublishAlias: !Ref Alias}
"""
    assert "FAliaslive" in Template.parse(text).resources
    test = {"Alias": ParameterValue("Alias", "test")}
    assert "FAliastest" in Template.parse(text).with_values(test).resources


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            MINIMAL % "CodeUri: ./src",
            "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. "
            "Number of errors found: 1. Resource with id [F] is invalid. 'CodeUri' is not a valid S3 Uri of the form "
            "'s3://bucket/key' with optional versionId query parameter.",
        ),
        (
            "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::Serverless::Application}}",
            "Template format error: Unrecognized resource types: [AWS::Serverless::Application]",
        ),
        (
            "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::Serverless::HttpApi}}",
            "Template format error: Unrecognized resource types: [AWS::ApiGatewayV2::Api, AWS::ApiGatewayV2::Stage]",
        ),
        (
            "Globals: {}\nResources: {T: {Type: AWS::SNS::Topic}}",
            "Invalid template property or properties [Globals]",
        ),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Template.parse(text)
    assert str(refused.value) == message


def deploy(stacks: Stacks, name: str, kind: str, **parameters: str) -> None:
    """A change set, made and executed."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    request = {"StackName": name, "ChangeSetName": "deploy", "Capabilities": ["CAPABILITY_IAM"]}
    stacks.api.create_change_set(ChangeSetType=kind, TemplateBody=APPLICATION, Parameters=given, **request)
    stacks.api.get_waiter("change_set_create_complete").wait(StackName=name, ChangeSetName="deploy")
    stacks.api.execute_change_set(StackName=name, ChangeSetName="deploy")
    waiter = f"stack_{kind.lower()}_complete"
    stacks.api.get_waiter(waiter).wait(StackName=name, WaiterConfig={"Delay": 1})


def test_an_application_is_deployed_used_updated_and_deleted(
    stacks: Stacks, cloud: Any, code_bucket: str, gone: Callable[[str], str]
) -> None:
    layer = io.BytesIO()
    with zipfile.ZipFile(layer, "w") as archive:
        archive.writestr("python/greetings.py", "import os\ndef text():\n    return os.environ['GREETING']\n")
    cloud.client("s3").put_object(Bucket=code_bucket, Key="layer.zip", Body=layer.getvalue())
    name = gone("serverless")
    deploy(stacks, name, "CREATE")
    ids, outputs = stacks.resources(name), stacks.outputs(name)
    assert run(cloud, outputs["Machine"], "a") == {"id": "a", "text": "hello"}
    assert outputs["Function"].rsplit(":", 1)[1] == "1"
    iam, machines = cloud.client("iam"), cloud.client("stepfunctions")
    assert [each["GroupName"] for each in iam.list_groups_for_user(UserName=ids["Reader"])["Groups"]] == [
        ids["Readers"]
    ]
    assert iam.list_user_policies(UserName=ids["Reader"])["PolicyNames"] == ["table"]
    assert machines.describe_activity(activityArn=ids["Approval"])["name"] == "serverless-approval"

    deploy(stacks, name, "UPDATE", Greeting="good day")
    assert cloud.client("lambda").get_function_configuration(FunctionName=ids["Writer"])["Environment"] == {
        "Variables": {"TABLE": ids["Seen"], "GREETING": "good day"}
    }

    stack_id = stacks.stack(name)["StackId"]
    stacks.delete(name)
    assert stacks.status(stack_id) == "DELETE_COMPLETE", stacks.failures(stack_id)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_user(UserName=ids["Reader"])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        cloud.client("dynamodb").describe_table(TableName=ids["Seen"])


def run(cloud: Any, machine: str, item: str) -> Any:
    """The output of one execution."""
    machines = cloud.client("stepfunctions")
    execution = machines.start_execution(stateMachineArn=machine, input=json.dumps({"id": item}))["executionArn"]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = machines.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            assert found["status"] == "SUCCEEDED", found
            return json.loads(found["output"])
        time.sleep(0.1)
    raise AssertionError(f"{execution} has not ended")
