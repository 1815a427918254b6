"""Everything local_cloud raises on purpose.

::

    LocalCloudError
     ├─ SettingsError        a port or folder that cannot be used              wrong usage
     ├─ PortInUse            something else answers on the port                wrong usage
     ├─ StateInUse           another local cloud works on this state folder    wrong usage
     ├─ StateUnusable        state that is damaged or cannot be read           recover sets it aside
     │   └─ CommitsLost      a database without its last commits
     ├─ StateNotSaved        the disk does not take a change                   tried again
     ├─ NotRunning           no local cloud answers on this state folder
     ├─ FireFailed           no such schedule, or its target refused
     ├─ StartFailed          the server process ended before it answered
     └─ StopFailed           the server process did not end

Errors of the emulated services are not here: they are AWS's own, and travel as HTTP responses.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_COMMAND = re.compile(r"`(\w+)`")

#: What helps against most damage. A word in backquotes is a command of whoever starts the cloud.
RECOVER = "`recover` sets it aside, and says what that costs."


class LocalCloudError(Exception):
    """One line for the user: what happened, where, and what to do. `exit_code` is the command line's."""

    exit_code = 1


class SettingsError(LocalCloudError):
    exit_code = 2


class PortInUse(LocalCloudError):
    exit_code = 2


class StateInUse(LocalCloudError):
    exit_code = 2


class StateUnusable(LocalCloudError):
    """`problem` is what is wrong with which file, `step` what helps: a word in backquotes in it is a command."""

    def __init__(self, problem: str, step: str = RECOVER) -> None:
        super().__init__(problem, step)
        self.problem = problem
        self.step = step

    def said(self, command: Callable[[str], str]) -> str:
        """The whole line, its commands as the user would type them."""
        if not self.step:
            return self.problem
        return f"{self.problem}. {_COMMAND.sub(lambda found: f'`{command(found[1])}`', self.step)}"

    def __str__(self) -> str:
        return self.said("local-cloud {}".format)


class CommitsLost(StateUnusable):
    """A database lacks its last commits. `accept()` goes on without them."""

    def __init__(self, problem: str, step: str, *, accept: Callable[[], None]) -> None:
        super().__init__(problem, step)
        self.accept = accept


class StateNotSaved(LocalCloudError):
    pass


class NotRunning(LocalCloudError):
    pass


class FireFailed(LocalCloudError):
    pass


class StartFailed(LocalCloudError):
    pass


class StopFailed(LocalCloudError):
    pass
