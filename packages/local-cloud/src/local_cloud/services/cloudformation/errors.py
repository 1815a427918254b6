"""What CloudFormation answers a caller it refuses, and what fails a single resource.

::

    CloudFormationError                 an answer with AWS's error code; nothing was made
     ├─ ValidationError                 the template, a parameter, a name, or the stack's state
     ├─ StackExists                     AlreadyExistsException
     ├─ TokenInUse                      TokenAlreadyExistsException
     ├─ MissingCapabilities             InsufficientCapabilitiesException
     ├─ ChangeSetNotFound
     └─ ChangeSetNotExecutable          InvalidChangeSetStatus
    ResourceError                       one resource failed; its text is the event's reason
    Halted                              the server stops: leave everything as it is for the next start

The texts are AWS's where AWS has one, since people and scripts search for them.
"""

from __future__ import annotations


class CloudFormationError(Exception):
    """Refused before anything was made. `code` is the one of AWS's error models."""

    code = "ValidationError"


class ValidationError(CloudFormationError):
    pass


class StackExists(CloudFormationError):
    code = "AlreadyExistsException"


class TokenInUse(CloudFormationError):
    code = "TokenAlreadyExistsException"


class MissingCapabilities(CloudFormationError):
    code = "InsufficientCapabilitiesException"


class ChangeSetNotFound(CloudFormationError):
    code = "ChangeSetNotFound"


class ChangeSetNotExecutable(CloudFormationError):
    code = "InvalidChangeSetStatus"


class ResourceError(Exception):
    """Why a resource could not be created, updated or deleted."""


class Halted(Exception):
    """The server is stopping. Whoever works on a stack lets go of it."""
