"""What can go wrong before a job's or function's own code runs.

::

    PreparationError             one line for the user: what, where, what to do
     ├─ PackageError             an S3 file that is missing or may not be read, or a wheel that pip refuses
     └─ EnvironmentBuildError    pip could not fill a virtual environment
"""

from __future__ import annotations


class PreparationError(Exception):
    """The process could not be set up. `str(error)` is the whole message, one line."""


class PackageError(PreparationError):
    pass


class EnvironmentBuildError(PreparationError):
    pass
