"""AWS for a serverless ELT on one machine: real jobs, real SQL, one endpoint."""

from local_cloud.control import Status, down, reset, status, up
from local_cloud.errors import (
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
from local_cloud.settings import Settings
from local_cloud.version import __version__

__all__ = [
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
    "__version__",
    "down",
    "fire",
    "reset",
    "status",
    "up",
]
