"""Errors of the redshift-serverless API, by AWS's codes."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class ServerlessError(ServiceException):  # type: ignore[misc]
    """The base of the API's errors."""


class ResourceNotFound(ServerlessError):
    code = "ResourceNotFoundException"

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.resourceName = name


class Conflict(ServerlessError):
    code = "ConflictException"


class Invalid(ServerlessError):
    code = "ValidationException"


class TooManyTags(ServerlessError):
    code = "TooManyTagsException"
