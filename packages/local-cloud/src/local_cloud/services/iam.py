"""IAM: moto's, with the client ids of an OIDC provider that can change."""

from __future__ import annotations

from typing import Any

from local_cloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    from moto.core.responses import EmptyResult
    from moto.iam.responses import IamResponse

    def client_ids(response: Any) -> tuple[list[str], str]:
        arn = response._get_param("OpenIDConnectProviderArn")
        return response.backend.get_open_id_connect_provider(arn).client_id_list, response._get_param("ClientID")

    def add(self: Any) -> Any:
        known, client_id = client_ids(self)
        if client_id not in known:
            known.append(client_id)
        return EmptyResult()

    def remove(self: Any) -> Any:
        known, client_id = client_ids(self)
        if client_id in known:
            known.remove(client_id)
        return EmptyResult()

    IamResponse.add_client_id_to_open_id_connect_provider = add
    IamResponse.remove_client_id_from_open_id_connect_provider = remove
