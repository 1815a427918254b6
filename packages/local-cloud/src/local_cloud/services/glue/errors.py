"""How a job run ends other than well. (What an API call is refused with is moto's GlueClientError.)

::

    RunEnded
     ├─ JobFailure       FAILED, with the text, one line, as the run's ErrorMessage
     ├─ JobTimedOut      TIMEOUT: the run used up its Timeout
     └─ JobStopped       STOPPED: BatchStopJobRun, or the job was deleted
"""

from __future__ import annotations


class RunEnded(Exception):
    """The run is over."""


class JobFailure(RunEnded):
    pass


class JobTimedOut(RunEnded):
    pass


class JobStopped(RunEnded):
    pass
