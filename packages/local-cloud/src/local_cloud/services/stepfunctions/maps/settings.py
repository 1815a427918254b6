"""The fields of a Map state, evaluated where it stands."""

from __future__ import annotations

from typing import Any

from ..definition.jsonata import expression_of
from ..patches.failing_states import failure
from ..running.expressions import jsonata_value, template_value, value_of

INLINE_AT_ONCE = 40
"""Iterations AWS runs at once (https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html)."""
DISTRIBUTED_AT_ONCE = 64
"""Child executions at once where a distributed Map sets no limit; AWS runs 10,000."""


class MapSettings:
    """Wraps what `definition.rewrite` took out of a Map state."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields
        self.jsonata = fields["QueryLanguage"] == "JSONata"
        config = fields["ProcessorConfig"]
        self.distributed = config.get("Mode", "INLINE") == "DISTRIBUTED"
        self.child_type = config.get("ExecutionType", "STANDARD")
        self.label = fields.get("Label", "")
        self.reader: dict[str, Any] | None = fields.get("ItemReader")
        self.batcher: dict[str, Any] | None = fields.get("ItemBatcher")
        self.writer: dict[str, Any] | None = fields.get("ResultWriter")

    def at_once(self, env: Any) -> int:
        limit = DISTRIBUTED_AT_ONCE if self.distributed else INLINE_AT_ONCE
        return min(int(self.number(env, self._fields, "MaxConcurrency") or limit), 1000 if self.distributed else limit)

    def tolerated(self, env: Any) -> tuple[float | None, float | None]:
        """Failures allowed, as a number and as a percentage; None where the state does not say."""
        count = self.number(env, self._fields, "ToleratedFailureCount")
        percentage = self.number(env, self._fields, "ToleratedFailurePercentage", most=100)
        return count, percentage

    def item_input(self, env: Any, scope: Any, item: Any) -> Any:
        """The input of one iteration: the item, or what ItemSelector makes of the state's input and the item.

        `env` is the state's, `scope` the iteration's, which has the item in its context object.
        """
        selector = self._fields.get("ItemSelector", self._fields.get("Parameters"))
        if selector is None:
            return item
        # Lent, not copied: a copy of all items for each of them would take time in the square of their number.
        scope.states._states_data["input"] = env.states._states_data["input"]
        scope.stack.append(env.stack[-1])
        try:
            return template_value(scope, selector, jsonata=self.jsonata)
        finally:
            scope.stack.clear()

    def template(self, env: Any, template: Any) -> Any:
        return template_value(env, template, jsonata=self.jsonata)

    def number(self, env: Any, fields: dict[str, Any], name: str, *, most: float | None = None) -> float | None:
        """A number given as it is, by a path (`…Path`) or as JSONata. Fails the state where it is none."""
        value = source = fields.get(name)
        if f"{name}Path" in fields:
            source = fields[f"{name}Path"]
            value = value_of(env, source, strict=True)
        elif value is None:
            return None
        elif self.jsonata and (expression := expression_of(value)) is not None:
            value = jsonata_value(env, expression, kind="number", least=0)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise failure(env, "States.Runtime", f"{name} must be a number, but {source} is {value!r}")
        if value < 0 or (most is not None and value > most):
            bounds = f"between 0 and {most:g}" if most is not None else "0 or more"
            raise failure(env, "States.Runtime", f"{name} must be {bounds}, but {source} is {value}")
        return value
