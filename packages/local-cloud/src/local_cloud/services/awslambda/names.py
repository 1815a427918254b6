"""Lambda's API by every name that a function has, where moto knows `name`, `name:qualifier` and whole ARNs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend, LambdaStorage
from moto.awslambda.responses import LambdaResponse

from local_cloud.function_names import FunctionName

_PATH = re.compile(r"^(/\d{4}-\d\d-\d\d/functions/)([^/]+)")


def patch() -> None:
    """Shorten the name in a request's path, and wherever else one is looked up or made."""
    setup, create = LambdaResponse.setup_class, LambdaBackend.create_function
    by_name = LambdaStorage.get_function_by_name_with_qualifier
    latest = LambdaStorage.get_function_by_name_forbid_qualifier

    def setup_class(self: Any, *args: Any, **options: Any) -> None:
        setup(self, *args, **options)
        found = _PATH.match(self.path)
        name = FunctionName.parse(unquote(found[2])) if found else None
        if found and name and _is_own(name, account_id=self.current_account, region=self.region):
            self.path = found[1] + name.qualified() + self.path[found.end() :]
            if name.qualifier:
                self.querystring.setdefault("Qualifier", [name.qualifier])

    def with_qualifier(self: LambdaStorage, text: str, qualifier: str | None = None) -> Any:
        name = _own(self, text)
        if qualifier and name.qualifier and qualifier != name.qualifier:
            raise InvalidParameterValueException(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        return by_name(self, name.name, name.qualifier or qualifier)

    def without_qualifier(self: LambdaStorage, text: str) -> Any:
        return latest(self, _own(self, text).qualified())

    def create_function(self: LambdaBackend, spec: dict[str, Any]) -> Any:
        name = FunctionName.parse(spec["FunctionName"])
        return create(self, {**spec, "FunctionName": name.name} if name else spec)

    LambdaResponse.setup_class = setup_class
    LambdaStorage.get_function_by_name_or_arn_with_qualifier = with_qualifier
    LambdaStorage.get_function_by_name_or_arn_forbid_qualifier = without_qualifier
    LambdaBackend.create_function = create_function


def _own(storage: LambdaStorage, text: str) -> FunctionName:
    """The name of a function here. Raises UnknownFunctionException for one of another region or account."""
    name = FunctionName.parse(text)
    if name is None or not _is_own(name, account_id=storage.account_id, region=storage.region_name):
        raise storage.construct_unknown_function_exception(text)
    return name


def _is_own(name: FunctionName, *, account_id: str, region: str) -> bool:
    return name.account in ("", account_id) and name.region in ("", region)
