"""What is wrong with a template is said in AWS's words, and before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.services.cloudformation.errors import CloudFormationError, MissingCapabilities, ValidationError
from local_cloud.services.cloudformation.parameters import ParameterValue
from local_cloud.services.cloudformation.planning.blueprint import Blueprint, Identity
from local_cloud.services.cloudformation.planning.plan import PlannedResources
from local_cloud.services.cloudformation.requests import check_capabilities, required_capabilities
from local_cloud.services.cloudformation.stacks import Definition
from local_cloud.services.cloudformation.templates.template import Template

TOPIC = "Resources: {T: {Type: AWS::SNS::Topic}}"


def blueprint(text: str, *, tags: dict[str, str] | None = None, **values: str) -> Blueprint:
    template = Template.parse(text)
    given = {
        name: ParameterValue(name, values.get(name, each.default or "")) for name, each in template.parameters.items()
    }
    return Blueprint.build(
        template=template,
        definition=Definition(template=text, parameters=given, tags=tags or {}),
        identity=Identity("arn:stack", "demo", account="123456789012", region="us-east-1"),
        resources=PlannedResources({}),
        import_value=lambda name: f"value of {name}",
    )


def check(text: str) -> None:
    """Everything that is known before the deployment."""
    ready = blueprint(text)
    for name in ready.active:
        ready.properties(name)
    ready.outputs()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{TOPIC}\nResorces: {{}}", "Invalid template property or properties [Resorces]"),
        ("Description: none", "Template format error: At least one Resources member must be defined."),
        ("Resources: []", "Template format error: [/Resources] Resources must be a map"),
        (f"AWSTemplateFormatVersion: 2011-09-09\n{TOPIC}",
         "Template format error: unsupported value for AWSTemplateFormatVersion."),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: }}}",
         "[/Resources/T/Properties/TopicName] 'null' values are not allowed in templates"),
        ("Resources: {My_Topic: {Type: AWS::SNS::Topic}}",
         "Template format error: Resource name My_Topic is non alphanumeric."),
        ("Resources: {T: topic}", "Template format error: [/Resources/T] resource definition is malformed"),
        ("Resources: {T: {Properties: {}}}",
         "Template format error: [/Resources/T] Every Resources object must contain a Type member."),
        ("Resources: {T: {Type: AWS::SNS::Topic, Propertes: {}}}", "Invalid template resource property 'Propertes'"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: []}}",
         "Template format error: [/Resources/T] Properties must be a map"),
        ("Resources: {T: {Type: AWS::SNS::Topic, DependsOn: {a: b}}}",
         "Template format error: [/Resources/T] Every DependsOn value must be a string or a list of strings."),
        ("Resources: {T: {Type: AWS::SNS::Topic, DeletionPolicy: Snapshot}}",
         "Template error: resource T of type AWS::SNS::Topic does not support DeletionPolicy Snapshot: one of Delete, "
         "Retain, RetainExceptOnCreate"),
        ("Parameters: {P: {Type: String, Default: Snapshot}}\n"
         "Resources: {T: {Type: AWS::SNS::Topic, DeletionPolicy: !Ref P}}",
         "Template error: resource T of type AWS::SNS::Topic does not support DeletionPolicy Snapshot: one of Delete, "
         "Retain, RetainExceptOnCreate"),
        (f"Transform: {{Name: !Ref P}}\n{TOPIC}", "Key Name of transform definition must be a string."),
        ("Resources: {T: {Type: AWS::SNS::Topic, UpdateReplacePolicy: RetainExceptOnCreate}}",
         "Template error: resource T of type AWS::SNS::Topic does not support UpdateReplacePolicy "
         "RetainExceptOnCreate: one of Delete, Retain"),
        ("Resources: {A: {Type: AWS::EC2::Instance}, B: {Type: Custom::X}, C: {Type: AWS::SNS::Topic}}",
         "Template format error: Unrecognized resource types: [AWS::EC2::Instance, Custom::X]"),
        (f"Transform: AWS::CodeDeployBlueGreen\n{TOPIC}", "No transform named AWS::CodeDeployBlueGreen found."),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Nope}}}",
         "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub 'a-${Nope}-${AWS::Reggion}'}}}",
         "Template format error: Unresolved resource dependencies [AWS::Reggion, Nope] in the Resources block of the "
         "template"),
        ("Resources: {T: {Type: AWS::SNS::Topic, DependsOn: Nope}}",
         "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template"),
        (f"{TOPIC}\nOutputs: {{O: {{Value: !Ref Nope}}}}",
         "Template format error: Unresolved resource dependencies [Nope] in the Outputs block of the template"),
        (f"{TOPIC}\nOutputs: {{O: {{Value: !GetAtt Nope.Arn}}}}",
         "Template error: instance of Fn::GetAtt references undefined resource Nope"),
        (f"{TOPIC}\nOutputs: {{O: {{Value: !GetAtt T.Arn}}}}",
         "Template error: resource T does not support attribute type Arn in Fn::GetAtt"),
        (f"{TOPIC}\nOutputs: {{O: {{Value: !Sub '${{T.Size}}'}}}}",
         "Template error: resource T does not support attribute type Size in Fn::GetAtt"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub '${a-b}'}}}",
         "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, "
         "periods, and colons"),
        (f"{TOPIC}\nOutputs: {{O: {{Description: none}}}}",
         "Template format error: [/Outputs/O] Every Outputs member must contain a Value object"),
        (f"{TOPIC}\nOutputs: {{O: {{Value: a, Exports: b}}}}", "Invalid template output property 'Exports'"),
        (f"{TOPIC}\nOutputs: {{O: {{Value: a, Export: b}}}}",
         "Template format error: [/Outputs/O] Every Export must have a Name and nothing else"),
        (f"{TOPIC}\nOutputs: {{O: {{Value: [a]}}}}",
         "Template format error: Output O: the Value field of every Outputs member must evaluate to a String."),
        (f"{TOPIC}\nMappings: {{M: {{a: b}}}}",
         "Template format error: [/Mappings/M/a] Every Mappings attribute must be a map"),
        (f"{TOPIC}\nConditions: {{C: !Equals [!Ref T, a]}}",
         "Template format error: Unresolved dependencies [T]. Cannot reference resources in the Conditions block of "
         "the template"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Condition: Nope}}",
         "Template format error: Unresolved condition dependency Nope in the Resources block of the template"),
        (f"{TOPIC}\nOutputs: {{O: {{Value: a, Condition: Nope}}}}",
         "Template format error: Unresolved condition dependency Nope in the Outputs block of the template"),
        ("Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SQS::Queue, Properties: {QueueName: "
         "!GetAtt A.TopicName}}, C: {Type: AWS::SNS::Topic, DependsOn: A}}",
         "Circular dependency between resources: [A, B]"),
        ("Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref A}}}",
         "Circular dependency between resources: [A]"),
        ("Conditions: {Off: !Equals [a, b]}\nResources: {A: {Type: AWS::SNS::Topic, Condition: 'Off'}, B: {Type: "
         "AWS::SQS::Queue, Properties: {QueueName: !GetAtt A.TopicName}}}",
         "Template format error: Unresolved resource dependencies [A] in the Resources block of the template"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: {Nmae: a, Subscription: [{Protocol: sqs}]}}}",
         "Properties validation failed for resource T with message:\n#: extraneous key [Nmae] is not permitted\n"
         "#/Subscription/0: required key [Endpoint] not found"),
        ("Parameters: {P: {Type: String, Default: x}}\nRules: {R: {RuleCondition: !Equals [!Ref P, x], Assertions: "
         f"[{{Assert: !Contains [[a, b], !Ref P], AssertDescription: P must be a or b}}]}}}}\n{TOPIC}",
         "Template constraint assertion failed: P must be a or b"),
    ],
)  # fmt: skip
def test_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check(text)
    assert str(refused.value) == message


def test_a_type_that_is_missing_may_wait_behind_a_condition() -> None:
    text = f"""
    Parameters: {{Reader: {{Type: String, Default: ""}}}}
    Conditions: {{Read: !Not [!Equals [!Ref Reader, ""]]}}
    {TOPIC[:-1]}, Page: {{Type: AWS::QuickSight::Dashboard, Condition: Read, Properties: {{Name: !Ref Reader}}}}}}
    Outputs: {{Page: {{Condition: Read, Value: !GetAtt Page.Arn}}}}
    """
    assert set(blueprint(text).active) == {"T"}
    with pytest.raises(ValidationError) as refused:
        blueprint(text, Reader="somebody")
    assert str(refused.value) == "Template format error: Unrecognized resource types: [AWS::QuickSight::Dashboard]"


def test_more_resources_than_allowed() -> None:
    many = "\n".join(f"  T{index}: {{Type: AWS::SNS::Topic}}" for index in range(501))
    with pytest.raises(ValidationError, match="Number of resources, 501, is greater than maximum allowed, 500"):
        check(f"Resources:\n{many}")


def test_conditions_choose_resources_outputs_and_dependencies() -> None:
    text = """
    Parameters: {Env: {Type: String}}
    Conditions: {Prod: !Equals [!Ref Env, prod]}
    Resources:
      Always: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: !If [Prod, {q: !GetAtt Dead.Arn}, !Ref AWS::NoValue]}}
      Dead: {Type: AWS::SQS::Queue, Condition: Prod}
    Outputs:
      Dead: {Condition: Prod, Value: !GetAtt Dead.QueueName}
      Env: {Value: !Sub "${Env} in ${AWS::Region} of ${AWS::AccountId}: ${AWS::StackName}"}
    """
    prod, test = blueprint(text, Env="prod"), blueprint(text, Env="test")
    assert prod.requires == {"Always": {"Dead"}, "Dead": set()}
    assert test.requires == {"Always": set()}
    assert test.properties("Always") == {}
    assert [each.key for each in prod.outputs()] == ["Dead", "Env"]
    assert [each.value for each in test.outputs()] == ["test in us-east-1 of 123456789012: demo"]


@pytest.mark.parametrize(
    ("kind", "properties", "tags"),
    [
        ("AWS::SNS::Topic", "{}", [{"Key": "owner", "Value": "me"}, {"Key": "env", "Value": "x"}]),
        ("AWS::SNS::Topic", "{Tags: [{Key: env, Value: own}]}",
         [{"Key": "env", "Value": "own"}, {"Key": "owner", "Value": "me"}]),
        ("AWS::SSM::Parameter", "{Type: String, Value: v, Tags: {env: own}}", {"owner": "me", "env": "own"}),
        ("AWS::IAM::RolePolicy", "{PolicyName: p, RoleName: r}", None),
    ],
)  # fmt: skip
def test_stack_tags_go_to_what_has_tags(kind: str, properties: str, tags: Any) -> None:
    ready = blueprint(f"Resources: {{R: {{Type: {kind}, Properties: {properties}}}}}", tags={"owner": "me", "env": "x"})
    assert ready.properties("R").get("Tags") == tags


IAM = "Resources: {R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}%s}}}"


@pytest.mark.parametrize(
    ("text", "given", "missing"),
    [
        (TOPIC, [], None),
        (IAM % "", [], "CAPABILITY_IAM"),
        (IAM % "", ["CAPABILITY_IAM"], None),
        (IAM % "", ["CAPABILITY_NAMED_IAM"], None),
        (IAM % ", RoleName: r", ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
        (IAM % ", RoleName: r", ["CAPABILITY_NAMED_IAM"], None),
        (f"Transform: AWS::LanguageExtensions\n{TOPIC}", [], "CAPABILITY_AUTO_EXPAND"),
        (f"Transform: [AWS::LanguageExtensions]\n{TOPIC}", ["CAPABILITY_AUTO_EXPAND"], None),
    ],
)
def test_a_template_needs_the_capabilities_of_what_it_makes(text: str, given: list[str], missing: str | None) -> None:
    template = Template.parse(text)
    if missing is None:
        check_capabilities(template, given, expands=True)
        return
    with pytest.raises(MissingCapabilities) as refused:
        check_capabilities(template, given, expands=True)
    assert str(refused.value) == f"Requires capabilities : [{missing}]"
    assert isinstance(refused.value, CloudFormationError)


def test_the_reason_of_a_capability() -> None:
    template = Template.parse(IAM % "")
    reason = "The following resource(s) require capabilities: [AWS::IAM::Role]"
    assert required_capabilities(template) == (["CAPABILITY_IAM"], reason)
