"""Which database user an IAM identity is.

`arn:aws:iam::123456789012:user/foo` is `IAM:foo`, a role `IAMR:name`.
https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

from __future__ import annotations

import re

from local_cloud.authorization import principal_of

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


def principal(authorization: str, account_id: str) -> str:
    """The ARN of who signed a request, from its Authorization header."""
    found = _CREDENTIAL.search(authorization)
    return principal_of(found[1] if found else "", account_id)


def database_user(authorization: str, account_id: str) -> str:
    """The database user of who signed a request."""
    arn = principal(authorization, account_id)
    name = arn.rpartition("/")[2].rpartition(":")[2]
    return f"IAMR:{name}" if ":role/" in arn else f"IAM:{name}"
