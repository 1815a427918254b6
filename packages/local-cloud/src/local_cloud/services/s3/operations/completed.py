"""The answers of CompleteMultipartUpload, for a client that sends the same request again."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from local_cloud.services.s3.requests.request import Reply
from local_cloud.services.s3.storage.catalog import Version

#: How many answers are kept. They end with the process.
MOST = 1000


@dataclass(frozen=True)
class _Answer:
    request: bytes
    seq: int
    reply: Reply


@dataclass
class Completed:
    _answers: OrderedDict[str, _Answer] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def remember(self, upload_id: str, text: bytes, version: Version, reply: Reply) -> None:
        """Keep the answer to a request with the body `text`, which made `version`."""
        with self._lock:
            kept = replace(reply, headers=dict(reply.headers))
            self._answers[upload_id] = _Answer(hashlib.sha256(text).digest(), version.seq, kept)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)

    def answer(self, upload_id: str, text: bytes, current: Version) -> Reply | None:
        """Return the answer to the same request, None for another one or once the object is another."""
        with self._lock:
            found = self._answers.get(upload_id)
        if found is None or found.seq != current.seq or found.request != hashlib.sha256(text).digest():
            return None
        return replace(found.reply, headers=dict(found.reply.headers))
