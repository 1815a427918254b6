"""Every error of this package. One line each: what happened, where, what to do.

::

    IngestError
    ├── UsageError            the arguments are wrong
    ├── SourceError           what the source gives can't be taken
    │   ├── NotPublished      403 or 404 for a month too young to be out: wait
    │   ├── SourceRefused     the source has no such file, or does not give it to us
    │   ├── NotParquet        something came, but no whole Parquet file
    │   ├── Encrypted         Parquet came, and needs a key
    │   ├── WrongMonth        a Parquet file came, but another month's
    │   ├── Unreachable       no connection, or it kept breaking         (running again may cure it)
    │   └── SourceChanged     another version appeared during the fetch  (running again cures it)
    ├── StorageRefused        S3 did not take it
    └── Stopped               a signal ended the run                      (running again cures it)
"""

from __future__ import annotations


class IngestError(Exception):
    """Base of all. `str()` is one line, fit for an alert mail."""


class UsageError(IngestError):
    """An argument is missing, unknown or malformed."""


class SourceError(IngestError):
    """The source's side."""


class NotPublished(SourceError):
    """The month is too young to be published."""


class SourceRefused(SourceError):
    """The source answered with a refusal that waiting will not change."""


class NotParquet(SourceError):
    """The body is no whole Parquet file."""


class Encrypted(SourceError):
    """The body is Parquet that cannot be read without a key."""


class WrongMonth(SourceError):
    """The file is another month's, or another dataset's."""


class Unreachable(SourceError):
    """No connection to the source, or one that kept breaking."""


class SourceChanged(SourceError):
    """The source replaced the file while it was read."""


class StorageRefused(IngestError):
    """S3 refused, or could not be reached."""


class Stopped(IngestError):
    """SIGTERM or Ctrl-C."""
