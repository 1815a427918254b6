"""What each file of a state folder holds, in the user's words, and which can go without the others."""

from __future__ import annotations

from pathlib import Path

#: Pattern of a path's end → what the file holds. The first that matches counts.
_HISTORY = {
    "executions/*.jsonl": "the history of one execution",
    "redshift-data/*.json": "one statement of the last day",
    "control-plane/glue-runs.*": "the runs of jobs",
    "control-plane/log-events.*": "log lines",
    "control-plane/redshiftdata.*": "nothing",
    "control-plane/sessions.*": "temporary keys of roles",
    "control-plane/metrics.*": "data points of metrics",
}
_DATA = {
    ".local-cloud/catalog.sqlite": "metadata, tags and older versions of objects",
    "warehouse/*/*.duckdb": "the tables of a warehouse",
}
_CONTROL_PLANES = {
    "awslambda": "functions",
    "cloudformation": "stacks",
    "cloudwatch": "alarms",
    "events": "rules",
    "glue": "jobs and the data catalog",
    "iam": "roles, users and policies",
    "kms": "keys",
    "logs": "log groups",
    "redshiftserverless": "namespaces and workgroups",
    "s3": "buckets and their settings",
    "scheduler": "schedules",
    "secretsmanager": "secrets",
    "sns": "topics and subscriptions",
    "sqs": "queues and their messages",
    "ssm": "parameters",
    "state-machines": "state machines",
    "stepfunctions": "state machines",
    "sts": "temporary keys of users",
}


def holds(file: Path) -> str:
    """What a file holds: "roles, users and policies"."""
    for pattern, what in (_HISTORY | _DATA).items():
        if file.match(pattern):
            return what
    return _CONTROL_PLANES.get(file.stem, f"the state of {file.stem}")


def is_history(file: Path) -> bool:
    """True for what no definition depends on: it can be set aside alone."""
    return any(file.match(pattern) for pattern in _HISTORY)
