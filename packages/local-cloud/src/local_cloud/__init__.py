"""AWS for a serverless ELT on one machine: real jobs, real SQL, one endpoint."""

from local_cloud.caches import prune, size_of, sizes
from local_cloud.control import Status, down, recover, reset, state_of, status, up
from local_cloud.errors import (
    CommitsLost,
    FireFailed,
    LocalCloudError,
    NotRunning,
    PortInUse,
    SettingsError,
    StartFailed,
    StateInUse,
    StateNotSaved,
    StateUnusable,
    StopFailed,
)
from local_cloud.services.scheduler.command import fire
from local_cloud.settings import Settings, Typed
from local_cloud.version import __version__

__all__ = [
    "CommitsLost",
    "FireFailed",
    "LocalCloudError",
    "NotRunning",
    "PortInUse",
    "Settings",
    "SettingsError",
    "StartFailed",
    "StateInUse",
    "StateNotSaved",
    "StateUnusable",
    "Status",
    "StopFailed",
    "Typed",
    "__version__",
    "down",
    "fire",
    "prune",
    "recover",
    "reset",
    "size_of",
    "sizes",
    "state_of",
    "status",
    "up",
]
