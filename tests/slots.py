"""Executions that wait for slots of Glue jobs, simulated from a definition: its Retry, Choice and Wait as they ship.

Step Functions' rules: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html (a Retry counts
anew when its state is entered anew; FULL jitter is anything from nothing to the delay).
"""

from __future__ import annotations

import heapq
import random
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NO_SLOT, THROTTLED = "Glue.ConcurrentRunsExceededException", "Glue.AWSGlueException"
#: Scheduled, Started, SubmitFailed.
EVENTS_OF_AN_ATTEMPT = 3
#: A job that runs: its attempt, and entering and leaving the state.
EVENTS_OF_A_JOB = 6
#: Leaving the state and coming back: it, MayWaitForSlot, WaitForSlot and ReturnToJob are each entered and left.
EVENTS_OF_A_RETURN = 8
#: What an execution has beside its jobs: fewer.
OTHER_EVENTS = 100


def jobs(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The states that run a job, by name, in order."""
    return {name: state for name, state in definition["States"].items() if _runs_a_job(state)}


def _runs_a_job(state: Mapping[str, Any]) -> bool:
    return str(state.get("Resource", "")).endswith("glue:startJobRun.sync")


def retrier(state: Mapping[str, Any], error: str) -> Mapping[str, Any]:
    (found,) = [one for one in state["Retry"] if error in one["ErrorEquals"]]
    return found  # type: ignore[no-any-return]


def delays(retry: Mapping[str, Any]) -> list[float]:
    """The longest pause before each attempt, in seconds."""
    pauses = (retry["IntervalSeconds"] * retry["BackoffRate"] ** number for number in range(retry["MaxAttempts"]))
    return [min(pause, retry.get("MaxDelaySeconds", float("inf"))) for pause in pauses]


def pause_before_return(definition: Mapping[str, Any]) -> int:
    """The longest WaitForSlot, in seconds."""
    found = re.fullmatch(r"\{% \$ceil\((\d+) \* \$random\(\)\) %\}", definition["States"]["WaitForSlot"]["Seconds"])
    assert found
    return int(found[1])


def waiting_budget(definition: Mapping[str, Any]) -> float:
    """Seconds after its start until which an execution goes on waiting."""
    (choice,) = definition["States"]["MayWaitForSlot"]["Choices"]
    found = re.search(r"\$age < (\d+)", choice["Condition"])
    assert found
    return int(found[1]) / 1000


@dataclass
class Outcome:
    """What became of one execution; times in seconds."""

    began: float
    ended: float = 0.0
    lost: bool = False
    waited: float = 0.0
    """Longest wait for one slot."""
    events: int = OTHER_EVENTS


@dataclass
class Glue:
    """Slots of each job, and how many StartJobRun a second are answered by anything but throttling."""

    slots: int
    starts_a_second: float
    ends: dict[str, list[float]] = field(default_factory=dict)
    _tokens: float = 10.0
    _asked: float = 0.0

    def start(self, job: str, now: float, seconds: float) -> str | None:
        """Start a run, or the error."""
        self._tokens = min(10.0, self._tokens + (now - self._asked) * self.starts_a_second)
        self._asked = now
        if self._tokens < 1:
            return THROTTLED
        self._tokens -= 1
        ends = self.ends.setdefault(job, [])
        while ends and ends[0] <= now:
            heapq.heappop(ends)
        if len(ends) >= self.slots:
            return NO_SLOT
        heapq.heappush(ends, now + seconds)
        return None


def simulate(
    definition: Mapping[str, Any],
    starts: Sequence[float],
    *,
    job_seconds: float,
    seed: int,
    slots: int = 8,
    starts_a_second: float = 5.0,
) -> list[Outcome]:
    """One execution for each moment in `starts`, all on the same jobs; a run takes 80 to 120 % of `job_seconds`."""
    chance = random.Random(seed)
    glue = Glue(slots, starts_a_second)
    outcomes = [Outcome(began) for began in starts]
    steps = [_execution(definition, outcome, glue, chance, job_seconds) for outcome in outcomes]
    agenda = [(outcome.began + next(steps[number]), number) for number, outcome in enumerate(outcomes)]
    heapq.heapify(agenda)
    while agenda:
        now, number = heapq.heappop(agenda)
        try:
            heapq.heappush(agenda, (now + steps[number].send(now), number))
        except StopIteration:
            outcomes[number].ended = now
    return outcomes


def _execution(
    definition: Mapping[str, Any], outcome: Outcome, glue: Glue, chance: random.Random, job_seconds: float
) -> Generator[float, float, None]:
    """A generator that yields how long it pauses, and is sent the time then."""
    now = yield 0.0
    for name, state in jobs(definition).items():
        asked = now
        pauses = _pauses(state)
        while error := glue.start(name, now, seconds := job_seconds * chance.uniform(0.8, 1.2)):
            outcome.events += EVENTS_OF_AN_ATTEMPT
            longest = next(pauses[error], None)
            if longest is None:
                if now - outcome.began >= waiting_budget(definition):
                    outcome.lost = True
                    return
                outcome.events += EVENTS_OF_A_RETURN
                longest = pause_before_return(definition)
                pauses = _pauses(state)
            now = yield chance.uniform(0, longest)
        outcome.waited = max(outcome.waited, now - asked)
        outcome.events += EVENTS_OF_A_JOB
        now = yield seconds


def _pauses(state: Mapping[str, Any]) -> dict[str, Iterator[float]]:
    return {error: iter(delays(retrier(state, error))) for error in (NO_SLOT, THROTTLED)}
