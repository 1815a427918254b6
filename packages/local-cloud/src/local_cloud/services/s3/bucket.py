"""What moto knows of a bucket, as far as its objects depend on it."""

from __future__ import annotations

from typing import Any

from local_cloud.services.s3.errors import S3Error


class Buckets:
    """moto's buckets of one account: they hold the configuration, never the objects."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    @property
    def backend(self) -> Any:
        from moto.s3.models import s3_backends

        return s3_backends[self._account_id]["aws"]

    def all(self) -> list[Any]:
        """Every bucket. The caller holds moto's state."""
        return list(self.backend.buckets.values())

    def get(self, name: str) -> Any:
        """The bucket. S3Error NoSuchBucket without it."""
        bucket = self.backend.buckets.get(name)
        if bucket is None:
            raise S3Error("NoSuchBucket", BucketName=name)
        return bucket

    def versioning(self, name: str) -> str:
        """ "Enabled", "Suspended", or "" where it never was on."""
        bucket = self.backend.buckets.get(name)
        return (bucket.versioning_status or "") if bucket else ""

    def encryption(self, name: str) -> dict[str, str]:
        """The headers of the encryption that new objects get: S3's own unless the bucket says otherwise."""
        configuration = self.get(name).encryption or {}
        rule = configuration.get("Rule") or {}
        rule = rule[0] if isinstance(rule, list) else rule
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        headers = {"x-amz-server-side-encryption": default.get("SSEAlgorithm") or "AES256"}
        if key := default.get("KMSMasterKeyID"):
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = key
        if str(rule.get("BucketKeyEnabled")).lower() == "true" and default.get("SSEAlgorithm") == "aws:kms":
            headers["x-amz-server-side-encryption-bucket-key-enabled"] = "true"
        return headers

    def has_encryption(self, name: str) -> bool:
        """Return whether somebody has said how the bucket's objects are encrypted."""
        return bool(self.get(name).encryption)

    def allows_acls(self, name: str) -> bool:
        """False for BucketOwnerEnforced, which new buckets are."""
        return bool((self.get(name).ownership_rule or "BucketOwnerEnforced") != "BucketOwnerEnforced")
