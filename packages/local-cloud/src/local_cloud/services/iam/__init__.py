"""IAM: moto's, with AWS's own managed policies, inline ones of any Version, and OIDC client ids that can change."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.permissions import command
from local_cloud.permissions.unused import unused
from local_cloud.services.iam import simulation

#: Operations of moto's backend that take a managed policy, as their first argument.
TAKE_A_POLICY = (
    *("attach_group_policy", "attach_role_policy", "attach_user_policy", "get_policy", "get_policy_version"),
    "list_policy_versions",
)

#: Operations of moto's backend that take a managed policy's document, and which of their arguments it is. Only they
#: want Version 2012-10-17: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
MANAGED_DOCUMENTS = {"create_policy": 2, "create_policy_version": 1}


def install(cloud: Cloud) -> None:
    simulation.install(cloud.permissions.callers)
    cloud.route(command.PATH, lambda body: _usage(cloud, body))

    from moto.core.responses import EmptyResult
    from moto.iam.models import IAMBackend
    from moto.iam.policy_validation import BaseIAMPolicyValidator
    from moto.iam.responses import IamResponse
    from moto.sts.models import STSBackend

    for name in TAKE_A_POLICY:
        setattr(IAMBackend, name, _with_aws_policy(getattr(IAMBackend, name)))

    BaseIAMPolicyValidator._validate_version = lambda self: None
    for name, position in MANAGED_DOCUMENTS.items():
        setattr(IAMBackend, name, _of_this_version(getattr(IAMBackend, name), position))

    def client_ids(response: Any) -> tuple[list[str], str]:
        arn = response._get_param("OpenIDConnectProviderArn")
        return response.backend.get_open_id_connect_provider(arn).client_id_list, response._get_param("ClientID")

    def add(self: Any) -> Any:
        known, client_id = client_ids(self)
        if client_id not in known:
            known.append(client_id)
        return EmptyResult()

    def remove(self: Any) -> Any:
        known, client_id = client_ids(self)
        if client_id in known:
            known.remove(client_id)
        return EmptyResult()

    def whoever(self: Any, access_key_id: str, region: str) -> tuple[str, str, str]:
        """The administrator's keys are the account's root; moto does not know them and says "user/moto"."""
        found: tuple[str, str, str] = identity(self, access_key_id, region)
        root = cloud.permissions.callers.administrator
        return (root.user_id, root.arn, root.account) if found[1].endswith(":user/moto") else found

    identity = STSBackend.get_caller_identity
    STSBackend.get_caller_identity = whoever
    IamResponse.add_client_id_to_open_id_connect_provider = add
    IamResponse.remove_client_id_from_open_id_connect_provider = remove


def _usage(cloud: Cloud, body: bytes) -> tuple[int, dict[str, Any]]:
    """What was granted and refused; with `{"clear": true}`, forgotten once it is answered."""
    usage = cloud.permissions.usage
    answer = usage.as_json() | unused(cloud.permissions.callers, usage)
    try:
        if json.loads(body or b"{}").get("clear"):
            usage.clear()
    except (ValueError, AttributeError):
        return 400, {"error": 'give {} or {"clear": true}'}
    return 200, answer


def _with_aws_policy(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Make a policy of AWS's known when it is first used. All of them would be megabytes in the saved state."""

    def with_policy(self: Any, policy_arn: str, *args: Any, **options: Any) -> Any:
        if policy_arn not in self.managed_policies and ":iam::aws:policy/" in policy_arn:
            _add_aws_policy(self, policy_arn)
        return operation(self, policy_arn, *args, **options)

    return with_policy


def _of_this_version(operation: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Refuse the document of a managed policy that has another Version, or none."""
    from moto.iam.exceptions import MalformedPolicyDocument
    from moto.iam.policy_validation import IAMPolicyDocumentValidator

    def checked(self: Any, *args: Any) -> Any:
        IAMPolicyDocumentValidator(args[position]).validate()
        if json.loads(args[position]).get("Version") != "2012-10-17":
            raise MalformedPolicyDocument("Policy document must be version 2012-10-17 or greater.")
        return operation(self, *args)

    return checked


def _add_aws_policy(backend: Any, arn: str) -> None:
    from moto.iam.aws_managed_policies import aws_managed_policies_data
    from moto.iam.models import AWSManagedPolicy

    name = arn.rsplit("/", 1)[-1]
    data = json.loads(aws_managed_policies_data).get(name)
    if data:
        policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
        if policy.arn == arn:
            backend.aws_managed_policies.append(policy)
            backend.managed_policies[arn] = policy
