"""Choice: the way of the first rule that holds. Causes: verified against us-east-1 by the tests of
https://github.com/floci-io/floci."""

from __future__ import annotations

from ...language.comparisons import compare
from ...language.errors import RUNTIME
from ...language.json_values import Json
from ...language.paths import NoSuchPath
from ...language.tree import Choice, Combination, Comparison, Rule, Test
from ..flow import effective_input, pass_on
from ..scope import Done, Scope
from ..values import NoSuchVariable, fill, value_of

_NO_NEXT_STATE = "Failed to transition out of the state. The state does not point to a next state."


def run_choice(scope: Scope, state: Choice) -> Done:
    data = effective_input(scope)
    way: Rule | Choice | None = next((rule for rule in state.rules if _holds(scope, rule.test, data)), None)
    target = way.next if way else state.default
    if target is None:
        raise scope.failure(RUNTIME, _NO_NEXT_STATE)
    way = way or state
    return pass_on(scope, state, data, next=target, assign=way.assign, output=way.output)


def _holds(scope: Scope, test: Test, data: Json) -> bool:
    match test:
        case Comparison():
            return _compares(scope, test, data)
        case Combination(operator="And"):
            return all(_holds(scope, each, data) for each in test.tests)
        case Combination(operator="Or"):
            return any(_holds(scope, each, data) for each in test.tests)
        case Combination():
            return not _holds(scope, test.tests[0], data)
    return fill(scope, test, data, kind="boolean") is True


def _compares(scope: Scope, test: Comparison, data: Json) -> bool:
    if test.operator == "IsPresent":
        return _is_present(scope, test.variable, data) is test.operand
    value, operand = _existing(scope, test.variable, data), test.operand
    if test.operator.endswith("Path"):
        operand = _existing(scope, operand, data)
    return compare(test.operator.removesuffix("Path"), value, operand)


def _is_present(scope: Scope, path: str, data: Json) -> bool:
    try:
        value_of(scope, path, data, strict=True)
    except (NoSuchPath, NoSuchVariable):
        return False
    return True


def _existing(scope: Scope, path: str, data: Json) -> Json:
    try:
        return value_of(scope, path, data, strict=True)
    except (NoSuchPath, NoSuchVariable):
        cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
        raise scope.failure(RUNTIME, cause) from None
