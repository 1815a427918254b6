"""What functions and conditions of a template use of the deployment that they are evaluated for.

`evaluator.Evaluator` is the one there is. It calls the functions, so they know this and not the evaluator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Resources(Protocol):
    """Where Ref and Fn::GetAtt find resources. UNKNOWN for one that is still to be made."""

    def ref(self, logical_id: str) -> Any: ...

    def attribute(self, logical_id: str, name: str) -> Any: ...


class Scope(Protocol):
    """`names` are parameters and pseudo parameters: strings, or lists of strings."""

    @property
    def names(self) -> Mapping[str, Any]: ...

    @property
    def mappings(self) -> Mapping[str, Any]: ...

    @property
    def resources(self) -> Resources: ...

    @property
    def language_extensions(self) -> bool: ...

    def evaluate(self, value: Any) -> Any:
        """The value with every function applied; NO_VALUE when the whole of it is taken away."""

    def ref(self, argument: Any) -> Any: ...

    def condition(self, name: Any) -> bool:
        """Whether a named condition holds."""

    def holds(self, value: Any) -> bool:
        """A condition function's result."""

    def import_value(self, name: str) -> str: ...
