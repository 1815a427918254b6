"""Where a database listens, and a login for it: temporary by IAM, or a secret's. Never on disk, never logged."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial

from rs_query.errors import ServiceError
from rs_query.services import call, client
from rs_query.transport import Target


@dataclass(frozen=True)
class Login:
    """Host, port and credentials of a connection."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


def login(target: Target) -> Login:
    """Return a login for the target.

    Raises ServiceError where AWS refuses, or the secret holds no username and password.
    """
    host, port = _endpoint(target)
    if target.secret_arn:
        user, password = _secret(target.secret_arn)
    elif target.workgroup:
        # https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetCredentials.html
        ask = partial(client("redshift-serverless").get_credentials, workgroupName=target.workgroup)
        given = call(partial(ask, dbName=target.database))
        user, password = given["dbUser"], given["dbPassword"]
    else:
        # https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentialsWithIAM.html
        ask = partial(client("redshift").get_cluster_credentials_with_iam, ClusterIdentifier=target.cluster)
        given = call(partial(ask, DbName=target.database))
        user, password = given["DbUser"], given["DbPassword"]
    return Login(host, port, user, password)


def _endpoint(target: Target) -> tuple[str, int]:
    if target.workgroup:
        serverless = client("redshift-serverless")
        found = call(partial(serverless.get_workgroup, workgroupName=target.workgroup))["workgroup"]
        endpoint = found.get("endpoint", {})
        address, port = endpoint.get("address"), endpoint.get("port")
    else:
        found = call(partial(client("redshift").describe_clusters, ClusterIdentifier=target.cluster))["Clusters"][0]
        endpoint = found.get("Endpoint", {})
        address, port = endpoint.get("Address"), endpoint.get("Port")
    if not address or not port:
        raise ServiceError(f"{target.workgroup or target.cluster}: has no endpoint yet; wait until it is available")
    return str(address), int(port)


def _secret(arn: str) -> tuple[str, str]:
    text = call(partial(client("secretsmanager").get_secret_value, SecretId=arn)).get("SecretString", "")
    try:
        secret = json.loads(text)
        return str(secret["username"]), str(secret["password"])
    except (ValueError, KeyError, TypeError):
        raise ServiceError(f"{arn}: the secret is no JSON object with a username and a password") from None
