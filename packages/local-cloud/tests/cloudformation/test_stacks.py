"""The actions on stacks: states, events, exports, tokens, protection, retention, failures."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Stacks

TOPIC = "Resources: {T: {Type: AWS::SNS::Topic}}"

#: The name decides whether the second resource can be made, and the display name of the first one changes.
FRAGILE = """
Parameters: {Display: {Type: String, Default: one}, Role: {Type: String, Default: ""}}
Conditions: {WithRole: !Not [!Equals [!Ref Role, ""]]}
Resources:
  T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Display}}
  P:
    Type: AWS::IAM::RolePolicy
    Condition: WithRole
    DependsOn: T
    Properties:
      PolicyName: p
      RoleName: !Ref Role
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}
"""


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call()
    answer = error.value.response["Error"]
    return str(answer["Code"]), str(answer["Message"])


def test_the_events_of_a_stacks_life(stacks: Stacks) -> None:
    template = """
    Resources:
      Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: life}}
      Policy:
        Type: AWS::SQS::QueuePolicy
        Properties: {Queues: [!Ref Queue], PolicyDocument: {Version: "2012-10-17", Statement: []}}
    """
    stack_id = stacks.create("life", template)
    stacks.update("life", template.replace("life}", "life, DelaySeconds: 1}"))
    stacks.update("life", template.replace("life}", "lives}"))
    stacks.delete("life")
    begun = "Resource creation Initiated"
    replacing = "Requested update requires the creation of a new physical resource; hence creating one."
    assert stacks.events(stack_id) == [
        ("life", "CREATE_IN_PROGRESS", "User Initiated"),
        ("Queue", "CREATE_IN_PROGRESS", ""),
        ("Queue", "CREATE_IN_PROGRESS", begun),
        ("Queue", "CREATE_COMPLETE", ""),
        ("Policy", "CREATE_IN_PROGRESS", ""),
        ("Policy", "CREATE_IN_PROGRESS", begun),
        ("Policy", "CREATE_COMPLETE", ""),
        ("life", "CREATE_COMPLETE", ""),
        ("life", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("Queue", "UPDATE_IN_PROGRESS", ""),
        ("Queue", "UPDATE_COMPLETE", ""),
        ("life", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        ("life", "UPDATE_COMPLETE", ""),
        ("life", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("Queue", "UPDATE_IN_PROGRESS", replacing),
        ("Queue", "UPDATE_IN_PROGRESS", begun),
        ("Queue", "UPDATE_COMPLETE", ""),
        ("Policy", "UPDATE_IN_PROGRESS", ""),
        ("Policy", "UPDATE_COMPLETE", ""),
        ("life", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        ("Queue", "DELETE_IN_PROGRESS", ""),
        ("Queue", "DELETE_COMPLETE", ""),
        ("life", "UPDATE_COMPLETE", ""),
        ("life", "DELETE_IN_PROGRESS", "User Initiated"),
        ("Policy", "DELETE_IN_PROGRESS", ""),
        ("Policy", "DELETE_COMPLETE", ""),
        ("Queue", "DELETE_IN_PROGRESS", ""),
        ("Queue", "DELETE_COMPLETE", ""),
        ("life", "DELETE_COMPLETE", ""),
    ]


def test_what_describe_says(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("said")
    template = """
    Description: What it is.
    Parameters: {Who: {Type: String}, Secret: {Type: String, NoEcho: true, Default: hush}}
    Resources: {T: {Type: AWS::SNS::Topic, Metadata: {owner: !Ref Who}}}
    Outputs: {Topic: {Description: where to shout, Value: !Ref T, Export: {Name: !Sub "${AWS::StackName}-topic"}}}
    """
    stack_id = stacks.create(name, template, parameters={"Who": "me"}, tags={"a": "b"}, TimeoutInMinutes=5)
    stack = stacks.stack(name)
    topic = stacks.resources(name)["T"]
    assert stack.pop("CreationTime")
    assert stack == {
        "StackId": stack_id,
        "StackName": name,
        "Description": "What it is.",
        "Parameters": [
            {"ParameterKey": "Who", "ParameterValue": "me"},
            {"ParameterKey": "Secret", "ParameterValue": "****"},
        ],
        "StackStatus": "CREATE_COMPLETE",
        "DisableRollback": False,
        "RollbackConfiguration": {},
        "NotificationARNs": [],
        "TimeoutInMinutes": 5,
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Outputs": [
            {"OutputKey": "Topic", "Description": "where to shout", "OutputValue": topic, "ExportName": "said-topic"}
        ],
        "Tags": [{"Key": "a", "Value": "b"}],
        "EnableTerminationProtection": False,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    assert stacks.stack(stack_id)["StackName"] == name
    detail = stacks.api.describe_stack_resource(StackName=name, LogicalResourceId="T")["StackResourceDetail"]
    assert (detail["PhysicalResourceId"], detail["Metadata"]) == (topic, '{"owner": "me"}')
    found = stacks.api.describe_stack_resources(PhysicalResourceId=topic)["StackResources"]
    assert [(each["StackName"], each["LogicalResourceId"]) for each in found] == [(name, "T")]
    summary = stacks.api.list_stack_resources(StackName=name)["StackResourceSummaries"][0]
    assert (summary["LogicalResourceId"], summary["ResourceStatus"]) == ("T", "CREATE_COMPLETE")
    body = stacks.api.get_template(StackName=name)
    assert (body["TemplateBody"], body["StagesAvailable"]) == (template, ["Original", "Processed"])
    listed = stacks.api.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
    assert [each["TemplateDescription"] for each in listed] == ["What it is."]


def test_a_json_template_comes_back_as_an_object(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("json")
    stacks.create(name, json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}))
    assert stacks.api.get_template(StackName=name)["TemplateBody"] == {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}


@pytest.mark.parametrize(
    ("template", "code", "message"),
    [
        ("Resources: {R: {Type: AWS::EC2::VPC}}", "ValidationError",
         "Template format error: Unrecognized resource types: [AWS::EC2::VPC]"),
        ("Resources: {Q: {Type: AWS::SQS::Queue, Properties: {Name: q}}}", "ValidationError",
         "Properties validation failed for resource Q with message:\n#: extraneous key [Name] is not permitted"),
        ("Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue none}}}", "ValidationError",
         "No export named none found."),
        ("Parameters: {P: {Type: String}}\n" + TOPIC, "ValidationError", "Parameters: [P] must have values"),
        ("Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SNS::Topic, DependsOn: A}}",
         "ValidationError", "Circular dependency between resources: [A, B]"),
        ("x" * 51_201, "ValidationError", "1 validation error detected: Value at 'templateBody' failed to satisfy "
         "constraint: Member must have length less than or equal to 51200"),
    ],
)  # fmt: skip
def test_a_refused_template_makes_nothing(stacks: Stacks, template: str, code: str, message: str) -> None:
    assert refused(lambda: stacks.create("never", template)) == (code, message)
    request = {"StackName": "never", "TemplateBody": template, "ChangeSetName": "c", "ChangeSetType": "CREATE"}
    assert refused(lambda: stacks.api.create_change_set(**request)) == (code, message)
    assert refused(lambda: stacks.stack("never")) == ("ValidationError", "Stack with id never does not exist")


def test_capabilities_are_shown_as_they_were_given_needed_or_not(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("capable")
    given = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]
    stacks.create(name, TOPIC, Capabilities=given)
    assert stacks.stack(name)["Capabilities"] == given
    target = {"StackName": name, "ChangeSetName": "c"}
    stacks.api.create_change_set(**target, TemplateBody=TOPIC, Capabilities=given[1:])
    assert stacks.api.describe_change_set(**target)["Capabilities"] == given[1:]


def test_refusals_by_name_and_state(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("taken")
    stack_id = stacks.create(name, TOPIC)
    assert refused(lambda: stacks.create(name, TOPIC)) == ("AlreadyExistsException", "Stack [taken] already exists")
    assert refused(lambda: stacks.update(name, TOPIC)) == ("ValidationError", "No updates are to be performed.")
    assert refused(lambda: stacks.create("a_b", TOPIC))[1].endswith("regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*")
    assert refused(lambda: stacks.update("none", TOPIC)) == ("ValidationError", "Stack with id none does not exist")
    events = refused(lambda: stacks.events("none"))
    assert events == ("ValidationError", "Stack [none] does not exist")
    for owner in (name, stack_id):
        asked = {"StackName": owner, "LogicalResourceId": "X"}
        resource = refused(lambda asked=asked: stacks.api.describe_stack_resource(**asked))  # type: ignore[misc]
        assert resource == ("ValidationError", f"Resource X does not exist for stack {owner}")
    nothing = refused(stacks.api.get_template)
    assert nothing == ("ValidationError", "StackName is required if ChangeSetName is not specified.")
    anybody = refused(lambda: stacks.api.get_template(ChangeSetName="c"))
    assert anybody == ("ValidationError", "StackName is a required parameter.")
    neither = refused(lambda: stacks.api.create_stack(StackName="x"))
    assert neither == ("ValidationError", "Either Template URL or Template Body must be specified.")
    iam = "Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: {}}}}"
    missing = refused(lambda: stacks.create("x", iam, Capabilities=[]))
    assert missing == ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
    rollback = refused(lambda: stacks.api.rollback_stack(StackName=name))
    assert rollback[1].startswith(f"Stack:{stack_id} is in CREATE_COMPLETE state and can not be rolled back")
    policy = refused(lambda: stacks.api.set_stack_policy(StackName=name, StackPolicyBody="{}"))
    assert policy == ("ValidationError", "Stack policies are not supported by this local cloud")
    drift = refused(lambda: stacks.api.detect_stack_drift(StackName=name))
    assert drift == ("InvalidAction", "DetectStackDrift is not part of this local cloud's CloudFormation")
    stacks.delete("none")  # as on AWS, no error


def test_a_failed_creation_rolls_back(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("fragile")
    stack_id = stacks.create(name, FRAGILE, parameters={"Role": "nobody"})
    assert stacks.status(name) == "ROLLBACK_COMPLETE"
    reason = stacks.failures(name)["P"]
    assert reason.startswith('Resource handler returned message: "Role nobody not found (Operation: PutRolePolicy, ')
    assert reason.endswith("HandlerErrorCode: NotFound)")
    assert stacks.events(name, of=name) == [
        (name, "CREATE_IN_PROGRESS", "User Initiated"),
        (name, "ROLLBACK_IN_PROGRESS",
         "The following resource(s) failed to create: [P]. Rollback requested by user."),
        (name, "ROLLBACK_COMPLETE", ""),
    ]  # fmt: skip
    message = f"Stack:{stack_id} is in ROLLBACK_COMPLETE state and can not be updated."
    assert refused(lambda: stacks.update(name, TOPIC)) == ("ValidationError", message)


def test_a_failed_creation_that_is_kept_can_be_mended(stacks: Stacks, cloud: Any, gone: Callable[[str], str]) -> None:
    name = gone("kept")
    stacks.create(name, FRAGILE, parameters={"Role": "late"}, DisableRollback=True)
    assert stacks.status(name) == "CREATE_FAILED"
    topic = stacks.resources(name)["T"]
    cloud.client("iam").create_role(RoleName="late", AssumeRolePolicyDocument="{}")
    stacks.update(name, FRAGILE, parameters={"Role": "late"})
    assert stacks.status(name) == "UPDATE_COMPLETE"
    assert stacks.resources(name) == {"T": topic, "P": "p|late"}


def test_a_failed_creation_that_is_kept_can_be_rolled_back(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("kept-back")
    stacks.create(name, FRAGILE, parameters={"Role": "nobody"}, OnFailure="DO_NOTHING")
    stacks.api.rollback_stack(StackName=name)
    assert stacks.status(name) == "ROLLBACK_COMPLETE"


def test_a_failed_creation_can_delete_itself(stacks: Stacks) -> None:
    stack_id = stacks.create("vanishes", FRAGILE, parameters={"Role": "nobody"}, OnFailure="DELETE")
    assert stacks.status(stack_id) == "DELETE_COMPLETE"


def test_a_failed_update_restores_the_previous_properties(
    stacks: Stacks, cloud: Any, gone: Callable[[str], str]
) -> None:
    name = gone("restored")
    stacks.create(name, FRAGILE)
    stacks.update(name, FRAGILE, parameters={"Display": "two", "Role": "nobody"})
    assert stacks.status(name) == "UPDATE_ROLLBACK_COMPLETE"
    topic = stacks.resources(name)["T"]
    assert cloud.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "one"
    assert stacks.events(name, of=name)[2:] == [
        (name, "UPDATE_IN_PROGRESS", "User Initiated"),
        (name, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [P]."),
        (name, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        (name, "UPDATE_ROLLBACK_COMPLETE", ""),
    ]
    stacks.update(name, FRAGILE, parameters={"Display": "three"})
    assert stacks.status(name) == "UPDATE_COMPLETE"


def test_a_failed_update_that_is_kept_can_go_either_way(stacks: Stacks, cloud: Any, gone: Callable[[str], str]) -> None:
    display = {}
    for way in ("back", "on"):
        name = gone(f"kept-{way}-again")
        stacks.create(name, FRAGILE)
        stacks.update(name, FRAGILE, parameters={"Display": "two", "Role": "nobody"}, DisableRollback=True)
        assert stacks.status(name) == "UPDATE_FAILED"
        if way == "back":
            stacks.api.rollback_stack(StackName=name)
        else:
            stacks.update(name, FRAGILE, parameters={"Display": "two"})
        topic = stacks.resources(name)["T"]
        attributes = cloud.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
        display[way] = (stacks.status(name), attributes["DisplayName"])
    assert display == {"back": ("UPDATE_ROLLBACK_COMPLETE", "one"), "on": ("UPDATE_COMPLETE", "two")}


STUCK = """
Parameters: {Fails: {Type: String, Default: "no"}, Days: {Type: Number, Default: 1}}
Conditions: {Failing: !Equals [!Ref Fails, "yes"]}
Resources:
  G: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: stuck, RetentionInDays: !Ref Days}}
  P:
    Type: AWS::IAM::RolePolicy
    Condition: Failing
    DependsOn: G
    Properties: {PolicyName: p, RoleName: nobody, PolicyDocument: {Version: "2012-10-17", Statement: []}}
"""


@pytest.mark.parametrize("way", ["continue", "skip"])
def test_a_rollback_that_fails_can_be_continued(
    stacks: Stacks, cloud: Any, gone: Callable[[str], str], way: str
) -> None:
    name, logs = gone(f"stuck-{way}"), cloud.client("logs")
    stacks.create(name, STUCK)
    stacks.update(name, STUCK, parameters={"Fails": "yes", "Days": "3"}, DisableRollback=True)
    logs.delete_log_group(logGroupName="stuck")
    stacks.api.rollback_stack(StackName=name)
    assert stacks.status(name) == "UPDATE_ROLLBACK_FAILED"
    assert stacks.stack(name)["StackStatusReason"] == "The following resource(s) failed to update: [G]. "
    if way == "skip":
        stacks.api.continue_update_rollback(StackName=name, ResourcesToSkip=["G"])
        assert logs.describe_log_groups(logGroupNamePrefix="stuck")["logGroups"] == []
    else:
        logs.create_log_group(logGroupName="stuck")
        stacks.api.continue_update_rollback(StackName=name)
        assert logs.describe_log_groups(logGroupNamePrefix="stuck")["logGroups"][0]["retentionInDays"] == 1
    assert stacks.status(name) == "UPDATE_ROLLBACK_COMPLETE"


def test_a_named_resource_is_not_replaced_under_its_name(
    stacks: Stacks, cloud: Any, gone: Callable[[str], str]
) -> None:
    name = gone("named")
    template = """
    Resources:
      Q:
        Type: AWS::StepFunctions::StateMachine
        Properties:
          StateMachineName: named
          RoleArn: %s
          StateMachineType: %s
          Definition: {StartAt: A, States: {A: {Type: Pass, End: true}}}
    """
    role = cloud.role("r")
    stacks.create(name, template % (role, "STANDARD"))
    stacks.update(name, template % (role, "EXPRESS"))
    assert stacks.status(name) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.failures(name)["Q"] == (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename named and update "
        "the stack again."
    )


def test_what_exists_already_is_neither_taken_over_nor_deleted(
    stacks: Stacks, cloud: Any, gone: Callable[[str], str]
) -> None:
    cloud.client("s3").create_bucket(Bucket="mine")
    cloud.client("sns").create_topic(Name="mine")
    cloud.client("sqs").create_queue(QueueName="mine")
    cloud.client("events").put_rule(Name="mine", ScheduleExpression="rate(1 day)")
    cloud.client("glue").create_database(DatabaseInput={"Name": "mine"})
    cloud.client("logs").create_log_group(logGroupName="mine")
    name = gone("thief")
    for kind, properties in {
        "S3::Bucket": "{BucketName: mine}",
        "SNS::Topic": "{TopicName: mine}",
        "SQS::Queue": "{QueueName: mine}",
        "Events::Rule": "{Name: mine, ScheduleExpression: rate(1 hour)}",
        "Glue::Database": "{CatalogId: '123456789012', DatabaseInput: {Name: mine}}",
        "Logs::LogGroup": "{LogGroupName: mine}",
    }.items():
        stacks.create(name, f"Resources: {{R: {{Type: AWS::{kind}, Properties: {properties}}}}}")
        assert stacks.status(name) == "ROLLBACK_COMPLETE", kind
        assert "HandlerErrorCode: AlreadyExists" in stacks.failures(name)["R"], kind
        stacks.delete(name)
    assert cloud.client("s3").head_bucket(Bucket="mine")
    assert cloud.client("sns").get_topic_attributes(TopicArn="arn:aws:sns:us-east-1:123456789012:mine")
    assert cloud.client("sqs").get_queue_url(QueueName="mine")
    assert cloud.client("events").describe_rule(Name="mine")["ScheduleExpression"] == "rate(1 day)"
    assert cloud.client("glue").get_database(Name="mine")
    assert cloud.client("logs").describe_log_groups(logGroupNamePrefix="mine")["logGroups"]


POLICIES = """
Parameters: {Suffix: {Type: String, Default: a}, Fails: {Type: String, Default: "no"}}
Conditions: {Failing: !Equals [!Ref Fails, "yes"], Whole: !Equals [!Ref Suffix, a]}
Resources:
  Kept:
    Type: AWS::SNS::Topic
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties: {TopicName: !Sub "kept-${Suffix}"}
  Half: {Type: AWS::SNS::Topic, DeletionPolicy: RetainExceptOnCreate, Properties: {TopicName: !Sub "half-${Suffix}"}}
  Gone: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "gone-${Suffix}"}}
  Left: {Type: AWS::SNS::Topic, Condition: Whole, DeletionPolicy: Retain, Properties: {TopicName: left}}
  Bad:
    Type: AWS::IAM::RolePolicy
    Condition: Failing
    DependsOn: [Kept, Half, Gone]
    Properties: {PolicyName: p, RoleName: nobody, PolicyDocument: {}}
"""


def topics(cloud: Any) -> set[str]:
    found = {each["TopicArn"].rsplit(":", 1)[-1] for each in cloud.client("sns").list_topics()["Topics"]}
    return {name for name in found if name.startswith(("kept", "half", "gone", "left"))}


def test_policies_may_depend_on_parameters_and_conditions(stacks: Stacks, cloud: Any) -> None:
    template = """
    Parameters: {Stage: {Type: String}, Replaced: {Type: String, Default: Retain}, Suffix: {Type: String, Default: a}}
    Conditions: {Lasting: !Equals [!Ref Stage, prod]}
    Resources:
      Kept:
        Type: AWS::SNS::Topic
        DeletionPolicy: !If [Lasting, Retain, Delete]
        UpdateReplacePolicy: !Ref Replaced
        Properties: {TopicName: !Sub "kept-${Suffix}"}
    """
    for stage, left in {"dev": {"kept-a"}, "prod": {"kept-a", "kept-b"}}.items():
        stacks.create(f"policies-{stage}", template, parameters={"Stage": stage})
        stacks.update(f"policies-{stage}", template, parameters={"Stage": stage, "Suffix": "b"})
        assert topics(cloud) == {"kept-a", "kept-b"}
        stacks.delete(f"policies-{stage}")
        assert topics(cloud) == left
        drop_topics(cloud)


def drop_topics(cloud: Any) -> None:
    for name in topics(cloud):
        cloud.client("sns").delete_topic(TopicArn=f"arn:aws:sns:us-east-1:123456789012:{name}")


def test_what_is_kept_or_deleted_goes_by_the_policies(stacks: Stacks, cloud: Any) -> None:
    stacks.create("kept-1", POLICIES, parameters={"Fails": "yes"})
    assert topics(cloud) == {"kept-a", "left"}
    assert stacks.events("kept-1", of="Kept")[-1] == ("Kept", "DELETE_SKIPPED", "")
    drop_topics(cloud)

    stack_id = stacks.create("kept-2", POLICIES)
    stacks.update("kept-2", POLICIES, parameters={"Suffix": "b"})
    assert topics(cloud) == {"kept-a", "kept-b", "half-b", "gone-b", "left"}
    stacks.delete("kept-2")
    assert topics(cloud) == {"kept-a", "kept-b", "half-b", "left"}
    assert stacks.events(stack_id, of="Half")[-1] == ("Half", "DELETE_SKIPPED", "")
    drop_topics(cloud)


def test_retaining_what_cannot_be_deleted(stacks: Stacks, cloud: Any) -> None:
    template = "Resources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: %s}}, T: {Type: AWS::SNS::Topic}}"
    for name, options in {
        "full-1": {"RetainResources": ["B"]},
        "full-2": {"DeletionMode": "FORCE_DELETE_STACK"},
    }.items():
        stack_id = stacks.create(name, template % name)
        cloud.client("s3").put_object(Bucket=name, Key="k", Body=b"")
        message = refused(lambda name=name, options=options: stacks.delete(name, **options))[1]  # type: ignore[misc]
        assert "are allowed only for stacks in DELETE_FAILED state" in message
        stacks.delete(name)
        assert stacks.status(name) == "DELETE_FAILED"
        stacks.delete(name, **options)
        assert stacks.status(stack_id) == "DELETE_COMPLETE"
        assert stacks.events(stack_id, of="B")[-1] == ("B", "DELETE_SKIPPED", "")
        assert cloud.client("s3").head_bucket(Bucket=name)


def test_exports_and_imports(stacks: Stacks) -> None:
    exporting = "Parameters: {V: {Type: String}}\n" + TOPIC + "\nOutputs: {O: {Value: !Ref V, Export: {Name: shared}}}"
    importing = "Resources: {S: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !ImportValue shared}}}"
    exporter = stacks.create("exporter", exporting, parameters={"V": "one"})
    stacks.create("importer", importing)
    assert stacks.api.list_exports()["Exports"] == [{"ExportingStackId": exporter, "Name": "shared", "Value": "one"}]
    assert stacks.api.list_imports(ExportName="shared")["Imports"] == ["importer"]
    code, message = refused(lambda: stacks.delete("exporter"))
    assert (code, message) == (
        "ValidationError", "Delete canceled. Cannot delete export shared as it is in use by importer.",
    )  # fmt: skip
    assert stacks.status("exporter") == "CREATE_COMPLETE"
    stacks.update("exporter", exporting, parameters={"V": "two"})
    assert stacks.status("exporter") == "UPDATE_ROLLBACK_COMPLETE"
    rolled = ("exporter", "UPDATE_ROLLBACK_IN_PROGRESS", "Cannot update export shared as it is in use by importer.")
    assert rolled in stacks.events("exporter")
    stacks.create("rival", exporting, parameters={"V": "three"})
    taken = "Export with name shared is already exported by stack exporter. Rollback requested by user."
    assert ("rival", "ROLLBACK_IN_PROGRESS", taken) in stacks.events("rival")
    stacks.delete("importer")
    no_import = refused(lambda: stacks.api.list_imports(ExportName="shared"))
    assert no_import == ("ValidationError", "Export 'shared' is not imported by any stack.")
    for name in ("exporter", "rival"):
        stacks.delete(name)
    assert stacks.api.list_exports()["Exports"] == []


def test_tokens_make_requests_repeatable(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("token")
    first = stacks.create(name, TOPIC, ClientRequestToken="t1")
    assert stacks.create(name, TOPIC, ClientRequestToken="t1") == first
    named = "Resources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: x}}}"
    stacks.update(name, named, ClientRequestToken="t2")
    stacks.update(name, named, ClientRequestToken="t2")
    assert refused(lambda: stacks.update(name, TOPIC, ClientRequestToken="t1"))[0] == "TokenAlreadyExistsException"
    events = stacks.api.describe_stack_events(StackName=name)["StackEvents"]
    assert {each["ClientRequestToken"] for each in events} == {"t1", "t2"}


def test_a_protected_stack_cannot_be_deleted(stacks: Stacks) -> None:
    stack_id = stacks.create("safe", TOPIC, EnableTerminationProtection=True)
    message = "Stack [safe] cannot be deleted while TerminationProtection is enabled"
    assert refused(lambda: stacks.delete("safe")) == ("ValidationError", message)
    stacks.api.update_termination_protection(StackName="safe", EnableTerminationProtection=False)
    stacks.delete("safe")
    assert stacks.status(stack_id) == "DELETE_COMPLETE"


def test_stack_tags_reach_resources_and_change_with_the_stack(
    stacks: Stacks, cloud: Any, gone: Callable[[str], str]
) -> None:
    name = gone("tagged")
    stacks.create(name, TOPIC, tags={"env": "dev", "owner": "me"})
    stacks.update(name, TOPIC, tags={"env": "prod"})
    tags = cloud.client("sns").list_tags_for_resource(ResourceArn=stacks.resources(name)["T"])["Tags"]
    assert tags == [{"Key": "env", "Value": "prod"}]
    assert stacks.stack(name)["Tags"] == tags


def test_previous_template_and_values(stacks: Stacks, cloud: Any, gone: Callable[[str], str]) -> None:
    name = gone("previous")
    stacks.create(name, FRAGILE, parameters={"Display": "two"})
    keep = [{"ParameterKey": "Display", "UsePreviousValue": True}]
    nothing = refused(
        lambda: stacks.api.update_stack(
            StackName=name, UsePreviousTemplate=True, Parameters=keep, Capabilities=["CAPABILITY_IAM"]
        )
    )
    assert nothing == ("ValidationError", "No updates are to be performed.")
    stacks.api.update_stack(StackName=name, UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM"])
    topic = stacks.resources(name)["T"]
    assert cloud.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "one"


def test_a_template_in_s3(stacks: Stacks, cloud: Any, gone: Callable[[str], str]) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="a b/t.yaml", Body=TOPIC.encode() + b"\n# " + b"x" * 60_000)
    for index, url in enumerate(
        [f"{cloud.endpoint}/templates/a%20b/t.yaml", "https://templates.s3.amazonaws.com/a%20b/t.yaml",
         "https://s3.us-east-1.amazonaws.com/templates/a%20b/t.yaml",
         "https://templates.s3.us-east-1.amazonaws.com/a%20b/t.yaml"]
    ):  # fmt: skip
        stacks.api.create_stack(StackName=gone(f"url-{index}"), TemplateURL=url)
        assert stacks.status(f"url-{index}") == "CREATE_COMPLETE"
    for url, message in {
        f"{cloud.endpoint}/templates/none": "S3 error: The specified key does not exist.",
        f"{cloud.endpoint}/": "TemplateURL must reference a valid S3 object to which you have access.",
        "s3://templates/t.yaml": "S3 error: Domain name specified in templates is not a valid S3 domain",
        "ftp://templates/t.yaml": "TemplateURL must be a supported URL.",
    }.items():
        answer = refused(lambda url=url: stacks.api.create_stack(StackName="x", TemplateURL=url))  # type: ignore[misc]
        assert answer == ("ValidationError", message)


def test_stored_parameters_and_dynamic_references(stacks: Stacks, cloud: Any, gone: Callable[[str], str]) -> None:
    cloud.client("ssm").put_parameter(Name="/base/name", Type="String", Value="from-store")
    secret = cloud.client("secretsmanager").create_secret(
        Name="login", SecretString='{"user": "u", "password": "deep-secret"}'
    )
    template = """
    Parameters: {Name: {Type: "AWS::SSM::Parameter::Value<String>", Default: /base/name}}
    Resources:
      A: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Name}}
      B: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: "{{resolve:ssm:/base/name}}!"}}
      C:
        Type: AWS::SSM::Parameter
        Properties: {Type: String, Value: "{{resolve:secretsmanager:login:SecretString:password}}"}
      D:
        Type: AWS::SSM::Parameter
        Properties: {Type: String, Value: "{{resolve:secretsmanager:%s:SecretString:user}}"}
    """ % secret["ARN"]
    name = gone("dynamic")
    stacks.create(name, template)
    ids = stacks.resources(name)
    ssm = cloud.client("ssm")
    values = {key: ssm.get_parameter(Name=value)["Parameter"]["Value"] for key, value in ids.items()}
    assert values == {"A": "from-store", "B": "from-store!", "C": "deep-secret", "D": "u"}
    assert stacks.stack(name)["Parameters"] == [
        {"ParameterKey": "Name", "ParameterValue": "/base/name", "ResolvedValue": "from-store"}
    ]
    missing = refused(lambda: stacks.update(name, template, parameters={"Name": "/none"}))
    assert missing[1] == "Unable to fetch parameters [/none] from parameter store for this account."
    events = json.dumps(stacks.api.describe_stack_events(StackName=name)["StackEvents"], default=str)
    assert "deep-secret" not in events


def test_a_name_by_dynamic_reference(stacks: Stacks, cloud: Any, gone: Callable[[str], str]) -> None:
    ssm, logs = cloud.client("ssm"), cloud.client("logs")
    ssm.put_parameter(Name="/names/group", Type="String", Value="named-in-the-store")
    cloud.client("secretsmanager").create_secret(Name="names", SecretString='{"topic": "named-in-a-secret"}')
    template = """
    Resources:
      Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: "{{resolve:ssm:/names/group}}"}}
      Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: "{{resolve:secretsmanager:names::topic}}"}}
    """
    name = gone("named")
    stacks.create(name, template)
    topic = "arn:aws:sns:us-east-1:123456789012:named-in-a-secret"
    assert stacks.resources(name) == {"Group": "named-in-the-store", "Topic": topic}
    ssm.delete_parameter(Name="/names/group")
    stacks.delete(name)
    assert logs.describe_log_groups(logGroupNamePrefix="named-in-the-store")["logGroups"] == []


def test_a_function_that_cannot_run_here_is_refused_before_anything_is_made(stacks: Stacks) -> None:
    layer = "arn:aws:lambda:us-east-1:336392948345:layer:AWSSDKPandas-Python312:1"
    template = (
        """
    Resources:
      Topic: {Type: AWS::SNS::Topic}
      Function:
        Type: AWS::Lambda::Function
        Properties:
          Runtime: nodejs22.x
          Role: arn:aws:iam::123456789012:role/any
          Code: {ZipFile: x}
          LoggingConfig: {LogFormat: JSON}
          Layers: [%s]
    """
        % layer
    )
    code, message = refused(lambda: stacks.create("nowhere", template))
    assert (code, message.splitlines()) == (
        "ValidationError",
        [
            "Properties validation failed for resource Function with message:",
            "#/Runtime: nodejs22.x is not supported by this local cloud, which runs Python",
            "#/LoggingConfig/LogFormat: JSON is not supported by this local cloud",
            f"#/Layers/0: this local cloud does not have the public layer {layer}",
        ],
    )
    with pytest.raises(ClientError, match="Stack with id nowhere does not exist"):
        stacks.stack("nowhere")


def test_getatt_gives_properties_that_can_be_read(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("getatt")
    template = """
    Resources:
      Topic: {Type: AWS::SNS::Topic, Description: a note, Properties: {DisplayName: Trips}}
      Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5, RedriveAllowPolicy: {redrivePermission: denyAll}}}
    Outputs:
      Name: {Value: !GetAtt Topic.DisplayName}
      Delay: {Value: !GetAtt Queue.DelaySeconds}
    """
    stacks.create(name, template)
    assert stacks.outputs(name) == {"Name": "Trips", "Delay": "5"}
    stacks.update(name, template.replace("Trips", "Rides"))
    assert stacks.outputs(name) == {"Name": "Rides", "Delay": "5"}
    secret = """
    Resources: {Secret: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: hush}}}
    Outputs: {Out: {Value: !GetAtt Secret.SecretString}}
    """
    assert refused(lambda: stacks.create("told", secret)) == (
        "ValidationError",
        "Template error: resource Secret does not support attribute type SecretString in Fn::GetAtt",
    )


def test_a_stacks_topics_hear_of_its_events(stacks: Stacks, cloud: Any, gone: Callable[[str], str]) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="heard")["TopicArn"]
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:heard")
    stacks.create(gone("told"), TOPIC, NotificationARNs=[topic])
    heard = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            body = json.loads(message["Body"])
            fields = dict(line.split("=", 1) for line in body["Message"].splitlines())
            heard.append((body["Subject"], fields["LogicalResourceId"], fields["ResourceStatus"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    subject = "AWS CloudFormation Notification"
    assert (subject, "'T'", "'CREATE_COMPLETE'") in heard
    assert (subject, "'told'", "'CREATE_COMPLETE'") in heard


def test_two_updates_at_once_one_is_refused(stacks: Stacks, gone: Callable[[str], str]) -> None:
    """The state is taken under a lock: of requests that meet, one starts and the others hear why not."""
    name = gone("race")
    stacks.create(name, TOPIC)
    results: list[str] = []

    def update(number: int) -> None:
        try:
            stacks.update(name, f"Resources: {{T: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: n{number}}}}}}}")
            results.append("started")
        except ClientError as error:
            assert "can not be updated" in error.response["Error"]["Message"]
            results.append("refused")

    threads = [threading.Thread(target=update, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("started") >= 1
    assert len(results) == 4
    assert stacks.status(name) == "UPDATE_COMPLETE"


def test_lists_come_in_pages(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("pages")
    many = "\n".join(f"  T{index}: {{Type: AWS::CloudFormation::WaitConditionHandle}}" for index in range(120))
    stacks.create(name, f"Resources:\n{many}")
    pages = list(stacks.api.get_paginator("list_stack_resources").paginate(StackName=name))
    assert [len(page["StackResourceSummaries"]) for page in pages] == [100, 20]
    assert len(stacks.events(name)) == 120 * 3 + 2


def test_a_stack_acts_as_its_role(stacks: Stacks, cloud: Any, gone: Callable[[str], str]) -> None:
    may = {"Effect": "Allow", "Action": "sns:*", "Resource": "*"}
    role = cloud.role("deployer", may, trust={"Service": "cloudformation.amazonaws.com"})
    name = gone("as-role")
    stacks.create(name, TOPIC, RoleARN=role)
    assert (stacks.status(name), stacks.stack(name)["RoleARN"]) == ("CREATE_COMPLETE", role)
    stacks.update(name, "Resources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: x}}}")
    assert (stacks.status(name), stacks.stack(name)["RoleARN"]) == ("UPDATE_COMPLETE", role)
    denied = gone("denied")
    stacks.create(denied, "Resources: {Q: {Type: AWS::SQS::Queue}}", RoleARN=role)
    assert stacks.status(denied) == "ROLLBACK_COMPLETE"
    assert (
        "assumed-role/deployer/AWSCloudFormation is not authorized to perform: sqs:getqueueurl on resource"
        in (stacks.failures(denied)["Q"])
    )
    nobody = refused(lambda: stacks.create("x", TOPIC, RoleARN="arn:aws:iam::123456789012:role/nobody"))
    assert nobody == ("ValidationError", "Role arn:aws:iam::123456789012:role/nobody is invalid or cannot be assumed")
