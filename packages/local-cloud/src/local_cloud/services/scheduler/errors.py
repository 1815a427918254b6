"""What is wrong with a schedule. (What its target refuses is botocore's error, or `targets.UnsupportedTarget`.)

::

    ScheduleError
     ├─ ExpressionError     no schedule expression, or no time zone: the API answers ValidationException
     ├─ CronError           which of the six fields is wrong, and why
     └─ FireError           fired by hand, a schedule is not there or its target refused
"""

from __future__ import annotations


class ScheduleError(Exception):
    """`str(error)` is one line."""


class ExpressionError(ScheduleError):
    pass


class CronError(ScheduleError):
    pass


class FireError(ScheduleError):
    pass
