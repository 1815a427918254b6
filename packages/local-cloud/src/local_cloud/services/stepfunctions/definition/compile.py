"""From the text of a definition to what the interpreter evaluates."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from .. import patches
from .rewrite import for_grammar


class CompileError(ValueError):
    """A definition that keeps the rules but that the interpreter cannot run."""


@lru_cache(maxsize=128)
def compile_definition(text: str) -> Any:
    """The evaluable program of a definition that `check` found good. Programs keep no state: they are shared.

    Raises CompileError.
    """
    patches.apply()
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

    from ..maps.settings import MapSettings

    machine, maps = for_grammar(json.loads(text))
    try:
        program, _ = AmazonStateLanguageParser.parse(json.dumps(machine, ensure_ascii=False))
    except ASLParserException as error:
        raise CompileError(
            f"The local cloud's interpreter does not understand it: {'; '.join(error.errors)}"
        ) from error
    except Exception as error:  # the tree builder raises what its checks find in a dozen classes
        raise CompileError(f"The local cloud's interpreter does not understand it: {error}") from error
    for state in _states(program):
        if state.name in maps:
            state.settings = MapSettings(maps[state.name])
    return program


def _states(program: Any) -> Any:
    """All states, of branches and item processors too."""
    states = getattr(program, "states", None) or program._states
    for state in states.states.values():
        yield state
        for branch in getattr(getattr(state, "branches", None), "programs", ()):
            yield from _states(branch)
        if hasattr(state, "iteration_component"):
            yield from _states(state.iteration_component)
