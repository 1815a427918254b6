"""Every error the Step Functions API answers with; the class name is the error code of the wire.

    StatesError
    ├── NotFound                     what the ARN or token names is not there
    │   ├── ActivityDoesNotExist
    │   ├── ExecutionDoesNotExist
    │   ├── ResourceNotFound
    │   └── StateMachineDoesNotExist
    ├── AccessDeniedException        the role of a machine does not serve it
    ├── Invalid                      the request itself is wrong; sending it again cannot help
    │   ├── InvalidArn
    │   ├── InvalidDefinition
    │   ├── InvalidEncryptionConfiguration
    │   ├── InvalidExecutionInput
    │   ├── InvalidLoggingConfiguration
    │   ├── InvalidName
    │   ├── InvalidOutput
    │   ├── InvalidToken
    │   ├── MissingRequiredParameter
    │   ├── SerializationException
    │   ├── StateMachineTypeNotSupported
    │   ├── UnknownOperationException
    │   └── ValidationException
    └── Conflict                     right in itself, not in the state things are in
        ├── ConflictException
        ├── ExecutionAlreadyExists
        ├── ExecutionNotRedrivable
        ├── StateMachineAlreadyExists
        ├── StateMachineDeleting
        └── TaskTimedOut

Codes and wording: the `errors` of each operation in botocore's `stepfunctions/2016-11-23` model, and answers of
AWS as recorded in LocalStack's `tests/aws/services/stepfunctions/**/*.snapshot.json`.
"""

from __future__ import annotations


class StatesError(Exception):
    """An answer with HTTP status 400, the class name as its code, and `message`."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def code(self) -> str:
        return type(self).__name__


class AccessDeniedException(StatesError):
    pass


class NotFound(StatesError):
    pass


class ActivityDoesNotExist(NotFound):
    def __init__(self, arn: str) -> None:
        super().__init__(f"Activity Does Not Exist: '{arn}'")


class ExecutionDoesNotExist(NotFound):
    def __init__(self, arn: str) -> None:
        super().__init__(f"Execution Does Not Exist: '{arn}'")


class ResourceNotFound(NotFound):
    def __init__(self, arn: str = "") -> None:
        super().__init__(
            f"Resource not found: '{arn}'" if arn else "Request references a resource that does not exist."
        )


class StateMachineDoesNotExist(NotFound):
    def __init__(self, arn: str) -> None:
        super().__init__(f"State Machine Does Not Exist: '{arn}'")


class Invalid(StatesError):
    pass


class InvalidArn(Invalid):
    def __init__(self, arn: str, reason: str = "") -> None:
        super().__init__(f"Invalid Arn: '{reason or arn}'")


class InvalidDefinition(Invalid):
    def __init__(self, problems: str, *, prefix: str = "Invalid State Machine Definition: ") -> None:
        super().__init__(f"{prefix}'{problems}'" if prefix else problems)


class InvalidEncryptionConfiguration(Invalid):
    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid Encryption Configuration: {reason}")


class InvalidExecutionInput(Invalid):
    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid State Machine Execution Input: '{reason}'")


class InvalidLoggingConfiguration(Invalid):
    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid Logging Configuration: {reason}")


class InvalidName(Invalid):
    def __init__(self, name: str) -> None:
        super().__init__(f"Invalid Name: '{name}'")


class InvalidOutput(Invalid):
    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid Output: '{reason}'")


class InvalidToken(Invalid):
    def __init__(self) -> None:
        super().__init__("Invalid Token: 'Invalid token'")


class MissingRequiredParameter(Invalid):
    pass


class SerializationException(Invalid):
    pass


class StateMachineTypeNotSupported(Invalid):
    def __init__(self) -> None:
        super().__init__("This operation is not supported by this type of state machine")


class UnknownOperationException(Invalid):
    def __init__(self, operation: str) -> None:
        super().__init__(f"The local cloud does not serve the Step Functions operation '{operation}'")


class ValidationException(Invalid):
    pass


class Conflict(StatesError):
    pass


class ConflictException(Conflict):
    pass


class ExecutionAlreadyExists(Conflict):
    def __init__(self, arn: str) -> None:
        super().__init__(f"Execution Already Exists: '{arn}'")


class ExecutionNotRedrivable(Conflict):
    pass


class StateMachineAlreadyExists(Conflict):
    def __init__(self, arn: str) -> None:
        super().__init__(f"State Machine Already Exists: '{arn}'")


class StateMachineDeleting(Conflict):
    def __init__(self, arn: str) -> None:
        super().__init__(f"State Machine is being deleted: '{arn}'")


class TaskTimedOut(Conflict):
    def __init__(self) -> None:
        super().__init__("Task Timed Out: 'Provided task does not exist anymore'")
