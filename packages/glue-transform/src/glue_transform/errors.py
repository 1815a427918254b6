"""What can go wrong in a transform.

::

    TransformError
    ├── CanPass                  the same run may succeed later
    │   └── StorageError         S3 refused or did not answer
    └── NeedsAttention           the same run fails again until somebody changes something
        ├── UsageError           wrong arguments
        ├── UnknownDataset       no such file under glue_transform/datasets
        ├── InvalidDataset       a dataset file that contradicts itself
        ├── EngineMissing        the engine's package is not installed
        ├── RawFileMissing       the month is not in the raw bucket
        ├── NotParquet           what lies there is no whole Parquet file
        ├── Encrypted            it is one, and needs a key
        ├── SchemaError          the file's columns do not give the table's
        │   ├── MissingColumn
        │   ├── UncastableColumn
        │   └── AmbiguousColumns
        ├── NothingKept          not one row of the file passes the rules
        ├── RowsLost             read ≠ kept + rejected
        └── EngineFailed         the engine stopped for a reason of its own

Each message is one line: what, where, what to do. It ends in the job run's ErrorMessage and so in the alert. Each error
can be made again from its message alone, its attributes then being empty: wrappers around a job do so to pass it on.
"""

from __future__ import annotations


class TransformError(Exception):
    """Base of all errors of this package."""


class CanPass(TransformError):
    """The same run may succeed later."""


class StorageError(CanPass):
    """S3 refused or did not answer."""


class NeedsAttention(TransformError):
    """The same run fails again until somebody changes something."""


class UsageError(NeedsAttention):
    """The job's arguments are wrong."""


class UnknownDataset(NeedsAttention):
    """No dataset of that name is defined."""


class InvalidDataset(NeedsAttention):
    """A dataset file contradicts itself."""


class EngineMissing(NeedsAttention):
    """The package an engine is made of is not installed."""


class RawFileMissing(NeedsAttention):
    """The month's file is not in the raw bucket."""


class NotParquet(NeedsAttention):
    """The raw object is not a whole Parquet file."""


class Encrypted(NeedsAttention):
    """The raw object is a Parquet file that cannot be read without a key."""


class SchemaError(NeedsAttention):
    """The file's columns do not give the table's. `file` is the URL, `column` a name of the table or the file."""

    def __init__(self, message: str, *, file: str = "", column: str | None = None) -> None:
        super().__init__(message)
        self.file = file
        self.column = column


class MissingColumn(SchemaError):
    """A column the table needs is in none of the places the known eras have it."""


class UncastableColumn(SchemaError):
    """A column is there, with a type that cannot become the table's."""


class AmbiguousColumns(SchemaError):
    """Two columns of the file have the same name, or one but for case and spaces."""


class NothingKept(NeedsAttention):
    """Every row of the file broke a rule, or it has none: loading it would only empty the month."""


class RowsLost(NeedsAttention):
    """The files written do not hold the rows that were counted."""


class EngineFailed(NeedsAttention):
    """The engine stopped for a reason this package does not know."""
