"""The state that an alarm's values mean.

AWS looks at more periods than the alarm names, so that late data does little harm: the newest values that are
there count, also from a little farther back. Only where they are too few, missing ones are filled in as the alarm
says. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html (its tables are
this module's tests.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"

#: How many periods AWS looks at beyond those the alarm names; it does not say, its tables show two.
EXTRA_PERIODS = 2

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def decide(breaching: Sequence[bool | None], *, current: str, periods: int, to_alarm: int, missing: str) -> str:
    """OK, ALARM or INSUFFICIENT_DATA.

    `breaching` holds `periods` + EXTRA_PERIODS windows, oldest first, None for one without data; `to_alarm` of
    `periods` have to breach. `missing` is the alarm's TreatMissingData, `current` the state it is in.
    """
    real = [value for value in breaching if value is not None][-periods:]
    bad, filled = sum(real), periods - len(real)
    if bad >= to_alarm:
        return ALARM
    if filled == 0 or missing == "notBreaching":
        return OK
    if missing == "breaching":
        return ALARM if bad + filled >= to_alarm else OK
    if missing == "ignore":
        return OK if bad < len(real) else current
    if not real:
        return INSUFFICIENT_DATA
    # What little there is all breaches, and began long enough ago.
    began = next((age for age, value in zip(range(len(breaching), 0, -1), breaching, strict=True) if value), 0)
    return ALARM if bad == len(real) and began >= to_alarm else OK
