"""Puts the parts together: control plane, Data API, engine, and the cloud around them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from local_cloud.cloud import Cloud, Role
from local_cloud.permissions import warehouses
from local_cloud.services.redshift.authorized import SERVICES, SESSION, acting, assumable, objects_for, service_for
from local_cloud.services.redshift.data_api.events import publish
from local_cloud.services.redshift.data_api.metadata import Metadata
from local_cloud.services.redshift.data_api.requests import Targets
from local_cloud.services.redshift.data_api.runner import Runner, history_rows
from local_cloud.services.redshift.data_api.service import DataApi
from local_cloud.services.redshift.data_api.sessions import Sessions
from local_cloud.services.redshift.data_api.statements import Statement, StatementStore
from local_cloud.services.redshift.engine.services import CloudServices
from local_cloud.services.redshift.engine.warehouse import Warehouse
from local_cloud.services.redshift.errors import ConnectionRefused
from local_cloud.services.redshift.identity import user_arn
from local_cloud.services.redshift.known import KnownWarehouses
from local_cloud.services.redshift.serverless.control_plane import ControlPlane

if TYPE_CHECKING:
    from local_cloud.services.redshift.engine.session import Session


def install(cloud: Cloud) -> None:
    state, settings = cloud.settings.state_dir, cloud.settings
    warehouse = Warehouse(state / "warehouse", temp_dir=state / "cache" / "warehouse")
    plane = ControlPlane(
        account_id=settings.account_id,
        region=settings.region,
        secrets=lambda: cloud.client("secretsmanager"),
        dropped=lambda namespace: _drop(namespace, runner, sessions, warehouse),
    )
    control, cache = state / "control-plane", state / "cache"
    store = StatementStore(control / "redshift-data", cache / "redshift-results", cloud.persistence.saving)
    sessions = Sessions()
    connect = _connector(cloud, warehouse, plane, store)
    targets = Targets(plane, lambda: cloud.client("secretsmanager"))
    runner = Runner(store, sessions, connect, ended=_publisher(cloud, plane), at_work=warehouse.memory.at_work)
    api = DataApi(store, sessions, runner, targets)
    _serve(plane, api, Metadata(targets, connect))
    warehouses.register(KnownWarehouses(plane, api, sessions))
    cloud.persistence.register("redshiftserverless", save=plane.as_saved, restore=plane.restore)
    # Statements are kept one file each, not as a part of the saved state.
    cloud.persistence.register("redshiftdata", save=lambda: None, restore=lambda saved: None)
    # Before the port answers: who asks for a statement of before a restart finds it.
    store.load(cloud.persistence.set_aside)
    warehouse.check_all()
    cloud.on_stop(warehouse.close)
    cloud.on_stop(sessions.stop)
    cloud.on_stop(runner.stop)


def _drop(namespace: str, runner: Runner, sessions: Sessions, warehouse: Warehouse) -> None:
    runner.cancel_all(namespace)
    sessions.close_all(namespace)
    warehouse.drop_namespace(namespace)


def _serve(plane: ControlPlane, api: DataApi, metadata: Metadata) -> None:
    """Give the operations to moto's dispatcher: the Data API in place of moto's, the other beside it."""
    import moto.backend_index
    import moto.redshiftdata.urls

    from local_cloud.services.redshift import serverless
    from local_cloud.services.redshift.data_api.responses import DataApiResponse
    from local_cloud.services.redshift.serverless import urls
    from local_cloud.services.redshift.serverless.responses import ServerlessResponse

    ServerlessResponse.plane = plane
    DataApiResponse.api, DataApiResponse.metadata = api, metadata
    moto.redshiftdata.urls.url_paths = {"{0}/$": DataApiResponse.dispatch}
    sys.modules["moto.redshiftserverless"] = serverless
    if not any(name == "redshiftserverless" for name, _ in moto.backend_index.backend_url_patterns):
        moto.backend_index.backend_url_patterns += [("redshiftserverless", re.compile(url)) for url in urls.url_bases]


def _connector(
    cloud: Cloud, warehouse: Warehouse, plane: ControlPlane, store: StatementStore
) -> Callable[[str, str, str, int], Session]:
    def connect(namespace: str, database: str, user: str, process: int) -> Session:
        from local_cloud.services.redshift.engine import privileges
        from local_cloud.services.redshift.engine.session import Session

        if not namespace:
            raise ConnectionRefused(f'password authentication failed for user "{user}"')
        record, settings = plane.get_namespace(namespace), cloud.settings
        who = user_arn(user, namespace=namespace, region=settings.region, account_id=settings.account_id)
        services = CloudServices(
            objects=objects_for(cloud),
            glue=lambda role: cloud.client("glue", actor=_as_role(cloud, role, who)),
            may_assume=assumable(cloud),
            first_database=record["dbName"],
            scratch=cloud.settings.state_dir / "cache" / "unload",
            region=cloud.settings.region,
            account_id=cloud.settings.account_id,
            roles=tuple(record["iamRoles"]),
            default_role=record.get("defaultIamRoleArn") or "",
            history=lambda: history_rows(store),
        )
        session = Session(
            warehouse, namespace=namespace, database=database, user=user, services=services, process=process
        )
        privileges.log_in(session)
        return session

    return connect


def _publisher(cloud: Cloud, plane: ControlPlane) -> Callable[[Statement], None]:
    def ended(statement: Statement) -> None:
        workgroup = plane.workgroup_of(statement.workgroup)
        if statement.with_event and workgroup is not None:
            publish(cloud.client("events"), statement, workgroup["workgroupArn"])

    return ended


def _as_role(cloud: Cloud, role: str, user: str) -> Role | None:
    """Redshift as a role, for a database user's ARN; the cloud itself where a schema was made with access keys."""
    chain = [each.strip() for each in role.split(",")]
    if not chain[-1]:
        return None
    if len(chain) > 1:
        return Role(acting(role), chain[-2], SESSION)
    return Role(role, service_for(cloud, role, user) or SERVICES[0], SESSION, external_id=user)
