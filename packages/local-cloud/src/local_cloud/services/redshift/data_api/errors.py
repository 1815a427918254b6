"""Errors of the redshift-data API, by AWS's codes. Statements that fail are no errors of the API."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class DataApiError(ServiceException):  # type: ignore[misc]
    """The base of the API's errors."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.Message = message


class Invalid(DataApiError):
    code = "ValidationException"


class NotFound(DataApiError):
    code = "ResourceNotFoundException"

    def __init__(self, message: str, identifier: str) -> None:
        super().__init__(message)
        self.ResourceId = identifier


class TooManyStatements(DataApiError):
    code = "ActiveStatementsExceededException"


class TooManySessions(DataApiError):
    code = "ActiveSessionsExceededException"


class CannotConnect(DataApiError):
    code = "DatabaseConnectionException"
