"""What becomes of an operation that was cut short: it has failed, and the stack can be used again."""

from __future__ import annotations

from local_cloud.services.cloudformation.stacks import Stack

INTERRUPTED = "The local cloud stopped before this was finished"
NEXT_STEP = {
    "CREATE_FAILED": "deploy again or delete the stack",
    "ROLLBACK_FAILED": "delete the stack",
    "DELETE_FAILED": "delete the stack again",
    "UPDATE_FAILED": "deploy again, roll the stack back, or delete it",
    "UPDATE_ROLLBACK_FAILED": "continue the rollback, or delete the stack",
}
#: A stack whose old resources were being cleaned up is settled; the next update or deletion cleans up the rest.
SETTLED = {
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
}


def recover(stack: Stack, *, reason: str = INTERRUPTED) -> None:
    """Fail what was in progress on a stack that nobody works on any more."""
    if not stack.busy:
        return
    for resource in [*stack.resources.values(), *stack.leftovers]:
        if resource.status.endswith("_IN_PROGRESS"):
            # Whether it was made is not known: what would have been its id is what there is to clean up.
            resource.physical_id = resource.physical_id or resource.expected_id
            resource.expected_id = ""
            stack.log_resource(resource, resource.status.replace("_IN_PROGRESS", "_FAILED"), reason)
    for change_set in stack.change_sets.values():
        if change_set.execution_status == "EXECUTE_IN_PROGRESS":
            change_set.execution_status = "EXECUTE_FAILED"
    status = SETTLED.get(stack.status) or stack.status.replace("_IN_PROGRESS", "_FAILED")
    advice = NEXT_STEP.get(status)
    stack.log(status, f"{reason}: {advice}." if advice else f"{reason}.")
