"""The backend that moto's dispatcher asks for the service's URLs. The state is `ControlPlane`'s."""

from __future__ import annotations

from moto.core.base_backend import BackendDict, BaseBackend


class RedshiftServerlessBackend(BaseBackend):  # type: ignore[misc]
    """Holds nothing: the class is there for its `urls` module."""


redshiftserverless_backends = BackendDict(RedshiftServerlessBackend, "redshift-serverless")
