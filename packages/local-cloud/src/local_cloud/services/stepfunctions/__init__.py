"""Step Functions: moto's interpreter of the Amazon States Language, patched, behind an API of its own.

api                     the wire
machines, versions, executions, listings, map_runs, tasks, tags
                        the operations
registry, journal       what is known, and how it survives a restart
definition              checks a definition and makes it run
running, maps           executions while they run
integrations            calls to other services
patches                 fixes for moto's interpreter, one module per fix
"""

from __future__ import annotations

from local_cloud.cloud import Cloud

#: Operations whose effects are in the executions' journals, not in the saved state.
_JOURNALED = (
    "RedriveExecution",
    "SendTaskFailure",
    "SendTaskHeartbeat",
    "SendTaskSuccess",
    "StartExecution",
    "StartSyncExecution",
    "StopExecution",
)


def install(cloud: Cloud) -> None:
    """Answer the Step Functions API in place of moto."""
    from moto.stepfunctions import urls

    from .api import Api
    from .running.world import World, set_world

    api = Api(cloud)
    set_world(World(cloud, execution_status=lambda arn: api.registry.execution(arn).status))
    cloud.persistence.register_moto("stepfunctions", not_after=_JOURNALED)
    urls.url_paths = {"{0}/$": api.handle}
