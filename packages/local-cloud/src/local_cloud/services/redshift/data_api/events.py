"""The event that WithEvent asks for.

https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-monitoring-events.html
"""

from __future__ import annotations

import json
from typing import Any

from local_cloud.services.redshift.data_api.statements import RETENTION, Statement


def publish(client: Any, statement: Statement, resource: str) -> None:
    """Put the event of an ended statement on the default bus. `client` is one of EventBridge."""
    last = statement.parts[-1]
    detail = {
        "principal": statement.principal,
        "statementName": statement.name,
        "statementId": statement.id,
        "redshiftQueryId": str(last.query_id),
        "state": statement.status,
        "rows": last.rows,
        "expireAt": int(statement.created + RETENTION),
    }
    client.put_events(
        Entries=[
            {
                "Source": "aws.redshift-data",
                "DetailType": "Redshift Data Statement Status Change",
                "Detail": json.dumps(detail),
                "Resources": [resource],
            }
        ]
    )
