"""From a path, a function, an expression or a template to its value, in the scope of a state.

`data` is what `$` means in a path: the state's input past its InputPath, or the result, or the error output. JSONata
reads `$states` instead, which has the state's input and context, and what `extra` adds: `result`, `errorOutput`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..language.errors import INTRINSIC, QUERY_EVALUATION, RUNTIME, StateError
from ..language.intrinsic_calls import Call, Literal, PathArgument, parse_call
from ..language.intrinsics import FUNCTIONS, FunctionError, QuotedText
from ..language.json_values import Json, compact
from ..language.jsonata_text import expression_of
from ..language.paths import VARIABLE, NoSuchPath, extract
from ..language.tree import Quantity, Template
from .scope import Scope

_STATES_FIELD = re.compile(r"\$states\b(?:\s*\.\s*(\w+))?")
_NOTHING: Mapping[str, Json] = {}


class NoSuchVariable(LookupError):
    """A variable that was never assigned; `str()` is its name."""


def value_of(scope: Scope, text: str, data: Json, *, strict: bool = False) -> Json:
    """Get what a path names or a function returns.

    Raises NoSuchPath (see `paths.extract` for `strict`), NoSuchVariable, and StateError where a function fails.
    """
    if text.startswith("States."):
        return _call(scope, text, data)
    if text.startswith("$$"):
        try:
            # A copy, since the scope goes on writing into its context object, and values are never changed.
            return extract(text[1:], dict(scope.context), strict=strict)
        except NoSuchPath as error:
            error.path = text
            raise
    if match := VARIABLE.fullmatch(text):
        if match["name"] not in scope.variables:
            raise NoSuchVariable(match["name"])
        return extract("$" + (match["path"] or ""), scope.variables[match["name"]], strict=strict)
    return extract(text, data, strict=strict)


def field_value(scope: Scope, field: str, text: str, data: Json) -> Json:
    """Get the value of a field that holds a path or a function. Raises StateError."""
    try:
        return value_of(scope, text, data)
    except NoSuchPath as error:
        reason = f"The JSONPath '{error.path}' specified for the field '{field}' could not be found in the input"
        raise scope.failure(RUNTIME, f"{reason} '{compact(error.data)}'") from None
    except NoSuchVariable as error:
        raise scope.failure(RUNTIME, f"The variable '{error}' is not assigned") from None


def filtered(scope: Scope, path: str | None, data: Json) -> Json:
    """Apply an InputPath or OutputPath; null gives an empty object. Raises StateError."""
    if path == "$":
        return data
    return {} if path is None else _valid_value(scope, path, data)


def _valid_value(scope: Scope, path: str, data: Json) -> Json:
    """Get what a path that is a whole field names. Raises StateError."""
    try:
        return value_of(scope, path, data)
    except NoSuchPath as error:
        raise scope.failure(RUNTIME, f"Invalid path '{error.path}' : {error.reason}") from None
    except NoSuchVariable as error:
        raise scope.failure(RUNTIME, f"The variable '{error}' is not assigned") from None


def fill(scope: Scope, template: Template, data: Json, *, extra: Mapping[str, Json] = _NOTHING, kind: str = "") -> Json:
    """Fill in a template. `kind` is the JSON type that a lone JSONata expression must have. Raises StateError."""
    if not scope.state.is_jsonata:
        return _fill_paths(scope, template.value, data)
    return _fill_jsonata(scope, template.value, template.place, extra, kind)


def number(
    scope: Scope,
    quantity: Quantity | None,
    data: Json,
    *,
    least: int = 0,
    most: float | None = None,
    may_be_negative: bool = False,
) -> float | None:
    """Get a number given as it is, by a path or as JSONata; None where none is given. Raises StateError."""
    if quantity is None:
        return None
    value = quantity.source
    name = quantity.field.rpartition("/")[2].removesuffix("Path")
    if quantity.is_path:
        value = _valid_value(scope, quantity.source, data)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        kind, kinds = ("float", (int, float)) if most else ("integer", (int,))
        if isinstance(value, bool) or not isinstance(value, kinds):
            shown = value if isinstance(value, str) else compact(value)
            reason = f'The {name}Path field refers to value "{shown}" which is not a valid {kind}: {quantity.source}'
            raise scope.failure(RUNTIME, reason)
    elif scope.state.is_jsonata and (expression := expression_of(value)) is not None:
        value = jsonata_value(scope, expression, quantity.field, kind="number", least=least)
    if most is not None and not 0 <= value <= most:
        raise scope.failure(RUNTIME, f"{name} must be between 0 and {most:g}.")
    if value < 0 and not may_be_negative:
        raise scope.failure(RUNTIME, f"{name} cannot be negative.")
    result: float = value
    return result


def jsonata_value(
    scope: Scope,
    expression: str,
    place: str,
    *,
    extra: Mapping[str, Json] = _NOTHING,
    kind: str = "",
    least: float | None = None,
) -> Json:
    """Evaluate a JSONata expression, given without its `{% %}`.

    `kind` is the JSON type it must have, `least` the smallest number it may be. Raises StateError
    (States.QueryEvaluationError), for which the history has an event then.
    """
    from ..language.jsonata_engine import QueryError, evaluate

    states = {"input": scope.input, "context": scope.context, **extra}
    read = {match[1] for match in _STATES_FIELD.finditer(expression)}
    # What is not read need not be brought into JSONata's form, which takes time for large values.
    bindings = {name: value for name, value in scope.variables.items() if name in expression}
    bindings["states"] = {name: value for name, value in states.items() if name in read or None in read}
    try:
        value = evaluate(expression, bindings)
        if kind:
            _check_kind(value, kind, least)
    except QueryError as error:
        cause = f"The JSONata expression '{expression}' specified for the field '{place}'{error}"
        raise query_failure(scope, cause, place) from None
    return value


def _fill_paths(scope: Scope, template: Json, data: Json) -> Json:
    if isinstance(template, list):
        return [_fill_paths(scope, item, data) for item in template]
    if not isinstance(template, dict):
        return template
    return {
        key.removesuffix(".$"): field_value(scope, key, item, data)
        if key.endswith(".$")
        else _fill_paths(scope, item, data)
        for key, item in template.items()
    }


def _fill_jsonata(scope: Scope, template: Json, place: str, extra: Mapping[str, Json], kind: str = "") -> Json:
    if isinstance(template, list):
        return [_fill_jsonata(scope, item, f"{place}[{index}]", extra) for index, item in enumerate(template)]
    if isinstance(template, dict):
        return {key: _fill_jsonata(scope, item, f"{place}/{key}", extra) for key, item in template.items()}
    if (expression := expression_of(template)) is not None:
        return jsonata_value(scope, expression, place, extra=extra, kind=kind)
    return template


def _call(scope: Scope, text: str, data: Json) -> Json:
    prefix = f"The function '{text}' had the following error:"
    try:
        return _evaluate(scope, parse_call(text), data)
    except FunctionError as error:
        raise scope.failure(INTRINSIC, f"{prefix} {error}") from None
    except NoSuchPath as error:
        reason = f"The JsonPath argument for the field '{error.path}' could not be found in the input '{compact(data)}'"
        raise scope.failure(RUNTIME, f"{prefix} {reason}") from None


def _evaluate(scope: Scope, argument: Call | Literal | PathArgument, data: Json) -> Json:
    match argument:
        case PathArgument():
            return value_of(scope, argument.path, data, strict=True)
        case Literal():
            return argument.value
    values = [_evaluate(scope, each, data) for each in argument.arguments]
    if argument.name != "States.Format":
        values = [str(value) if isinstance(value, QuotedText) else value for value in values]
    return FUNCTIONS[argument.name](*values)


def _check_kind(value: Json, kind: str, least: float | None) -> None:
    from ..language.jsonata_engine import QueryError

    if (found := _kind(value)) != kind:
        raise QueryError(
            f" returned an unexpected result type. Expected '{kind}', but was '{found}' for value: {compact(value)}"
        )
    if least is not None and value < least:
        raise QueryError(f" returned {value}, which is less than {least:g}.")


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return kinds.get(type(value), "null")


def query_failure(scope: Scope, cause: str, place: str | None = None) -> StateError:
    """Make States.QueryEvaluationError, and write the event that AWS writes for it."""
    failure = scope.failure(QUERY_EVALUATION, cause)
    details = {"error": failure.error, "cause": failure.cause, "location": place, "state": scope.state.name}
    scope.record("EvaluationFailed", details)
    return failure
