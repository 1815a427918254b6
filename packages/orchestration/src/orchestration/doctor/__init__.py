"""What an environment's account lacks before and after the first deployment, each with the command that helps.

Nothing is changed. A check that the caller may not make is a warning that names the missing action; the others are made
all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from orchestration.doctor import account, alerts, delivery, permissions
from orchestration.doctor.finding import WARNING, Finding
from orchestration.environments import Environment

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException")

Check = Callable[[Environment], Iterator[Finding]]


def examine(environment: Environment) -> Iterator[Finding]:
    """Make every check on an activated environment, in the order in which a first deployment meets them."""
    checks: dict[str, Check] = {
        "identity": account.identity,
        "region": account.region,
        "network": account.network,
        "quotas": account.quotas,
        "permissions": permissions.may_deploy,
        "stacks": account.stacks_of_environment,
        "alerts": alerts.subscriptions,
        "QuickSight": alerts.quicksight,
        "delivery": delivery.roles,
        "GitHub": delivery.github,
    }
    for name, check in checks.items():
        try:
            yield from check(environment)
        except (BotoCoreError, ClientError) as error:
            yield Finding(name, WARNING, _not_looked_up(error))


def _not_looked_up(error: Exception) -> str:
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in _DENIED:
        action = re.search(r"not authorized to perform: ([\w:-]+)", str(error))
        return f"not looked up: you may not {action[1] if action else error.operation_name}"
    return f"not looked up: {error}"
