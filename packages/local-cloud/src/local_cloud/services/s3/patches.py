"""moto's S3 backend keeps the buckets; what it would do with objects goes to the store."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import quote_plus

from moto.s3 import notifications as moto_notifications
from moto.s3.exceptions import InvalidBucketName
from moto.s3.models import FakeKey, PublicAccessBlock, S3Backend, s3_backends

from local_cloud.services.s3.facade import PlainObjects
from local_cloud.services.s3.storage import keys
from local_cloud.services.s3.storage.store import Store

log = logging.getLogger("local_cloud.s3")


def apply(store: Store, objects: PlainObjects) -> None:
    _follow_buckets(store)
    _serve_other_services(store, objects)
    # Keys in messages are URL-encoded, but for slashes:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    moto_notifications.quote_plus = partial(quote_plus, safe="/")
    # moto would file access logs as objects of its own; they are not delivered here.
    S3Backend.log_incoming_request = lambda self, request, bucket_name: None


def _follow_buckets(store: Store) -> None:
    """A bucket's folder comes and goes with it; a bucket that holds anything is not deleted."""
    create, delete = S3Backend.create_bucket, S3Backend.delete_bucket

    def create_bucket(self: Any, bucket_name: str, *args: Any, **kwargs: Any) -> Any:
        if not keys.valid_bucket(bucket_name):
            raise InvalidBucketName()
        bucket = create(self, bucket_name, *args, **kwargs)
        # What new buckets have since April 2023:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
        bucket.ownership_rule = "BucketOwnerEnforced"
        bucket.public_access_block = PublicAccessBlock("true", "true", "true", "true")
        store.create_bucket(bucket_name)
        return bucket

    def delete_bucket(self: Any, bucket_name: str) -> Any:
        self.get_bucket(bucket_name)
        if not store.is_empty(bucket_name):
            return None  # moto's word for "not empty"
        bucket = delete(self, bucket_name)
        store.forget_bucket(bucket_name)
        return bucket

    def get_bucket_encryption(self: Any, bucket_name: str) -> Any:
        """Every bucket has one: S3's own until another is put."""
        default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}
        return encryption(self, bucket_name) or {"Rule": default}

    encryption = S3Backend.get_bucket_encryption
    S3Backend.get_bucket_encryption = get_bucket_encryption
    S3Backend.create_bucket = create_bucket
    S3Backend.delete_bucket = delete_bucket


def _serve_other_services(store: Store, objects: PlainObjects) -> None:
    """Firehose, Athena, exports of logs and others of moto's put and get objects inside the process."""

    def put_object(self: Any, bucket_name: str, key_name: str, value: bytes | str, **kwargs: Any) -> Any:
        objects.put(bucket_name, key_name, value.encode() if isinstance(value, str) else value)
        return get_object(self, bucket_name, key_name)

    def get_object(self: Any, bucket_name: str, key_name: str, version_id: str | None = None, **kwargs: Any) -> Any:
        self.get_bucket(bucket_name)
        if version_id:
            version = store.version(bucket_name, key_name, version_id)
        else:
            version = store.current(bucket_name, key_name)
        file = store.open(version) if version and not version.is_delete_marker else None
        if file is None or version is None:
            return None
        with file:
            return FakeKey(
                key_name,
                file.read(),
                account_id=self.account_id,
                region_name=self.region_name,
                etag=version.etag,
                version_id=version.version_id,
                bucket_name=bucket_name,
            )

    S3Backend.put_object = put_object
    S3Backend.get_object = get_object


def remember_owners(backends: Iterable[Any]) -> None:
    """moto keeps who owns which bucket name beside its backends; after a restart it follows from them.

    Lifecycle rules that an earlier version left with moto lack what moto drops of them, so they must not act.
    """
    for backend in backends:
        for name in backend.buckets:
            s3_backends.bucket_accounts[name] = (backend.partition, backend.account_id)
            if backend.buckets[name].rules:
                log.warning("the lifecycle rules of %s are an earlier version's and do not act: put them again", name)
