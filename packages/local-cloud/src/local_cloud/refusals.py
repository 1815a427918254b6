"""Operations that moto answers with success though nobody does the work: they are refused by name.

What only keeps a record (a crawler, a trigger, a workgroup of Athena) is served, for tools that describe what they have
made. What would say that something runs, has run or was sent is here.
"""

from __future__ import annotations

#: Signing name → operations, with what is not done.
REFUSED: dict[str, dict[str, str]] = {
    "athena": {"StartQueryExecution": "run Athena queries; Redshift reads the same Glue catalog by an external schema"},
    "batch": {"SubmitJob": "run Batch jobs"},
    "dms": {
        "CreateReplicationInstance": "replicate databases",
        "StartReplicationTask": "replicate databases",
    },
    "ec2": {"RunInstances": "run instances"},
    "ecs": {"RunTask": "run containers", "StartTask": "run containers", "CreateService": "run containers"},
    "elasticmapreduce": {"AddJobFlowSteps": "run EMR clusters", "RunJobFlow": "run EMR clusters"},
    "emr-serverless": {"StartApplication": "run EMR applications", "StartJobRun": "run EMR applications"},
    "glue": {
        "CreateDevEndpoint": "run development endpoints",
        "CreateMLTransform": "train transforms",
        "StartCrawler": "crawl; CreateTable and CreatePartition describe what is in S3",
        "StartTrigger": "fire triggers; a state machine or a schedule starts jobs",
        "StartWorkflowRun": "run workflows; a state machine starts jobs",
    },
    "quicksight": {"CreateIngestion": "load data sets into QuickSight"},
    "rds": {"CreateDBCluster": "run databases but Redshift", "CreateDBInstance": "run databases but Redshift"},
    "redshift": {
        "CreateCluster": "run provisioned clusters; Redshift Serverless has namespaces and workgroups",
        "RestoreFromClusterSnapshot": "run provisioned clusters",
    },
    "ses": {
        name: "send mail by SES; SNS writes mail to files"
        for name in ("SendBulkEmail", "SendBulkTemplatedEmail", "SendEmail", "SendRawEmail", "SendTemplatedEmail")
    },
    "ssm": {"SendCommand": "run commands on instances"},
}


def refusal(service: str, operation: str) -> str:
    """Return why an operation is refused, "" for one that is not."""
    what = REFUSED.get(service, {}).get(operation)
    return f"{service}:{operation} is refused: the local cloud does not {what}." if what else ""
