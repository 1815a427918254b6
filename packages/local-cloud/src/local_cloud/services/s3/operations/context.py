"""What every S3 operation is given."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_cloud.services.s3.bucket import Buckets
from local_cloud.services.s3.lifecycle.expiry import Lifecycle
from local_cloud.services.s3.notifications import Notifier
from local_cloud.services.s3.operations.completed import Completed
from local_cloud.services.s3.storage.store import Store

#: The one owner of everything. Canonical user ids are 64 hex digits.
OWNER = {"ID": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"}


@dataclass(frozen=True)
class Context:
    store: Store
    buckets: Buckets
    notify: Notifier
    lifecycle: Lifecycle
    region: str
    completed: Completed = field(default_factory=Completed)

    def versioned(self, bucket: str) -> bool:
        """True once versioning was on: answers then carry version ids."""
        return bool(self.buckets.versioning(bucket))
