"""What all actions share: parameters, answers, pages."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from local_cloud.api_request import access_key_of
from local_cloud.cloud import Key
from local_cloud.permissions.callers import ADMINISTRATOR_KEYS
from local_cloud.services.cloudformation.engine import REQUESTER, Engine
from local_cloud.services.cloudformation.errors import ValidationError

#: Entries of one answer, as on AWS.
PAGE = 100


class Refusal(ServiceException):  # type: ignore[misc]
    """An error of the API's. Not one of moto's classes: moto looks those up by their module."""


class Api(BaseResponse):  # type: ignore[misc]
    """One request. `request` holds its parameters by the names of the API's model."""

    engine: ClassVar[Engine]

    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    def setup_class(self, *args: Any, **kwargs: Any) -> None:
        super().setup_class(*args, **kwargs)
        key = access_key_of(self.headers.get("Authorization", ""))
        REQUESTER.set(None if key in ADMINISTRATOR_KEYS else Key(key))

    @property
    def request(self) -> dict[str, Any]:
        return dict(self.params)

    def answer(self, **result: Any) -> ActionResult:
        """An answer; members that are None are left out."""
        return ActionResult({name: value for name, value in result.items() if value is not None})

    def done(self) -> ActionResult:
        return EmptyResult()

    def refuse(self, code: str, message: str) -> Any:
        status, headers, body = self.serialized(ActionResult(Refusal(code, message)))
        headers["status"] = str(status)
        return status, headers, body

    def page(self, items: list[Any], *, member: str, **more: Any) -> ActionResult:
        """One page of a list, and the token of the next."""
        token = self.request.get("NextToken", "")
        if token and not token.isdigit():
            raise ValidationError("NextToken is not valid")
        start = int(token or 0)
        end = start + PAGE
        more["NextToken"] = str(end) if end < len(items) else None
        return self.answer(**{member: items[start:end]}, **more)


def given(**members: Any) -> dict[str, Any]:
    """A structure of an answer without the members that have no value."""
    return {name: value for name, value in members.items() if value is not None and value != ""}


def pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]
