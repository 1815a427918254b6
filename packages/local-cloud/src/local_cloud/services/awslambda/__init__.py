"""Lambda: functions are moto's, invocations real processes."""

from __future__ import annotations

from local_cloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    """Patch moto's functions and Invoke; end the processes with the server."""
    from moto.awslambda.exceptions import InvalidParameterValueException

    from local_cloud.permissions.errors import CannotAssume
    from local_cloud.processes.environments import Environments
    from local_cloud.processes.packages import Packages
    from local_cloud.services.awslambda import functions, names, requests
    from local_cloud.services.awslambda.events import AsyncEvents
    from local_cloud.services.awslambda.invocations import Invocations
    from local_cloud.services.awslambda.preparation import CANNOT_ASSUME, SERVICE, Preparation

    account_id, region = cloud.settings.account_id, cloud.settings.region
    cache = cloud.settings.state_dir / "cache"
    preparation = Preparation(
        cloud=cloud,
        environments=Environments(cache / "environments"),
        packages=Packages(cache / "packages", cloud.objects),
    )
    invocations = Invocations(preparation, folder=cache / "lambda-workers")

    def read_object(bucket: str, key: str, version: str) -> bytes:
        """Through the API where a version is named, which plain objects do not know."""
        if not version:
            return cloud.objects.read(bucket, key)
        s3 = cloud.client("s3")
        try:
            body: bytes = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()
        except s3.exceptions.ClientError as error:
            raise KeyError(f"s3://{bucket}/{key}") from error
        return body

    def check_role(role_arn: str, function_arn: str) -> None:
        try:
            cloud.permissions.check_trust(role_arn, SERVICE, aws__sourcearn=function_arn)
        except CannotAssume:
            raise InvalidParameterValueException(CANNOT_ASSUME) from None

    names.patch()
    functions.patch(read_object, check_role)
    requests.patch(invocations, AsyncEvents(cloud, invocations))
    cloud.persistence.register_moto("awslambda", not_after=["Invoke", "InvokeAsync", "InvokeWithResponseStream"])
    cloud.cache_users.append(lambda: invocations.needs(functions.defined(account_id, region)))
    cloud.on_start(invocations.recover)
    cloud.on_stop(invocations.shut_down)
