"""Where S3 is and with whose keys: by the SDK's own settings, from environment, profile and role."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import botocore.session
from botocore.exceptions import (
    InvalidConfigError,
    InvalidEndpointConfigurationError,
    InvalidRegionError,
    NoCredentialsError,
)
from botocore.utils import is_valid_endpoint_url

#: S3 without a region is that of the first one, which knows where every bucket is.
_FIRST_REGION = "us-east-1"
REGION = re.compile(r"[a-z0-9-]+")
#: Buckets that may stand before the host; with a dot in its name, one does not fit the wildcard of S3's certificate.
_HOST_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Place:
    """S3 of a region, or what stands in for it.

    `host` is the endpoint with `{region}` in it. `bucket_first` puts the bucket before it, else it is in the path.
    `trusted` is a file of authorities, or None for those that the SDK brings.
    """

    region: str
    host: str
    bucket_first: bool
    credentials: Any
    trusted: str | None = None

    def url(self, bucket: str, key: str, *, region: str) -> str:
        """An object's address in one of the regions."""
        endpoint, path = self.host.replace("{region}", region), quote(key, safe="/~")
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
    """What the surroundings say. Raises botocore's BotoCoreError where that is nonsense."""
    session = botocore.session.get_session()
    region = session.get_config_variable("region")
    if region in (None, "aws-global"):
        region = _FIRST_REGION
    if not REGION.fullmatch(region):
        raise InvalidRegionError(region_name=region)
    configured = _configured(session)
    if configured and not _is_address(configured):
        raise InvalidEndpointConfigurationError(msg=f"not an address for S3: {configured!r}")
    trusted = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    if trusted and not Path(trusted).exists():
        raise InvalidConfigError(
            error_msg=f"there is no {trusted}, named by AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle"
        )
    return Place(
        region=region,
        host=configured or _public(session, region),
        bucket_first=not configured,
        credentials=session.get_credentials(),
        trusted=trusted,
    )


def _configured(session: Any) -> str:
    """An endpoint for S3, or one for all services, from the environment or else the profile.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return ""
    found = (
        os.environ.get("AWS_ENDPOINT_URL_S3")
        or os.environ.get("AWS_ENDPOINT_URL")
        or _services(session).get("endpoint_url")
        or session.get_scoped_config().get("endpoint_url")
        or ""
    )
    return str(found).rstrip("/")


def _services(session: Any) -> dict[str, str]:
    """What the profile's section of services has for S3."""
    name = session.get_scoped_config().get("services")
    if not name:
        return {}
    of_s3 = session.full_config.get("services", {}).get(name, {"s3": None}).get("s3", {})
    if not isinstance(of_s3, dict):
        raise InvalidConfigError(error_msg=f"the profile's [services {name}] is not there, or its s3 is no section")
    return of_s3


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and parts.port != 0 and bool(is_valid_endpoint_url(text))
    except ValueError:  # of a port that is none, or half an IPv6 address
        return False


def _public(session: Any, region: str) -> str:
    """https://docs.aws.amazon.com/general/latest/gr/s3.html"""
    fips = "-fips" if session.get_config_variable("use_fips_endpoint") else ""
    both = ".dualstack" if session.get_config_variable("use_dualstack_endpoint") else ""
    partitions = session.get_component("data_loader").load_data("partitions")["partitions"]
    suffixes = [one["outputs"]["dnsSuffix"] for one in partitions if re.match(one["regionRegex"], region)]
    return f"https://s3{fips}{both}.{{region}}.{suffixes[0] if suffixes else 'amazonaws.com'}"
