"""What is wrong with a definition, where, as ValidateStateMachineDefinition says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TRANSITION = "MISSING_TRANSITION_TARGET"
JSON = "INVALID_JSON_DESCRIPTION"
DUPLICATE = "DUPLICATE_STATE_NAME"


@dataclass(frozen=True)
class Problem:
    """One diagnostic. `location` is a path into the definition, as `/States/Load/Next`."""

    code: str
    message: str
    location: str = ""
    severity: str = "ERROR"

    def __str__(self) -> str:
        """As InvalidDefinition's text lists it."""
        return f"{self.code}: {self.message}" + (f" at {self.location}" if self.location else "")

    def as_diagnostic(self) -> dict[str, Any]:
        fields = {"severity": self.severity, "code": self.code, "message": self.message}
        return fields | ({"location": self.location} if self.location else {})
