"""Requests at the same time, to every service that moto keeps in memory, on a server that changes threads at every line
of moto's: what one request walks or checks, no other changes meanwhile."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

CLIENTS = 4
ROUNDS = 3

#: Threads give way at every line of a moto backend, and longer in the first rounds of a loop.
RESTLESS = """
import threading, time
def restless(frame, event, argument):
    name = frame.f_code.co_filename
    if "/moto/" not in name or "/core/" in name or "models" not in name:
        return None
    seen, rounds = set(), 0
    def line(frame, event, argument):
        nonlocal rounds
        if event == "line":
            again = frame.f_lineno in seen
            seen.add(frame.f_lineno)
            rounds += again
            time.sleep(0.001 if again else 0)
            frame.f_trace_lines = rounds < 4
        return line
    return line
threading.settrace(restless)
from local_cloud.__main__ import main
main()
"""

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def cloud(new_cloud: Callable[..., Any]) -> Iterator[Any]:
    running = new_cloud(command=("-c", RESTLESS))
    running.start()
    for name in ("role", "scheduled"):
        running.role(name)
    running.client("sqs").create_queue(QueueName="target")
    yield running
    running.stop()


def code() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return event")
    return target.getvalue()


def function(name: str) -> dict[str, Any]:
    role = f"arn:aws:iam::{ACCOUNT}:role/role"
    settings = {"Runtime": "python3.11", "Handler": "main.handler", "Role": role, "Code": {"ZipFile": code()}}
    return {"FunctionName": name, **settings}


def schedule(name: str) -> dict[str, Any]:
    target = {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:target", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/scheduled"}
    expression = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "State": "DISABLED"}
    return {"Name": name, "Target": target, **expression}


def iam(client: Any, name: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    client.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    client.create_policy(PolicyName=name, PolicyDocument=POLICY)
    client.attach_role_policy(RoleName=name, PolicyArn=arn)
    client.get_role(RoleName=name)
    client.list_roles()
    client.list_policies(Scope="Local")
    client.detach_role_policy(RoleName=name, PolicyArn=arn)
    client.delete_policy(PolicyArn=arn)
    client.delete_role(RoleName=name)


def secretsmanager(client: Any, name: str) -> None:
    client.create_secret(Name=name, SecretString="a")
    client.put_secret_value(SecretId=name, SecretString="b")
    assert client.get_secret_value(SecretId=name)["SecretString"] == "b"
    client.list_secrets()
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def ssm(client: Any, name: str) -> None:
    client.put_parameter(Name=f"/at/once/{name}", Value="a", Type="String")
    assert client.get_parameter(Name=f"/at/once/{name}")["Parameter"]["Value"] == "a"
    client.get_parameters_by_path(Path="/at", Recursive=True)
    client.delete_parameter(Name=f"/at/once/{name}")


def sns(client: Any, name: str) -> None:
    topic = client.create_topic(Name=name)["TopicArn"]
    client.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:target")
    client.publish(TopicArn=topic, Message="a")
    client.list_topics()
    client.list_subscriptions()
    client.delete_topic(TopicArn=topic)


def sqs(client: Any, name: str) -> None:
    queue = client.create_queue(QueueName=name)["QueueUrl"]
    client.send_message(QueueUrl=queue, MessageBody="a")
    [received] = client.receive_message(QueueUrl=queue)["Messages"]
    client.delete_message(QueueUrl=queue, ReceiptHandle=received["ReceiptHandle"])
    client.list_queues()
    client.delete_queue(QueueUrl=queue)


def glue(client: Any, name: str) -> None:
    table = {"Name": "table", "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "int"}]}, "PartitionKeys": []}
    client.create_database(DatabaseInput={"Name": name})
    client.create_table(DatabaseName=name, TableInput=table)
    client.get_table(DatabaseName=name, Name="table")
    client.get_databases()
    client.get_tables(DatabaseName=name)
    client.delete_table(DatabaseName=name, Name="table")
    client.delete_database(Name=name)


def events(client: Any, name: str) -> None:
    client.put_rule(Name=name, EventPattern='{"source": ["at.once"]}')
    client.put_targets(Rule=name, Targets=[{"Id": "a", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:target"}])
    client.put_events(Entries=[{"Source": "at.once", "DetailType": "a", "Detail": "{}"}])
    client.list_rules()
    client.remove_targets(Rule=name, Ids=["a"])
    client.delete_rule(Name=name)


def scheduler(client: Any, name: str) -> None:
    client.create_schedule(**schedule(name))
    client.get_schedule(Name=name)
    client.list_schedules()
    client.delete_schedule(Name=name)


def logs(client: Any, name: str) -> None:
    client.create_log_group(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName="a")
    event = {"timestamp": int(time.time() * 1000), "message": "a"}
    client.put_log_events(logGroupName=name, logStreamName="a", logEvents=[event])
    client.describe_log_groups()
    assert len(client.filter_log_events(logGroupName=name)["events"]) == 1
    client.delete_log_group(logGroupName=name)


def cloudwatch(client: Any, name: str) -> None:
    how = {"Namespace": "once", "MetricName": name, "Statistic": "Sum", "Period": 60}
    judged = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    client.put_metric_data(Namespace="once", MetricData=[{"MetricName": name, "Value": 1}])
    client.put_metric_alarm(AlarmName=name, **how, **judged)
    client.describe_alarms()
    client.list_metrics(Namespace="once")
    client.delete_alarms(AlarmNames=[name])


def awslambda(client: Any, name: str) -> None:
    client.create_function(**function(name))
    client.publish_version(FunctionName=name)
    client.get_function(FunctionName=name)
    client.list_functions()
    client.delete_function(FunctionName=name)


def s3(client: Any, name: str) -> None:
    client.create_bucket(Bucket=name)
    client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    client.get_bucket_tagging(Bucket=name)
    client.list_buckets()
    client.delete_bucket(Bucket=name)


def kms(client: Any, name: str) -> None:
    key = client.create_key()["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    client.describe_key(KeyId=f"alias/{name}")
    client.list_keys()
    client.list_aliases()
    client.delete_alias(AliasName=f"alias/{name}")


def sts(client: Any, name: str) -> None:
    client.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/role", RoleSessionName=name)
    client.get_caller_identity()


SERVICES = [iam, secretsmanager, ssm, sns, sqs, glue, events, scheduler, logs, cloudwatch, awslambda, s3, kms, sts]


@pytest.mark.parametrize("life", SERVICES, ids=lambda life: life.__name__)
def test_clients_that_make_look_and_delete_at_the_same_time_do_not_disturb_each_other(
    cloud: Any, life: Callable[[Any, str], None]
) -> None:
    service = life.__name__.removeprefix("aws")

    def work(number: int) -> None:
        client = cloud.client(service)
        for round_ in range(ROUNDS):
            life(client, f"at-once-{number}-{round_}")

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, range(CLIENTS)))


def at_once(call: Callable[[int], Any]) -> list[Any]:
    """What several callers got for the same call at the same time: the answer, or the error's code."""
    ready = threading.Barrier(CLIENTS)

    def one(number: int) -> Any:
        ready.wait()
        try:
            return call(number)
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(one, range(CLIENTS)))


#: Service, operation, parameters with the name `once`, and what all but one of several callers get.
UNIQUE = [
    ("iam", "create_role", {"RoleName": "once", "AssumeRolePolicyDocument": TRUST}, "EntityAlreadyExists"),
    ("secretsmanager", "create_secret", {"Name": "once", "SecretString": "a"}, "ResourceExistsException"),
    ("ssm", "put_parameter", {"Name": "once", "Value": "a", "Type": "String"}, "ParameterAlreadyExists"),
    ("glue", "create_database", {"DatabaseInput": {"Name": "once"}}, "AlreadyExistsException"),
    ("scheduler", "create_schedule", schedule("once"), "ConflictException"),
    ("logs", "create_log_group", {"logGroupName": "once"}, "ResourceAlreadyExistsException"),
    ("lambda", "create_function", function("once"), "ResourceConflictException"),
]


@pytest.mark.parametrize(("service", "method", "given", "code"), UNIQUE, ids=[each[0] for each in UNIQUE])
def test_of_several_that_make_the_same_thing_at_once_one_does(
    cloud: Any, service: str, method: str, given: dict[str, Any], code: str
) -> None:
    clients = [cloud.client(service) for _ in range(CLIENTS)]

    answers = at_once(lambda number: getattr(clients[number], method)(**given))

    assert sorted(isinstance(answer, dict) for answer in answers) == [False, False, False, True]
    assert [answer for answer in answers if not isinstance(answer, dict)] == [code] * (CLIENTS - 1)


def test_every_overwrite_of_a_parameter_is_a_version_of_its_own(cloud: Any) -> None:
    client = cloud.client("ssm")

    versions = at_once(
        lambda number: client.put_parameter(Name="counted", Value=f"{number}", Type="String", Overwrite=True)["Version"]
    )

    assert sorted(versions) == [1, 2, 3, 4]


def test_a_message_is_received_by_one_client(cloud: Any) -> None:
    client = cloud.client("sqs")
    queue = client.create_queue(QueueName="shared")["QueueUrl"]
    for number in range(CLIENTS):
        client.send_message(QueueUrl=queue, MessageBody=f"{number}")

    received = at_once(lambda number: client.receive_message(QueueUrl=queue)["Messages"][0]["Body"])

    assert sorted(received) == ["0", "1", "2", "3"]


def test_keys_of_a_role_that_several_take_at_once_are_all_good(cloud: Any) -> None:
    sts = cloud.client("sts")
    keys = at_once(
        lambda number: sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/role", RoleSessionName=f"s{number}")
    )

    names = at_once(
        lambda number: cloud.with_keys("sts", keys[number]["Credentials"]).get_caller_identity()["Arn"].split("/")[-1]
    )

    assert names == ["s0", "s1", "s2", "s3"]


def test_a_long_poll_of_an_empty_queue_keeps_nobody_waiting(cloud: Any) -> None:
    """The poll would hold the state for its 20 seconds; the message that ends it is sent meanwhile."""
    client = cloud.client("sqs")
    queue = client.create_queue(QueueName="awaited")["QueueUrl"]
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(client.receive_message, QueueUrl=queue, WaitTimeSeconds=20)
        client.send_message(QueueUrl=queue, MessageBody="at last")

        assert poll.result()["Messages"][0]["Body"] == "at last"


def test_a_function_that_calls_the_cloud_is_answered_while_it_is_waited_for(cloud: Any) -> None:
    source = "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Account']"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("main.py", source)
    cloud.role("caller")
    given = function("caller") | {"Code": {"ZipFile": target.getvalue()}, "Timeout": 60}
    given["Role"] = f"arn:aws:iam::{ACCOUNT}:role/caller"
    client = cloud.client("lambda")
    client.create_function(**given)

    answer = client.invoke(FunctionName="caller")

    assert json.loads(answer["Payload"].read()) == ACCOUNT
