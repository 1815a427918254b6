"""What becomes of an operation that was cut short: it has failed, and the stack can be used again."""

from __future__ import annotations

from local_cloud.services.cloudformation.stacks import Event, Stack

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


def recover(stack: Stack, *, reason: str = INTERRUPTED) -> list[Event]:
    """Fail what was in progress on a stack that nobody works on any more. Gives the events that say so."""
    events: list[Event] = []
    if not stack.busy:
        return events
    for resource in [*stack.resources.values(), *stack.leftovers]:
        if resource.status.endswith("_IN_PROGRESS"):
            # Whether it was made is not known: what would have been its id is what there is to clean up.
            resource.physical_id = resource.physical_id or resource.expected_id
            resource.expected_id = ""
            events.append(stack.log_resource(resource, resource.status.replace("_IN_PROGRESS", "_FAILED"), reason))
    status = SETTLED.get(stack.status) or stack.status.replace("_IN_PROGRESS", "_FAILED")
    advice = NEXT_STEP.get(status)
    return [*events, stack.log(status, f"{reason}: {advice}." if advice else f"{reason}.")]
