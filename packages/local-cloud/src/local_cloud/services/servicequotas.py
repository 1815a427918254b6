"""Service Quotas: AWS's defaults of what a serverless ELT runs into, beside moto's, which are VPC's.

https://docs.aws.amazon.com/general/latest/gr/glue.html, https://docs.aws.amazon.com/general/latest/gr/lambda-service.html
"""

from __future__ import annotations

from typing import Any

from local_cloud.cloud import Cloud

DEFAULTS = {
    "glue": {
        "L-5E4153CA": ("Max concurrent job runs per account", 2000),
        "L-F574AED9": ("Max concurrent job runs per job", 4000),
    },
    "lambda": {"L-B99A9384": ("Concurrent executions", 1000)},
}


def install(cloud: Cloud) -> None:
    from moto.servicequotas.exceptions import NoSuchResource
    from moto.servicequotas.models import ServiceQuotasBackend

    defaults, one = ServiceQuotasBackend.list_aws_default_service_quotas, ServiceQuotasBackend.get_service_quota

    def list_defaults(self: Any, service_code: str) -> list[dict[str, Any]]:
        if service_code not in DEFAULTS:
            return list(defaults(self, service_code))
        return [_quota(service_code, code) for code in DEFAULTS[service_code]]

    def get(self: Any, service_code: str, quota_code: str) -> dict[str, Any]:
        if service_code not in DEFAULTS:
            return dict(one(self, service_code, quota_code))
        if quota_code not in DEFAULTS[service_code]:
            raise NoSuchResource
        return _quota(service_code, quota_code)

    ServiceQuotasBackend.list_aws_default_service_quotas = list_defaults
    ServiceQuotasBackend.get_service_quota = get


def _quota(service: str, code: str) -> dict[str, Any]:
    name, value = DEFAULTS[service][code]
    return {
        "ServiceCode": service,
        "QuotaCode": code,
        "QuotaName": name,
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
