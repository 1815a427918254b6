"""Where S3 is and with whose keys: by the SDK's own settings, from environment, profile and role."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import botocore.session
from botocore.exceptions import InvalidEndpointConfigurationError, NoCredentialsError, NoRegionError
from botocore.httpsession import get_cert_path

#: Buckets that may stand before the host; with a dot in its name, one does not fit the wildcard of S3's certificate.
_HOST_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Place:
    """S3 of a region, or what stands in for it.

    `host` is the endpoint with `{region}` in it. `bucket_first` puts the bucket before it, else it is in the path.
    """

    region: str
    host: str
    bucket_first: bool
    credentials: Any
    ca_bundle: str | None = None
    """A file of authorities to trust instead of the system's."""

    def endpoint(self, region: str) -> str:
        """Scheme and host for one of the regions."""
        return self.host.replace("{region}", region)

    def url(self, bucket: str, key: str, *, region: str) -> str:
        """An object's address in one of the regions."""
        endpoint, path = self.endpoint(region), quote(key, safe="/~")
        if not self.bucket_first or not _HOST_LABEL.fullmatch(bucket):
            return f"{endpoint}/{bucket}/{path}"
        scheme, _, host = endpoint.partition("://")
        return f"{scheme}://{bucket}.{host}/{path}"

    def keys(self) -> Any:
        """The keys as they are now; the SDK renews a role's. Raises NoCredentialsError."""
        if self.credentials is None:
            raise NoCredentialsError
        return self.credentials.get_frozen_credentials()


def find() -> Place:
    """What the surroundings say. Raises botocore's BotoCoreError where that is too little, or nonsense."""
    session = botocore.session.get_session()
    region = session.get_config_variable("region")
    if not region:
        raise NoRegionError
    configured = _configured(session)
    if configured and not urlsplit(configured).hostname:
        raise InvalidEndpointConfigurationError(msg=f"not an address for S3: {configured!r}")
    return Place(
        region=region,
        host=configured or _public(session, region),
        bucket_first=not configured,
        credentials=session.get_credentials(),
        ca_bundle=session.get_config_variable("ca_bundle") or get_cert_path(verify=True),
    )


def _configured(session: Any) -> str:
    """An endpoint for S3, or one for all services, from the environment or else the profile.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return ""
    profile = session.get_scoped_config()
    services = session.full_config.get("services", {}).get(profile.get("services"), {})
    found = (
        os.environ.get("AWS_ENDPOINT_URL_S3")
        or os.environ.get("AWS_ENDPOINT_URL")
        or services.get("s3", {}).get("endpoint_url")
        or profile.get("endpoint_url")
        or ""
    )
    return str(found).rstrip("/")


def _public(session: Any, region: str) -> str:
    """https://docs.aws.amazon.com/general/latest/gr/s3.html"""
    fips = "-fips" if session.get_config_variable("use_fips_endpoint") else ""
    both = ".dualstack" if session.get_config_variable("use_dualstack_endpoint") else ""
    partitions = session.get_component("data_loader").load_data("partitions")["partitions"]
    suffixes = [one["outputs"]["dnsSuffix"] for one in partitions if re.match(one["regionRegex"], region)]
    return f"https://s3{fips}{both}.{{region}}.{suffixes[0] if suffixes else 'amazonaws.com'}"
