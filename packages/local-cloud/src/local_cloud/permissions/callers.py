"""Who asks: the access key of a request, and the policies of whom it belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from local_cloud.permissions.documents import parse
from local_cloud.permissions.errors import ExpiredKey, UnknownKey, WrongToken
from local_cloud.permissions.evaluation import Policies, Policy, Principal

#: Access key of the cloud's own calls to itself, on nobody's behalf (the ticker of schedules, say).
SYSTEM_ACCESS_KEY = "LOCALCLOUDSYSTEM"

#: Access keys of the account's administrator, its root. The second is what guides to such clouds tell people to use.
ADMINISTRATOR_KEYS = ("local", "test")


@dataclass(frozen=True)
class Caller:
    """One identity. `kind` is what `aws:PrincipalType` says, or "System", or "Anonymous".

    `arn` is what messages name (of a role: its session); `identity` whose policies count (of a role: the role).
    """

    kind: str
    arn: str
    identity: str
    account: str
    user_id: str
    session_policy: str = ""
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    """Condition keys that say who it is."""

    @property
    def is_administrator(self) -> bool:
        """The root may do everything that no resource's policy denies it; the system everything."""
        return self.kind in ("Account", "System")

    @property
    def principal(self) -> Principal:
        root = f"arn:aws:iam::{self.account}:root"
        if self.kind == "Anonymous":
            return Principal("Anonymous", ())
        names = tuple(dict.fromkeys((self.arn, self.identity)))
        return Principal("AWS", names, account_names=(root, self.account))


class Callers:
    """Finds callers by access key. `account_id` is the cloud's one account."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        root = f"arn:aws:iam::{account_id}:root"
        keys = _keys(root, account_id, "Account", account_id)
        self.administrator = Caller("Account", root, root, account_id, account_id, keys=keys)
        self.system = Caller("System", "system", "system", account_id, "system")
        self.anonymous = Caller("Anonymous", "anonymous", "", "anonymous", "anonymous")
        self._sessions: dict[str, tuple[Any, Caller]] = {}
        self._roles: dict[str, Any] = {}

    def of_key(self, access_key: str) -> Caller:
        """Whose key it is. Raises UnknownKey, ExpiredKey."""
        if access_key in ADMINISTRATOR_KEYS:
            return self.administrator
        if access_key == SYSTEM_ACCESS_KEY:
            return self.system
        if not access_key:
            return self.anonymous
        return self._of_session(access_key) or self._of_user(access_key)

    def authenticate(self, access_key: str, token: str) -> Caller:
        """Who made a request with an access key and a session token, "" without one.

        Temporary keys are nothing without their own token, a user's keys come with none; the administrator's are not
        looked at. Raises UnknownKey, WrongToken, ExpiredKey.
        """
        caller = self.of_key(access_key)
        if caller.kind not in ("AssumedRole", "User"):
            return caller
        if token != (self.session_token(access_key) if caller.kind == "AssumedRole" else ""):
            raise WrongToken if token else UnknownKey
        return caller

    def session_token(self, access_key: str) -> str:
        """The token that belongs to an access key; "" for one that is not temporary."""
        session, _ = self._sessions.get(access_key, (None, None))
        session = session or self._assumed_role(access_key)
        return str(session.session_token) if session else ""

    def of_role(self, role_arn: str, session_name: str) -> Caller:
        """A session of a role, for what a service does inside the process."""
        role = self.role(role_arn)
        account = role_arn.split(":")[4]
        arn = f"arn:aws:sts::{account}:assumed-role/{role_arn.rsplit('/', 1)[-1]}/{session_name}"
        user_id = f"{role.id if role else 'AROAUNKNOWN'}:{session_name}"
        tags = {tag["Key"]: tag["Value"] for tag in role.tags or []} if role else {}
        return Caller(
            "AssumedRole", arn, role_arn, account, user_id, keys=_keys(role_arn, account, "AssumedRole", user_id, tags)
        )

    def of_arn(self, arn: str) -> Caller | None:
        """A role or user by its ARN; None where there is none."""
        if ":role/" in arn:
            return self.of_role(arn, "simulation") if self.role(arn) else None
        return next((self._user(user) for user in list(self._iam.users.values()) if user.arn == arn), None)

    def role(self, arn: str) -> Any:
        """moto's role of an ARN, None when there is none."""
        roles = self._iam.roles
        found = self._roles.get(arn)
        if found is None or roles.get(found.id) is not found:
            # moto keeps them by their id, and makes the ARN new each time.
            self._roles = {each.arn: each for each in list(roles.values())}
            found = self._roles.get(arn)
        return found

    def all_roles(self) -> list[Any]:
        """moto's roles."""
        return list(self._iam.roles.values())

    def oidc_provider(self, arn: str) -> Any:
        """moto's OIDC provider of an ARN, None when there is none."""
        return self._iam.open_id_providers.get(arn)

    def policies(self, caller: Caller) -> Policies:
        """The identity's own policies, its boundary, and its session's. A role that is gone has none."""
        owner = self._owner(caller)
        if owner is None:
            return Policies(())
        boundary = getattr(owner, "permissions_boundary_arn", None)
        return Policies(
            tuple(self._identity_policies(owner, caller.identity)),
            boundary=self._boundary(boundary) if boundary else None,
            session=(Policy(caller.arn, "session", parse(caller.session_policy)),) if caller.session_policy else None,
        )

    def _owner(self, caller: Caller) -> Any:
        if caller.kind == "User":
            return next((user for user in list(self._iam.users.values()) if user.arn == caller.identity), None)
        return self.role(caller.identity)

    def _identity_policies(self, owner: Any, arn: str) -> Iterable[Policy]:
        for name, text in list(owner.policies.items()):
            yield _policy(arn, name, text)
        for managed in list(owner.managed_policies.values()):
            yield _managed(arn, managed)
        if not hasattr(owner, "access_keys"):
            return
        for group in list(self._iam.groups.values()):
            if any(member.arn == arn for member in list(group.users)):
                for name, text in list(group.policies.items()):
                    yield _policy(group.arn, name, text)
                for managed in list(group.managed_policies.values()):
                    yield _managed(group.arn, managed)

    def _boundary(self, arn: str) -> Policy:
        managed = self._iam.managed_policies.get(arn)
        return _managed(arn, managed) if managed else _policy(arn, "boundary", '{"Statement": []}')

    def _of_session(self, access_key: str) -> Caller | None:
        from moto.core.utils import utcnow

        if access_key not in self._sessions:
            found = self._assumed_role(access_key)
            if found is None:
                return None
            if len(self._sessions) > 10_000:
                self._sessions.clear()
            caller = self.of_role(found.role_arn, found.session_name)
            if found.policy:
                caller = Caller(**{**vars(caller), "session_policy": found.policy})
            self._sessions[access_key] = found, caller
        session, caller = self._sessions[access_key]
        if session.expiration < utcnow():
            raise ExpiredKey
        return caller

    def _assumed_role(self, access_key: str) -> Any:
        from moto.sts.models import sts_backends

        return sts_backends[self.account_id]["aws"].get_assumed_role_from_access_key(access_key)

    def _of_user(self, access_key: str) -> Caller:
        for user in list(self._iam.users.values()):
            for key in list(user.access_keys):
                if key.access_key_id == access_key and key.status == "Active":
                    return self._user(user)
        raise UnknownKey

    def _user(self, user: Any) -> Caller:
        keys = _keys(user.arn, self.account_id, "User", user.id)
        keys["aws:username"] = (user.name,)
        return Caller("User", user.arn, user.arn, self.account_id, user.id, keys=keys)

    @property
    def _iam(self) -> Any:
        from moto.iam.models import iam_backends

        return iam_backends[self.account_id]["aws"]


def _keys(
    arn: str, account: str, kind: str, user_id: str, tags: dict[str, str] | None = None
) -> dict[str, tuple[str, ...]]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    return {
        "aws:principalarn": (arn,),
        "aws:principalaccount": (account,),
        "aws:principaltype": (kind,),
        "aws:userid": (user_id,),
        "aws:principalisawsservice": ("false",),
        **{f"aws:principaltag/{name.lower()}": (value,) for name, value in (tags or {}).items()},
    }


@lru_cache(maxsize=4096)
def _policy(owner: str, name: str, text: str) -> Policy:
    return Policy(owner, name, parse(text))


def _managed(owner: str, managed: Any) -> Policy:
    text = next(version.document for version in list(managed.versions) if version.is_default)
    return _policy(owner, managed.name, text)
