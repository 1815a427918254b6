"""S3 without the SDK's client.

That client is made from the models of every request that S3 knows and the rules of all its endpoints: making it takes a
twentieth of a second and 20 MB, and each of its requests two milliseconds, with a file of 60 MB about as long as the
bytes themselves. What is hard stays the SDK's: settings, keys, signatures and connections. `S3Client` has the methods,
arguments, answers and errors of the SDK's client, as far as the job uses them, so that either serves; tests compare
what the two send.
"""

from __future__ import annotations

from glue_ingest.s3.client import S3Client

__all__ = ["S3Client"]
