"""Tasks call services with fixed keys, on moto's own port.

`asl/utils/boto_client.py:boto_client_for` knows neither the cloud's endpoint nor roles. Calls act as the machine's
role, or as the role in the state's Credentials (`running.world`). Tasks whose Resource is a function's ARN use it, in
`state_task/lambda_eval_utils.py`; all others are `service_tasks`.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

from ..running.world import world


def apply() -> None:
    execute = lambda_eval_utils.execute_lambda_function_integration
    calling = threading.local()

    def execute_lambda_function_integration(env: Any, **options: Any) -> None:
        calling.env = env
        execute(env=env, **options)

    def boto_client_for(region: str, service: str, state_credentials: Any) -> Any:
        return world().client(service, calling.env, state_credentials.role_arn)

    lambda_eval_utils.execute_lambda_function_integration = execute_lambda_function_integration

    lambda_eval_utils.boto_client_for = boto_client_for
