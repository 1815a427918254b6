"""Step Functions: an interpreter of the Amazon States Language behind an API of its own.

api                     the wire
machines, versions, executions, listings, map_runs, tasks, tags, state_tests
                        the operations
registry, journal       what is known, and how it survives a restart
definition              checks a definition
language                a definition as data, with what its fields mean: pure functions
running, maps           executions while they run
integrations            calls to other services
"""

from __future__ import annotations

from local_cloud.cloud import Cloud

#: Operations whose effects are in the executions' journals, or nowhere, but not in the saved state.
_JOURNALED = (
    "RedriveExecution",
    "SendTaskFailure",
    "SendTaskHeartbeat",
    "SendTaskSuccess",
    "StartExecution",
    "StartSyncExecution",
    "StopExecution",
    "TestState",
)


def install(cloud: Cloud) -> None:
    """Answer the Step Functions API in place of moto."""
    from moto.stepfunctions import urls

    from .api import Api

    api = Api(cloud)
    cloud.persistence.register_moto("stepfunctions", not_after=_JOURNALED)
    urls.url_paths = {"{0}/$": api.handle}
    cloud.apis["stepfunctions"] = api.answer
