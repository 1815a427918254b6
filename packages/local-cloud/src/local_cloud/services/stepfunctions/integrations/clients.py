"""Clients by which states call services, each as a machine's role."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from local_cloud.cloud import Cloud, Role

from ..journal import Start

#: Who becomes a machine's role.
SERVICE = "states.amazonaws.com"


@dataclass(frozen=True)
class Clients:
    cloud: Cloud
    execution_status: Callable[[str], str]
    """Of an execution's ARN."""
    has_activity: Callable[[str], bool]
    """Of an activity's ARN."""

    def of(self, service: str, start: Start, *, role_arn: str = "") -> Any:
        """A client that acts as the machine's role, as every call of a machine does, or as the role of its state.

        A state's Credentials name a role that the machine's own has to be allowed to assume.

        The session has a name of 32 random letters, as on AWS (`assumed-role/<role>/pUBglYSipyAbyPsehEoWHmOFMDviUKzd`
        in messages of denied calls); one name per role and process, so that the number of clients stays bounded.
        """
        own = start.revision.role_arn
        if role_arn and role_arn != own:
            return self.cloud.client(service, actor=Role(role_arn, own, _session_name(role_arn)))
        actor = Role(own, SERVICE, _session_name(own), source_arn=start.machine_arn)
        return self.cloud.client(service, actor=actor)

    def glue_run_state(self, job_name: str, run_id: str) -> str:
        """The JobRunState, without the cost of a request."""
        from moto.glue.models import glue_backends

        settings = self.cloud.settings
        run = glue_backends[settings.account_id][settings.region].get_job_run(job_name, run_id)
        return str(run.as_dict()["JobRunState"])


@lru_cache(maxsize=1024)
def _session_name(role_arn: str) -> str:
    return "".join(secrets.choice(string.ascii_letters) for _ in range(32))
