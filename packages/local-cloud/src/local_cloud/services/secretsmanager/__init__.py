"""Secrets Manager: moto's, with AWS's labels and errors, and a batch that hands out only what its caller may read."""

from __future__ import annotations

import json
from typing import Any

from local_cloud.api_request import access_key_of
from local_cloud.cloud import Cloud
from local_cloud.permissions.errors import AccessDenied
from local_cloud.permissions.needs import Call, lookups


def install(cloud: Cloud) -> None:
    from moto.secretsmanager.responses import SecretsManagerResponse

    from local_cloud.services.secretsmanager import versions

    versions.patch()
    respond = SecretsManagerResponse.batch_get_secret_value

    def batch_get_secret_value(self: Any) -> str:
        """BatchGetSecretValue: a secret that GetSecretValue refuses is among the errors.

        https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
        """
        answer = json.loads(respond(self))
        access = cloud.permissions.access(access_key_of(self.headers.get("Authorization", "")), region=self.region)
        call = Call("secretsmanager", "GetSecretValue", {}, self.region, cloud.settings.account_id)
        asked = self._get_param("SecretIdList") or ()

        def refusal(arn: str) -> str:
            try:
                access.check("secretsmanager:GetSecretValue", arn)
            except AccessDenied as error:
                return str(error)
            return ""

        values, errors = [], []
        for value in answer["SecretValues"]:
            arn, names = value["ARN"], (value["ARN"], value["Name"], value["ARN"][:-7])
            if message := refusal(arn):
                errors.append(_error(next((name for name in asked if name in names), arn), message))
            else:
                values.append(value)
        for error in answer["Errors"]:
            message = refusal(lookups.secret_arn(error["SecretId"], call))
            errors.append(_error(error["SecretId"], message) if message else error)
        return json.dumps({**answer, "SecretValues": values, "Errors": errors})

    SecretsManagerResponse.batch_get_secret_value = batch_get_secret_value


def _error(name: str, message: str) -> dict[str, str]:
    return {"SecretId": name, "ErrorCode": "AccessDeniedException", "Message": message}
