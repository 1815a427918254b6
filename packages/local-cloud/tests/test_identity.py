"""Who is asking: temporary keys know their role, and every request passes the one place that may refuse it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/service/worker"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}],
    }
)


def client_with(cloud: Any, service: str, keys: dict[str, str]) -> Any:
    return boto3.session.Session().client(
        service,
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys.get("SecretAccessKey", "x"),
        aws_session_token=keys.get("SessionToken"),
    )


@pytest.fixture(scope="module")
def keys(cloud: Any) -> dict[str, dict[str, str]]:
    """Keys of a role's session, of a user, and of nobody in particular."""
    iam = cloud.client("iam")
    iam.create_role(RoleName="worker", Path="/service/", AssumeRolePolicyDocument=TRUST)
    iam.create_user(UserName="somebody")
    return {
        "role": cloud.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="shift")["Credentials"],
        "user": iam.create_access_key(UserName="somebody")["AccessKey"],
        "root": {"AccessKeyId": "test"},
    }


@pytest.mark.parametrize(
    ("who", "arn"),
    [
        ("role", "arn:aws:sts::123456789012:assumed-role/worker/shift"),
        ("user", "arn:aws:iam::123456789012:user/somebody"),
    ],
)
def test_keys_know_whose_they_are(cloud: Any, keys: dict[str, Any], who: str, arn: str) -> None:
    identity = client_with(cloud, "sts", keys[who]).get_caller_identity()
    assert (identity["Arn"], identity["Account"]) == (arn, "123456789012")


#: A cloud whose authorizer writes down what it is asked, and refuses one thing.
WATCHED = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from local_cloud import authorization, cloud, settings
    from local_cloud.server import serve

    class Watch:
        def check(self, access):
            line = f"{access.principal} {access.action} {access.resource}"
            with open(Path(sys.argv[1]) / "asked", "a") as file:
                file.write(line + "\\n")
            if "forbidden" in access.resource or access.action == "ssm:DeleteParameter":
                raise authorization.AccessDenied(f"User: {access.principal} is not authorized: {access.action}")

    made = cloud.Cloud.__init__
    def init(self, *args, **kwargs):
        made(self, *args, **kwargs)
        self.authorizer = Watch()
    cloud.Cloud.__init__ = init
    serve(settings.Settings.create())
    """
)


@pytest.fixture(scope="module")
def watched(new_cloud: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "server.py").write_text(WATCHED)
    running = new_cloud(command=(str(folder / "server.py"), str(folder)))
    running.start()
    yield running, folder / "asked"
    running.stop()


def asked(file: Path) -> list[str]:
    lines = file.read_text().splitlines() if file.exists() else []
    file.write_text("")
    return lines


def test_every_request_names_who_wants_what(watched: tuple[Any, Path]) -> None:
    cloud, file = watched
    iam = cloud.client("iam")
    iam.create_role(RoleName="worker", Path="/service/", AssumeRolePolicyDocument=TRUST)
    session = cloud.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="shift")["Credentials"]
    user = (iam.create_user(UserName="somebody"), iam.create_access_key(UserName="somebody"))[1]["AccessKey"]
    asked(file)
    root = "arn:aws:iam::123456789012:root"
    s3 = client_with(cloud, "s3", session)
    cloud.client("s3").create_bucket(Bucket="seen-bucket")
    s3.put_object(Bucket="seen-bucket", Key="a/b", Body=b"")
    s3.list_objects_v2(Bucket="seen-bucket")
    client_with(cloud, "ssm", user).put_parameter(Name="/p", Value="1", Type="String")
    cloud.client("sns").create_topic(Name="t")
    cloud.client("lambda").list_functions()
    cloud.client("scheduler").list_schedules()
    assert asked(file) == [
        f"{root} s3:CreateBucket arn:aws:s3:::seen-bucket",
        f"{ROLE} s3:PutObject arn:aws:s3:::seen-bucket/a/b",
        f"{ROLE} s3:ListBucket arn:aws:s3:::seen-bucket",
        "arn:aws:iam::123456789012:user/somebody ssm:PutParameter *",
        f"{root} sns:CreateTopic *",
        f"{root} lambda:ListFunctions *",
        f"{root} scheduler:ListSchedules *",
    ]


def test_a_refusal_is_the_services_own_access_denied(watched: tuple[Any, Path]) -> None:
    cloud, _ = watched
    s3, ssm = cloud.client("s3"), cloud.client("ssm")
    s3.create_bucket(Bucket="open-bucket")
    ssm.put_parameter(Name="/kept", Value="1", Type="String")
    cases: list[tuple[Any, dict[str, str], str]] = [
        (s3.put_object, {"Bucket": "open-bucket", "Key": "forbidden"}, "AccessDenied"),
        (s3.create_bucket, {"Bucket": "forbidden-bucket"}, "AccessDenied"),
        (ssm.delete_parameter, {"Name": "/kept"}, "AccessDeniedException"),
    ]
    for call, arguments, code in cases:
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        response = caught.value.response
        assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (403, code)
        assert "is not authorized" in response["Error"]["Message"]
        assert response["ResponseMetadata"]["RequestId"]
    assert ssm.get_parameter(Name="/kept")["Parameter"]["Value"] == "1"
    assert "Contents" not in s3.list_objects_v2(Bucket="open-bucket")
