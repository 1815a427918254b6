"""What an invocation is refused with, and how a function's process can leave without an answer.

::

    LambdaClientError            moto's: an answer of the API, with AWS's code
     ├─ TooManyRequests          the function's reserved concurrency is used up
     └─ InvalidRequestContent    the event is not JSON
    WorkerGone                   becomes the payload of a failed invocation
     ├─ WorkerTimedOut           no answer in time; the process was killed
     └─ WorkerExited             the process ended; the text says how, in AWS's words
"""

from __future__ import annotations

from moto.awslambda.exceptions import LambdaClientError


class TooManyRequests(LambdaClientError):  # type: ignore[misc]
    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class InvalidRequestContent(LambdaClientError):  # type: ignore[misc]
    def __init__(self, error: ValueError) -> None:
        super().__init__("InvalidRequestContentException", f"Could not parse request body into json: {error}")


class WorkerGone(Exception):
    """The function's process is no more."""


class WorkerTimedOut(WorkerGone):
    pass


class WorkerExited(WorkerGone):
    pass
