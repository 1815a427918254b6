"""What functions of time and of the session give in one statement."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Moment:
    """The instants that a statement sees, both in UTC without a zone, as GETDATE and SYSDATE give them.

    `session` holds the functions of the session by their names.
    """

    statement: datetime.datetime
    transaction: datetime.datetime
    session: Mapping[str, str | int | None] = field(default_factory=dict)
