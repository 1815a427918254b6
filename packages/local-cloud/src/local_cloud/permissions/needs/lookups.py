"""What a parameter stands for in an ARN: names of what has an id, aliases, paths. Unknown names stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.permissions.needs.call import Call


def unqualified(arn: str, call: Call) -> str:
    """A state machine without version or alias, from an ARN of any of them, or of a labelled Map's machine."""
    return ":".join(arn.split(":")[:7]) if arn.startswith("arn:") else arn


def qualifier(arn: str, call: Call) -> str:
    return arn.split(":")[7] if arn.startswith("arn:") and arn.count(":") >= 7 else "*"


def workgroup(name: str, call: Call) -> str:
    """By its name, or by a session of the Data API on it."""
    from local_cloud.services.redshift.data_api.responses import DataApiResponse

    session = next((each for each in DataApiResponse.api.sessions.all() if each.id == name), None)
    found = _serverless().workgroup_of(session.workgroup if session else name)
    return str(found["workgroupArn"]) if found else _redshift(call, f"workgroup/{name}")


def namespace(name: str, call: Call) -> str:
    found = _serverless().namespaces.get(name)
    return str(found["namespaceArn"]) if found else _redshift(call, f"namespace/{name}")


def statement_owner(identifier: str, call: Call) -> str:
    """The `aws:userid` of who submitted a statement of the Data API."""
    from local_cloud.services.redshift.data_api.responses import DataApiResponse

    return DataApiResponse.api.owner_of(identifier) or "*"


def secret(name: str, call: Call) -> str:
    from moto.secretsmanager.models import secretsmanager_backends

    if name.startswith("arn:"):
        return name
    secrets = secretsmanager_backends[call.account_id][call.region].secrets
    found = next((each for each in list(secrets.values()) if each.name == name), None)
    return str(found.arn) if found else f"secret:{name}-??????"


def queue(url: str, call: Call) -> str:
    return url.rstrip("/").rpartition("/")[2]


def group(name: str, call: Call) -> str:
    """A log group's name from its name or ARN."""
    return name.rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*")


def qualified(name: str, call: Call) -> str:
    """A function with the version or alias that the request asks for."""
    wanted = call.parameters.get("Qualifier")
    return f"{name}:{wanted}" if wanted and not name.endswith(f":{wanted}") else name


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
    found = next((id for id in backend.keys if alias in backend.get_all_aliases().get(id, ())), None)
    return f"key/{found}" if found else alias


def dashboard(name: str, call: Call) -> str:
    """Dashboards are in no region."""
    return f"arn:aws:cloudwatch::{call.account_id}:dashboard/{name}"


def stack_of_change_set(name: str, call: Call) -> str:
    """`arn:…:changeSet/<name>/<id>` names no stack; a stack's name or ARN stays."""
    return "*" if ":changeSet/" in name else name


def without_slash(name: str, call: Call) -> str:
    """A parameter of Systems Manager, whose ARN has one slash before the name, however it begins."""
    return name if name.startswith("arn:") else name.removeprefix("/")


def host(url: str, call: Call) -> str:
    return url.partition("://")[2]


def role(name: str, call: Call) -> str:
    return _with_path("roles", name, call)


def user(name: str, call: Call) -> str:
    return _with_path("users", name, call)


def _with_path(kind: str, name: str, call: Call) -> str:
    from moto.iam.models import iam_backends

    known: dict[str, Any] = getattr(iam_backends[call.account_id]["aws"], kind)
    found = next((each for each in list(known.values()) if each.name == name), None)
    return f"{found.path}{name}".removeprefix("/") if found else name


def _serverless() -> Any:
    from local_cloud.services.redshift.serverless.responses import ServerlessResponse

    return ServerlessResponse.plane


def _redshift(call: Call, resource: str) -> str:
    return f"arn:aws:redshift-serverless:{call.region}:{call.account_id}:{resource}"


BY_NAME: dict[str, Callable[[str, Call], str]] = {
    each.__name__: each
    for each in (
        *(unqualified, qualifier, workgroup, namespace, statement_owner, secret, queue, group, qualified, bus, key),
        *(dashboard, stack_of_change_set, without_slash, host, role, user),
    )
}
