"""S3: objects are ours, as plain files; a bucket's configuration stays moto's, but for its lifecycle."""

from __future__ import annotations

from local_cloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    from local_cloud.services.s3 import patches
    from local_cloud.services.s3.app import S3
    from local_cloud.services.s3.bucket import Buckets
    from local_cloud.services.s3.facade import PlainObjects
    from local_cloud.services.s3.lifecycle.expiry import Lifecycle
    from local_cloud.services.s3.notifications import Notifier
    from local_cloud.services.s3.storage.store import Store

    account_id = cloud.settings.account_id
    buckets = Buckets(account_id)
    store = Store(cloud.settings.state_dir / "s3", versioning=buckets.versioning)
    notifier = Notifier(account_id, buckets, changed=cloud.persistence.changed)
    lifecycle = Lifecycle(store, notify=notifier, changed=cloud.upkeep.soon)
    s3 = S3(store, buckets, account_id=account_id, region=cloud.settings.region, notify=notifier, lifecycle=lifecycle)
    objects = PlainObjects(s3.context)
    patches.apply(store, objects)
    cloud.objects = objects
    cloud.s3 = s3
    cloud.persistence.after_restore("s3", patches.remember_owners)
    cloud.upkeep.add("S3 lifecycle rules", lifecycle.run)
    cloud.on_stop(store.catalog.close)
