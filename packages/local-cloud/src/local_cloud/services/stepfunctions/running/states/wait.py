"""Wait: for some seconds, or until a moment of the wall's clock, which may be set and goes on while a laptop sleeps."""

from __future__ import annotations

import time

from ...language.errors import RUNTIME
from ...language.json_values import Json
from ...language.paths import NoSuchPath
from ...language.tree import Quantity, Wait
from ...times import parse_timestamp
from ..flow import effective_input, pass_on
from ..scope import Done, Scope
from ..values import field_value, fill, number, query_failure, value_of

#: How often the clock is looked at, in seconds.
LOOK_S = 1.0


def run_wait(scope: Scope, state: Wait) -> Done:
    data = effective_input(scope)
    if state.seconds:
        scope.life.wait(_seconds(scope, state.seconds, data))
    else:
        moment = _moment(scope, state, data)
        while (left := moment - time.time()) > 0 and not scope.life.wait(min(left, LOOK_S)):
            pass
    scope.life.check()
    return pass_on(scope, state, data, next=state.next, assign=state.assign, output=state.output)


def _seconds(scope: Scope, seconds: Quantity, data: Json) -> float:
    if not seconds.is_path:
        return number(scope, seconds, data) or 0
    path = seconds.source
    try:
        value = value_of(scope, path, data)
    except NoSuchPath:
        raise scope.failure(RUNTIME, f"The SecondsPath parameter does not reference an input value: {path}") from None
    if not isinstance(value, int):
        raise scope.failure(RUNTIME, f"The SecondsPath parameter cannot be parsed as a long value: {path} == {value}")
    if value < 0:
        raise scope.failure(RUNTIME, f"The SecondsPath parameter references a negative value: {path} == {value}")
    return value


def _moment(scope: Scope, state: Wait, data: Json) -> float:
    """Seconds since 1970."""
    field, source = "TimestampPath", state.timestamp_path
    if state.timestamp:
        field, source = state.timestamp.place, state.timestamp.value
        text = fill(scope, state.timestamp, data, kind="string")
    else:
        text = field_value(scope, field, source, data)
    moment = parse_timestamp(text)
    if moment is None and state.is_jsonata:
        cause = f"The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {text}"
        raise query_failure(scope, cause, field)
    if moment is None:
        raise scope.failure(
            RUNTIME,
            f"The {field} parameter does not reference a valid ISO-8601 extended offset date-time format string:"
            f" {source} == {text}",
        )
    return moment.timestamp()
