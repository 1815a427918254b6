"""SQS: moto's, which remembers the receipt handle of every message it has ever deleted."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from local_cloud import moto_state
from local_cloud.cloud import Cloud

#: Above so many handles a queue forgets them: a message can be deleted again without an error for that long.
REMEMBERED = 1000


def install(cloud: Cloud) -> None:
    def forget() -> None:
        if "moto.sqs.models" not in sys.modules:
            return  # nobody has used a queue
        from moto.sqs.models import sqs_backends

        with moto_state.held():
            if forget_deleted(sqs_backends[cloud.settings.account_id][cloud.settings.region].queues.values()):
                cloud.persistence.changed("sqs")

    cloud.upkeep.add("handles of deleted messages", forget)


def forget_deleted(queues: Iterable[Any]) -> bool:
    """Forget the handles of queues that remember too many; True where one did."""
    full = [queue for queue in queues if len(queue.deleted_messages) > REMEMBERED]
    for queue in full:
        queue.deleted_messages.clear()
    return bool(full)
