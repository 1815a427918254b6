"""What was asked of whom: which statement allowed each action of a role, and what was refused.

For writing policies that grant no more than is needed: `local-cloud permissions`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from typing import Any

from local_cloud.permissions.evaluation import Decision
from local_cloud.permissions.patterns import Context, matches

#: How many refusals are remembered.
REFUSALS = 1000


class Usage:
    """Since the cloud started, or since `clear`. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._granted: Counter[tuple[str, str, int, str, str]] = Counter()
        self._examples: dict[tuple[str, str, int, str, str], str] = {}
        self._patterns: dict[tuple[str, str, int, str, str], set[str]] = defaultdict(set)
        self._refused: deque[dict[str, Any]] = deque(maxlen=REFUSALS)

    def granted(self, decision: Decision, action: str, resource: str | None, context: Context) -> None:
        """`resource` is None where it is not known which one: then each of the statement's counts."""
        if decision.policy is None or decision.statement is None:
            return
        statement = decision.statement
        key = (decision.policy.owner, decision.policy.name, statement.index, statement.sid, action)
        fitting = {one for one in statement.resources or () if resource is None or matches(one, resource, context)}
        with self._lock:
            self._granted[key] += 1
            self._examples.setdefault(key, resource or "*")
            self._patterns[key] |= fitting

    def refused(self, identity: str, action: str, resource: str, reason: str) -> None:
        entry = {
            "identity": identity,
            "action": action,
            "resource": resource,
            "reason": reason,
            "time": time.time(),
        }
        with self._lock:
            self._refused.append(entry)

    def clear(self) -> None:
        with self._lock:
            self._granted.clear()
            self._examples.clear()
            self._patterns.clear()
            self._refused.clear()

    def as_json(self) -> dict[str, Any]:
        """`granted`: owner of the policy, its name, the statement's place in it and Sid, the action, how often, a
        resource for example, and which of the statement's Resource patterns it fitted. `refused`: the newest refusals,
        oldest first."""
        with self._lock:
            granted = [
                {
                    "owner": owner,
                    "policy": policy,
                    "statement": index,
                    "sid": sid,
                    "action": action,
                    "times": times,
                    "resource": self._examples[owner, policy, index, sid, action],
                    "patterns": sorted(self._patterns[owner, policy, index, sid, action]),
                }
                for (owner, policy, index, sid, action), times in sorted(self._granted.items())
            ]
            return {"granted": granted, "refused": list(self._refused)}
