"""S3: objects are ours, as plain files; a bucket's configuration stays moto's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.services.s3 import keys
from local_cloud.services.s3.app import S3
from local_cloud.services.s3.bucket import Buckets
from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.facade import PlainObjects
from local_cloud.services.s3.notifications import Notifier
from local_cloud.services.s3.store import Store


def install(cloud: Cloud) -> None:
    buckets = Buckets(cloud.settings.account_id)
    store = Store(cloud.settings.state_dir / "s3", versioning=buckets.versioning)
    account_id = cloud.settings.account_id
    notifier = Notifier(account_id, buckets, changed=cloud.persistence.changed)
    s3 = S3(store, buckets, account_id=account_id, notify=notifier)
    cloud.objects = PlainObjects(s3.context)
    cloud.s3 = s3
    cloud.on_stop(store.catalog.close)
    _follow_buckets(store, buckets)
    cloud.persistence.after_restore("s3", _remember_owners)


def _follow_buckets(store: Store, buckets: Buckets) -> None:
    """A bucket's folder comes and goes with it; a bucket that holds anything is not deleted."""
    from moto.s3.exceptions import InvalidBucketName
    from moto.s3.models import S3Backend

    create, delete = S3Backend.create_bucket, S3Backend.delete_bucket

    def create_bucket(self: Any, bucket_name: str, *args: Any, **kwargs: Any) -> Any:
        if not keys.valid_bucket(bucket_name):
            raise InvalidBucketName()
        bucket = create(self, bucket_name, *args, **kwargs)
        store.create_bucket(bucket_name)
        return bucket

    def delete_bucket(self: Any, bucket_name: str) -> Any:
        self.get_bucket(bucket_name)
        if not store.is_empty(bucket_name):
            return None  # moto's word for "not empty"
        bucket = delete(self, bucket_name)
        store.forget_bucket(bucket_name)
        return bucket

    def log_incoming_request(self: Any, request: Any, bucket_name: str) -> None:
        """No access logs: moto would put them where no request finds them, and the target is never empty again."""

    S3Backend.log_incoming_request = log_incoming_request
    S3Backend.create_bucket = create_bucket
    S3Backend.delete_bucket = delete_bucket


def _remember_owners(backends: Iterable[Any]) -> None:
    """moto keeps who owns which name beside its backends; it follows from them."""
    from moto.s3.models import s3_backends

    for backend in backends:
        for name in backend.buckets:
            s3_backends.bucket_accounts[name] = (backend.partition, backend.account_id)


__all__ = ["S3", "S3Error", "install"]
