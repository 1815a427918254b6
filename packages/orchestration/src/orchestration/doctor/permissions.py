"""Whether the caller may deploy, by IAM's own simulation: one action for each type of resource that the stacks make."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import boto3

from orchestration.doctor.finding import FAILURE, OK, WARNING, Finding
from orchestration.environments import Environment

#: By the type of resource: the action that makes one, and its ARN after `arn:aws:`; "*" for an action that knows none.
#: https://docs.aws.amazon.com/service-authorization/latest/reference/
MAKES = {
    "AWS::CloudFormation::Stack": (
        "cloudformation:CreateChangeSet",
        "cloudformation:{region}:{account}:stack/elt-{env}-data/x",
    ),
    "AWS::CloudWatch::Alarm": ("cloudwatch:PutMetricAlarm", "cloudwatch:{region}:{account}:alarm:elt-{env}-x"),
    "AWS::Events::Rule": ("events:PutRule", "events:{region}:{account}:rule/elt-{env}-x"),
    "AWS::Glue::Database": ("glue:CreateDatabase", "glue:{region}:{account}:catalog"),
    "AWS::Glue::Job": ("glue:CreateJob", "glue:{region}:{account}:job/elt-{env}-x"),
    "AWS::IAM::ManagedPolicy": ("iam:CreatePolicy", "iam::{account}:policy/elt-x"),
    "AWS::IAM::OIDCProvider": (
        "iam:CreateOpenIDConnectProvider",
        "iam::{account}:oidc-provider/token.actions.githubusercontent.com",
    ),
    "AWS::IAM::Role": ("iam:CreateRole", "iam::{account}:role/elt-{env}-x"),
    "AWS::Lambda::Function": ("lambda:CreateFunction", "lambda:{region}:{account}:function:elt-{env}-x"),
    "AWS::Logs::LogGroup": ("logs:CreateLogGroup", "logs:{region}:{account}:log-group:/aws/lambda/elt-{env}-x"),
    "AWS::RedshiftServerless::Namespace": ("redshift-serverless:CreateNamespace", "*"),
    "AWS::RedshiftServerless::Workgroup": ("redshift-serverless:CreateWorkgroup", "*"),
    "AWS::S3::Bucket": ("s3:CreateBucket", "s3:::elt-{env}-raw-{account}-{region}"),
    "AWS::SNS::Topic": ("sns:CreateTopic", "sns:{region}:{account}:elt-{env}-alerts"),
    "AWS::SNS::Subscription": ("sns:Subscribe", "sns:{region}:{account}:elt-{env}-alerts"),
    "AWS::SQS::Queue": ("sqs:CreateQueue", "sqs:{region}:{account}:elt-{env}-undelivered"),
    "AWS::Scheduler::Schedule": (
        "scheduler:CreateSchedule",
        "scheduler:{region}:{account}:schedule/default/elt-{env}-x",
    ),
    "AWS::StepFunctions::StateMachine": (
        "states:CreateStateMachine",
        "states:{region}:{account}:stateMachine:elt-{env}-x",
    ),
}
#: Those that the stack of artifacts makes alone, for delivery from GitHub; a deploy role may not.
OF_A_PERSON = ("AWS::IAM::ManagedPolicy", "AWS::IAM::OIDCProvider")


def may_deploy(environment: Environment) -> Iterator[Finding]:
    caller = boto3.client("sts").get_caller_identity()
    if caller["Arn"].endswith(":root"):
        yield Finding("permissions", OK, "the root may do everything")
        return
    iam = boto3.client("iam")
    where = {
        "region": boto3.session.Session().region_name,
        "account": caller["Account"],
        "env": environment.name,
    }
    partition = caller["Arn"].split(":")[1]
    asked = sorted(
        (f"arn:{partition}:{resource.format(**where)}" if resource != "*" else "*", action)
        for action, resource in MAKES.values()
    )
    denied = []
    source = _policy_source(iam, caller["Arn"])
    for resource, group in groupby(asked, key=lambda one: one[0]):
        answer = iam.simulate_principal_policy(
            PolicySourceArn=source, ActionNames=[action for _, action in group], ResourceArns=[resource]
        )
        denied += [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]
    lacking = [action for action in denied if action not in {MAKES[kind][0] for kind in OF_A_PERSON}]
    if lacking:
        yield Finding(
            "permissions",
            FAILURE,
            f"you may not {', '.join(sorted(lacking))}",
            "the first deployment takes a role that may administer the account; see docs/first-deployment.md",
        )
    elif denied:
        yield Finding(
            "permissions", WARNING, f"you may deploy, but not set up delivery from GitHub: {', '.join(sorted(denied))}"
        )
    else:
        yield Finding("permissions", OK, f"{len(asked)} actions simulated, one for each type of resource")


def _policy_source(iam: Any, arn: str) -> str:
    """Return the role of an assumed role's session, whose ARN may have a path; else the caller."""
    if ":assumed-role/" not in arn:
        return arn
    return str(iam.get_role(RoleName=arn.split("/")[1])["Role"]["Arn"])
