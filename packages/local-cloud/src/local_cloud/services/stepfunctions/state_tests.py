"""TestState: one state on its own, without a machine. See `machines` for the form of the methods.

https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html; which members come back for which kind
of state, and the words of refusals: recorded in LocalStack's `test_state/*.snapshot.json`. There are no HTTP Tasks
here, so that TRACE shows what DEBUG shows, and revealSecrets has nothing to reveal.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .definition import check, check_state
from .errors import InvalidDefinition, ValidationException
from .executions import check_input
from .journal import Start
from .language.json_values import Json
from .language.read import find_state, read_state
from .language.tree import Map, Parallel, Pass, State, Task
from .machines import Answer, check_role, refuse
from .mocks import is_activity, is_waiting, read_context, read_mock
from .model import EXPRESS, Revision, now
from .registry import Registry
from .roles import Roles

if TYPE_CHECKING:
    from .running.trial import Trial

_NAME = "StateName"
"""What AWS calls a state in the context object of a test, whatever its name."""
_NEED_MOCK = "TestState API does not support Map or Parallel states. Supported state types include: "
_SUPPORTED = "[Task, Wait, Pass, Succeed, Fail, Choice]"
_NOT_SHOWN: dict[type[State], set[str]] = {
    Map: {"result"},
    Parallel: {"afterInputPath", "afterParameters", "afterArguments", "result"},
}
_NUMBERS = {"maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage", "errorDetails"}
"""Members of the inspection data that are no JSON texts."""


class StateTests:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.roles = Roles(registry.cloud)
        self._clients = registry.clients()

    def test_state(
        self,
        *,
        definition: str,
        state_name: str | None = None,
        role_arn: str = "",
        input: str = "{}",
        variables: str = "{}",
        inspection_level: str = "INFO",
        reveal_secrets: bool = False,
        mock: dict[str, Any] | None = None,
        context: str | None = None,
        state_configuration: dict[str, Any] | None = None,
    ) -> Answer:
        """Waits for the state's end, five minutes at most."""
        from .running.trial import Trial

        state = _read(definition, state_name)
        check_input(input)
        given = _read_variables(variables)
        settings = state_configuration or {}
        if mock is None:
            _refuse_without_mock(state, settings=settings, context=context, role_arn=role_arn)
        elif reveal_secrets:
            raise ValidationException("TestState does not support RevealSecrets when a mock is specified.")
        trial = Trial(
            mock=read_mock(mock, state) if mock is not None else None,
            retries=settings.get("retrierRetryCount", 0),
            failed_iterations=settings.get("mapIterationFailureCount", 0),
            source=settings.get("mapItemReaderData"),
            context=read_context(context, state) if context is not None else None,
        )
        start = self._start(role_arn, input)
        if role_arn:
            check_role(role_arn)
            self.roles.check_trust(role_arn, start.machine_arn)
        return self._run(state, start, trial, given, inspection_level=inspection_level)

    def _start(self, role_arn: str, input: str) -> Start:
        """Make the machine and execution that AWS names in a test's context object; there are none."""
        machine, name, started = str(uuid.uuid4()), str(uuid.uuid4()), now()
        return Start(
            arn=self.registry.arn("express", f"{machine}:{name}"),
            name=name,
            machine_arn=self.registry.arn("stateMachine", machine),
            machine_name=machine,
            type=EXPRESS,
            input=input,
            started=started,
            revision=Revision("", role_arn, logging={}, tracing={}, encryption={}, updated=started),
        )

    def _run(
        self, state: State, start: Start, trial: Trial, variables: dict[str, Json], *, inspection_level: str
    ) -> Answer:
        from .running.single_state import run_state
        from .running.trial import BadTrial

        try:
            result = run_state(state, start, self._clients, trial, variables, name=_NAME)
        except BadTrial as error:
            raise ValidationException(str(error)) from None
        answer: Answer = {
            "status": result.status,
            "error": result.error and (result.error.error or None),
            "cause": result.error and (result.error.cause or None),
            "output": _text(result.done.output) if result.done else None,
            "nextState": result.done.next if result.done else None,
        }
        if inspection_level != "INFO":
            answer["inspectionData"] = _inspection(state, start, trial, variables)
        return answer


def _read(definition: str, name: str | None) -> State:
    """Read the state of that name in a machine, or the one that the definition is. Raises StatesError."""
    refuse(check_state(definition, _NAME) if name is None else check(definition))
    if name is None:
        return read_state(_NAME, json.loads(definition))
    state = find_state(definition, name)
    if state is None:
        raise ValidationException("State not found in definition")
    return state


def _read_variables(text: str) -> dict[str, Json]:
    try:
        variables = json.loads(text)
    except ValueError:
        variables = None
    if not isinstance(variables, dict):
        raise ValidationException("Variables must be a JSON object")
    return variables


def _refuse_without_mock(state: State, *, settings: Mapping[str, Any], context: str | None, role_arn: str) -> None:
    """Raises InvalidDefinition or ValidationException for what can be tested with a mock only."""
    for name in [*settings, *(["context"] if context is not None else [])]:
        title = name[0].upper() + name[1:]
        raise ValidationException(f"TestState does not support {title} when a mock is not specified.")
    if isinstance(state, (Map, Parallel)):
        raise InvalidDefinition(_NEED_MOCK + _SUPPORTED, prefix="")
    if is_waiting(state) or is_activity(state):
        raise InvalidDefinition(
            "TestState API supports activities and the patterns '.sync' and '.waitForTaskToken' when a mock is"
            " specified only",
            prefix="",
        )
    if isinstance(state, Task) and not role_arn:
        raise ValidationException("RoleArn must be specified when testing a Task state")


def _inspection(state: State, start: Start, trial: Trial, variables: Mapping[str, Json]) -> Answer:
    hidden = _NOT_SHOWN.get(type(state), set())
    if isinstance(state, Pass):
        hidden = {"afterInputPath", "afterParameters"} if state.result else {"result"}
    notes = {"input": json.loads(start.input), **trial.notes}
    if variables:
        notes["variables"] = variables
    if trial.error_details:
        notes["errorDetails"] = trial.error_details
    return {name: value if name in _NUMBERS else _text(value) for name, value in notes.items() if name not in hidden}


def _text(value: Json) -> str:
    """With the spaces that most inputs come with: AWS keeps the spaces of the texts that it was given."""
    return json.dumps(value, ensure_ascii=False, default=str)
