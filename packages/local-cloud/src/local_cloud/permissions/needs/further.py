"""What an operation needs beside its own action."""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.permissions.needs import lookups
from local_cloud.permissions.needs.call import Call, Need

_LOGIN = (
    *("BatchExecuteStatement", "ExecuteStatement", "DescribeTable", "ListDatabases", "ListSchemas", "ListTables"),
)


def needs_of(call: Call) -> list[Need]:
    further = _FURTHER.get(call.service)
    return further(call) if further else []


def _redshift_data(call: Call) -> list[Need]:
    """Logging in: by the caller's IAM identity, or with a secret. A session is logged in already.

    https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-iam.html
    """
    if call.operation not in _LOGIN:
        return []
    if arn := call.parameters.get("SecretArn"):
        return [Need("secretsmanager:GetSecretValue", lookups.secret(str(arn), call))]
    if name := call.parameters.get("WorkgroupName"):
        return [Need("redshift-serverless:GetCredentials", lookups.workgroup(str(name), call))]
    return []


def _lambda(call: Call) -> list[Need]:
    """Code and layers are read as the caller. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""
    needs = []
    code = call.parameters.get("Code", call.parameters)
    if call.operation in ("CreateFunction", "UpdateFunctionCode") and code.get("S3Bucket"):
        needs.append(Need("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code.get('S3Key', '')}"))
    if call.operation in ("CreateFunction", "UpdateFunctionConfiguration"):
        needs += [Need("lambda:GetLayerVersion", str(arn)) for arn in call.parameters.get("Layers") or ()]
    return needs


def _states(call: Call) -> list[Need]:
    """A version that is published with the machine."""
    if call.operation in ("CreateStateMachine", "UpdateStateMachine") and call.parameters.get("publish"):
        arn = call.parameters.get("stateMachineArn") or (
            f"arn:aws:states:{call.region}:{call.account_id}:stateMachine:{call.parameters.get('name')}"
        )
        return [Need("states:PublishStateMachineVersion", lookups.unqualified(str(arn), call))]
    return []


_FURTHER: dict[str, Callable[[Call], list[Need]]] = {
    "lambda": _lambda,
    "redshift-data": _redshift_data,
    "states": _states,
}
