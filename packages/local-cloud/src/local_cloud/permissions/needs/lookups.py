"""What a parameter stands for in an ARN: names of what has an id, aliases, paths. Unknown names stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.function_names import FunctionName
from local_cloud.permissions import warehouses
from local_cloud.permissions.needs.call import Call


def own_arn(service: str, resource: str, call: Call) -> str:
    """The ARN of something in the call's account and region."""
    return f"arn:aws:{service}:{call.region}:{call.account_id}:{resource}"


def unqualified(arn: str, call: Call) -> str:
    """A state machine without version or alias, from an ARN of any of them, or of a labelled Map's machine."""
    return ":".join(arn.split(":")[:7]) if arn.startswith("arn:") else arn


def qualifier(arn: str, call: Call) -> str:
    return arn.split(":")[7] if arn.startswith("arn:") and arn.count(":") >= 7 else "*"


def workgroup(name: str, call: Call) -> str:
    """By its name, or by a session of the Data API on it."""
    return warehouses.known().workgroup_arn(name) or own_arn("redshift-serverless", f"workgroup/{name}", call)


def namespace(name: str, call: Call) -> str:
    found = stored_namespace(name)
    return str(found["namespaceArn"]) if found else own_arn("redshift-serverless", f"namespace/{name}", call)


def stored_namespace(name: str) -> Mapping[str, Any]:
    """A namespace of Redshift Serverless, empty where there is none."""
    return warehouses.known().namespace(name)


def statement_owner(identifier: str, call: Call) -> str:
    """The `aws:userid` of who submitted a statement of the Data API."""
    return warehouses.known().statement_owner(identifier) or "*"


def secret(name: str, call: Call) -> str:
    """A secret by its name, its ARN, or its ARN without the six characters that Secrets Manager adds."""
    from moto.secretsmanager.models import secretsmanager_backends

    secrets = secretsmanager_backends[call.account_id][call.region].secrets
    found = next((each for each in list(secrets.values()) if name in (each.name, each.arn, each.arn[:-7])), None)
    if found:
        return str(found.arn)
    return name if name.startswith("arn:") else f"secret:{name}-??????"


def secret_arn(name: str, call: Call) -> str:
    found = secret(name, call)
    return found if found.startswith("arn:") else own_arn("secretsmanager", found, call)


def queue(url: str, call: Call) -> str:
    return url.rstrip("/").rpartition("/")[2]


def group(name: str, call: Call) -> str:
    """A log group's name from its name or ARN."""
    return name.rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*")


def qualified(name: str, call: Call) -> str:
    """A function's ARN by any of its names, with the version or alias that the request asks for."""
    found = FunctionName.parse(name)
    if found is None:
        return name
    region, account = found.region or call.region, found.account or call.account_id
    qualifier = str(call.parameters.get("Qualifier") or "")
    return f"arn:aws:lambda:{region}:{account}:function:{found.qualified(qualifier)}"


def bus(name: str, call: Call) -> str:
    """A rule's bus as its ARN has it: nothing for the default one."""
    name = name.rpartition("/")[2]
    return "" if name == "default" else f"{name}/"


def key(name: str, call: Call) -> str:
    """A KMS key by id, ARN or alias."""
    from moto.kms.models import kms_backends

    alias = name.rpartition(":")[2] if name.startswith("arn:") else name
    if not alias.startswith("alias/"):
        return name if name.startswith("arn:") else f"key/{name}"
    backend = kms_backends[call.account_id][call.region]
    found = next((id for id in list(backend.keys) if alias in backend.get_all_aliases().get(id, ())), None)
    return f"key/{found}" if found else alias


def key_arn(name: str, call: Call) -> str:
    found = key(name, call)
    return found if found.startswith("arn:") else own_arn("kms", found, call)


def dashboard(name: str, call: Call) -> str:
    """Dashboards are in no region."""
    return f"arn:aws:cloudwatch::{call.account_id}:dashboard/{name}"


def stack_of_change_set(name: str, call: Call) -> str:
    """`arn:…:changeSet/<name>/<id>` names no stack; a stack's name or ARN stays."""
    return "*" if ":changeSet/" in name else name


def event_source(name: str, call: Call) -> str:
    """Partners' sources of events are in no account."""
    return f"arn:aws:events:{call.region}::event-source/{name}"


def registry_of_schema(name: str, call: Call) -> str:
    """The registry's name from itself, or from a schema's ARN, `…:schema/<registry>/<schema>`."""
    return name.split("/")[1] if name.startswith("arn:") else name


def tagged(kind: str, call: Call) -> str:
    """How ARNs of Systems Manager spell the `ResourceType` of its operations on tags."""
    return {"ManagedInstance": "managed-instance", "Automation": "automation-execution"}.get(kind, kind.lower())


def without_slash(name: str, call: Call) -> str:
    """A parameter of Systems Manager, whose ARN has one slash before the name, however it begins."""
    return name if name.startswith("arn:") else name.removeprefix("/")


def host(url: str, call: Call) -> str:
    return url.partition("://")[2]


def role(name: str, call: Call) -> str:
    return _with_path("roles", name, call)


def user(name: str, call: Call) -> str:
    return _with_path("users", name, call)


def named_group(name: str, call: Call) -> str:
    return _with_path("groups", name, call)


def instance_profile(name: str, call: Call) -> str:
    return _with_path("instance_profiles", name, call)


def server_certificate(name: str, call: Call) -> str:
    return _with_path("certificates", name, call)


def user_of_key(access_key: str, call: Call) -> str:
    """Whose access key it is."""
    users = list(_iam(call).users.values())
    found = next(
        (user for user in users if any(key.access_key_id == access_key for key in list(user.access_keys))), None
    )
    return f"{found.path}{found.name}".removeprefix("/") if found else "*"


def role_of_deletion(task: str, call: Call) -> str:
    """The role with its path from `task/aws-service-role/<service>/<role>/<id>`."""
    return task.removeprefix("task/").rpartition("/")[0]


def _with_path(kind: str, name: str, call: Call) -> str:
    known: dict[str, Any] = getattr(_iam(call), kind)
    found = next(
        (each for each in list(known.values()) if getattr(each, "name", getattr(each, "cert_name", "")) == name), None
    )
    return f"{found.path}{name}".removeprefix("/") if found else name


def _iam(call: Call) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[call.account_id]["aws"]


BY_NAME: dict[str, Callable[[str, Call], str]] = {
    each.__name__: each
    for each in (
        *(unqualified, qualifier, workgroup, namespace, statement_owner, secret, queue, group, qualified, bus, key),
        *(dashboard, stack_of_change_set, without_slash, host, role, user, named_group, instance_profile),
        *(server_certificate, user_of_key, role_of_deletion, event_source, registry_of_schema, tagged),
    )
}
