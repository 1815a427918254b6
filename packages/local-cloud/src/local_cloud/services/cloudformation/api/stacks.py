"""Actions that start something on a stack."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.api.base import Api
from local_cloud.services.cloudformation.change_sets import refuse_unless_updatable
from local_cloud.services.cloudformation.engine import Operation
from local_cloud.services.cloudformation.errors import StackExists, TokenInUse, ValidationError
from local_cloud.services.cloudformation.requests import check_stack_name, read_definition, read_template
from local_cloud.services.cloudformation.stacks import Stack


class StackActions(Api):
    def create_stack(self) -> Any:
        request, engine = self.request, self.engine
        name, token = request["StackName"], request.get("ClientRequestToken", "")
        check_stack_name(name)
        with engine.lock:
            existing = engine.by_name(name)
            if existing and token and existing.tokens.get(token) == "CreateStack":
                return self.answer(StackId=existing.id)
            if existing:
                raise StackExists(f"Stack [{name}] already exists")
            on_failure = _on_failure(request)
            client = engine.client_of(request, None)
            template = read_template(request, previous=None, client=client)
            engine.check_transforms(template)
            definition = read_definition(request, template, previous=None, client=client)
            stack = engine.new_stack(name, definition)
            engine.plan(stack, template, definition)
            stack.timeout_minutes = request.get("TimeoutInMinutes")
            stack.termination_protection = bool(request.get("EnableTerminationProtection"))
            _note_token(stack, token, "CreateStack")
            operation = engine.create(stack, on_failure=on_failure, token=token)
        operation.wait()
        return self.answer(StackId=stack.id)

    def update_stack(self) -> Any:
        request, engine = self.request, self.engine
        token = request.get("ClientRequestToken", "")
        for name in ("StackPolicyDuringUpdateBody", "StackPolicyDuringUpdateURL"):
            if request.get(name):
                raise ValidationError(f"{name} is not supported by this local cloud")
        with engine.lock:
            stack = engine.find(request["StackName"])
            if self._is_repeated(stack, token, "UpdateStack"):
                return self.answer(StackId=stack.id)
            refuse_unless_updatable(stack)
            client = engine.client_of(request, stack)
            template = read_template(request, previous=stack, client=client)
            engine.check_transforms(template)
            definition = read_definition(request, template, previous=stack, client=client)
            plan = engine.plan(stack, template, definition)
            if plan.is_empty and stack.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
                raise ValidationError("No updates are to be performed.")
            _note_token(stack, token, "UpdateStack")
            on_failure = "DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK"
            operation = engine.update(stack, definition, on_failure=on_failure, token=token)
        operation.wait()
        return self.answer(StackId=stack.id)

    def delete_stack(self) -> Any:
        request, engine = self.request, self.engine
        name, token = request["StackName"], request.get("ClientRequestToken", "")
        retain, force = request.get("RetainResources", []), request.get("DeletionMode") == "FORCE_DELETE_STACK"
        with engine.lock:
            stack = engine.stacks.get(name) or engine.by_name(name)
            if stack is None or stack.is_deleted or self._is_repeated(stack, token, "DeleteStack"):
                return self.done()
            if stack.termination_protection:
                raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
            if stack.status == "DELETE_IN_PROGRESS":
                return self.done()
            if stack.busy:
                raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be deleted.")
            if (retain or force) and stack.status != "DELETE_FAILED":
                raise ValidationError(
                    "Invalid operation on stack. RetainResources and FORCE_DELETE_STACK are allowed only for stacks "
                    "in DELETE_FAILED state"
                )
            if unknown := sorted(set(retain) - stack.resources.keys()):
                raise ValidationError(f"The specified resources to retain [{', '.join(unknown)}] do not exist")
            engine.client_of(request, stack)
            _note_token(stack, token, "DeleteStack")
            role = request.get("RoleARN", "")
            operation = engine.delete(stack, retain=retain, force=force, role_arn=role, token=token)
        operation.wait()
        return self.done()

    def rollback_stack(self) -> Any:
        stack, operation = self._roll_back(("CREATE_FAILED", "UPDATE_FAILED"))
        operation.wait()
        return self.answer(StackId=stack.id)

    def continue_update_rollback(self) -> Any:
        _, operation = self._roll_back(("UPDATE_ROLLBACK_FAILED",))
        operation.wait()
        return self.done()

    def cancel_update_stack(self) -> Any:
        with self.engine.lock:
            self.engine.cancel(self.engine.find(self.request["StackName"]))
        return self.done()

    def update_termination_protection(self) -> Any:
        with self.engine.lock:
            stack = self.engine.find(self.request["StackName"])
            stack.termination_protection = bool(self.request["EnableTerminationProtection"])
            self.engine.store.save(stack)
        return self.answer(StackId=stack.id)

    def set_stack_policy(self) -> Any:
        raise ValidationError("Stack policies are not supported by this local cloud")

    def _roll_back(self, allowed: tuple[str, ...]) -> tuple[Stack, Operation]:
        request, engine = self.request, self.engine
        with engine.lock:
            stack = engine.find(request["StackName"])
            if stack.status not in allowed:
                raise ValidationError(
                    f"Stack:{stack.id} is in {stack.status} state and can not be rolled back: it would have to be in "
                    f"{' or '.join(allowed)}."
                )
            return stack, engine.roll_back(
                stack,
                skip=request.get("ResourcesToSkip", []),
                role_arn=request.get("RoleARN", ""),
                token=request.get("ClientRequestToken", ""),
            )

    def _is_repeated(self, stack: Stack, token: str, operation: str) -> bool:
        """True for a request that was sent before under the same token."""
        if not token or token not in stack.tokens:
            return False
        if stack.tokens[token] != operation:
            raise TokenInUse(f"Token {token} was used for another operation on stack {stack.name}")
        return True


def _note_token(stack: Stack, token: str, operation: str) -> None:
    if token:
        stack.tokens[token] = operation


def _on_failure(request: dict[str, Any]) -> str:
    if "OnFailure" in request and "DisableRollback" in request:
        raise ValidationError("You can specify either DisableRollback or OnFailure, but not both.")
    return "DO_NOTHING" if request.get("DisableRollback") else str(request.get("OnFailure", "ROLLBACK"))
