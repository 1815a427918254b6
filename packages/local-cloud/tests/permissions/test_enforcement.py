"""Policies in force, over HTTP: who is refused what, in which words, by every protocol."""

from __future__ import annotations

import base64
import io
import json
import re
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def refusal(call: Any, **arguments: Any) -> tuple[int, str, str]:
    """Status, code and message of a refused call."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    assert response["ResponseMetadata"]["RequestId"]
    error = response["Error"]
    return response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error.get("Message", "")


@pytest.fixture(scope="module", autouse=True)
def world(cloud: Any) -> None:
    """A bucket, a topic and a role that may nothing."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="lake")
    for key in ("in/a", "in/b", "out/a"):
        s3.put_object(Bucket="lake", Key=key, Body=b"x")
    s3.create_bucket(Bucket="lake-copied")
    s3.put_bucket_versioning(Bucket="lake-copied", VersioningConfiguration={"Status": "Enabled"})
    cloud.client("sns").create_topic(Name="alerts")
    cloud.role("nobody", allow("none:Such"))


NOBODY = "User: arn:aws:sts::123456789012:assumed-role/nobody/session is not authorized to perform: "
REFUSALS: list[tuple[str, str, dict[str, Any], tuple[int, str, str]]] = [
    (
        "glue",
        "start_job_run",
        {"JobName": "ingest"},
        (
            400,
            "AccessDeniedException",
            f"{NOBODY}glue:StartJobRun on resource: arn:aws:glue:us-east-1:123456789012:job/ingest because no "
            "identity-based policy allows the glue:StartJobRun action",
        ),
    ),
    (
        "lambda",
        "invoke",
        {"FunctionName": "f", "Qualifier": "live"},
        (
            403,
            "AccessDeniedException",
            f"{NOBODY}lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:f:live because "
            "no identity-based policy allows the lambda:InvokeFunction action",
        ),
    ),
    (
        "sns",
        "publish",
        {"TopicArn": "arn:aws:sns:us-east-1:123456789012:alerts", "Message": "m"},
        (
            403,
            "AuthorizationError",
            f"{NOBODY}SNS:Publish on resource: arn:aws:sns:us-east-1:123456789012:alerts because no identity-based "
            "policy allows the SNS:Publish action",
        ),
    ),
    (
        "iam",
        "get_role",
        {"RoleName": "nobody"},
        (
            403,
            "AccessDenied",
            f"{NOBODY}iam:GetRole on resource: arn:aws:iam::123456789012:role/nobody because no identity-based policy "
            "allows the iam:GetRole action",
        ),
    ),
    (
        "s3",
        "get_object",
        {"Bucket": "lake", "Key": "in/a"},
        (
            403,
            "AccessDenied",
            f'{NOBODY}s3:GetObject on resource: "arn:aws:s3:::lake/in/a" because no identity-based policy allows the '
            "s3:GetObject action",
        ),
    ),
    ("s3", "head_object", {"Bucket": "lake", "Key": "in/a"}, (403, "403", "Forbidden")),
    (
        "cloudwatch",
        "put_metric_alarm",
        {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "LessThanThreshold"},
        (
            400,
            "AccessDeniedException",
            f"{NOBODY}cloudwatch:PutMetricAlarm on resource: arn:aws:cloudwatch:us-east-1:123456789012:alarm:a because "
            "no identity-based policy allows the cloudwatch:PutMetricAlarm action",
        ),
    ),
    (
        "scheduler",
        "get_schedule",
        {"Name": "monthly"},
        (
            403,
            "AccessDeniedException",
            f"{NOBODY}scheduler:GetSchedule on resource: arn:aws:scheduler:us-east-1:123456789012:schedule/default/"
            "monthly because no identity-based policy allows the scheduler:GetSchedule action",
        ),
    ),
    (
        "sqs",
        "get_queue_url",
        {"QueueName": "q"},
        (
            400,
            "AccessDeniedException",
            f"{NOBODY}sqs:getqueueurl on resource: arn:aws:sqs:us-east-1:123456789012:q because no identity-based "
            "policy allows the sqs:getqueueurl action",
        ),
    ),
    (
        "dynamodb",
        "list_tables",
        {},
        (
            400,
            "AccessDeniedException",
            f"{NOBODY}dynamodb:ListTables on resource: * because no identity-based policy allows the "
            "dynamodb:ListTables action",
        ),
    ),
]


@pytest.mark.parametrize(
    ("service", "method", "arguments", "expected"), REFUSALS, ids=[f"{r[0]}.{r[1]}" for r in REFUSALS]
)
def test_refusals_in_aws_words(
    cloud: Any, service: str, method: str, arguments: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert refusal(getattr(cloud.as_role("nobody", service), method), **arguments) == expected


@pytest.mark.parametrize(
    ("service", "method", "expected"),
    [
        ("sts", "get_caller_identity", (403, "InvalidClientTokenId")),
        ("glue", "get_jobs", (400, "UnrecognizedClientException")),
        ("lambda", "list_functions", (403, "UnrecognizedClientException")),
        ("s3", "list_buckets", (403, "InvalidAccessKeyId")),
    ],
)
def test_keys_that_nobody_has(cloud: Any, service: str, method: str, expected: tuple[int, str]) -> None:
    client = cloud.with_keys(service, {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"})
    assert refusal(getattr(client, method))[:2] == expected


INVALID = "The security token included in the request is invalid."
#: Service and method; what temporary keys get without their token, and what they get with another one.
TOKENS = [
    ("sts", "get_caller_identity", *[(403, "InvalidClientTokenId", INVALID)] * 2),
    ("sns", "list_topics", *[(403, "InvalidClientTokenId", INVALID)] * 2),
    ("glue", "get_jobs", *[(400, "UnrecognizedClientException", INVALID)] * 2),
    ("lambda", "list_functions", *[(403, "UnrecognizedClientException", INVALID)] * 2),
    ("cloudwatch", "list_metrics", *[(400, "UnrecognizedClientException", INVALID)] * 2),
    (
        "s3",
        "list_buckets",
        (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        (400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
    ),
]


@pytest.mark.parametrize(("service", "method", "without", "wrong"), TOKENS, ids=[each[0] for each in TOKENS])
def test_temporary_keys_need_their_own_session_token(
    cloud: Any, service: str, method: str, without: tuple[int, str, str], wrong: tuple[int, str, str]
) -> None:
    role = cloud.role("temporary")
    keys, others = (
        cloud.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"] for name in ("own", "other")
    )

    def with_token(token: str | None) -> Any:
        return getattr(cloud.with_keys(service, keys | {"SessionToken": token}), method)

    assert with_token(keys["SessionToken"])()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert refusal(with_token(None)) == without
    assert refusal(with_token("made-up")) == wrong
    assert refusal(with_token(others["SessionToken"])) == wrong


def test_a_users_keys_come_without_a_session_token(cloud: Any) -> None:
    cloud.client("iam").create_user(UserName="long")
    key = cloud.client("iam").create_access_key(UserName="long")["AccessKey"]

    assert cloud.with_keys("sts", key).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/long"
    given = cloud.with_keys("sts", key | {"SessionToken": "made-up"})
    assert refusal(given.get_caller_identity) == (403, "InvalidClientTokenId", INVALID)


def test_keys_of_a_user_until_they_are_inactive(cloud: Any) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="ada")
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(GroupName="readers", UserName="ada")
    may = {"Version": "2012-10-17", "Statement": [allow("s3:GetObject", "arn:aws:s3:::lake/in/${aws:username}*")]}
    iam.put_group_policy(GroupName="readers", PolicyName="own", PolicyDocument=json.dumps(may))
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    s3 = cloud.with_keys("s3", key)
    cloud.client("s3").put_object(Bucket="lake", Key="in/ada1", Body=b"x")
    assert s3.get_object(Bucket="lake", Key="in/ada1")["ContentLength"] == 1
    assert refusal(s3.get_object, Bucket="lake", Key="in/a")[0] == 403
    assert cloud.with_keys("sts", key).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ada"
    iam.update_access_key(UserName="ada", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refusal(s3.get_object, Bucket="lake", Key="in/ada1")[1] == "InvalidAccessKeyId"


def test_the_account_itself_may_everything(cloud: Any) -> None:
    for key in ("local", "test"):
        sts = cloud.with_keys("sts", {"AccessKeyId": key})
        assert sts.get_caller_identity()["Account"] == ACCOUNT
        assert cloud.with_keys("s3", {"AccessKeyId": key}).get_object(Bucket="lake", Key="in/a")["ContentLength"] == 1


def test_managed_policies_boundaries_and_changes_count_at_once(cloud: Any) -> None:
    iam = cloud.client("iam")
    cloud.role("changing", allow("glue:GetJobs"))
    glue, s3 = cloud.as_role("changing", "glue"), cloud.as_role("changing", "s3")
    assert glue.get_jobs()["Jobs"] == []
    assert refusal(s3.list_objects_v2, Bucket="lake")[0] == 403
    iam.attach_role_policy(RoleName="changing", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert s3.list_objects_v2(Bucket="lake", Prefix="out/")["KeyCount"] == 1
    limit = {"Version": "2012-10-17", "Statement": [allow("s3:*")]}
    arn = iam.create_policy(PolicyName="limit", PolicyDocument=json.dumps(limit))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="changing", PermissionsBoundary=arn)
    assert refusal(glue.get_jobs)[2].endswith("because no permissions boundary allows the glue:GetJobs action")
    iam.delete_role_permissions_boundary(RoleName="changing")
    iam.delete_role_policy(RoleName="changing", PolicyName="may")
    assert refusal(glue.get_jobs)[2].endswith("because no identity-based policy allows the glue:GetJobs action")


@pytest.mark.parametrize("version", [{}, {"Version": "2008-10-17"}])
def test_an_inline_policy_may_be_of_the_old_version_and_a_managed_one_not(cloud: Any, version: dict[str, str]) -> None:
    iam = cloud.client("iam")
    cloud.role("old-style", allow("none:Such"))
    said = json.dumps(version | {"Statement": [allow("s3:GetObject", "arn:aws:s3:::lake/in/*")]})
    iam.put_role_policy(RoleName="old-style", PolicyName="may", PolicyDocument=said)
    assert cloud.as_role("old-style", "s3").get_object(Bucket="lake", Key="in/a")["Body"].read() == b"x"
    assert refusal(iam.create_policy, PolicyName="old-style", PolicyDocument=said) == (
        400,
        "MalformedPolicyDocument",
        "Policy document must be version 2012-10-17 or greater.",
    )


def test_a_session_policy_limits_the_session(cloud: Any) -> None:
    arn = cloud.role("wide")
    limit = {"Version": "2012-10-17", "Statement": [allow("s3:GetObject", "arn:aws:s3:::lake/in/*")]}
    sts = cloud.client("sts")
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="shift", Policy=json.dumps(limit))
    s3 = cloud.with_keys("s3", answer["Credentials"])
    assert s3.get_object(Bucket="lake", Key="in/a")["ContentLength"] == 1
    assert refusal(s3.get_object, Bucket="lake", Key="out/a")[2].endswith(
        "because no session policy allows the s3:GetObject action"
    )


# S3


S3_CASES: list[tuple[str, list[dict[str, Any]], dict[str, Any], str]] = [
    ("list_objects_v2", [allow("s3:ListBucket", "arn:aws:s3:::lake")], {}, ""),
    (
        "list_objects_v2",
        [allow("s3:ListBucket", "arn:aws:s3:::lake", Condition={"StringLike": {"s3:prefix": "in/*"}})],
        {"Prefix": "in/"},
        "",
    ),
    (
        "list_objects_v2",
        [allow("s3:ListBucket", "arn:aws:s3:::lake", Condition={"StringLike": {"s3:prefix": "in/*"}})],
        {"Prefix": "out/"},
        "s3:ListBucket",
    ),
    ("list_object_versions", [allow("s3:ListBucket")], {}, "s3:ListBucketVersions"),
    ("get_object", [allow("s3:GetObject")], {"Key": "in/a", "VersionId": "null"}, "s3:GetObjectVersion"),
    ("put_object", [allow("s3:PutObject", "arn:aws:s3:::lake/out/*")], {"Key": "out/new"}, ""),
    ("put_object", [allow("s3:PutObject", "arn:aws:s3:::lake/out/*")], {"Key": "in/new"}, "s3:PutObject"),
    (
        "put_object",
        [allow("s3:PutObject", Condition={"Null": {"s3:if-none-match": "false"}})],
        {"Key": "once"},
        "s3:PutObject",
    ),
    (
        "put_object",
        [allow("s3:PutObject", Condition={"Null": {"s3:if-none-match": "false"}})],
        {"Key": "once", "IfNoneMatch": "*"},
        "",
    ),
    ("put_object", [allow("s3:PutObject")], {"Key": "tagged", "Tagging": "a=b"}, "s3:PutObjectTagging"),
    (
        "put_object",
        [allow(["s3:PutObject", "s3:PutObjectTagging"], Condition={"StringEquals": {"s3:RequestObjectTag/a": "b"}})],
        {"Key": "tagged", "Tagging": "a=b"},
        "",
    ),
    ("copy_object", [allow("s3:PutObject")], {"Key": "copied", "CopySource": "lake/in/a"}, "s3:GetObject"),
    ("copy_object", [allow(["s3:PutObject", "s3:GetObject"])], {"Key": "copied", "CopySource": "lake/in/a"}, ""),
    ("create_multipart_upload", [allow("s3:GetObject")], {"Key": "large"}, "s3:PutObject"),
    ("list_multipart_uploads", [allow("s3:ListBucket")], {}, "s3:ListBucketMultipartUploads"),
    ("delete_object", [allow("s3:PutObject")], {"Key": "in/a"}, "s3:DeleteObject"),
    ("get_bucket_policy", [allow("s3:GetBucketLocation")], {}, "s3:GetBucketPolicy"),
    ("get_bucket_location", [allow("s3:GetBucketLocation")], {}, ""),
    ("put_bucket_policy", [allow("s3:PutObject")], {"Policy": "{}"}, "s3:PutBucketPolicy"),
    (
        "put_bucket_lifecycle_configuration",
        [allow("s3:PutObject")],
        {
            "LifecycleConfiguration": {
                "Rules": [{"ID": "a", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}]
            }
        },
        "s3:PutLifecycleConfiguration",
    ),
]


@pytest.mark.parametrize(("method", "statements", "arguments", "missing"), S3_CASES)
def test_s3_asks_for_each_permission_that_aws_asks_for(
    cloud: Any, method: str, statements: list[dict[str, Any]], arguments: dict[str, Any], missing: str
) -> None:
    cloud.role("reader", *statements)
    call = getattr(cloud.as_role("reader", "s3"), method)
    if not missing:
        call(Bucket="lake", **arguments)
        return
    status, code, message = refusal(call, Bucket="lake", **arguments)
    assert (status, code) == (403, "AccessDenied")
    assert f"is not authorized to perform: {missing} on resource" in message


def test_who_may_not_list_is_not_told_what_is_missing(cloud: Any) -> None:
    cloud.role("reader", allow("s3:GetObject"))
    s3 = cloud.as_role("reader", "s3")
    assert refusal(s3.get_object, Bucket="lake", Key="none")[1:] == (
        "AccessDenied",
        "User: arn:aws:sts::123456789012:assumed-role/reader/session is not authorized to perform: s3:ListBucket on "
        'resource: "arn:aws:s3:::lake" because no identity-based policy allows the s3:ListBucket action',
    )
    cloud.role("reader", allow(["s3:GetObject", "s3:ListBucket"]))
    assert refusal(s3.get_object, Bucket="lake", Key="none")[1] == "NoSuchKey"


def test_many_deletions_are_asked_about_one_by_one(cloud: Any) -> None:
    for key in ("gone/a", "kept/a"):
        cloud.client("s3").put_object(Bucket="lake", Key=key, Body=b"")
    cloud.role("sweeper", allow("s3:DeleteObject", "arn:aws:s3:::lake/gone/*"))
    both = {"Objects": [{"Key": "gone/a"}, {"Key": "kept/a"}]}
    answer = cloud.as_role("sweeper", "s3").delete_objects(Bucket="lake", Delete=both)
    assert [each["Key"] for each in answer["Deleted"]] == ["gone/a"]
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [("kept/a", "AccessDenied")]


def statement(effect: str, principal: Any, action: Any, key: str = "*", **more: Any) -> dict[str, Any]:
    resource = ["arn:aws:s3:::guarded", f"arn:aws:s3:::guarded/{key}"]
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource, **more}


@pytest.fixture
def guarded(cloud: Any) -> Iterator[Any]:
    """Gives the bucket `guarded`, which holds `a`, a policy."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="guarded")
    s3.put_object(Bucket="guarded", Key="a", Body=b"x")

    def guard(*statements: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        s3.put_bucket_policy(Bucket="guarded", Policy=document)

    yield guard
    # What denies everybody everything can still be taken away: by the account, as on AWS.
    s3.delete_bucket_policy(Bucket="guarded")
    s3.delete_object(Bucket="guarded", Key="a")
    s3.delete_bucket(Bucket="guarded")


def test_a_bucket_policy_gives_and_takes(cloud: Any, guarded: Any) -> None:
    arn = cloud.role("guest", allow("glue:GetJobs"))
    cloud.role("full")
    guest, full = cloud.as_role("guest", "s3"), cloud.as_role("full", "s3")
    assert refusal(guest.get_object, Bucket="guarded", Key="a")[0] == 403
    guarded(statement("Allow", {"AWS": arn}, "s3:GetObject"))
    assert guest.get_object(Bucket="guarded", Key="a")["ContentLength"] == 1
    guarded(statement("Deny", "*", "s3:GetObject", Condition={"StringNotEquals": {"aws:PrincipalArn": arn}}))
    assert refusal(full.get_object, Bucket="guarded", Key="a")[2].endswith(
        "with an explicit deny in a resource-based policy"
    )
    assert refusal(cloud.client("s3").get_object, Bucket="guarded", Key="a")[0] == 403


@pytest.mark.parametrize(("said", "allowed"), [("false", True), ("true", False)])
def test_loopback_counts_as_a_secure_channel(cloud: Any, guarded: Any, said: str, allowed: bool) -> None:
    """So buckets that take only TLS work as they are; a policy against TLS denies."""
    cloud.role("full")
    guarded(statement("Deny", "*", "s3:GetObject", Condition={"Bool": {"aws:SecureTransport": said}}))
    s3 = cloud.as_role("full", "s3")
    if allowed:
        assert s3.get_object(Bucket="guarded", Key="a")["ContentLength"] == 1
    else:
        assert refusal(s3.get_object, Bucket="guarded", Key="a")[2].endswith(
            "with an explicit deny in a resource-based policy"
        )


def test_a_presigned_url_of_a_role_carries_its_token(cloud: Any) -> None:
    cloud.role("signer", allow("s3:GetObject"))
    arguments = {"Params": {"Bucket": "lake", "Key": "in/a"}}
    url = cloud.as_role("signer", "s3").generate_presigned_url("get_object", **arguments)

    assert urllib.request.urlopen(url).read() == b"x"
    for spoilt, status in ((re.sub(r"&?x-amz-security-token=[^&]*", "", url, flags=re.I), 403), (url + "x", 400)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(re.sub(r"(?i)(x-amz-security-token=)", r"\1x", spoilt) if status == 400 else spoilt)
        assert caught.value.code == status


def test_presigned_urls_are_their_signers(cloud: Any) -> None:
    cloud.role("reader", allow("s3:GetObject", "arn:aws:s3:::lake/in/*"))
    s3 = cloud.as_role("reader", "s3")
    for key, status in (("in/a", 200), ("out/a", 403)):
        url = s3.generate_presigned_url("get_object", {"Bucket": "lake", "Key": key})
        try:
            assert urllib.request.urlopen(url).status == status
        except urllib.error.HTTPError as error:
            assert error.code == status


def test_secrets_and_keys_have_policies_of_their_own(cloud: Any) -> None:
    arn = cloud.role("vault", allow("kms:Encrypt"))
    secret = cloud.client("secretsmanager").create_secret(Name="password", SecretString="s")["ARN"]
    client = cloud.as_role("vault", "secretsmanager")
    assert secret in refusal(client.get_secret_value, SecretId="password")[2]
    give = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [give]})
    cloud.client("secretsmanager").put_resource_policy(SecretId="password", ResourcePolicy=document)
    assert client.get_secret_value(SecretId="password")["SecretString"] == "s"
    kms = cloud.client("kms")
    delegating = kms.create_key()["KeyMetadata"]["KeyId"]
    only_root = {"Effect": "Allow", "Principal": {"AWS": cloud.role("owner")}, "Action": "kms:*", "Resource": "*"}
    closed = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [only_root]}))["KeyMetadata"][
        "KeyId"
    ]
    as_role = cloud.as_role("vault", "kms")
    assert as_role.encrypt(KeyId=delegating, Plaintext=b"x")["CiphertextBlob"]
    assert refusal(as_role.encrypt, KeyId=closed, Plaintext=b"x")[2].endswith(
        "because no resource-based policy allows the kms:Encrypt action"
    )


def test_a_batch_hands_out_only_the_secrets_that_may_be_read_one_by_one(cloud: Any) -> None:
    manager = cloud.client("secretsmanager")
    manager.create_secret(Name="open", SecretString="told")
    closed = manager.create_secret(Name="closed", SecretString="hidden")["ARN"]
    batch = allow(["secretsmanager:BatchGetSecretValue", "secretsmanager:ListSecrets"])
    cloud.role("batch", batch, allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:open-??????"))
    client = cloud.as_role("batch", "secretsmanager")

    def refused(name: str, arn: str) -> dict[str, str]:
        user = f"arn:aws:sts::{ACCOUNT}:assumed-role/batch/session"
        message = (
            f"User: {user} is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn} because no "
            "identity-based policy allows the secretsmanager:GetSecretValue action"
        )
        return {"SecretId": name, "ErrorCode": "AccessDeniedException", "Message": message}

    unknown = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:unknown-??????"
    answer = client.batch_get_secret_value(SecretIdList=["open", "closed", "unknown"])
    assert [each["SecretString"] for each in answer["SecretValues"]] == ["told"]
    assert answer["Errors"] == [refused("closed", closed), refused("unknown", unknown)]
    assert client.batch_get_secret_value(SecretIdList=[closed[:-7]])["Errors"] == [refused(closed[:-7], closed)]
    answer = client.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["closed", "open"]}])
    assert [each["SecretString"] for each in answer["SecretValues"]] == ["told"]
    assert answer["Errors"] == [refused(closed, closed)]
    cloud.role("batch", allow("secretsmanager:*"))
    assert len(client.batch_get_secret_value(SecretIdList=["open", "closed"])["SecretValues"]) == 2


def test_tags_need_the_right_to_tag(cloud: Any) -> None:
    cloud.role("tagger", allow(["sqs:CreateQueue", "iam:CreateRole"]))
    sqs = cloud.as_role("tagger", "sqs")
    sqs.create_queue(QueueName="plain")
    assert "sqs:tagqueue" in refusal(sqs.create_queue, QueueName="tagged", tags={"a": "b"})[2]
    cloud.role("tagger", allow(["sqs:CreateQueue", "sqs:TagQueue"]))
    sqs.create_queue(QueueName="tagged", tags={"a": "b"})


FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:named"


@pytest.mark.parametrize(
    "given",
    [
        {"FunctionName": "named", "Qualifier": "live"},
        {"FunctionName": "named:live"},
        {"FunctionName": f"{ACCOUNT}:function:named:live"},
        {"FunctionName": f"{ACCOUNT}:function:named", "Qualifier": "live"},
        {"FunctionName": FUNCTION, "Qualifier": "live"},
        {"FunctionName": f"{FUNCTION}:live"},
    ],
)
def test_a_function_is_the_same_resource_by_all_its_names(cloud: Any, given: dict[str, str]) -> None:
    cloud.role("caller-by-name", allow("lambda:InvokeFunction", f"{FUNCTION}:other"))
    client = cloud.as_role("caller-by-name", "lambda")
    assert f"on resource: {FUNCTION}:live because" in refusal(client.invoke, **given)[2]
    cloud.role("caller-by-name", allow("lambda:InvokeFunction", f"{FUNCTION}:live"))
    assert refusal(client.invoke, **given)[1] == "ResourceNotFoundException"


# Becoming a role


def test_a_roles_trust_decides_who_becomes_it(cloud: Any) -> None:
    own = cloud.role("target", trust={"AWS": f"arn:aws:iam::{ACCOUNT}:role/caller"})
    strange = cloud.role("strange", trust={"Service": "glue.amazonaws.com"})
    account = cloud.role("by-account", trust={"AWS": ACCOUNT})
    cloud.role("caller", allow("sts:AssumeRole", strange))
    sts = cloud.as_role("caller", "sts")
    assert sts.assume_role(RoleArn=own, RoleSessionName="shift")["Credentials"]
    assert refusal(sts.assume_role, RoleArn=strange, RoleSessionName="shift")[:2] == (403, "AccessDenied")
    assert refusal(sts.assume_role, RoleArn=account, RoleSessionName="shift")[2] == (
        "User: arn:aws:sts::123456789012:assumed-role/caller/session is not authorized to perform: sts:AssumeRole on "
        f"resource: {account} because no identity-based policy allows the sts:AssumeRole action"
    )
    cloud.role("caller", allow("sts:AssumeRole", account))
    assert sts.assume_role(RoleArn=account, RoleSessionName="shift")["Credentials"]
    assert refusal(sts.assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none", RoleSessionName="shift")[0] == 403


def token(**claims: Any) -> str:
    """A web token that nobody signed."""
    known = {"iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com", "exp": time.time() + 60}
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, known | claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


SUBJECT = "repo:owner/repo:environment:dev"
TOKENS: list[tuple[dict[str, Any], tuple[int, str] | None]] = [
    ({"sub": SUBJECT}, None),
    ({"sub": "repo:owner/repo:environment:prod"}, (403, "AccessDenied")),
    ({"sub": "repo:owner/repo:ref:refs/heads/main"}, (403, "AccessDenied")),
    ({}, (403, "AccessDenied")),
    ({"sub": SUBJECT, "aud": "somebody.else"}, (400, "InvalidIdentityToken")),
    ({"sub": SUBJECT, "iss": "https://example.com"}, (400, "InvalidIdentityToken")),
    ({"sub": SUBJECT, "exp": 1}, (400, "ExpiredTokenException")),
]


@pytest.fixture(scope="module")
def deploy_role(cloud: Any) -> str:
    iam = cloud.client("iam")
    provider = iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
    )["OpenIDConnectProviderArn"]
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": SUBJECT,
            }
        },
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role: str = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    return role


@pytest.mark.parametrize(("claims", "expected"), TOKENS)
def test_a_role_is_assumed_by_the_tokens_that_its_trust_names(
    cloud: Any, deploy_role: str, claims: dict[str, Any], expected: tuple[int, str] | None
) -> None:
    sts = cloud.with_keys("sts", {"AccessKeyId": "none"}, config=Config(signature_version=UNSIGNED))
    request = {"RoleArn": deploy_role, "RoleSessionName": "run", "WebIdentityToken": token(**claims)}
    if expected:
        assert refusal(sts.assume_role_with_web_identity, **request)[:2] == expected
        return
    keys = sts.assume_role_with_web_identity(**request)["Credentials"]
    assert cloud.with_keys("sts", keys).get_caller_identity()["Arn"].endswith(":assumed-role/deploy/run")
    assert refusal(cloud.with_keys("s3", keys).get_object, Bucket="lake", Key="in/a")[0] == 403


def test_unsigned_requests_get_nowhere(cloud: Any) -> None:
    client = cloud.with_keys("glue", {"AccessKeyId": "none"}, config=Config(signature_version=UNSIGNED))
    assert refusal(client.get_jobs)[1] == "MissingAuthenticationTokenException"


# Passing a role, and services that act as one


def zipped() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("app.py", "def main(event, context): return event")
    return body.getvalue()


PASSING: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        "glue",
        "create_job",
        "glue",
        {"Name": "passed", "Role": "ROLE", "Command": {"Name": "pythonshell", "ScriptLocation": "s3://lake/in/a"}},
    ),
    (
        "lambda",
        "create_function",
        "lambda",
        {
            "FunctionName": "passed",
            "Role": "ROLE",
            "Runtime": "python3.13",
            "Handler": "app.main",
            "Code": {"ZipFile": zipped()},
        },
    ),
    (
        "stepfunctions",
        "create_state_machine",
        "states",
        {"name": "passed", "roleArn": "ROLE", "definition": '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}'},
    ),
    ("stepfunctions", "test_state", "states", {"roleArn": "ROLE", "definition": '{"Type":"Succeed"}'}),
    (
        "scheduler",
        "create_schedule",
        "scheduler",
        {
            "Name": "passed",
            "ScheduleExpression": "rate(1 day)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "RoleArn": "ROLE"},
        },
    ),
    (
        "redshift-serverless",
        "create_namespace",
        "redshift-serverless",
        {"namespaceName": "passed", "iamRoles": ["ROLE"]},
    ),
    ("glue", "create_session", "glue", {"Id": "passed", "Role": "ROLE", "Command": {"Name": "glueetl"}}),
    ("events", "put_rule", "events", {"Name": "passed", "ScheduleExpression": "rate(1 day)", "RoleArn": "ROLE"}),
    (
        "events",
        "put_targets",
        "events",
        {"Rule": "passed", "Targets": [{"Id": "a", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "RoleArn": "ROLE"}]},
    ),
    ("sns", "create_topic", "sns", {"Name": "passed", "Attributes": {"SQSSuccessFeedbackRoleArn": "ROLE"}}),
    (
        "logs",
        "put_destination",
        "logs",
        {"destinationName": "passed", "targetArn": "arn:aws:kinesis:x", "roleArn": "ROLE"},
    ),
    (
        "s3",
        "put_bucket_replication",
        "s3",
        {
            "Bucket": "lake-copied",
            "ReplicationConfiguration": {
                "Role": "ROLE",
                "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::lake"}, "Prefix": ""}],
            },
        },
    ),
]


def with_role(value: Any, role: str) -> Any:
    if isinstance(value, dict):
        return {name: with_role(each, role) for name, each in value.items()}
    if isinstance(value, list):
        return [with_role(each, role) for each in value]
    return role if value == "ROLE" else value


@pytest.mark.parametrize(
    ("service", "method", "prefix", "request_"), PASSING, ids=[f"{case[0]}.{case[1]}" for case in PASSING]
)
def test_a_role_has_to_be_passed(cloud: Any, service: str, method: str, prefix: str, request_: dict[str, Any]) -> None:
    passed = cloud.role("passed")
    arguments = with_role(request_, passed)
    cloud.role("maker", allow(f"{prefix}:*"))
    call = getattr(cloud.as_role("maker", service), method)
    assert f"is not authorized to perform: iam:PassRole on resource: {passed}" in refusal(call, **arguments)[2]

    def may_pass_to(name: str) -> None:
        condition = {"StringEquals": {"iam:PassedToService": name}}
        cloud.role("maker", allow(f"{prefix}:*"), allow("iam:PassRole", passed, Condition=condition))

    may_pass_to("ec2.amazonaws.com")
    assert "iam:PassRole" in refusal(call, **arguments)[2]
    may_pass_to(f"{prefix}.amazonaws.com")
    call(**arguments)


def test_secrets_of_a_test_are_shown_to_who_may_see_them(cloud: Any) -> None:
    arguments = {"definition": '{"Type":"Succeed"}', "revealSecrets": True}
    cloud.role("tester", allow("states:TestState"))
    call = cloud.as_role("tester", "stepfunctions").test_state
    assert "is not authorized to perform: states:RevealSecrets" in refusal(call, **arguments)[2]
    cloud.role("tester", allow("states:TestState"), allow("states:RevealSecrets"))
    assert call(**arguments)["status"] == "SUCCEEDED"


UNTRUSTED: list[tuple[str, str, dict[str, Any], str]] = [
    ("lambda", "create_function", PASSING[1][3] | {"FunctionName": "u"}, "cannot be assumed by Lambda"),
    ("stepfunctions", "create_state_machine", PASSING[2][3] | {"name": "u"}, "to assume the provided role"),
    ("stepfunctions", "test_state", PASSING[3][3], "to assume the provided role"),
    ("scheduler", "create_schedule", PASSING[4][3] | {"Name": "u"}, "must allow AWS EventBridge Scheduler to assume"),
]


@pytest.mark.parametrize(
    ("service", "method", "request_", "words"), UNTRUSTED, ids=[f"{case[0]}.{case[1]}" for case in UNTRUSTED]
)
def test_a_role_has_to_trust_the_service(
    cloud: Any, service: str, method: str, request_: dict[str, Any], words: str
) -> None:
    role = cloud.role("untrusting", trust={"Service": "ec2.amazonaws.com"})
    assert words in refusal(getattr(cloud.client(service), method), **with_role(request_, role))[2]


def test_trust_may_name_the_source(cloud: Any) -> None:
    """A machine's role for one machine."""
    states = cloud.client("stepfunctions")
    arn = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:only"
    condition = {"ArnLike": {"aws:SourceArn": arn}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}
    role = cloud.role("sourced")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust | {"Condition": condition}]})
    cloud.client("iam").update_assume_role_policy(RoleName="sourced", PolicyDocument=document)
    definition = PASSING[2][3]["definition"]
    assert (
        "assume the provided role"
        in refusal(states.create_state_machine, name="another", roleArn=role, definition=definition)[2]
    )
    states.create_state_machine(name="only", roleArn=role, definition=definition)


def machine(cloud: Any, name: str, state: dict[str, Any], *statements: dict[str, Any], **more: Any) -> Any:
    role = cloud.role(f"{name}-machine", *statements)
    definition = json.dumps({"StartAt": "A", "States": {"A": state | {"End": True}}})
    return cloud.client("stepfunctions").create_state_machine(name=name, roleArn=role, definition=definition, **more)


def outcome(cloud: Any, arn: str) -> dict[str, Any]:
    states = cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.02)
    return dict(found)


TASKS = [
    (
        "glue",
        {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun", "Parameters": {"JobName": "none"}},
        "Glue.AccessDeniedException",
        "glue:StartJobRun",
    ),
    (
        "sns",
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Parameters": {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts", "Message": "m"},
        },
        "SNS.AuthorizationErrorException",
        "SNS:Publish",
    ),
    (
        "sdk",
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
            "Parameters": {"Bucket": "lake", "Key": "in/a"},
        },
        "S3.AccessDeniedException",
        "s3:GetObject",
    ),
    (
        "states",
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution",
            "Parameters": {"StateMachineArn": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:only:live"},
        },
        "StepFunctions.AWSStepFunctionsException",
        "states:StartExecution",
    ),
]


@pytest.mark.parametrize(("name", "state", "error", "action"), TASKS, ids=[case[0] for case in TASKS])
def test_tasks_act_as_the_machines_role(cloud: Any, name: str, state: dict[str, Any], error: str, action: str) -> None:
    arn = machine(cloud, f"{name}-task", state, allow("none:Such"))["stateMachineArn"]
    found = outcome(cloud, arn)
    assert (found["status"], found["error"]) == ("FAILED", error)
    assert f"assumed-role/{name}-task-machine/" in found["cause"]
    assert f"is not authorized to perform: {action} on resource: " in found["cause"]


def test_what_aws_asks_of_a_machines_role_when_it_is_made(cloud: Any) -> None:
    waits = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "x"},
    }
    with pytest.raises(
        ClientError, match=r"'arn:aws:iam::123456789012:role/waiting-machine' is not authorized to create"
    ):
        machine(cloud, "waiting", waits, allow("states:*"))
    rule = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    machine(cloud, "waiting", waits, allow(["events:PutRule", "events:PutTargets", "events:DescribeRule"], rule))
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:executions:*"
    logging = {"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]}
    with pytest.raises(ClientError, match="not authorized to access the Log Destination"):
        machine(cloud, "logging", {"Type": "Pass"}, allow("states:*"), loggingConfiguration=logging)
    machine(cloud, "logging", {"Type": "Pass"}, allow("logs:*"), loggingConfiguration=logging)


def test_a_version_or_alias_is_asked_about_as_its_machine(cloud: Any) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html"""
    states = cloud.client("stepfunctions")
    made = machine(cloud, "aliased", {"Type": "Pass"}, publish=True)
    routes = [{"stateMachineVersionArn": made["stateMachineVersionArn"], "weight": 100}]
    live = states.create_state_machine_alias(name="live", routingConfiguration=routes)["stateMachineAliasArn"]
    condition = {"StringEquals": {"states:StateMachineQualifier": "live"}}
    cloud.role("starter", allow("states:StartExecution", made["stateMachineArn"], Condition=condition))
    as_role = cloud.as_role("starter", "stepfunctions")
    assert as_role.start_execution(stateMachineArn=live)["executionArn"]
    assert refusal(as_role.start_execution, stateMachineArn=made["stateMachineArn"])[1] == "AccessDeniedException"
    cloud.role("starter", allow("states:StartExecution", f"{made['stateMachineArn']}:*"))
    assert refusal(as_role.start_execution, stateMachineArn=live)[1] == "AccessDeniedException"


def test_a_stack_without_a_role_acts_as_who_deploys_it(cloud: Any) -> None:
    cloud.role("deployer", allow("cloudformation:*", "arn:aws:cloudformation:*:*:stack/own-*/*"), allow("sns:*"))
    api = cloud.as_role("deployer", "cloudformation")
    topic = "Resources: {T: {Type: AWS::SNS::Topic}}"
    assert refusal(api.create_stack, StackName="other", TemplateBody=topic)[:2] == (403, "AccessDenied")
    api.create_stack(StackName="own-topic", TemplateBody=topic)
    assert api.describe_stacks(StackName="own-topic")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    api.create_stack(StackName="own-queue", TemplateBody="Resources: {Q: {Type: AWS::SQS::Queue}}")
    events = api.describe_stack_events(StackName="own-queue")["StackEvents"]
    assert any(
        "assumed-role/deployer/session is not authorized to perform: sqs:" in e.get("ResourceStatusReason", "")
        for e in events
    )


def test_a_job_whose_role_may_not_read_its_script(cloud: Any) -> None:
    glue = cloud.client("glue")

    def run(name: str, role: str) -> str:
        command = {"Name": "pythonshell", "PythonVersion": "3.9", "ScriptLocation": "s3://lake/in/a"}
        glue.create_job(Name=name, Role=role, Command=command)
        run_id = glue.start_job_run(JobName=name)["JobRunId"]
        while (found := glue.get_job_run(JobName=name, RunId=run_id)["JobRun"])["JobRunState"] in (
            "STARTING",
            "RUNNING",
        ):
            time.sleep(0.02)
        return str(found.get("ErrorMessage"))

    cloud.role("blind", allow("logs:*"))
    assert run("unread", "blind").startswith(
        "s3://lake/in/a may not be read: User: arn:aws:sts::123456789012:assumed-role/blind/GlueJobRunnerSession is not"
    )
    role = cloud.role("untrusting-job", trust={"Service": "ec2.amazonaws.com"})
    assert run("untrusted", role).endswith(f"Role {role} should be given assume role permissions for Glue Service.")


def test_usage_tells_what_was_used_unused_and_refused(cloud: Any) -> None:
    from local_cloud.permissions.command import usage
    from local_cloud.settings import Settings

    settings = Settings.create(state_dir=cloud.state_dir, port=cloud.port)
    folders = [f"arn:aws:s3:::lake/{folder}/*" for folder in ("in", "out")]
    cloud.role("measured", allow(["s3:GetObject", "s3:PutObject"], folders, Sid="Files"))
    usage(settings, clear=True)
    s3 = cloud.as_role("measured", "s3")
    s3.get_object(Bucket="lake", Key="in/a")
    assert refusal(s3.list_objects_v2, Bucket="lake")[0] == 403
    told = usage(settings)
    owner = f"arn:aws:iam::{ACCOUNT}:role/measured"
    place = {"owner": owner, "policy": "may", "statement": 0, "sid": "Files"}
    used = {"action": "s3:GetObject", "times": 1, "resource": "arn:aws:s3:::lake/in/a", "patterns": folders[:1]}
    assert [each for each in told["granted"] if each["owner"] == owner] == [place | used]
    assert [each for each in told["unused"] if each["owner"] == owner] == [place | {"action": "s3:PutObject"}]
    assert [each for each in told["unused_resources"] if each["owner"] == owner] == [place | {"resource": folders[1]}]
    assert [(each["identity"], each["action"]) for each in told["refused"]] == [(owner, "s3:ListBucket")]


def test_the_administrator_is_the_root(cloud: Any) -> None:
    assert cloud.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_a_simulation_says_what_a_call_would_meet(cloud: Any) -> None:
    """Of a user's own policies: an explicit denial, none that fits, and an allowance on one resource."""
    iam = cloud.client("iam")
    iam.create_user(UserName="simulated")
    deny = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    may = {
        "Version": "2012-10-17",
        "Statement": [allow("s3:*Object", "arn:aws:s3:::lake/${aws:username}/${ec2:Vpc}"), deny],
    }
    iam.put_user_policy(UserName="simulated", PolicyName="own", PolicyDocument=json.dumps(may))
    answer = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/simulated",
        ActionNames=["s3:GetObject", "s3:DeleteObject", "s3:ListBucket"],
        ResourceArns=["arn:aws:s3:::lake/simulated/one", "arn:aws:s3:::lake/other/one"],
        ContextEntries=[{"ContextKeyName": "ec2:Vpc", "ContextKeyValues": ["one"], "ContextKeyType": "string"}],
    )
    decisions = [
        (one["EvalActionName"], one["EvalResourceName"].split("/")[1], one["EvalDecision"])
        for one in answer["EvaluationResults"]
    ]
    assert decisions == [
        ("s3:GetObject", "simulated", "allowed"),
        ("s3:GetObject", "other", "implicitDeny"),
        ("s3:DeleteObject", "simulated", "explicitDeny"),
        ("s3:DeleteObject", "other", "explicitDeny"),
        ("s3:ListBucket", "simulated", "implicitDeny"),
        ("s3:ListBucket", "other", "implicitDeny"),
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/nobody-there"}, (404, "NoSuchEntity")),
        (
            {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/nobody", "ResourcePolicy": "{}"},
            (400, "InvalidInput"),
        ),
    ],
)
def test_a_simulation_that_cannot_be_made(cloud: Any, arguments: dict[str, Any], expected: tuple[int, str]) -> None:
    call = cloud.client("iam").simulate_principal_policy
    assert refusal(call, ActionNames=["s3:GetObject"], **arguments)[:2] == expected
