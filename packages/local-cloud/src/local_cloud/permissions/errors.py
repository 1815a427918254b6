"""Refusals.

::

    AccessDenied        a policy says no, or none says yes
     ├─ UnknownKey      nobody has this access key, or a temporary one comes without its session token
     ├─ WrongToken      a session token that is not the access key's
     ├─ ExpiredKey      temporary keys that have ended
     ├─ MissingKey      an unsigned request where a signature is needed
     ├─ InvalidToken    a web identity that STS does not take
     └─ CannotAssume    a role does not trust the service that is to act as it

They go out in each service's own code and words: `wire.py`.
"""

from __future__ import annotations


class AccessDenied(Exception):
    """The message says who may not do what, on what, and why, as AWS does."""


class UnknownKey(AccessDenied):
    def __init__(self) -> None:
        super().__init__("The security token included in the request is invalid.")


class WrongToken(AccessDenied):
    def __init__(self) -> None:
        super().__init__("The security token included in the request is invalid.")


class ExpiredKey(AccessDenied):
    def __init__(self) -> None:
        super().__init__("The security token included in the request is expired")


class MissingKey(AccessDenied):
    def __init__(self) -> None:
        super().__init__("Request is missing Authentication Token")


class InvalidToken(AccessDenied):
    """`code` is STS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class CannotAssume(AccessDenied):
    """A service may not become the role that it is to act as."""

    def __init__(self, role_arn: str, service: str) -> None:
        super().__init__(f"{service} is not authorized to assume the role {role_arn}")
        self.role_arn = role_arn
        self.service = service
