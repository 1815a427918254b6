"""Which database user an IAM identity is.

`arn:aws:iam::123456789012:user/foo` is `IAM:foo`, a role `IAMR:name`.
https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

from __future__ import annotations

from functools import lru_cache

from local_cloud.api_request import access_key_of
from local_cloud.permissions.callers import Caller, Callers


def caller(authorization: str, account_id: str) -> Caller:
    """Who signed a request, from its Authorization header."""
    return _callers(account_id).of_key(access_key_of(authorization))


@lru_cache(maxsize=1)
def _callers(account_id: str) -> Callers:
    return Callers(account_id)


def database_user(authorization: str, account_id: str) -> str:
    """The database user of who signed a request."""
    arn = caller(authorization, account_id).identity
    name = arn.rpartition("/")[2].rpartition(":")[2]
    return f"IAMR:{name}" if ":role/" in arn else f"IAM:{name}"


def user_arn(user: str, *, namespace: str, region: str, account_id: str) -> str:
    """A database user as roles' trust policies know it, by the external id.

    https://docs.aws.amazon.com/redshift/latest/mgmt/authorizing-redshift-service-database-users.html
    """
    return f"arn:aws:redshift:{region}:{account_id}:dbuser:serverless-{account_id}-{namespace}/{user}"
