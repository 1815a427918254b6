"""Redshift Serverless: its control plane, the Data API, and a SQL engine on DuckDB behind them."""

from __future__ import annotations

from local_cloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    """Take both APIs over from moto, keep the control plane over a restart, end statements with the server.

    DuckDB and the SQL parser are imported by the first statement.
    """
    from local_cloud.services.redshift import wiring

    wiring.install(cloud)
