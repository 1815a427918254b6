"""One module or folder per AWS service that moto alone does not serve as a local run needs it.

Each has `install(cloud)`, called once, before the port opens: it patches moto's backend or adds a service of
its own, and registers what has to survive a restart. Heavy imports (the ASL grammar, DuckDB) wait for the first
request that needs them.
"""

SERVICES: tuple[str, ...] = (
    "s3",
    "iam",
    "servicequotas",
    "sts",
    "sqs",
    "secretsmanager",
    "cloudwatch",
    "logs",
    "sns",
    "redshift",
    "glue",
    "awslambda",
    "events",
    "stepfunctions",
    "scheduler",
    "cloudformation",
)
