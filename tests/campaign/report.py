"""The table of a campaign."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from campaign.campaign import Kill
from campaign.problem import KINDS

_TITLES = {
    "lost": "rows lost",
    "doubled": "rows doubled",
    "retry": "failed retries",
    "stuck": "stuck",
    "orphan": "orphans",
    "left": "left over",
    "release": "not the release",
    "disagrees": "commands disagree",
}


def table(kills: Sequence[Kill]) -> str:
    """Kills by what was done, after which line, and what was killed; the last line is the sum."""
    rows: dict[tuple[str, str, str], list[Kill]] = defaultdict(list)
    counted = [kill for kill in kills if kill.hit or kill.problems]
    for kill in counted:
        rows[kill.scenario, kill.moment.text.strip() or "(start)", kill.moment.target].append(kill)
    lines = [["doing", "after", "killed", "kills", *_TITLES.values()]]
    lines += [[*key, *_figures(of)] for key, of in sorted(rows.items())]
    lines.append(["all", "", "", *_figures(counted)])
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    text = [
        "  ".join(
            cell.ljust(width) if place < 3 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    missed = len(kills) - len(counted)
    return "\n".join([*text, *([f"{missed} more found nothing to kill in time"] if missed else [])])


def _figures(kills: Sequence[Kill]) -> list[str]:
    sums = dict.fromkeys(KINDS, 0)
    for kill in kills:
        for problem in kill.problems:
            sums[problem.kind] += problem.amount
    return [str(len(kills)), *(str(sums[kind]) for kind in KINDS)]
