"""The stacks of the account, and the operations that run on them."""

from __future__ import annotations

import copy
import functools
import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.cloud import Actor, Cloud, Key, Role
from local_cloud.services.cloudformation.deploying.actions import Actions
from local_cloud.services.cloudformation.deploying.deletion import delete_stack, roll_back_creation
from local_cloud.services.cloudformation.deploying.deployment import Deployment, LiveResources
from local_cloud.services.cloudformation.deploying.recovery import recover
from local_cloud.services.cloudformation.deploying.rollback import roll_back_update
from local_cloud.services.cloudformation.errors import Halted, ValidationError
from local_cloud.services.cloudformation.exports import check_deletion, check_outputs, exported
from local_cloud.services.cloudformation.planning.blueprint import Blueprint, Identity
from local_cloud.services.cloudformation.planning.plan import Plan, make_plan
from local_cloud.services.cloudformation.requests import hidden_values
from local_cloud.services.cloudformation.stacks import Definition, Output, Stable, Stack, now
from local_cloud.services.cloudformation.store import Store
from local_cloud.services.cloudformation.templates.template import Template

log = logging.getLogger(__name__)

#: Who becomes a stack's role.
SERVICE = "cloudformation.amazonaws.com"

#: Who made the request of this thread; None is the account's administrator.
REQUESTER: ContextVar[Actor | None] = ContextVar("requester", default=None)

#: What a call that starts an operation waits for it, in seconds: the AWS CLI looks again only after 30.
PATIENCE = 20

#: States in which a stack can be updated; the last two are those of a failure that was left as it is.
UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED")


@dataclass
class Operation:
    """Work on one stack, in a thread of its own."""

    thread: threading.Thread
    cancelled: threading.Event

    def wait(self) -> None:
        """Give it time to end, so that the caller's first look finds it done."""
        self.thread.join(PATIENCE)


@dataclass
class Engine:
    cloud: Cloud
    store: Store
    stacks: dict[str, Stack] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    stopping: threading.Event = field(default_factory=threading.Event)
    operations: dict[str, Operation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take up the stacks of the last run. What was running then has failed, and says so."""
        self.stacks = self.store.load()
        for stack in self.stacks.values():
            for event in recover(stack):
                self.store.save(stack, event)

    def stop(self) -> None:
        """Start nothing more, and give what runs a moment."""
        self.stopping.set()
        for operation in list(self.operations.values()):
            operation.thread.join(5)
        self.store.close()

    # ---- stacks

    def find(self, name: str) -> Stack:
        """The stack of that name that is not deleted, or the one of that id. ValidationError when there is none."""
        stack = self.stacks.get(name) or self.by_name(name)
        if stack is None:
            raise ValidationError(f"Stack with id {name} does not exist")
        return stack

    def by_name(self, name: str) -> Stack | None:
        return next((each for each in self.stacks.values() if each.name == name and not each.is_deleted), None)

    def new_stack(self, name: str, definition: Definition) -> Stack:
        settings = self.cloud.settings
        where = f"arn:aws:cloudformation:{settings.region}:{settings.account_id}"
        return Stack(id=f"{where}:stack/{name}/{uuid.uuid4()}", name=name, definition=definition)

    def client_of(self, request: dict[str, Any], stack: Stack | None) -> Callable[[str], Any]:
        """Clients for a request, which may name a role. ValidationError when there is no such role."""
        role_arn = str(request.get("RoleARN", ""))
        if role_arn:
            try:
                self.cloud.client("iam").get_role(RoleName=role_arn.rsplit("/", 1)[-1])
            except ClientError:
                raise ValidationError(f"Role {role_arn} is invalid or cannot be assumed") from None
        return self.client(stack, role_arn)

    def client(self, stack: Stack | None, role_arn: str = "") -> Callable[[str], Any]:
        """Clients that act as the stack's role; where it has none, as who made the request that is being served."""
        role = role_arn or (stack.definition.role_arn if stack else "")
        actor = Role(role, SERVICE, "AWSCloudFormation") if role else REQUESTER.get()
        return lambda service: self.cloud.client(service, actor=actor)

    def check_transforms(self, template: Template) -> None:
        """Check that who makes the request may use the template's transforms. AccessDenied where not.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/template-macros.html: a change set's
        action on the transform's own ARN, also where no change set is asked for.
        """
        requester = REQUESTER.get()
        if isinstance(requester, Key):
            access = self.cloud.permissions.access(requester.access_key)
            for name in template.transforms:
                arn = f"arn:aws:cloudformation:{self.cloud.settings.region}:aws:transform/{name.removeprefix('AWS::')}"
                access.check("cloudformation:CreateChangeSet", arn)

    def plan(self, stack: Stack, template: Template, definition: Definition) -> Plan:
        """What deploying would change. ValidationError where it cannot be deployed."""
        return make_plan(
            stack,
            template=template,
            definition=definition,
            identity=self._identity(stack),
            import_value=self._import_value,
        )

    # ---- operations: each sets the stack's state and leaves the work to a thread

    def create(self, stack: Stack, *, on_failure: str, token: str) -> Operation:
        """Make a stack from its definition. The stack is known from now on."""
        self.stacks[stack.id] = stack
        stack.on_failure = on_failure
        actions = self._begin(stack, "CREATE_IN_PROGRESS", token)
        return self._run(actions, lambda deployment: deployment.create())

    def update(self, stack: Stack, definition: Definition, *, on_failure: str, token: str) -> Operation:
        """Bring a stack to a new definition."""
        if stack.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
            stack.stable = Stable(stack.definition, copy.deepcopy(stack.resources), list(stack.outputs))
        stack.definition = definition
        stack.on_failure = on_failure
        stack.updated = now()
        actions = self._begin(stack, "UPDATE_IN_PROGRESS", token)
        return self._run(actions, lambda deployment: deployment.update())

    def delete(self, stack: Stack, *, retain: list[str], force: bool, role_arn: str, token: str) -> Operation:
        """Delete a stack and its resources. ValidationError while another stack uses one of its exports."""
        check_deletion(self.stacks.values(), stack)
        actions = self._begin(stack, "DELETE_IN_PROGRESS", token, role_arn)
        return self._start(stack, lambda _: delete_stack(actions, retain=retain, force=force))

    def roll_back(self, stack: Stack, *, skip: list[str], role_arn: str, token: str) -> Operation:
        """Return a stack whose creation, update or rollback failed to where it was before."""
        if stack.stable is None:
            actions = self._begin(stack, "ROLLBACK_IN_PROGRESS", token, role_arn)
            return self._start(stack, lambda _: roll_back_creation(actions))
        actions = self._begin(stack, "UPDATE_ROLLBACK_IN_PROGRESS", token, role_arn)
        return self._start(stack, lambda _: roll_back_update(actions, skip=skip))

    def cancel(self, stack: Stack) -> None:
        """Let a running update start nothing more and roll back."""
        operation = self.operations.get(stack.id)
        if stack.status != "UPDATE_IN_PROGRESS" or operation is None:
            raise ValidationError("CancelUpdateStack cannot be called from current stack status")
        operation.cancelled.set()

    def _begin(self, stack: Stack, status: str, token: str, role_arn: str = "") -> Actions:
        stack.token = token
        actions = self._actions(stack, role_arn)
        actions.log_stack(status, "User Initiated")
        return actions

    def _run(self, actions: Actions, work: Callable[[Deployment], None]) -> Operation:
        stack = actions.stack
        minutes = stack.timeout_minutes
        deadline = time.monotonic() + 60 * minutes if minutes and stack.status == "CREATE_IN_PROGRESS" else None

        def deploy(cancelled: threading.Event) -> None:
            blueprint = Blueprint.build(
                template=Template.parse(stack.definition.template, stack.definition.parameters),
                definition=stack.definition,
                identity=self._identity(stack),
                resources=LiveResources(stack),
                import_value=self._import_value,
            )
            work(
                Deployment(
                    actions=actions,
                    blueprint=blueprint,
                    check_exports=lambda outputs: self._check_exports(stack, outputs),
                    cancelled=cancelled,
                    deadline=deadline,
                )
            )

        return self._start(stack, deploy)

    def _start(self, stack: Stack, work: Callable[[threading.Event], None]) -> Operation:
        cancelled = threading.Event()

        def run() -> None:
            try:
                work(cancelled)
            except Halted:
                return
            except Exception as error:
                if self.stopping.is_set():
                    return
                log.exception("the operation on stack %s broke off", stack.name)
                with self.lock:
                    events = recover(stack, reason=str(error) or type(error).__name__)
                for event in events:
                    keep = functools.partial(self.store.save, stack, event)
                    self.cloud.persistence.saving.until_done(f"stack {stack.name}", keep)
            finally:
                self.operations.pop(stack.id, None)

        operation = Operation(threading.Thread(target=run, name=f"stack-{stack.name}", daemon=True), cancelled)
        self.operations[stack.id] = operation
        operation.thread.start()
        return operation

    def _actions(self, stack: Stack, role_arn: str = "") -> Actions:
        definitions = [stack.definition, *([stack.stable.definition] if stack.stable else [])]
        return Actions(
            stack=stack,
            account=self.cloud.settings.account_id,
            region=self.cloud.settings.region,
            client=self.client(stack, role_arn),
            lock=self.lock,
            keep=functools.partial(self.store.save, stack),
            stopping=self.stopping,
            secrets=tuple(secret for definition in definitions for secret in hidden_values(definition)),
        )

    def _identity(self, stack: Stack) -> Identity:
        settings = self.cloud.settings
        return Identity(stack.id, stack.name, account=settings.account_id, region=settings.region)

    def _import_value(self, name: str) -> str:
        with self.lock:
            return exported(self.stacks.values(), name)

    def _check_exports(self, stack: Stack, outputs: list[Output]) -> None:
        with self.lock:
            check_outputs(self.stacks.values(), stack, outputs)
