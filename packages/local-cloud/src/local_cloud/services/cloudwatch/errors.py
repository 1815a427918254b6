"""What is wrong with an alarm that is kept but cannot be evaluated here.

::

    AlarmError
     └─ ExpressionError      metric math that is none, or that the local cloud does not do
"""

from __future__ import annotations


class AlarmError(Exception):
    """`str(error)` is one line; the alarm shows it as its StateReason."""


class ExpressionError(AlarmError):
    pass
