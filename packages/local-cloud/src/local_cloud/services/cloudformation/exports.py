"""Values that stacks export, and the stacks that import them."""

from __future__ import annotations

from collections.abc import Iterable

from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.stacks import Output, Stack


def exports(stacks: Iterable[Stack]) -> dict[str, tuple[Stack, str]]:
    """Export name → the stack that exports it, and the value."""
    return {
        output.export: (stack, output.value)
        for stack in stacks
        if not stack.is_deleted
        for output in stack.outputs
        if output.export
    }


def exported(stacks: Iterable[Stack], name: str) -> str:
    """The value of an export. ValidationError when no stack has it."""
    found = exports(stacks)
    if name not in found:
        raise ValidationError(f"No export named {name} found.")
    return found[name][1]


def importers(stacks: Iterable[Stack], name: str) -> list[str]:
    """The names of the stacks that use an export."""
    return sorted(each.name for each in stacks if name in each.imports and not each.is_deleted)


def check_deletion(stacks: Iterable[Stack], stack: Stack) -> None:
    """Refuse to delete a stack while another one uses an export of it."""
    for output in stack.outputs:
        if users := output.export and importers(stacks, output.export):
            raise ValidationError(
                f"Delete canceled. Cannot delete export {output.export} as it is in use by {', '.join(users)}."
            )


def check_outputs(stacks: Iterable[Stack], stack: Stack, outputs: list[Output]) -> None:
    """An export belongs to one stack, and does not change under the stacks that use it."""
    new = {output.export: output.value for output in outputs if output.export}
    for name, (owner, _) in exports(stacks).items():
        if name in new and owner is not stack:
            raise ValidationError(f"Export with name {name} is already exported by stack {owner.name}.")
    for output in stack.outputs:
        users = [each for each in importers(stacks, output.export) if each != stack.name] if output.export else []
        if users and new.get(output.export) != output.value:
            verb = "update" if output.export in new else "delete"
            raise ValidationError(f"Cannot {verb} export {output.export} as it is in use by {', '.join(users)}.")
