"""What an operation needs beside its own action: the "dependent actions" of AWS's Service Authorization Reference, and
what the pages of its API ask for."""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.permissions.needs import lookups
from local_cloud.permissions.needs.call import Call, Need, pass_role

_LOGIN = (
    *("BatchExecuteStatement", "ExecuteStatement", "DescribeTable", "ListDatabases", "ListSchemas", "ListTables"),
)

#: On the secret of a namespace's managed password, and on a key of the customer's that encrypts either.
_PASSWORD_ACTIONS = ("CreateSecret", "DeleteSecret", "DescribeSecret", "RotateSecret", "TagResource", "UpdateSecret")
_KEY_ACTIONS = ("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "RetireGrant")


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
        provider = call.parameters.get("CapacityProviderConfig", {}).get(
            "LambdaManagedInstancesCapacityProviderConfig", {}
        )
        if arn := provider.get("CapacityProviderArn"):
            needs.append(Need("lambda:PassCapacityProvider", str(arn)))
    return needs


def _states(call: Call) -> list[Need]:
    """A version that is published with the machine; secrets of a test.

    https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html#test-state-permissions
    """
    if call.operation == "TestState" and call.parameters.get("revealSecrets"):
        return [Need("states:RevealSecrets", "*")]
    if call.operation in ("CreateStateMachine", "UpdateStateMachine") and call.parameters.get("publish"):
        arn = call.parameters.get("stateMachineArn") or (
            f"arn:aws:states:{call.region}:{call.account_id}:stateMachine:{call.parameters.get('name')}"
        )
        return [Need("states:PublishStateMachineVersion", lookups.unqualified(str(arn), call))]
    return []


def _secretsmanager(call: Call) -> list[Need]:
    """What the API's pages call "required permissions". Whether a batch may read each of its secrets is asked there.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html, API_RotateSecret.html
    """
    if call.operation == "BatchGetSecretValue" and call.parameters.get("Filters"):
        return [Need("secretsmanager:ListSecrets", "*")]
    if call.operation == "RotateSecret" and (function := call.parameters.get("RotationLambdaARN")):
        return [Need("lambda:InvokeFunction", str(function))]
    return []


def _redshift_serverless(call: Call) -> list[Need]:
    """A managed password is a secret, and keys of the customer's are used, as who makes the namespace.

    https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-secrets-manager-integration.html
    """
    given, needs = call.parameters, list[Need]()
    actions: tuple[str, ...] = _KEY_ACTIONS
    name = str(given.get("namespaceName"))
    known = lookups.stored_namespace(name)
    if call.operation in ("CreateNamespace", "UpdateNamespace"):
        if given.get("manageAdminPassword"):
            user = given.get("adminUsername") or known.get("adminUsername", "admin")
            secret = lookups.own_arn("secretsmanager", f"secret:redshift!{name}-{user}-??????", call)
            needs = [Need("secretsmanager:GetRandomPassword", "*")]
            needs += [Need(f"secretsmanager:{action}", secret) for action in _PASSWORD_ACTIONS]
    elif call.operation == "DeleteNamespace":
        given, actions = known, ("DescribeKey", "RetireGrant")
        if arn := known.get("adminPasswordSecretArn"):
            needs = [Need(f"secretsmanager:{action}", arn) for action in ("DeleteSecret", "DescribeSecret")]
    else:
        return []
    for key in filter(None, (given.get("kmsKeyId"), given.get("adminPasswordSecretKmsKeyId"))):
        if key != "AWS_OWNED_KMS_KEY":
            needs += [Need(f"kms:{action}", lookups.key_arn(str(key), call)) for action in actions]
    return needs


def _iam(call: Call) -> list[Need]:
    """What is renamed is changed under both names.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html, API_UpdateGroup.html
    """
    for kind, name in (("user", "NewUserName"), ("group", "NewGroupName")):
        if new := call.parameters.get(name):
            path = str(call.parameters.get("NewPath", "/"))
            return [Need(f"iam:{call.operation}", f"arn:aws:iam::{call.account_id}:{kind}{path}{new}")]
    return []


def _cloudwatch(call: Call) -> list[Need]:
    """A permission "scoped to *".

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    return [Need("cloudwatch:PutCompositeAlarm", "*")] if call.operation == "PutCompositeAlarm" else []


def _sns(call: Call) -> list[Need]:
    """Roles are attributes: `LambdaSuccessFeedbackRoleArn` of a topic, `SubscriptionRoleArn` of a subscription.

    https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html, API_Subscribe.html
    """
    given = call.parameters
    attributes = [(each.get("key"), each.get("value")) for each in given.get("Attributes") or ()]
    attributes.append((given.get("AttributeName"), given.get("AttributeValue")))
    roles = [str(role) for name, role in attributes if role and str(name).endswith("RoleArn")]
    return [pass_role(role, "sns.amazonaws.com", call) for role in dict.fromkeys(roles)]


def _kms(call: Call) -> list[Need]:
    """The second key of ReEncrypt, a replica, keys of several regions, tags.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html; kms:PutKeyPolicy is not needed for the
    policy of a new key: https://docs.aws.amazon.com/kms/latest/developerguide/create-keys.html
    """
    given, needs = call.parameters, list[Need]()
    if call.operation == "ReEncrypt" and given.get("DestinationKeyId"):
        needs.append(Need("kms:ReEncryptTo", lookups.key_arn(str(given["DestinationKeyId"]), call)))
    if call.operation == "ReplicateKey":
        needs.append(Need("kms:CreateKey", "*"))
    if call.operation == "ReplicateKey" or (call.operation == "CreateKey" and given.get("MultiRegion")):
        service = "mrk.kms.amazonaws.com"
        role = f"role/aws-service-role/{service}/AWSServiceRoleForKeyManagementServiceMultiRegionKeys"
        keys = {"iam:awsservicename": (service,)}
        needs.append(Need("iam:CreateServiceLinkedRole", f"arn:aws:iam::{call.account_id}:{role}", keys))
    if call.operation in ("CreateKey", "ReplicateKey") and given.get("Tags"):
        needs.append(Need("kms:TagResource", lookups.own_arn("kms", "key/*", call)))
    return needs


def _scheduler(call: Call) -> list[Need]:
    """A group goes with its schedules."""
    if call.operation == "DeleteScheduleGroup":
        schedules = lookups.own_arn("scheduler", f"schedule/{call.parameters.get('Name')}/*", call)
        return [Need("scheduler:DeleteSchedule", schedules)]
    return []


def _cloudformation(call: Call) -> list[Need]:
    """Of all stacks at once. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html"""
    if call.operation == "DescribeStacks" and not call.parameters.get("StackName"):
        return [Need("cloudformation:ListStacks", "*")]
    return []


_FURTHER: dict[str, Callable[[Call], list[Need]]] = {
    "cloudformation": _cloudformation,
    "cloudwatch": _cloudwatch,
    "iam": _iam,
    "kms": _kms,
    "lambda": _lambda,
    "redshift-data": _redshift_data,
    "redshift-serverless": _redshift_serverless,
    "scheduler": _scheduler,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "states": _states,
}
