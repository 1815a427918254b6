"""What is taken for granted of AWS, asked of an account: each assumption is a probe, and its answer a fact.

    probe ── ground: a scratch stack, bucket, schema ── answer ── beside what local-cloud answers ── verdict

The answers that are expected are local-cloud's, recorded in expected.json, and a test holds it to them. So one run on
one account turns each assumption into a fact, or shows where local-cloud, and what was built on it, is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestration.conformance import glue, redshift, states, watch
from orchestration.conformance.assumption import Probe
from orchestration.conformance.ground import Ground
from orchestration.errors import EltError
from rs_query import RsQueryError

EXPECTED = Path(__file__).with_name("expected.json")
CONFIRMED, DIFFERS, UNANSWERED = "confirmed", "differs", "not answered"


@dataclass(frozen=True)
class Verdict:
    """`result` is CONFIRMED, DIFFERS or UNANSWERED; of the last, `answer` says why."""

    probe: str
    assumption: str
    result: str
    answer: Any
    expected: Any
    rests_on_it: str


def all_probes() -> list[Probe]:
    return [*glue.PROBES, *redshift.PROBES, *states.PROBES, *watch.PROBES]


def examine(ground: Ground, probes: list[Probe]) -> Iterator[Verdict]:
    """Ask each; one that fails is not answered, and the others are asked all the same."""
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    for probe in probes:
        wanted = expected.get(probe.name)
        if probe.warehouse and ground.warehouse is None:
            result, answer = UNANSWERED, f"{ground.environment} has no warehouse yet: elt deploy first"
        else:
            try:
                answer = json.loads(json.dumps(probe.ask(ground)))
                result = CONFIRMED if answer == wanted else DIFFERS
            except (BotoCoreError, ClientError, EltError, RsQueryError, TimeoutError) as error:
                result, answer = UNANSWERED, str(error)
        yield Verdict(probe.name, probe.assumption, result, answer, wanted, probe.rests_on_it)
