"""Asks the policies about every request, and about what a service does as a role inside the process."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from local_cloud.permissions import trust
from local_cloud.permissions.callers import Caller, Callers
from local_cloud.permissions.errors import AccessDenied, CannotAssume, MissingKey
from local_cloud.permissions.evaluation import (
    Decision,
    Policies,
    Principal,
    Question,
    decide,
    decide_by_resource,
    delegates_to_identities,
)
from local_cloud.permissions.needs import Call, Need, S3Call, needs_of, needs_of_s3
from local_cloud.permissions.resource_policies import policy_of, tag_keys
from local_cloud.permissions.usage import Usage

#: Signing names whose IAM prefix is another.
_PREFIXES = {"monitoring": "cloudwatch"}

#: What needs no permission. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})

#: Operations of STS that come unsigned; the trust of the role decides.
_UNSIGNED = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")


class Request(Protocol):
    """What is asked of the gateway's request. The parameters are read only when somebody's policies count."""

    environ: dict[str, Any]

    @property
    def access_key(self) -> str: ...

    @property
    def session_token(self) -> str: ...

    @property
    def service(self) -> str: ...

    @property
    def region(self) -> str: ...

    def api_operation(self) -> str: ...

    def parameters(self) -> Mapping[str, Any]: ...

    def read_body(self) -> bytes: ...


@dataclass(frozen=True)
class Access:
    """A caller in front of an operation that knows by itself what more it needs. `check` raises AccessDenied."""

    enforcer: Enforcer
    caller: Caller
    context: Mapping[str, tuple[str, ...]]

    def check(self, action: str, resource: str) -> None:
        self.enforcer.ask(self.caller, Need(action, resource), self.context)

    def allows(self, action: str, resource: str) -> bool:
        try:
            self.check(action, resource)
        except AccessDenied:
            return False
        return True


class Enforcer:
    """One account's IAM. Every method raises AccessDenied, or says nothing."""

    def __init__(self, *, account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region
        self.callers = Callers(account_id)
        self.usage = Usage()

    def check_request(self, request: Request) -> None:
        """An API request to any service but S3."""
        caller = self.callers.authenticate(request.access_key, request.session_token)
        if caller.kind == "System":
            return
        service = _PREFIXES.get(request.service, request.service)
        if caller.kind == "Anonymous":
            if request.api_operation() not in _UNSIGNED:
                raise MissingKey
            service = "sts"
        if service == "sts" and request.api_operation().startswith("AssumeRole"):
            self._check_assume(caller, request)
            return
        if caller.is_administrator:
            return
        operation = request.api_operation()
        if f"{service}:{operation}" in _FREE:
            return
        region = request.region or self.region
        call = Call(service, operation, request.parameters(), region, self.account_id)
        context = self._context(caller, request.environ, region)
        for need in needs_of(call):
            self.ask(caller, need, context)

    def check_s3(self, request: Request, parsed: S3Call, action: str) -> Access:
        """A request to S3; `action` is what S3 found for it, "" for a bucket's configuration."""
        caller = self.callers.authenticate(request.access_key, request.session_token)
        context = self._context(caller, request.environ, request.region or self.region)
        access = Access(self, caller, context)
        if caller.kind != "System":
            for need in needs_of_s3(parsed, action, request.read_body):
                self.ask(caller, need, context)
        return access

    def access(self, access_key: str, *, region: str = "") -> Access:
        """What the owner of a key that was checked already may do, item by item."""
        caller = self.callers.of_key(access_key)
        return Access(self, caller, self._context(caller, {}, region or self.region))

    def check_role(self, role_arn: str, action: str, resource: str, *, session_name: str, **keys: str) -> None:
        """What a service is about to do as a role. The account's root may do it all.

        `keys` are the request's own condition keys, with `__` for `:`.
        """
        if role_arn == self.callers.administrator.arn:
            return
        caller = self.callers.of_role(role_arn, session_name)
        given = {name.replace("__", ":").lower(): (value,) for name, value in keys.items()}
        self.ask(caller, Need(action, resource), self._context(caller, {}, self.region) | given)

    def check_trust(self, role_arn: str, service: str, **keys: str) -> None:
        """Whether a service may become a role. CannotAssume when the role does not trust it, or is not there.

        `service` is its principal, "glue.amazonaws.com"; the global and the regional one count. Or it is the ARN of a
        role that is to become this one. `keys` are condition keys, with `__` for `:`; a source's ARN brings its
        account.
        """
        if service.startswith("arn:"):
            caller = self.callers.of_role(service, "AssumeRole")
            try:
                self._assume(caller, role_arn, self._context(caller, {}, self.region))
            except AccessDenied as error:
                raise CannotAssume(role_arn, service) from error
            return
        role = self.callers.role(role_arn)
        given = {name.replace("__", ":").lower(): (value,) for name, value in keys.items()}
        context = _now() | {"aws:principalisawsservice": ("true",)} | given
        if "aws:sourcearn" in context:
            context["aws:sourceaccount"] = (self.account_id,)
        name = service.removesuffix(".amazonaws.com")
        principal = Principal("Service", (service, f"{name}.{self.region}.amazonaws.com"))
        if role is None or not trust.verdict(role, "sts:AssumeRole", principal, context).decision.allowed:
            self.usage.refused(service, "sts:AssumeRole", role_arn, "the role does not trust the service")
            raise CannotAssume(role_arn, service)

    def check_service(self, service: str, action: str, resource: str, *, source_arn: str) -> None:
        """Check what a service does as itself, for the resource `source_arn`: the target's own policy has to allow it.

        `service` is its principal, "events.amazonaws.com".
        """
        context = _now() | {
            "aws:principalisawsservice": ("true",),
            "aws:sourcearn": (source_arn,),
            "aws:sourceaccount": (self.account_id,),
            "aws:securetransport": ("true",),
        }
        policy = policy_of(resource, self.account_id)
        decision = policy and decide_by_resource(
            Question(action, resource, context), Principal("Service", (service,)), policy
        )
        if decision and decision.allowed:
            return
        why = decision.refusal if decision else f"because no resource-based policy allows the {action} action"
        message = f"{service} is not authorized to perform: {action} on resource: {resource} {why}"
        self.usage.refused(service, action, resource, message)
        raise AccessDenied(message)

    def ask(self, caller: Caller, need: Need, context: Mapping[str, tuple[str, ...]]) -> None:
        """One need of one caller."""
        if caller.kind == "System":
            return
        known = {**context, **need.keys}
        decision = self._decide(caller, need, known)
        if not decision.allowed:
            message = _message(caller, need, decision)
            self.usage.refused(caller.identity, need.action, need.resource or "*", message)
            raise AccessDenied(message)
        self.usage.granted(decision, need.action, need.resource, known)

    def _decide(self, caller: Caller, need: Need, context: Mapping[str, tuple[str, ...]]) -> Decision:
        resource_policy = policy_of(need.resource, self.account_id) if need.resource else None
        tags = tag_keys(need.resource) if need.resource else {}
        question = Question(need.action, need.resource, {**context, **tags} if tags else context)
        if caller.kind == "Anonymous":
            return (
                decide_by_resource(question, caller.principal, resource_policy)
                if resource_policy
                else Decision("because no resource-based policy allows it")
            )
        if caller.is_administrator:
            if resource_policy is None:
                return Decision("")
            found = decide_by_resource(question, caller.principal, resource_policy)
            return found if found.statement is not None and found.statement.denies else Decision("")
        own = self.callers.policies(caller)
        decision = decide(
            question, caller.principal, Policies(own.identity, resource_policy, own.boundary, own.session)
        )
        if (
            decision.allowed
            and resource_policy is not None
            and need.action.startswith("kms:")
            and decision.policy is not resource_policy
            and not delegates_to_identities(resource_policy, question, caller.principal)
        ):
            # Only a key's own policy gives access to it, or lets the account's policies give it.
            return Decision(f"because no resource-based policy allows the {need.action} action")
        return decision

    def _check_assume(self, caller: Caller, request: Request) -> None:
        """AssumeRole and its unsigned sisters."""
        given = request.parameters()
        arn, operation = str(given.get("RoleArn", "")), request.api_operation()
        context = self._context(caller, request.environ, self.region) | _session_keys(given)
        if operation == "AssumeRoleWithWebIdentity":
            self._assume_by_token(str(given.get("WebIdentityToken", "")), arn, context)
        else:
            self._assume(caller, arn, context, operation)

    def _assume(
        self, caller: Caller, arn: str, context: Mapping[str, tuple[str, ...]], operation: str = "AssumeRole"
    ) -> None:
        """The role's trust names the caller; or it trusts the account, and the caller's own policies allow it."""
        role = self.callers.role(arn)
        need = Need(f"sts:{operation}", arn)
        found = trust.verdict(role, need.action, caller.principal, context) if role else trust.NOBODY
        if found.delegated and not caller.is_administrator:
            self.ask(caller, need, context)
        elif not found.decision.allowed and not found.delegated:
            self.usage.refused(caller.identity, need.action, arn, "the role's trust")
            raise AccessDenied(_message(caller, need, found.decision))

    def _assume_by_token(self, text: str, arn: str, context: Mapping[str, tuple[str, ...]]) -> None:
        token = trust.read_token(text)
        provider = f"arn:aws:iam::{self.account_id}:oidc-provider/{token.host}"
        trust.check_provider(token, self.callers.oidc_provider(provider))
        role, action = self.callers.role(arn), "sts:AssumeRoleWithWebIdentity"
        keys = {**context, **token.context, "aws:federatedprovider": (provider,)}
        found = trust.verdict(role, action, Principal("Federated", (provider,)), keys) if role else trust.NOBODY
        if not found.decision.allowed:
            self.usage.refused(str(token.claims.get("sub")), action, arn, "the role's trust")
            raise AccessDenied(f"Not authorized to perform {action}")

    def _context(self, caller: Caller, environ: Mapping[str, Any], region: str) -> dict[str, tuple[str, ...]]:
        """Global keys. The loopback interface counts as a secure channel: nothing can listen in on it."""
        return {
            **caller.keys,
            **_now(),
            "aws:securetransport": ("true",),
            "aws:sourceip": (environ.get("REMOTE_ADDR", "127.0.0.1"),),
            "aws:useragent": (environ.get("HTTP_USER_AGENT", ""),),
            "aws:requestedregion": (region,),
            "aws:resourceaccount": (self.account_id,),
            "aws:viaawsservice": ("false",),
        }


def _now() -> dict[str, tuple[str, ...]]:
    now = time.time()
    text = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"aws:currenttime": (text,), "aws:epochtime": (str(int(now)),)}


def _session_keys(given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    names = {"RoleSessionName": "sts:rolesessionname", "ExternalId": "sts:externalid"}
    return {key: (str(given[name]),) for name, key in names.items() if given.get(name)}


#: Actions as messages of refusals write them.
_SPELLINGS: dict[str, Callable[[str], str]] = {
    "sns": lambda action: f"SNS:{action.partition(':')[2]}",
    "sqs": str.lower,
}


def _message(caller: Caller, need: Need, decision: Decision) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    service = need.action.partition(":")[0]
    if caller.kind == "Anonymous":
        return "Access Denied"
    action = _SPELLINGS.get(service, str)(need.action)
    resource = f'"{need.resource}"' if service == "s3" else need.resource or "*"
    refusal = decision.refusal.replace(need.action, action)
    return f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} {refusal}".rstrip()
