"""What can go wrong in `elt`.

EltError                  one line for the user; exit code 1
├── UsageError            wrong argument or setting: nothing was started; exit code 2
│   ├── UnknownPipeline
│   └── UnknownEnvironment
├── NotDeployed           a stack that a command needs is not there
├── DeployError           a stack did not reach its new state
│   └── LeaseLost         another deployment has taken over: whoever lost it undoes nothing
├── PublishError          an artifact could not be built or put into the artifact bucket
│   └── InvalidDefinition a state machine is not what its file's format takes
├── ReportError           a report is missing, or is not what its manifest says
├── RunFailed             an execution ended other than SUCCEEDED
└── Interrupted           Ctrl-C or SIGTERM; exit code 130 or 143

Terminated (a KeyboardInterrupt) is how SIGTERM reaches a command that ends in good order, as by Ctrl-C.
"""

from __future__ import annotations


class EltError(Exception):
    """A failure the user can act on; `str()` says what, where and what to do."""

    exit_code = 1


class UsageError(EltError):
    """Wrong argument or setting. Nothing was started."""

    exit_code = 2


class UnknownPipeline(UsageError):
    """No pipeline of that name."""


class UnknownEnvironment(UsageError):
    """No environment of that name."""


class NotDeployed(EltError):
    """A stack is missing."""


class DeployError(EltError):
    """CloudFormation could not bring a stack to its new state."""


class LeaseLost(DeployError):
    """Somebody else has taken the lease on an environment over."""


class PublishError(EltError):
    """An artifact could not be built or stored."""


class InvalidDefinition(PublishError):
    """The file of a state machine cannot become its JSON."""


class ReportError(EltError):
    """A report in S3 is missing or unreadable."""


class RunFailed(EltError):
    """An execution did not succeed."""


class Terminated(KeyboardInterrupt):
    """SIGTERM."""


class Interrupted(EltError):
    """The user stopped a command; `str()` says what became of it."""

    exit_code = 130

    @classmethod
    def by(cls, stop: KeyboardInterrupt, line: str) -> Interrupted:
        """Make it of what stopped the command, with the exit code that shells give the signal."""
        interrupted = cls(line)
        if isinstance(stop, Terminated):
            interrupted.exit_code = 143
        return interrupted
