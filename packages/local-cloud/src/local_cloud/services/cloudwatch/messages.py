"""What an alarm tells: a document for programs, and the mail that people get in its place.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudwatch import states

_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_TREATED = {"breaching": "[Breaching]", "notBreaching": "[NonBreaching]", "ignore": "[Ignored]"}


def reason(alarm: Any, state: str, values: list[float]) -> str:
    """The sentence behind a change. `values` are the data points that were there."""
    if state == states.INSUFFICIENT_DATA:
        return "Insufficient Data: no datapoints were received."
    periods = int(alarm.evaluation_periods)
    words = f"{_WORDS[alarm.comparison_operator]} the threshold ({float(alarm.threshold)})"
    if not values:
        treated = _TREATED.get(alarm.treat_missing_data or "", "")
        were = "was" if periods == 1 else "were"
        return (
            f"Threshold Crossed: no datapoints were received for {periods} period(s) and {were} treated as {treated}."
        )
    shown = ", ".join(map(str, values))
    verb = "was" if len(values) == 1 else "were"
    crossed = verb if state == states.ALARM else f"{verb} not"
    return f"Threshold Crossed: {len(values)} out of the last {periods} datapoints [{shown}] {crossed} {words}."


def subject(alarm: Any) -> str:
    return f'{alarm.state_value}: "{alarm.name}" in {alarm.region_name}'[:100]


def document(alarm: Any, before: str, *, account_id: str) -> dict[str, Any]:
    """The message for programs, in the order AWS has it."""
    metric = {
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "missing",
    }
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account_id,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": f"{alarm.state_updated_timestamp:%Y-%m-%dT%H:%M:%S.000+0000}",
        "Region": alarm.region_name,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": {**_watched(alarm), **{name: value for name, value in metric.items() if value is not None}},
    }


def _watched(alarm: Any) -> dict[str, Any]:
    if alarm.metric_data_queries:
        return {
            "Metrics": [
                {
                    "Id": query.id,
                    "ReturnData": query.return_data in (None, True, "true"),
                    **({"Expression": query.expression} if query.expression else {}),
                    **({"MetricStat": _stat(query.metric_stat)} if query.metric_stat else {}),
                }
                for query in alarm.metric_data_queries
            ]
        }
    return {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "StatisticType": "Statistic",
        "Statistic": str(alarm.statistic).upper(),
        "Unit": alarm.unit,
        "Dimensions": _dimensions(alarm.dimensions),
    }


def _stat(stat: Any) -> dict[str, Any]:
    metric = {
        "Namespace": stat.metric.namespace,
        "MetricName": stat.metric.metric_name,
        "Dimensions": _dimensions(stat.metric.dimensions),
    }
    return {"Metric": metric, "Period": stat.period, "Stat": stat.stat}


def _dimensions(dimensions: list[Any]) -> list[dict[str, str]]:
    return [{"value": one.value, "name": one.name} for one in dimensions]


def mail(alarm: Any, before: str, notice: dict[str, Any]) -> str:
    """What arrives in a mailbox: the same facts, to be read."""
    region, name = alarm.region_name, alarm.name
    moment = f"{alarm.state_updated_timestamp:%A %d %B, %Y %H:%M:%S} UTC"
    return "\n".join(
        [
            f'You are receiving this email because your Amazon CloudWatch Alarm "{name}" in the {region} region has'
            f' entered the {alarm.state_value} state, because "{alarm.state_reason}" at "{moment}".',
            "",
            "View this alarm in the AWS Management Console:",
            f"https://{region}.console.aws.amazon.com/cloudwatch/deeplink.js?region={region}#alarmsV2:alarm/{name}",
            "",
            "Alarm Details:",
            f"- Name:                       {name}",
            f"- Description:                {alarm.description or ''}",
            f"- State Change:               {before} -> {alarm.state_value}",
            f"- Reason for State Change:    {alarm.state_reason}",
            f"- Timestamp:                  {moment}",
            f"- AWS Account:                {notice['AWSAccountId']}",
            f"- Alarm Arn:                  {alarm.alarm_arn}",
            "",
        ]
    )
