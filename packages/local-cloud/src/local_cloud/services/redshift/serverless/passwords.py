"""The administrator's password: kept as a hash, or in Secrets Manager where AWS manages it.

https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-secrets-manager-integration.html
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import string
from typing import Any

from local_cloud.services.redshift.serverless.errors import Invalid


def hashed(password: str) -> str:
    """A salted hash, fit to be stored."""
    salt = os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1)
    return f"{salt.hex()}:{digest.hex()}"


def matches(password: str, stored: str) -> bool:
    """True when `stored` is the hash of `password`."""
    salt, _, digest = stored.partition(":")
    if not digest:
        return False
    tried = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=1 << 14, r=8, p=1)
    return hmac.compare_digest(tried.hex(), digest)


def check_rules(password: str) -> None:
    """8 to 64 characters, an upper and a lower case letter, a digit, none of `/`, `@`, quotes, space, backslash."""
    if (
        not 8 <= len(password) <= 64
        or not any(c.isupper() for c in password)
        or not any(c.islower() for c in password)
        or not any(c.isdigit() for c in password)
        or any(c in "/@\"'\\ " or not c.isprintable() for c in password)
    ):
        raise Invalid(
            "The password must be 8-64 characters and contain at least one uppercase letter, one lowercase letter, "
            "and one number. It can't contain / @ \" ' \\ or a space."
        )


def generate() -> str:
    alphabet = string.ascii_letters + string.digits + "!#$%&()*+,-.:;<=>?[]^_`{|}~"
    while True:
        password = "".join(secrets.choice(alphabet) for _ in range(32))
        try:
            check_rules(password)
        except Invalid:
            continue
        return password


def create_secret(client: Any, *, namespace: str, arn: str, user: str, password: str, kms_key: str) -> str:
    """Put a managed password into Secrets Manager. The secret's ARN."""
    created = client.create_secret(
        Name=f"redshift!{namespace}-{user}",
        SecretString=json.dumps({"username": user, "password": password}),
        Tags=[
            {"Key": "aws:redshift-serverless:namespaceArn", "Value": arn},
            {"Key": "aws:secretsmanager:owningService", "Value": "redshift"},
        ],
        **({"KmsKeyId": kms_key} if kms_key else {}),
    )
    return str(created["ARN"])


def delete_secret(client: Any, arn: str) -> None:
    client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
