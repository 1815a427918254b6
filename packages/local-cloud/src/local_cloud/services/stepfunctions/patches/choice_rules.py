"""Choice states take the wrong way where AWS fails, and compare texts and times in Python's ways.

Under `asl/component/state/choice`: a Variable that names nothing compares as false, so Default is taken, where AWS
fails the execution (all operators but IsPresent); no rule and no Default is a Python error, where AWS says "Failed to
transition out of the state. The state does not point to a next state."; StringMatches knows `?` and `[…]`, and no
escaped `*`; timestamps with fractions or offsets are none; comparisons of different types raise; `…Path` operands do
not take `$$.` and variables; Assign in a JSONPath rule is dropped, or has the comparison's result for its input, and
the state's own is done for a rule that goes where Default goes. Causes: verified against us-east-1 by the tests of
https://github.com/floci-io/floci.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.state.choice.choice_rule import ChoiceRule
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_func import (
    ComparisonFuncStringVariableSample,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_variable import ComparisonVariable
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.eval.variable_store import NoSuchVariable
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from ..times import parse_timestamp
from .failing_states import failure

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_NO_NEXT_STATE = "Failed to transition out of the state. The state does not point to a next state."


def compare(name: str, value: Any, operand: Any) -> bool:
    """One comparison by the name of its operator, without `Path`; values of another type never match."""
    if name.startswith("Is"):
        return _is(name.removeprefix("Is"), value) is operand
    if name == "StringMatches":
        return isinstance(value, str) and _pattern(operand).fullmatch(value) is not None
    match = re.fullmatch(r"(String|Numeric|Timestamp|Boolean)(\w+)", name)
    assert match, name
    kind = {"String": _text, "Numeric": _number, "Timestamp": parse_timestamp, "Boolean": _boolean}[match[1]]
    left, right = kind(value), kind(operand)
    return left is not None and right is not None and _ORDERS[match[2]](left, right)


def apply() -> None:
    ComparisonVariable._eval_body = _evaluate_comparison
    ChoiceRule._eval_body = _evaluate_rule
    StateChoice._eval_state = _eval_state
    StateChoice._eval_state_output = _eval_state_output
    for name in ("visitChoice_rule_comparison_variable", "visitChoice_rule_comparison_composite"):
        setattr(Preprocessor, name, _with_assign(getattr(Preprocessor, name)))


def _evaluate_comparison(self: Any, env: Any) -> None:
    function = self.comparison_function
    name = function.operator_type.name
    path = _path_of(self.variable.string_sampler)
    if name == "IsPresent":
        env.stack.append(_is_present(env, path) is function.value)
        return
    value = _existing(env, path)
    operand = function.value
    if name.endswith("Path"):
        is_variable = isinstance(function, ComparisonFuncStringVariableSample)
        operand = _existing(env, _path_of(function.string_variable_sample) if is_variable else operand)
    env.stack.append(compare(name.removesuffix("Path"), value, operand))


def _path_of(sampler: Any) -> str:
    """As the definition has it; moto takes one `$` away from paths on the context object."""
    return str(getattr(sampler, "context_object_path", sampler.literal_value))


def _is_present(env: Any, path: str) -> bool:
    from ..running.expressions import value_of

    try:
        value_of(env, path, strict=True)
    except (NoSuchJsonPathError, NoSuchVariable):
        return False
    return True


def _existing(env: Any, path: str) -> Any:
    from ..running.expressions import value_of

    try:
        return value_of(env, path, strict=True)
    except (NoSuchJsonPathError, NoSuchVariable):
        cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
        raise failure(env, "States.Runtime", cause) from None


def _evaluate_rule(self: Any, env: Any) -> None:
    """Assign and Output are about the state's input, not about the comparison's result."""
    self.comparison.eval(env)
    if env.stack[-1] is not True:
        return
    env.stack.pop()
    for part in (self.assign, self.output):
        if part:
            part.eval(env=env)
    env.stack.append(True)


def _eval_state(self: Any, env: Any) -> None:
    """Leaves the next state's name on the stack, and whether it is Default's."""
    for rule in self.choices_decl.rules:
        rule.eval(env)
        if env.stack.pop() is True:
            env.stack.append((rule.next_stmt.name, False))
            return
    if self.default_state is None:
        raise failure(env, "States.Runtime", _NO_NEXT_STATE)
    env.stack.append((self.default_state.state_name, True))


def _eval_state_output(self: Any, env: Any) -> None:
    name, is_default = env.stack.pop()
    if is_default:
        for part in (self.assign_decl, self.output):
            if part:
                part.eval(env=env)
    if self._is_language_query_jsonpath():
        self.output_path.eval(env=env)
    env.next_state_name = name


def _with_assign(visit: Any) -> Any:
    """A visitor of choice rules that keeps a JSONPath rule's Assign."""

    def visit_rule(self: Any, ctx: Any) -> Any:
        rule = visit(self, ctx)
        assigns = [each for each in map(self.visit, ctx.children) if isinstance(each, AssignDecl)]
        if assigns and rule.assign is None:
            return ChoiceRule(rule.comparison, rule.next_stmt, rule.comment, assigns[0], rule.output)
        return rule

    return visit_rule


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "Null":
            return value is None
        case "Boolean":
            return isinstance(value, bool)
        case "Numeric":
            return _number(value) is not None
        case "String":
            return isinstance(value, str)
    return parse_timestamp(value) is not None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _pattern(text: str) -> re.Pattern[str]:
    """`*` stands for any characters, `\\*` for itself, `\\\\` for a backslash."""
    parts = re.split(r"(\\\\|\\\*|\*)", text)
    meanings = {"*": ".*", "\\*": r"\*", "\\\\": r"\\"}
    return re.compile("".join(meanings.get(part, re.escape(part)) for part in parts), re.DOTALL)
