"""What nobody does here is refused by name, with an error that SDKs do not retry."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from local_cloud.refusals import REFUSED

#: Signing names that are not the name of the service, and services that sign with another one's.
CLIENTS = {"elasticmapreduce": ("emr",), "ses": ("ses", "sesv2")}

MODELS = botocore.session.Session()


def clients_of(service: str, operation: str) -> list[str]:
    return [
        name for name in CLIENTS.get(service, (service,)) if operation in MODELS.get_service_model(name).operation_names
    ]


def least(shape: Any) -> Any:
    """A value with what a shape requires, and nothing else."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        return {name: least(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "a" * max(12, shape.metadata.get("min", 0))
    return {"list": [], "map": {}, "boolean": True, "blob": b"x"}.get(shape.type_name, 1)


def call(cloud: Any, client: str, operation: str) -> ClientError:
    made = cloud.client(client)
    method = next(name for name, api in made.meta.method_to_api_mapping.items() if api == operation)
    model = MODELS.get_service_model(client).operation_model(operation)
    with pytest.raises(ClientError) as refused:
        getattr(made, method)(**least(model.input_shape))
    return refused.value


TABLE = [(service, operation) for service, operations in REFUSED.items() for operation in operations]


@pytest.mark.parametrize(("service", "operation"), TABLE)
def test_the_table_of_refusals(cloud: Any, service: str, operation: str) -> None:
    clients = clients_of(service, operation)
    assert clients, "the table names an operation that AWS does not have"
    for client in clients:
        error = call(cloud, client, operation).response
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert error["ResponseMetadata"]["RetryAttempts"] == 0
        assert error["Error"]["Code"] == "UnknownOperationException"
        assert error["Error"]["Message"] == (
            f"{service}:{operation} is refused: the local cloud does not {REFUSED[service][operation]}."
        )


@pytest.mark.parametrize(
    ("client", "operation", "named"),
    [
        ("athena", "GetTableMetadata", "athena:GetTableMetadata"),  # JSON
        ("sns", "GetSMSSandboxAccountStatus", "sns:GetSMSSandboxAccountStatus"),  # query
        ("lambda", "GetFunctionRecursionConfig", "lambda:GetFunctionRecursionConfig"),  # REST
    ],
)
def test_what_moto_lacks_is_named(cloud: Any, client: str, operation: str, named: str) -> None:
    error = call(cloud, client, operation).response
    assert error["ResponseMetadata"]["RetryAttempts"] == 0
    assert error["Error"]["Code"] == "UnknownOperationException"
    assert f"The local cloud does not serve {named}" in error["Error"]["Message"]
