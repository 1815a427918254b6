"""Everything local_cloud raises on purpose.

::

    LocalCloudError
     ├─ SettingsError        a port or folder that cannot be used              wrong usage
     ├─ PortInUse            something else answers on the port                wrong usage
     ├─ StateInUse           another local cloud works on this state folder    wrong usage
     ├─ StateUnusable        state that is damaged or of another version       reset cures it
     ├─ NotRunning           no local cloud answers on this state folder
     ├─ FireFailed           no such schedule, or its target refused
     ├─ StartFailed          the server process ended before it answered
     └─ StopFailed           the server process did not end

Errors of the emulated services are not here: they are AWS's own, and travel as HTTP responses.
"""

from __future__ import annotations


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
    pass


#: What every StateUnusable ends with.
CURE = "Run `local-cloud reset` to start afresh (it deletes this state)."


class NotRunning(LocalCloudError):
    pass


class FireFailed(LocalCloudError):
    pass


class StartFailed(LocalCloudError):
    pass


class StopFailed(LocalCloudError):
    pass
