"""Metric math: numbers, metrics' ids, + - * / and ( ), FILL, SUM, MIN, MAX, AVG and METRICS.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

A series is a list of values, one for each window, None where there is no data.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.services.cloudwatch.errors import ExpressionError

Series = list[float | None]

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def evaluate(expression: str, series: Mapping[str, Series]) -> Series:
    """The expression's own series. ExpressionError for what is not supported."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        raise ExpressionError(f"{expression!r} is no metric math") from None
    found = _evaluate(tree, series)
    length = len(next(iter(series.values()), [None]))
    if isinstance(found, dict):
        raise ExpressionError(f"{expression!r} gives several series; an alarm takes one")
    return found if isinstance(found, list) else [found] * length


def _evaluate(node: ast.expr, series: Mapping[str, Series]) -> Any:
    """A number, a series, or a dict of series."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _each(lambda _, value: -value, 0.0, _evaluate(operand, series))
        case ast.Name(id=name) if name in series:
            return series[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _each(_OPERATORS[type(op)], _evaluate(left, series), _evaluate(right, series))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name.upper(), arguments, series)
    raise ExpressionError(f"the local cloud does not do {ast.unparse(node)} in metric math")


def _call(name: str, arguments: list[ast.expr], series: Mapping[str, Series]) -> Any:
    if name == "METRICS" and not arguments:
        return dict(series)
    if name == "FILL" and len(arguments) == 2:
        return _fill(_evaluate(arguments[0], series), arguments[1], series)
    if name in _AGGREGATES and len(arguments) == 1:
        given = _evaluate(arguments[0], series)
        if isinstance(given, dict):  # of several series: window by window
            rows = zip(*given.values(), strict=True)
            return [_aggregate(name, [value for value in row if value is not None]) for row in rows]
        if isinstance(given, list):  # of one: over all windows
            return _aggregate(name, [value for value in given if value is not None])
    raise ExpressionError(f"the local cloud does not do {name} of {len(arguments)} arguments in metric math")


_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
}


def _aggregate(name: str, values: list[float]) -> float | None:
    return _AGGREGATES[name](values) if values else None


def _fill(given: Any, filling: ast.expr, series: Mapping[str, Series]) -> Any:
    """A series without any value has nothing that could be filled: it stays as it is."""
    if isinstance(given, dict):
        return {name: _fill(one, filling, series) for name, one in given.items()}
    if not isinstance(given, list) or all(value is None for value in given):
        return given
    if isinstance(filling, ast.Name) and filling.id == "REPEAT":
        filled: Series = []
        for value in given:
            filled.append(filled[-1] if value is None and filled else value)
        return filled
    number = _evaluate(filling, series)
    return _each(lambda value, other: other if value is None else value, given, number, skip_missing=False)


def _each(do: Callable[[Any, Any], float], left: Any, right: Any, *, skip_missing: bool = True) -> Any:
    """Window by window; a window that one side lacks is missing."""
    if isinstance(left, dict) or isinstance(right, dict):
        raise ExpressionError("the local cloud does no arithmetic on METRICS()")
    if not isinstance(left, list) and not isinstance(right, list):
        return _compute(do, left, right, skip_missing)
    length = len(left) if isinstance(left, list) else len(right)
    lefts, rights = (side if isinstance(side, list) else [side] * length for side in (left, right))
    return [_compute(do, one, other, skip_missing) for one, other in zip(lefts, rights, strict=True)]


def _compute(do: Callable[[Any, Any], float], left: Any, right: Any, skip_missing: bool) -> float | None:
    if skip_missing and (left is None or right is None):
        return None
    try:
        return do(left, right)
    except ZeroDivisionError:
        return None
