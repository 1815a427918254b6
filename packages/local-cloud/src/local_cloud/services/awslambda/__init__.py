"""awslambda of the local cloud."""

from __future__ import annotations

from local_cloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    """Nothing yet."""
