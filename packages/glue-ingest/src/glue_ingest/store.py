"""The raw bucket by boto3: what it holds of a month already, and what is said when S3 refuses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glue_ingest.errors import StorageRefused
from glue_ingest.log import Log

#: S3's smallest part (but for the last), and how many it takes of one object:
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_SIZE = 5 * 1024 * 1024
MAX_SIZE = 10_000 * PART_SIZE


def connect() -> Any:
    """Make boto3's S3 client by the SDK's own settings. Raises StorageRefused where these make none."""
    import boto3
    from botocore.config import Config

    with refusals("connecting"):
        # Version 4 signs addresses, too, and each part's own checksum: hashing a part once more for the signature, as
        # the SDK does on connections without TLS, adds nothing.
        config = Config(signature_version="s3v4", s3={"payload_signing_enabled": False})
        # A session of its own: the default one keeps settings that have changed since.
        client = boto3.session.Session().client("s3", config=config)
        if (trusted := find_authorities()) and not Path(trusted).exists():
            raise StorageRefused(
                f"S3 could not be used connecting: there is no {trusted}: correct AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or "
                "ca_bundle"
            )
    return client


def find_authorities() -> str | None:
    """Find the file of authorities that the SDK's settings trust instead of its own; None where they name none."""
    import botocore.session

    configured = botocore.session.get_session().get_config_variable("ca_bundle")
    return configured or os.environ.get("REQUESTS_CA_BUNDLE")


@dataclass(frozen=True)
class Stored:
    """An object as S3 describes it: length in bytes, its own metadata, and `Upload.checksum` ("" where S3 has none)."""

    size: int
    metadata: Mapping[str, str]
    checksum: str


class RawBucket:
    """One bucket, by an S3 client of the SDK."""

    def __init__(self, client: Any, name: str, *, log: Log) -> None:
        self.client = client
        self.name = name
        self.log = log

    def find(self, key: str) -> Stored | None:
        """Look for the object that an earlier run stored; None where there is none, or where something else put it."""
        from botocore.exceptions import ClientError

        with refusals(f"looking for s3://{self.name}/{key}"):
            try:
                head = self.client.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status == 403:  # without s3:ListBucket, S3 says so of a missing key too
                    refused = "S3 does not say what is there (403): allow the role s3:GetObject and s3:ListBucket"
                    self.log.event("not_compared", bucket=self.name, key=key, error=refused)
                if status in (403, 404):
                    return None
                raise
        if "source-url" not in head["Metadata"]:
            return None
        # S3 shows the number of parts behind a checksum of parts: `…=-12`.
        return Stored(head["ContentLength"], head["Metadata"], head.get("ChecksumSHA256", "").partition("-")[0])


@contextmanager
def refusals(doing: str) -> Iterator[None]:
    """Turn what the SDK raises into a StorageRefused: one line that says what to do."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ResponseParserError:
        raise not_s3(doing) from None
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        said = error.response["Error"].get("Message", "")
        raise StorageRefused(f"S3 refused {doing}: {code} {said}: {_advice(code)}") from None
    except (BotoCoreError, ValueError) as error:  # the latter of an endpoint that is no address
        raise StorageRefused(
            f"S3 could not be used {doing}: {' '.join(str(error).split())}: check endpoint, region and keys"
        ) from None


def not_s3(doing: str) -> StorageRefused:
    """Make the error of an answer that is not S3's, such as a proxy's page."""
    return StorageRefused(f"S3 could not be used {doing}: what answered is not S3: check endpoint and proxy")


def _advice(code: str) -> str:
    if code == "NoSuchBucket":
        return "create the bucket or correct --raw_bucket"
    if code in ("AccessDenied", "403", "AllAccessDisabled"):
        return "allow the role s3:GetObject, s3:PutObject and s3:AbortMultipartUpload on the bucket's objects"
    return "try again; if it stays, look at the bucket and the role"
