"""The resource types, one module a service, imported when a template first uses it."""

from __future__ import annotations

import functools
import importlib

from local_cloud.services.cloudformation.resource_types.base import ResourceType

#: Services whose module cannot have their own name.
MODULES = {"lambda": "awslambda"}


@functools.cache
def type_of(name: str) -> ResourceType:
    """The type `AWS::Service::Thing`. There is one for every type that has a schema."""
    service = name.split("::")[1].lower()
    module = importlib.import_module(f"{__name__}.{MODULES.get(service, service)}")
    types: tuple[type[ResourceType], ...] = module.TYPES
    return next(each for each in types if each.type == name)()
