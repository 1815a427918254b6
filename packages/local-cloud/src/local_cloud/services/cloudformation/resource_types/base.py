"""What a resource type does: make, configure, change, describe and delete one resource over the service's API."""

from __future__ import annotations

import json
import random
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from local_cloud.services.cloudformation.errors import ResourceError

#: What a service may take to create or delete one thing.
WAIT_SECONDS = 180

#: Parts of error codes that say a thing is not there, over all services.
ABSENT = ("NotFound", "NoSuch", "NonExistent", "DoesNotExist", "404")


@dataclass(frozen=True)
class Target:
    """One resource in the hands of its type."""

    logical_id: str
    stack_name: str
    account: str
    region: str
    properties: dict[str, Any]
    """Evaluated and in their types; stack tags merged into Tags."""
    client: Callable[[str], Any]
    """A boto3 client of a service, acting as the stack's role."""
    name: str = ""
    """The name the template gives it, or one made up for it, for types that have one."""
    physical_id: str = ""

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        return f"arn:aws:{service}:{self.region if region else ''}:{self.account}:{resource}"


class ResourceType:
    """The base of all types. `Ref` gives the physical id."""

    type: ClassVar[str]
    service: ClassVar[str]
    name_property: ClassVar[str] = ""
    name_limit: ClassVar[int] = 255
    name_scope: ClassVar[tuple[str, ...]] = ()
    """Properties within which a name is unique; none: in the whole account and region."""
    moving_attributes: ClassVar[frozenset[str]] = frozenset()
    """Attributes that an update in place can change."""

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        """A name for a resource whose template gives none."""
        return generated(f"{stack_name}-{logical_id}", limit=self.name_limit)

    def refusals(self, properties: dict[str, Any], *, account: str) -> list[str]:
        """Return what this cloud will not make of known properties, so that a stack is refused before it is begun."""
        return []

    def expected_id(self, target: Target) -> str:
        """The physical id as far as it is known before the creation: what to clean up if that is cut short."""
        return target.name

    def create(self, target: Target) -> str:
        """Make the resource and give its physical id. What can fail afterwards belongs in `configure`."""
        raise NotImplementedError

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        """Bring everything that `create` leaves from `before` to `target.properties`. Also an update, by default."""

    def update(self, target: Target, before: dict[str, Any]) -> None:
        """Change the resource in place from the properties `before`."""
        self.configure(target, before)

    def attributes(self, target: Target) -> dict[str, Any]:
        """The values of Fn::GetAtt."""
        return {}

    def delete(self, target: Target) -> None:
        """Delete the resource. An error that it is absent is as good as done."""
        raise NotImplementedError

    def retag(
        self,
        target: Target,
        before: dict[str, Any],
        *,
        which: dict[str, str],
        tag: str = "tag_resource",
        untag: str = "untag_resource",
        tags: str = "Tags",
        keys: str = "TagKeys",
        form: Callable[[Any], Any] | None = None,
    ) -> None:
        """Bring a resource's tags from `before` to those of the target. `which` names it to the tag operations."""
        changed, removed = tag_changes(before.get("Tags"), target.properties.get("Tags"))
        if removed:
            self.call(target, untag, **which, **{keys: removed})
        if changed:
            self.call(target, tag, **which, **{tags: (form or tag_list)(changed)})

    def call(
        self, target: Target, operation: str, properties: dict[str, Any] | None = None, /, **arguments: Any
    ) -> Any:
        """Call the type's service with template properties, put into the API's names, beside plain arguments."""
        return call(target.client(self.service), operation, properties or {}, **arguments)


def call(client: Any, operation: str, properties: dict[str, Any], /, **arguments: Any) -> Any:
    """Call an API operation with template properties. ResourceError for a property it does not have."""
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    return getattr(client, operation)(**(_shaped(model.input_shape, properties, "") | arguments))


def is_absent(error: Any) -> bool:
    """True when a ClientError says that the thing is not there."""
    code = error.response.get("Error", {}).get("Code", "")
    return any(part in code for part in ABSENT)


def generated(body: str, *, limit: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """`body` and a random end, as long as a name may be."""
    end = "".join(random.choices(alphabet, k=12))  # noqa: S311 - names, not secrets
    return f"{body[: limit - 13].rstrip('-')}-{end}"


def document(value: Any) -> str:
    """A JSON document that a template may give as an object or as text."""
    return value if isinstance(value, str) else json.dumps(value)


def wait_for(ready: Callable[[], bool], what: str) -> None:
    """Wait until a service has finished something. ResourceError when it takes minutes."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise ResourceError(f"{what} took more than {WAIT_SECONDS} s")
        time.sleep(0.05)


def without(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in names}


def tag_map(tags: Any) -> dict[str, str]:
    """Tags as {key: value}, from either form of a template."""
    if isinstance(tags, list):
        return {tag["Key"]: tag.get("Value", "") for tag in tags}
    return {key: str(value) for key, value in (tags or {}).items()}


def tag_list(tags: Any, *, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in tag_map(tags).items()]


def lower_tag_list(tags: Any) -> list[dict[str, str]]:
    return tag_list(tags, key="key", value="value")


def tag_changes(before: Any, after: Any) -> tuple[dict[str, str], list[str]]:
    """The tags to set, and the keys to take away."""
    old, new = tag_map(before), tag_map(after)
    return {key: text for key, text in new.items() if old.get(key) != text}, [key for key in old if key not in new]


def _shaped(shape: Any, value: Any, path: str) -> Any:
    if value is None:
        return None
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        members = {name.lower(): name for name in shape.members}
        result = {}
        for name, item in value.items():
            member = members.get(name.lower())
            if member is None:
                raise ResourceError(f"The property {path}{name} has no meaning for this resource")
            result[member] = _shaped(shape.members[member], item, f"{path}{name}.")
        return result
    if kind == "list" and isinstance(value, list):
        return [_shaped(shape.member, item, path) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {name: _shaped(shape.value, item, path) for name, item in value.items()}
    if kind == "string" and not isinstance(value, str):
        return ("true" if value else "false") if isinstance(value, bool) else document(value)
    return value
