"""What is wrong with a definition, where, as ValidateStateMachineDefinition says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TRANSITION = "MISSING_TRANSITION_TARGET"
NO_END = "MISSING_END_STATE"
JSON = "INVALID_JSON_DESCRIPTION"
DUPLICATE = "DUPLICATE_STATE_NAME"
VARIABLE = "DUPLICATE_VARIABLE_NAME"


@dataclass(frozen=True)
class Problem:
    """One diagnostic. `location` is a path into the definition, as `/States/Load/Next`."""

    code: str
    message: str
    location: str = ""
    severity: str = "ERROR"

    def __str__(self) -> str:
        """As InvalidDefinition's text lists it."""
        place = "" if not self.location or self.code == JSON else f" at {self.location}"  # a message of JSON has it
        return f"{self.code}: {self.message}{place}"

    def as_diagnostic(self) -> dict[str, Any]:
        fields = {"severity": self.severity, "code": self.code, "message": self.message}
        return fields | ({"location": self.location} if self.location else {})


def field_problem(field: str, location: str) -> Problem:
    """A field that the object at `location` does not have."""
    return Problem(SCHEMA, f"Field '{field}' is not supported", location)


def language_problem(field: str, language: str, location: str) -> Problem:
    """A field of the other query language, in the state at `location`."""
    other = "JSONata" if language == "JSONPath" else "JSONPath"
    message = (
        f"The QueryLanguage is set to '{language}', but field '{field}' is only supported for the '{other}'"
        " QueryLanguage"
    )
    return Problem(SCHEMA, message, location)
