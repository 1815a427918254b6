"""Check that alerts reach somebody, and that the dashboard has a reader."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
from botocore.exceptions import ClientError

from orchestration.doctor.finding import FAILURE, OK, WARNING, Finding
from orchestration.environments import Environment


def subscriptions(environment: Environment) -> Iterator[Finding]:
    if not environment.alert_email:
        yield Finding(
            "alerts",
            WARNING,
            "nobody is mailed when a run fails",
            f"set alert_email in environments/{environment.name}.toml, then elt deploy --env {environment.name}",
        )
        return
    sns = boto3.client("sns")
    topics = [topic["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for topic in page["Topics"]]
    found = [arn for arn in topics if arn.endswith(f":elt-{environment.name}-alerts")]
    if not found:
        yield Finding("alerts", OK, f"{environment.alert_email}, from the first deployment on")
        return
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=found[0])
    confirmed = {
        one["Endpoint"]: one["SubscriptionArn"].startswith("arn:") for page in pages for one in page["Subscriptions"]
    }
    for endpoint, is_confirmed in confirmed.items():
        if is_confirmed:
            yield Finding("alerts", OK, f"{endpoint} is subscribed")
        else:
            yield Finding(
                "alerts",
                FAILURE,
                f"{endpoint} has not confirmed, so no alert reaches it",
                'follow the link in the mail "AWS Notification - Subscription Confirmation"',
            )
    if environment.alert_email not in confirmed:
        yield Finding(
            "alerts", WARNING, f"{environment.alert_email} is not subscribed", f"elt deploy --env {environment.name}"
        )


def quicksight(environment: Environment) -> Iterator[Finding]:
    principal = environment.quicksight_principal
    if not principal:
        yield Finding("QuickSight", OK, "no dashboard is asked for (quicksight_principal)")
        return
    account = boto3.client("sts").get_caller_identity()["Account"]
    client = boto3.client("quicksight")
    try:
        status = client.describe_account_subscription(AwsAccountId=account)["AccountInfo"]["AccountSubscriptionStatus"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        status = "UNSUBSCRIBED"
    if status == "ACCOUNT_CREATED":
        yield Finding("QuickSight", OK, f"subscribed; the dashboard is for {principal}")
    else:
        yield Finding(
            "QuickSight",
            FAILURE,
            f"the account is not subscribed ({status}), and a dashboard is asked for",
            f'sign up in the console, or set quicksight_principal = "" in environments/{environment.name}.toml',
        )
