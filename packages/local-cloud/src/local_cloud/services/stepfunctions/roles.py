"""What AWS asks of a machine's role when the machine is made or changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.permissions.errors import AccessDenied, CannotAssume

from .errors import AccessDeniedException
from .integrations.clients import SERVICE

#: What a role needs to have executions logged.
#: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
LOG_DELIVERY = (
    *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries"),
    *("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
)

#: What a role needs to wait for executions of other machines, on Step Functions' own rule.
#: https://docs.aws.amazon.com/step-functions/latest/dg/stepfunctions-iam.html
MANAGED_RULE = ("DescribeRule", "PutRule", "PutTargets")
RULE_NAME = "StepFunctionsGetEventsForStepFunctionsExecutionRule"


class Roles:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def check(self, role_arn: str, definition: str, logging: Mapping[str, Any] | None, machine_arn: str) -> None:
        """AccessDeniedException, in AWS's words, where the role does not serve the machine.

        The words of the rule: https://github.com/terraform-aws-modules/terraform-aws-step-functions/issues/41
        """
        self.check_trust(role_arn, machine_arn)
        settings = self.cloud.settings
        rule = f"arn:aws:events:{settings.region}:{settings.account_id}:rule/{RULE_NAME}"
        if ":states:startExecution.sync" in definition and not self._may(role_arn, "events", MANAGED_RULE, rule):
            raise AccessDeniedException(f"'{role_arn}' is not authorized to create managed-rule.")
        if (logging or {}).get("level", "OFF") != "OFF" and not self._may(role_arn, "logs", LOG_DELIVERY, "*"):
            raise AccessDeniedException("The state machine IAM Role is not authorized to access the Log Destination")

    def check_trust(self, role_arn: str, machine_arn: str) -> None:
        """AccessDeniedException where Step Functions may not assume the role for the machine."""
        try:
            self.cloud.permissions.check_trust(role_arn, SERVICE, aws__sourcearn=machine_arn)
        except CannotAssume:
            raise AccessDeniedException(
                "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to "
                "assume the provided role."
            ) from None

    def _may(self, role_arn: str, service: str, operations: tuple[str, ...], resource: str) -> bool:
        try:
            for name in operations:
                self.cloud.permissions.check_role(role_arn, f"{service}:{name}", resource, session_name="StepFunctions")
        except AccessDenied:
            return False
        return True
