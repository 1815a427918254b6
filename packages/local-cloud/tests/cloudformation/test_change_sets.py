"""Change sets: what they say, what they do, and how they are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import CAPABILITIES, Stacks

NOTHING = "The submitted information didn't contain changes. Submit different information to create a change set."

TEMPLATE = """
Parameters:
  Display: {Type: String, Default: one}
  Fifo: {Type: String, Default: "false"}
  Secret: {Type: String, NoEcho: true, Default: hush-hush}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Sub "${Display} ${Secret}", FifoTopic: !Ref Fifo}
  Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties: {Topics: [!Ref Topic], PolicyDocument: {Version: "2012-10-17", Statement: []}}
  Subscription: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn}}
  Value: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Display}}
  Follower: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !GetAtt Value.Value}}
Outputs:
  Topic: {Value: !Ref Topic}
"""  # noqa: E501


class ChangeSets:
    """One stack's change sets."""

    def __init__(self, stacks: Stacks, stack: str) -> None:
        self.api, self.stack = stacks.api, stack

    def create(self, name: str, template: str = TEMPLATE, kind: str = "UPDATE", **options: Any) -> dict[str, Any]:
        parameters = options.pop("parameters", {})
        self.api.create_change_set(
            StackName=self.stack,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateBody=template,
            Capabilities=CAPABILITIES,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            **options,
        )
        return self.describe(name)

    def describe(self, name: str, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.api.describe_change_set(StackName=self.stack, ChangeSetName=name, **options)
        return found

    def execute(self, name: str, **options: Any) -> None:
        self.api.execute_change_set(StackName=self.stack, ChangeSetName=name, **options)


def changes(change_set: dict[str, Any]) -> dict[str, Any]:
    """Logical id → the change, without what every one has."""
    found = {}
    for each in change_set["Changes"]:
        change = each["ResourceChange"]
        found[change.pop("LogicalResourceId")] = change
    return found


def reasons(change: dict[str, Any]) -> list[tuple[str, ...]]:
    """(property, recreation, evaluation, source, cause) of each detail."""
    return [
        (
            detail["Target"].get("Name", detail["Target"]["Attribute"]),
            detail["Target"].get("RequiresRecreation", ""),
            detail["Evaluation"],
            detail["ChangeSource"],
            detail.get("CausingEntity", ""),
        )
        for detail in change["Details"]
    ]


@pytest.fixture
def deployed(stacks: Stacks, gone: Callable[[str], str], request: pytest.FixtureRequest) -> ChangeSets:
    name = gone(request.node.name.replace("_", "-")[:60])
    stacks.create(name, TEMPLATE, tags={"env": "dev"})
    return ChangeSets(stacks, name)


def test_a_new_stack_through_a_change_set(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("new")
    sets = ChangeSets(stacks, name)
    first = sets.create("first", kind="CREATE", Description="why", Tags=[{"Key": "a", "Value": "b"}])
    assert (first["Status"], first["ExecutionStatus"], first["Description"]) == ("CREATE_COMPLETE", "AVAILABLE", "why")
    assert first["Parameters"][2] == {"ParameterKey": "Secret", "ParameterValue": "****"}
    assert changes(first)["Topic"] == {"Action": "Add", "ResourceType": "AWS::SNS::Topic", "Scope": [], "Details": []}
    assert stacks.status(name) == "REVIEW_IN_PROGRESS"
    assert stacks.resources(name) == {}
    sets.create("second", kind="CREATE")
    summaries = stacks.api.list_change_sets(StackName=name)["Summaries"]
    assert [each["ChangeSetName"] for each in summaries] == ["first", "second"]
    sets.execute("first")
    assert stacks.status(name) == "CREATE_COMPLETE"
    assert stacks.stack(name)["ChangeSetId"] == first["ChangeSetId"]
    assert stacks.stack(name)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert stacks.stack(name)["LastUpdatedTime"] >= stacks.stack(name)["CreationTime"]
    assert [status for _, status, _ in stacks.events(name, of=name)] == [
        "REVIEW_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
    ]


def test_an_executed_change_set_gives_its_name_back(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("again")
    sets = ChangeSets(stacks, name)
    executed = sets.create("deploy", kind="CREATE")
    sets.execute("deploy")
    assert stacks.api.list_change_sets(StackName=name)["Summaries"] == []
    by_arn = stacks.api.describe_change_set(ChangeSetName=executed["ChangeSetId"])
    assert (by_arn["ExecutionStatus"], list(changes(by_arn))) == ("EXECUTE_COMPLETE", list(changes(executed)))
    again = sets.create("deploy", parameters={"Display": "two"})
    assert (again["ExecutionStatus"], again["ChangeSetId"] != executed["ChangeSetId"]) == ("AVAILABLE", True)
    sets.execute("deploy")
    assert stacks.status(name) == "UPDATE_COMPLETE"
    stacks.delete(name)
    gone_with_it = stacks.api.describe_change_set(ChangeSetName=again["ChangeSetId"])
    assert gone_with_it["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_a_new_stack_may_have_no_resource_whose_condition_holds(stacks: Stacks, gone: Callable[[str], str]) -> None:
    sets = ChangeSets(stacks, gone("nothing"))
    template = """
    Parameters: {Go: {Type: String, Default: "no"}}
    Conditions: {Go: !Equals [!Ref Go, "yes"]}
    Resources: {Topic: {Type: AWS::SNS::Topic, Condition: Go}}
    """
    assert sets.create("first", template, kind="CREATE")["ExecutionStatus"] == "AVAILABLE"
    sets.execute("first")
    assert (stacks.status("nothing"), stacks.resources("nothing")) == ("CREATE_COMPLETE", {})
    assert sets.create("second", template)["Status"] == "FAILED"


def test_deleting_a_change_set_that_is_not_there_succeeds(deployed: ChangeSets, stacks: Stacks) -> None:
    stacks.api.delete_change_set(StackName=deployed.stack, ChangeSetName="never-made")
    deployed.create("c", parameters={"Display": "two"})
    deployed.execute("c")
    stacks.api.delete_change_set(StackName=deployed.stack, ChangeSetName="c")
    with pytest.raises(ClientError, match=r"ChangeSetNotFound.*ChangeSet \[c\] does not exist"):
        deployed.describe("c")
    with pytest.raises(ClientError, match=r"ValidationError.*Stack \[none\] does not exist"):
        stacks.api.delete_change_set(StackName="none", ChangeSetName="c")


def test_metadata_alone_is_a_change_with_its_functions_evaluated(stacks: Stacks, gone: Callable[[str], str]) -> None:
    name = gone("metadata")
    template = """
    Parameters: {Owner: {Type: String}}
    Resources: {Topic: {Type: AWS::SNS::Topic, Metadata: {owner: !Sub "${Owner}@example.org"}}}
    """

    def metadata() -> str:
        found = stacks.api.describe_stack_resource(StackName=name, LogicalResourceId="Topic")
        return str(found["StackResourceDetail"]["Metadata"])

    stacks.create(name, template, parameters={"Owner": "ann"})
    assert metadata() == '{"owner": "ann@example.org"}'
    topic = stacks.resources(name)["Topic"]
    stacks.update(name, template, parameters={"Owner": "ben"})
    assert (stacks.status(name), metadata()) == ("UPDATE_COMPLETE", '{"owner": "ben@example.org"}')
    assert stacks.resources(name)["Topic"] == topic


def test_a_change_set_without_changes_fails_and_cannot_be_executed(deployed: ChangeSets) -> None:
    empty = deployed.create("empty")
    assert (empty["Status"], empty["ExecutionStatus"], empty["StatusReason"]) == ("FAILED", "UNAVAILABLE", NOTHING)
    with pytest.raises(
        ClientError, match=r"InvalidChangeSetStatus.*cannot be executed in its current status of \[FAILED\]"
    ):
        deployed.execute("empty")


def test_a_property_changed_in_the_template(deployed: ChangeSets) -> None:
    found = changes(deployed.create("c", TEMPLATE.replace("DelaySeconds: 5", "DelaySeconds: 6")))
    assert list(found) == ["Queue"]
    assert found["Queue"].pop("PhysicalResourceId").startswith("http://")
    assert found["Queue"] == {
        "Action": "Modify",
        "ResourceType": "AWS::SQS::Queue",
        "Replacement": "False",
        "Scope": ["Properties"],
        "Details": [
            {
                "Target": {"Attribute": "Properties", "Name": "DelaySeconds", "RequiresRecreation": "Never"},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
        ],
    }


def test_a_parameter_and_what_follows_from_it(deployed: ChangeSets) -> None:
    found = changes(deployed.create("c", parameters={"Display": "two"}))
    assert {name: change["Replacement"] for name, change in found.items()} == {
        "Topic": "False",
        "Value": "False",
        "Follower": "False",
    }
    assert reasons(found["Topic"]) == [("DisplayName", "Never", "Static", "ParameterReference", "Display")]
    assert reasons(found["Follower"]) == [("Value", "Never", "Dynamic", "ResourceAttribute", "Value.Value")]


def test_a_replacement_and_what_hangs_on_it(deployed: ChangeSets, stacks: Stacks) -> None:
    change_set = deployed.create("c", parameters={"Fifo": "true"})
    found = changes(change_set)
    assert {name: (change["Replacement"], change.get("PolicyAction")) for name, change in found.items()} == {
        "Topic": ("True", "ReplaceAndDelete"),
        "Policy": ("False", None),
        "Subscription": ("Conditional", None),
    }
    assert reasons(found["Topic"]) == [("FifoTopic", "Always", "Static", "ParameterReference", "Fifo")]
    assert reasons(found["Policy"]) == [("Topics", "Never", "Dynamic", "ResourceReference", "Topic")]
    assert reasons(found["Subscription"]) == [("TopicArn", "Conditionally", "Dynamic", "ResourceReference", "Topic")]
    before = stacks.resources(deployed.stack)
    deployed.execute("c")
    after = stacks.resources(deployed.stack)
    assert {name for name in before if before[name] != after[name]} == {"Topic", "Subscription"}
    assert after["Topic"].endswith(".fifo")
    assert stacks.outputs(deployed.stack)["Topic"] == after["Topic"]


def test_what_comes_and_what_goes(deployed: ChangeSets) -> None:
    template = TEMPLATE.replace("  Value:", "  Other:").replace("Value.Value", "Other.Value")
    found = changes(deployed.create("c", template))
    assert (found["Other"]["Action"], found["Value"]["Action"]) == ("Add", "Remove")
    assert found["Value"]["PolicyAction"] == "Delete"
    assert reasons(found["Follower"]) == [
        ("Value", "Never", "Dynamic", "ResourceAttribute", "Other.Value"),
        ("Value", "Never", "Dynamic", "DirectModification", ""),
    ]


def test_tags_metadata_and_policies(deployed: ChangeSets) -> None:
    template = TEMPLATE.replace("AWS::SQS::Queue,", "AWS::SQS::Queue, DeletionPolicy: Retain, Metadata: {a: b},")
    found = changes(deployed.create("c", template, Tags=[{"Key": "env", "Value": "prod"}]))
    assert found["Queue"]["Scope"] == ["DeletionPolicy", "Metadata", "Tags"]
    assert found["Topic"]["Scope"] == ["Tags"]
    assert reasons(found["Topic"]) == [("Tags", "Never", "Static", "DirectModification", "")]


def test_outputs_alone_are_a_change(deployed: ChangeSets, stacks: Stacks) -> None:
    change_set = deployed.create("c", TEMPLATE + "  More: {Value: 1}\n")
    assert (change_set["Changes"], change_set["ExecutionStatus"]) == ([], "AVAILABLE")
    deployed.execute("c")
    assert stacks.outputs(deployed.stack)["More"] == "1"


def test_values_before_and_after(deployed: ChangeSets) -> None:
    deployed.create("c", parameters={"Display": "two", "Fifo": "true"})
    change_set = deployed.describe("c", IncludePropertyValues=True)
    found = changes(change_set)
    details = {each["Target"]["Name"]: each["Target"] for each in found["Topic"]["Details"]}
    assert details["DisplayName"] == {
        "Attribute": "Properties",
        "Name": "DisplayName",
        "RequiresRecreation": "Never",
        "Path": "/Properties/DisplayName",
        "BeforeValue": "one ****",
        "AfterValue": "two ****",
        "AttributeChangeType": "Modify",
    }
    before, after = (
        json.loads(found["Policy"][f"{when}Context"])["Properties"]["Topics"] for when in ("Before", "After")
    )
    assert before[0].startswith("arn:aws:sns:")
    assert after == ["{{changeSet:KNOWN_AFTER_APPLY}}"]
    assert "hush" not in json.dumps(change_set, default=str)


def test_a_stack_that_changed_meanwhile_gets_what_the_template_says(deployed: ChangeSets, stacks: Stacks) -> None:
    deployed.create("c", parameters={"Display": "two"})
    stacks.update(deployed.stack, TEMPLATE, parameters={"Display": "three"})
    deployed.execute("c")
    values = {each["ParameterKey"]: each["ParameterValue"] for each in stacks.stack(deployed.stack)["Parameters"]}
    assert values["Display"] == "two"


def test_requests_that_do_not_fit_are_refused_as_by_aws(deployed: ChangeSets, stacks: Stacks) -> None:
    def refused(message: str) -> Any:
        return pytest.raises(ClientError, match=message)

    deployed.create("c", parameters={"Display": "two"}, ClientToken="t")
    with refused("AlreadyExistsException.*ChangeSet c already exists"):
        deployed.create("c")
    deployed.create("c", ClientToken="t")
    with refused("ChangeSetNotFound.*ChangeSet \\[none\\] does not exist"):
        deployed.describe("none")
    with refused("StackName must be specified if ChangeSetName is not specified as an ARN"):
        stacks.api.describe_change_set(ChangeSetName="c")
    with refused("already exists and cannot be created again with the changeSet"):
        deployed.create("d", kind="CREATE")
    with refused("Change sets of type IMPORT are not supported by this local cloud"):
        deployed.create("d", kind="IMPORT")
    with refused("Stack \\[none\\] does not exist"):
        ChangeSets(stacks, "none").create("c")
    kind = TEMPLATE.replace(
        "Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}", "Queue: {Type: AWS::SNS::Topic}"
    )
    with refused("Update of resource type is not permitted.*resources: \\[Queue\\]"):
        deployed.create("d", kind.replace("!GetAtt Queue.Arn", "!Ref Queue"))
    stacks.api.delete_change_set(StackName=deployed.stack, ChangeSetName="c")
    assert stacks.api.list_change_sets(StackName=deployed.stack)["Summaries"] == []


def test_executing_without_rollback(deployed: ChangeSets, stacks: Stacks) -> None:
    broken = TEMPLATE + "\n".replace("\n", "")
    broken = TEMPLATE.replace(
        "Outputs:", "  Bad: {Type: AWS::IAM::RolePolicy, Properties: {PolicyName: p, RoleName: nobody}}\nOutputs:"
    )
    deployed.create("c", broken)
    deployed.execute("c", DisableRollback=True)
    assert stacks.status(deployed.stack) == "UPDATE_FAILED"
    deployed.create("d")
    deployed.execute("d")
    assert stacks.status(deployed.stack) == "UPDATE_COMPLETE"


def test_templates_of_change_sets_and_summaries(deployed: ChangeSets, stacks: Stacks) -> None:
    template = TEMPLATE.replace("DelaySeconds: 5", "DelaySeconds: 6")
    deployed.create("c", template)
    found = stacks.api.get_template(StackName=deployed.stack, ChangeSetName="c")
    assert found["TemplateBody"] == template
    summary = stacks.api.get_template_summary(StackName=deployed.stack)
    assert [each["ParameterKey"] for each in summary["Parameters"]] == ["Display", "Fifo", "Secret"]
    assert "AWS::SNS::Topic" in summary["ResourceTypes"]


def test_validating_and_summing_up_a_template(stacks: Stacks) -> None:
    template = """
    Description: d
    Metadata: {a: 1}
    Parameters:
      P: {Type: Number, Default: 3, MinValue: 1, MaxValue: 9.5, AllowedValues: [1, 3], Description: p}
      S: {Type: String, NoEcho: true, AllowedPattern: "x+", MinLength: 1, MaxLength: 5, ConstraintDescription: only x}
    Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: {}}}}
    """
    valid = stacks.api.validate_template(TemplateBody=template)
    del valid["ResponseMetadata"]
    reason = "The following resource(s) require capabilities: [AWS::IAM::Role]"
    assert valid == {
        "Description": "d",
        "Parameters": [
            {"ParameterKey": "P", "DefaultValue": "3", "NoEcho": False, "Description": "p"},
            {"ParameterKey": "S", "NoEcho": True},
        ],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "CapabilitiesReason": reason,
    }
    summary = stacks.api.get_template_summary(TemplateBody=template)
    del summary["ResponseMetadata"]
    assert summary == {
        "Description": "d",
        "Metadata": '{"a": 1}',
        "Version": "2010-09-09",
        "ResourceTypes": ["AWS::IAM::Role"],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "CapabilitiesReason": reason,
        "Parameters": [
            {
                "ParameterKey": "P",
                "DefaultValue": "3",
                "ParameterType": "Number",
                "NoEcho": False,
                "Description": "p",
                "ParameterConstraints": {"AllowedValues": ["1", "3"]},
            },
            {
                "ParameterKey": "S",
                "ParameterType": "String",
                "NoEcho": True,
                "ParameterConstraints": {},
            },
        ],
    }
    with pytest.raises(ClientError, match="Unrecognized resource types: \\[AWS::No::Such\\]"):
        stacks.api.validate_template(TemplateBody="Resources: {R: {Type: AWS::No::Such}}")
