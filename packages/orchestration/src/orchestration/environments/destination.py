"""Where an environment is: the account, region and endpoint that the caller's keys and settings lead to."""

from __future__ import annotations

from dataclasses import dataclass

import boto3

from orchestration import environments
from orchestration.environments import Environment

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Destination:
    """`endpoint` is AWS_ENDPOINT_URL, "" where the SDK goes to AWS itself."""

    environment: str
    account: str
    region: str
    endpoint: str

    @property
    def is_aws(self) -> bool:
        return not self.endpoint

    def __str__(self) -> str:
        text = f"{self.environment}: account {self.account}, region {self.region}"
        return text if self.is_aws else f"{text}, endpoint {self.endpoint}"


def find(environment: Environment) -> Destination:
    """Ask AWS for the account of an environment that is activated. Errors: the SDK's, such as missing keys."""
    url = environments.endpoint()
    return Destination(
        environment.name,
        account=boto3.client("sts").get_caller_identity()["Account"],
        region=boto3.session.Session().region_name,
        endpoint=url.geturl() if url else "",
    )


def warning(destination: Destination) -> str | None:
    """Return what to say of an environment in an account whose commands do not go to AWS; None where they do."""
    url = environments.endpoint()
    if url is None:
        return None
    where = "this machine" if url.hostname in _THIS_MACHINE else url.hostname
    return (
        f"AWS_ENDPOINT_URL is set, so {destination.environment} is on {where} and not on AWS; "
        'eval "$(elt local env --unset)" points this shell at AWS again'
    )
