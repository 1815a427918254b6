"""What can be wrong after a kill."""

from __future__ import annotations

from dataclasses import dataclass

#: The columns of the table. `lost` and `doubled` count rows, all others occurrences.
KINDS = ("lost", "doubled", "retry", "stuck", "orphan", "left", "release", "disagrees")


@dataclass(frozen=True)
class Problem:
    """`kind` is one of KINDS, `amount` is in rows for lost and doubled."""

    kind: str
    text: str
    amount: int = 1


def compare(name: str, found: int, *expected: int) -> list[Problem]:
    """Rows found beside the numbers that are right, of which there are two between a kill and the next try."""
    if found in expected:
        return []
    nearest = min(expected, key=lambda rows: abs(rows - found))
    words = f"{name}: {found} rows, not {' or '.join(map(str, expected))}"
    return [Problem("lost" if found < nearest else "doubled", words, abs(found - nearest))]
