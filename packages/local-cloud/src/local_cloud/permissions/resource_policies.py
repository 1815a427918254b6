"""What hangs on resources: the policies of buckets, topics, queues, functions, secrets and keys; tags."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from local_cloud.permissions import warehouses
from local_cloud.permissions.documents import MalformedPolicy, parse
from local_cloud.permissions.evaluation import Policy


def policy_of(arn: str, account_id: str) -> Policy | None:
    """The policy of what an ARN names, None without one, or for what has none."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] not in _READERS:
        return None
    text = _READERS[parts[2]](parts[5], account_id, parts[3])
    if not text:
        return None
    return _policy(arn if parts[2] != "s3" else f"arn:aws:s3:::{parts[5].partition('/')[0]}", text)


def tag_keys(arn: str) -> dict[str, tuple[str, ...]]:
    """`aws:ResourceTag/…` of what an ARN names: of namespaces and workgroups of Redshift Serverless."""
    if not arn.startswith("arn:aws:redshift-serverless:"):
        return {}
    return {f"aws:resourcetag/{name}".lower(): (value,) for name, value in warehouses.known().tags(arn).items()}


@lru_cache(maxsize=1024)
def _policy(owner: str, text: str) -> Policy | None:
    try:
        return Policy(owner, "resource policy", parse(text))
    except MalformedPolicy:
        return None


def _bucket(name: str, account_id: str, region: str) -> str:
    from moto.s3.models import s3_backends

    bucket = s3_backends[account_id]["aws"].buckets.get(name.partition("/")[0])
    policy = bucket.policy if bucket else None
    return policy.decode() if isinstance(policy, bytes) else policy or ""


def _topic(name: str, account_id: str, region: str) -> str:
    from moto.sns.models import sns_backends

    topic = sns_backends[account_id][region].topics.get(f"arn:aws:sns:{region}:{account_id}:{name}")
    return str(topic.policy) if topic else ""


def _queue(name: str, account_id: str, region: str) -> str:
    from moto.sqs.models import sqs_backends

    queue = sqs_backends[account_id][region].queues.get(name)
    return _text(queue.policy) if queue else ""


def _function(name: str, account_id: str, region: str) -> str:
    """`name` is `function:NAME`, or with a qualifier. moto keeps no policy of a function's versions and aliases."""
    from moto.awslambda.exceptions import UnknownFunctionException
    from moto.awslambda.utils import get_backend

    kind, _, rest = name.partition(":")
    if kind != "function":
        return ""
    try:
        function = get_backend(account_id, region).get_function(rest.partition(":")[0])
    except UnknownFunctionException:
        return ""
    statements = function.policy.statements if function.policy else []
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else ""


def _secret(name: str, account_id: str, region: str) -> str:
    from moto.secretsmanager.models import secretsmanager_backends

    arn = f"arn:aws:secretsmanager:{region}:{account_id}:{name}"
    secrets = list(secretsmanager_backends[account_id][region].secrets.values())
    found = next((each for each in secrets if each.arn == arn), None)
    return _text(found.policy) if found else ""


def _key(name: str, account_id: str, region: str) -> str:
    from moto.kms.models import kms_backends

    key = kms_backends[account_id][region].keys.get(name.removeprefix("key/"))
    return _text(key.policy) if key else ""


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else ""


_READERS: dict[str, Callable[[str, str, str], str]] = {
    "kms": _key,
    "lambda": _function,
    "s3": _bucket,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
}
