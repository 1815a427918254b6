"""Succeed: the end of a machine, with its input for its output."""

from __future__ import annotations

from ...language.tree import Succeed
from ..flow import effective_input, pass_on
from ..scope import Done, Scope


def run_succeed(scope: Scope, state: Succeed) -> Done:
    return pass_on(scope, state, effective_input(scope), next=None, assign=state.assign, output=state.output)
