"""From an API request to what IAM asks about it.

S3's requests have a grammar of their own (`s3.py`); every other service's are read from `resources.toml`, and what an
operation needs beside its own action is in `further.py`.
"""

from local_cloud.permissions.needs.call import Call, Need
from local_cloud.permissions.needs.rules import needs_of
from local_cloud.permissions.needs.s3 import S3Call, needs_of_s3

__all__ = ["Call", "Need", "S3Call", "needs_of", "needs_of_s3"]
