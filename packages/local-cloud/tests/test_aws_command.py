"""The unmodified `aws` command with nothing but the environment: what a user types."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Aws = Callable[..., str]


@pytest.fixture(scope="module")
def aws(cloud: Any) -> Aws:
    def run(*arguments: str | Path, code: int = 0) -> str:
        done = cloud.aws(*map(str, arguments))
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


def test_s3_from_bucket_to_bucket(aws: Aws, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name, size in (("a.txt", 5), ("deep/b.txt", 7), ("deep/er/big.bin", 9 << 20)):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(b"x" * size)
    assert aws("s3", "mb", "s3://cli-test") == "make_bucket: cli-test\n"
    aws("s3", "sync", source, "s3://cli-test/in", "--no-progress")
    assert aws("s3", "sync", source, "s3://cli-test/in", "--no-progress") == ""  # nothing to do
    listed = [line.split(maxsplit=2)[2] for line in aws("s3", "ls", "s3://cli-test", "--recursive").splitlines()]
    assert listed == ["5 in/a.txt", "7 in/deep/b.txt", f"{9 << 20} in/deep/er/big.bin"]
    assert aws("s3", "ls", "s3://cli-test/in/").splitlines()[0].split() == ["PRE", "deep/"]
    aws("s3", "cp", "s3://cli-test/in/deep/er/big.bin", "s3://cli-test/copy.bin", "--no-progress")
    aws("s3", "mv", "s3://cli-test/in/a.txt", "s3://cli-test/moved.txt")
    back = tmp_path / "back"
    aws("s3", "cp", "s3://cli-test/", back, "--recursive", "--no-progress")
    found = {path.relative_to(back).as_posix(): path.stat().st_size for path in back.rglob("*") if path.is_file()}
    assert found == {"copy.bin": 9 << 20, "moved.txt": 5, "in/deep/b.txt": 7, "in/deep/er/big.bin": 9 << 20}
    assert aws("s3", "cp", "s3://cli-test/moved.txt", "-") == "xxxxx"
    assert urllib.request.urlopen(aws("s3", "presign", "s3://cli-test/moved.txt").strip()).read() == b"xxxxx"
    assert "BucketNotEmpty" in aws("s3", "rb", "s3://cli-test", code=1)
    aws("s3", "rb", "s3://cli-test", "--force")
    assert "NoSuchBucket" in aws("s3", "ls", "s3://cli-test", code=254 if "2." in aws("--version")[:9] else 255)


def test_s3api_keeps_versions_of_an_object(aws: Aws, tmp_path: Path) -> None:
    aws("s3api", "create-bucket", "--bucket", "api-test")
    aws("s3api", "put-bucket-versioning", "--bucket", "api-test", "--versioning-configuration", "Status=Enabled")
    body = tmp_path / "body"
    body.write_text("text")
    put = json.loads(aws("s3api", "put-object", "--bucket", "api-test", "--key", "k", "--body", body))
    versions = json.loads(aws("s3api", "list-object-versions", "--bucket", "api-test"))["Versions"]
    assert [version["VersionId"] for version in versions] == [put["VersionId"]]
    refused = aws("s3api", "put-object", "--bucket", "api-test", "--key", "k", "--if-none-match", "*", code=255)
    assert "(PreconditionFailed)" in refused
    head = json.loads(aws("s3api", "head-object", "--bucket", "api-test", "--key", "k"))
    assert (head["ContentLength"], head["ServerSideEncryption"]) == (4, "AES256")


def test_who_am_i(aws: Aws) -> None:
    assert json.loads(aws("sts", "get-caller-identity"))["Account"] == "123456789012"


def test_a_secret_is_read_back_and_another_is_not_found(aws: Aws) -> None:
    aws("secretsmanager", "create-secret", "--name", "token", "--secret-string", "s3cret")
    assert json.loads(aws("secretsmanager", "get-secret-value", "--secret-id", "token"))["SecretString"] == "s3cret"
    assert "ResourceNotFoundException" in aws("secretsmanager", "get-secret-value", "--secret-id", "none", code=255)


def test_an_unknown_service(aws: Aws) -> None:
    refused = aws("workdocs", "describe-users", code=255)
    assert "UnknownOperationException" in refused
    assert "The local cloud has no service 'workdocs'" in refused
