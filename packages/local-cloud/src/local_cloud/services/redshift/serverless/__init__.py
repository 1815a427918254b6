"""redshift-serverless: namespaces, workgroups and their usage limits.

moto has no such service; under this package's name in `sys.modules` it takes ours for one of its own.
"""

from local_cloud.services.redshift.serverless.models import redshiftserverless_backends

__all__ = ["redshiftserverless_backends"]
