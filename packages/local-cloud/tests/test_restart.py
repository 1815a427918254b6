"""What an answer said is still true after a kill -9 right behind it, service by service."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

ROLE = "arn:aws:iam::123456789012:role/worker"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {
                    "Service": "scheduler.amazonaws.com",
                    "AWS": "123456789012",
                },
            }
        ],
    }
)

Make = Callable[[Any], object]
Check = Callable[[Any], object]

#: service → (what is made, what must be seen after the kill). The value seen before and after must be equal.
STATE: dict[str, tuple[Make, Check]] = {
    "iam": (
        lambda c: (
            c.create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST),
            c.put_role_policy(RoleName="worker", PolicyName="inline", PolicyDocument=POLICY),
            c.create_user(UserName="somebody"),
            c.create_access_key(UserName="somebody"),
        ),
        lambda c: (
            c.get_role(RoleName="worker")["Role"],
            c.get_role_policy(RoleName="worker", PolicyName="inline")["PolicyDocument"],
            c.list_access_keys(UserName="somebody")["AccessKeyMetadata"],
        ),
    ),
    "secretsmanager": (
        lambda c: (
            c.create_secret(Name="db", SecretString='{"user": "a"}', Tags=[{"Key": "k", "Value": "v"}]),
            c.put_secret_value(SecretId="db", SecretString="new"),
        ),
        lambda c: (
            c.get_secret_value(SecretId="db")["SecretString"],
            c.get_secret_value(SecretId="db", VersionStage="AWSPREVIOUS")["SecretString"],
            c.describe_secret(SecretId="db")["Tags"],
        ),
    ),
    "logs": (
        lambda c: (
            c.create_log_group(logGroupName="/g"),
            c.put_retention_policy(logGroupName="/g", retentionInDays=7),
            c.create_log_stream(logGroupName="/g", logStreamName="s"),
        ),
        lambda c: (c.describe_log_groups()["logGroups"], c.describe_log_streams(logGroupName="/g")["logStreams"]),
    ),
    "sns": (
        lambda c: (
            c.create_topic(Name="alerts"),
            c.subscribe(
                TopicArn="arn:aws:sns:us-east-1:123456789012:alerts", Protocol="email", Endpoint="a@example.com"
            ),
        ),
        lambda c: (c.list_topics()["Topics"], c.list_subscriptions()["Subscriptions"]),
    ),
    "sqs": (
        lambda c: (
            c.create_queue(QueueName="jobs"),
            c.send_message(QueueUrl=c.get_queue_url(QueueName="jobs")["QueueUrl"], MessageBody="do it"),
        ),
        lambda c: c.get_queue_attributes(
            QueueUrl=c.get_queue_url(QueueName="jobs")["QueueUrl"],
            AttributeNames=["QueueArn", "ApproximateNumberOfMessages", "CreatedTimestamp"],
        )["Attributes"],
    ),
    "kms": (
        lambda c: (
            c.create_alias(AliasName="alias/k", TargetKeyId=c.create_key()["KeyMetadata"]["KeyId"]),
            c.create_alias(
                AliasName="alias/sign",
                TargetKeyId=c.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"],
            ),
        ),
        lambda c: (c.list_aliases()["Aliases"], c.get_public_key(KeyId="alias/sign")["PublicKey"]),
    ),
    "ssm": (
        lambda c: (
            c.put_parameter(Name="/p", Value="1", Type="String"),
            c.put_parameter(Name="/p", Value="2", Type="String", Overwrite=True),
            c.add_tags_to_resource(ResourceType="Parameter", ResourceId="/p", Tags=[{"Key": "a", "Value": "b"}]),
        ),
        lambda c: (c.get_parameter(Name="/p")["Parameter"], c.get_parameter_history(Name="/p")["Parameters"]),
    ),
    "events": (
        lambda c: (
            c.put_rule(Name="nightly", ScheduleExpression="rate(1 day)"),
            c.put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:123456789012:jobs"}]),
        ),
        lambda c: (c.list_rules()["Rules"], c.list_targets_by_rule(Rule="nightly")["Targets"]),
    ),
    "scheduler": (
        lambda c: c.create_schedule(
            Name="nightly",
            ScheduleExpression="rate(1 day)",
            State="DISABLED",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "RoleArn": ROLE},
        ),
        lambda c: {k: v for k, v in c.get_schedule(Name="nightly").items() if k != "ResponseMetadata"},
    ),
    "cloudwatch": (
        lambda c: c.put_metric_alarm(
            AlarmName="failed",
            Namespace="AWS/States",
            MetricName="ExecutionsFailed",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        ),
        lambda c: c.describe_alarms()["MetricAlarms"],
    ),
    "glue": (
        lambda c: (
            c.create_database(DatabaseInput={"Name": "db"}),
            c.create_table(DatabaseName="db", TableInput={"Name": "t", "Parameters": {"a": "1"}}),
        ),
        lambda c: (c.get_database(Name="db")["Database"], c.get_table(DatabaseName="db", Name="t")["Table"]),
    ),
    "s3": (
        lambda c: (
            c.create_bucket(Bucket="kept-bucket"),
            c.put_bucket_versioning(Bucket="kept-bucket", VersioningConfiguration={"Status": "Enabled"}),
            c.put_bucket_tagging(Bucket="kept-bucket", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}),
            c.put_public_access_block(Bucket="kept-bucket", PublicAccessBlockConfiguration={"BlockPublicAcls": True}),
            c.put_object(Bucket="kept-bucket", Key="k", Body=b"1", Metadata={"m": "1"}),
            c.put_object(Bucket="kept-bucket", Key="k", Body=b"2"),
        ),
        lambda c: (
            c.list_buckets()["Buckets"],
            c.get_bucket_tagging(Bucket="kept-bucket")["TagSet"],
            c.get_public_access_block(Bucket="kept-bucket")["PublicAccessBlockConfiguration"],
            c.list_object_versions(Bucket="kept-bucket")["Versions"],
            c.get_object(Bucket="kept-bucket", Key="k")["Body"].read(),
        ),
    ),
    "dynamodb": (
        lambda c: (
            c.create_table(
                TableName="t",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            ),
            c.put_item(TableName="t", Item={"id": {"S": "1"}}),
        ),
        lambda c: c.scan(TableName="t")["Items"],
    ),
}


@pytest.fixture(scope="module")
def survivor(new_cloud: Any) -> Iterator[tuple[Any, dict[str, object]]]:
    """A cloud that was killed after each answer, and what each service said before."""
    running = new_cloud()
    running.start()
    seen = {}
    for service, (make, check) in STATE.items():
        client = running.client(service)
        make(client)
        if service == "iam":
            seen[service] = check(client)
            running.stop(signal.SIGKILL)
            running.start()
        else:
            seen[service] = check(client)
    running.client("ssm").put_parameter(Name="/last", Value="word", Type="String")
    running.stop(signal.SIGKILL)
    running.start()
    yield running, seen
    running.stop()


@pytest.mark.parametrize("service", STATE)
def test_state_outlives_a_kill(survivor: tuple[Any, dict[str, object]], service: str) -> None:
    running, seen = survivor
    assert STATE[service][1](running.client(service)) == seen[service]


def test_the_last_answer_counts(survivor: tuple[Any, dict[str, object]]) -> None:
    running, _ = survivor
    assert running.client("ssm").get_parameter(Name="/last")["Parameter"]["Value"] == "word"


def test_a_bucket_of_before_is_not_made_anew(survivor: tuple[Any, dict[str, object]]) -> None:
    """In us-east-1 creating one's own bucket again is no error and changes nothing."""
    running, _ = survivor
    s3 = running.client("s3")
    s3.create_bucket(Bucket="kept-bucket")
    assert s3.get_bucket_versioning(Bucket="kept-bucket")["Status"] == "Enabled"


def test_temporary_keys_outlive_a_kill(new_cloud: Any) -> None:
    running = new_cloud()
    running.start()
    try:
        running.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST)
        keys = running.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="shift")["Credentials"]

        def identity() -> str:
            client = boto3.session.Session().client(
                "sts",
                endpoint_url=running.endpoint,
                region_name="us-east-1",
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )
            return str(client.get_caller_identity()["Arn"])

        assert identity() == "arn:aws:sts::123456789012:assumed-role/worker/shift"
        running.stop(signal.SIGKILL)
        running.start()
        assert identity() == "arn:aws:sts::123456789012:assumed-role/worker/shift"
    finally:
        running.stop()


def test_half_an_upload_is_no_object(new_cloud: Any) -> None:
    running = new_cloud()
    running.start()
    try:
        s3 = running.client("s3")
        s3.create_bucket(Bucket="half-test")
        s3.put_object(Bucket="half-test", Key="k", Body=b"whole")
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as raw:
            signed = "Host: 127.0.0.1\r\nAuthorization: AWS local:x"
            head = f"PUT /half-test/k HTTP/1.1\r\n{signed}\r\nContent-Length: {4 << 20}\r\n\r\n"
            raw.sendall(head.encode() + bytes(2 << 20))
            staging = running.state_dir / "s3/.local-cloud/staging"
            while not any(file.stat().st_size for file in staging.iterdir()):
                time.sleep(0.01)  # until the server is in the middle of it
            running.stop(signal.SIGKILL)
        running.start()
        s3 = running.client("s3")
        assert s3.get_object(Bucket="half-test", Key="k")["Body"].read() == b"whole"
        assert list(staging.iterdir()) == []
    finally:
        running.stop()


def test_what_was_put_in_order_ends_in_order(new_cloud: Any) -> None:
    """SIGTERM: also what changed outside of requests is written."""
    running = new_cloud()
    running.start()
    try:
        running.client("sqs").create_queue(QueueName="q")
        running.stop(signal.SIGTERM)
        assert running.process.returncode == 0
        running.start()
        assert len(running.client("sqs").list_queues()["QueueUrls"]) == 1
    finally:
        running.stop()


def test_reads_write_nothing_and_unchanged_state_is_not_written_again(new_cloud: Any) -> None:
    running = new_cloud()
    running.start()
    try:
        iam = running.client("iam")
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        file = running.state_dir / "control-plane" / "iam.state"
        before = file.stat()
        iam.get_role(RoleName="r")
        iam.list_roles()
        iam.update_assume_role_policy(RoleName="r", PolicyDocument=TRUST)
        after = file.stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    finally:
        running.stop()


def test_only_its_owner_reads_the_state(new_cloud: Any) -> None:
    running = new_cloud()
    running.start()
    try:
        running.client("secretsmanager").create_secret(Name="s", SecretString="hidden")
        folder = running.state_dir / "control-plane"
        assert folder.stat().st_mode & 0o077 == 0
        for file in folder.glob("*.state"):
            assert file.stat().st_mode & 0o077 == 0, file
    finally:
        running.stop()
