"""What can go wrong in `elt`.

EltError                  one line for the user; exit code 1
├── UsageError            wrong argument or setting: nothing was started; exit code 2
│   ├── UnknownPipeline
│   └── UnknownEnvironment
├── NotDeployed           a stack that a command needs is not there
├── DeployError           a stack did not reach its new state
├── PublishError          an artifact could not be built or put into the artifact bucket
├── ReportError           a report is missing, or is not what its manifest says
├── RunFailed             an execution ended other than SUCCEEDED
└── Interrupted           Ctrl-C while following an execution; exit code 130
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


class PublishError(EltError):
    """An artifact could not be built or stored."""


class ReportError(EltError):
    """A report in S3 is missing or unreadable."""


class RunFailed(EltError):
    """An execution did not succeed."""


class Interrupted(EltError):
    """The user stopped following an execution; `str()` says what became of it."""

    exit_code = 130
