"""A stack with every type: created, updated, rolled back and deleted, and read back through the services' own APIs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import TEMPLATES, Stacks

TEMPLATE = (TEMPLATES / "wide.yaml").read_text()
NAME = "wide"


class Services:
    """What the services say of the stack's resources, as far as the variants differ."""

    def __init__(self, cloud: Any, stacks: Stacks) -> None:
        self.cloud, self.ids = cloud, stacks.resources(NAME)

    def __getattr__(self, service: str) -> Any:
        return self.cloud.client(service.replace("_", "-"))

    def bucket(self) -> dict[str, Any]:
        s3, name = self.s3, {"Bucket": self.ids["Data"]}
        rules = s3.get_bucket_lifecycle_configuration(**name)["Rules"]
        try:
            cors = s3.get_bucket_cors(**name)["CORSRules"]
        except ClientError as error:
            cors = error.response["Error"]["Code"]
        notification = s3.get_bucket_notification_configuration(**name)["QueueConfigurations"][0]
        return {
            "versioning": s3.get_bucket_versioning(**name)["Status"],
            "encryption": s3.get_bucket_encryption(**name)["ServerSideEncryptionConfiguration"]["Rules"][0][
                "ApplyServerSideEncryptionByDefault"
            ],
            "public": set(s3.get_public_access_block(**name)["PublicAccessBlockConfiguration"].values()),
            "ownership": s3.get_bucket_ownership_controls(**name)["OwnershipControls"]["Rules"],
            "expires": [rule["Expiration"]["Days"] for rule in rules if rule["ID"] == "old"],
            "cold": [rule["Transitions"] for rule in rules if rule["ID"] == "cold"],
            "cors": cors,
            "logs": s3.get_bucket_logging(**name)["LoggingEnabled"]["TargetPrefix"],
            "notifies": (notification["QueueArn"], notification["Events"]),
            "website": s3.get_bucket_website(**name)["IndexDocument"],
            "tags": _tags(s3.get_bucket_tagging(**name)["TagSet"]),
            "policy": json.loads(s3.get_bucket_policy(**name)["Policy"])["Statement"][0]["Sid"],
        }

    def role(self) -> dict[str, Any]:
        iam, name = self.iam, {"RoleName": self.ids["Role"]}
        role = iam.get_role(**name)["Role"]
        policies = sorted(iam.list_role_policies(**name)["PolicyNames"])

        def action(policy: str) -> str:
            found = iam.get_role_policy(PolicyName=policy, **name)["PolicyDocument"]["Statement"]
            return str(found[0]["Action"])

        policy = iam.get_policy(PolicyArn=self.ids["Managed"])["Policy"]
        version = iam.get_policy_version(PolicyArn=self.ids["Managed"], VersionId=policy["DefaultVersionId"])
        provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=self.ids["Provider"])
        return {
            "arn": role["Arn"],
            "description": role["Description"],
            "hours": role["MaxSessionDuration"],
            "tags": _tags(iam.list_role_tags(**name)["Tags"]),
            "policies": policies,
            "inline": action("inline"),
            "apart": action("apart"),
            "attached": [each["PolicyArn"] for each in iam.list_attached_role_policies(**name)["AttachedPolicies"]],
            "managed": version["PolicyVersion"]["Document"]["Statement"][0]["Action"][0],
            "clients": provider["ClientIDList"],
        }

    def glue_catalog(self) -> dict[str, Any]:
        job = self.glue.get_job(JobName=self.ids["Job"])["Job"]
        table = self.glue.get_table(DatabaseName=self.ids["Database"], Name=self.ids["Table"])["Table"]
        arn = f"arn:aws:glue:us-east-1:123456789012:job/{job['Name']}"
        return {
            "database": self.glue.get_database(Name=self.ids["Database"])["Database"]["Description"],
            "table": (table["Parameters"]["variant"], table["StorageDescriptor"]["Location"]),
            "arguments": job["DefaultArguments"],
            "concurrent": job["ExecutionProperty"],
            "capacity": job["MaxCapacity"],
            "tags": self.glue.get_tags(ResourceArn=arn)["Tags"],
        }

    def functions(self) -> dict[str, Any]:
        client, name = self.cloud.client("lambda"), self.ids["Function"]
        configuration = client.get_function_configuration(FunctionName=name)
        answer = client.invoke(FunctionName=f"{name}:live", Payload=b'{"n": 1}')
        policy = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
        packaged = client.get_function(FunctionName=self.ids["Packaged"])
        return {
            "memory": configuration["MemorySize"],
            "variables": configuration["Environment"]["Variables"],
            "answer": json.loads(answer["Payload"].read()),
            "version": client.get_alias(FunctionName=name, Name="live")["FunctionVersion"],
            "retries": client.get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"],
            "allowed": [statement["Principal"]["Service"] for statement in policy],
            "reserved": packaged["Concurrency"]["ReservedConcurrentExecutions"],
            "tags": client.get_function(FunctionName=name)["Tags"],
        }

    def machines(self) -> dict[str, Any]:
        client = self.stepfunctions
        machine = client.describe_state_machine(stateMachineArn=self.ids["Machine"])
        alias = client.describe_state_machine_alias(stateMachineAliasArn=self.ids["MachineAlias"])
        version = alias["routingConfiguration"][0]["stateMachineVersionArn"]
        tags = client.list_tags_for_resource(resourceArn=self.ids["Machine"])["tags"]
        return {
            "comment": json.loads(machine["definition"])["Comment"],
            "logs": machine["loggingConfiguration"]["level"],
            "live": json.loads(client.describe_state_machine(stateMachineArn=version)["definition"])["Comment"],
            "type": client.describe_state_machine(stateMachineArn=self.ids["Small"])["type"],
            "tags": {tag["key"]: tag["value"] for tag in tags},
        }

    def messages(self) -> dict[str, Any]:
        topic, queue = {"TopicArn": self.ids["Topic"]}, {"QueueUrl": self.ids["Queue"]}
        attributes = self.sns.get_topic_attributes(**topic)["Attributes"]
        subscription = self.sns.get_subscription_attributes(SubscriptionArn=self.ids["Subscription"])["Attributes"]
        subscriptions = self.sns.list_subscriptions_by_topic(**topic)["Subscriptions"]
        own = self.sqs.get_queue_attributes(AttributeNames=["All"], **queue)["Attributes"]
        return {
            "display": attributes["DisplayName"],
            "policy": json.loads(attributes["Policy"])["Statement"][0]["Sid"],
            "mail": [each["Endpoint"] for each in subscriptions if each["Protocol"] == "email"],
            "raw": subscription["RawMessageDelivery"],
            "filter": json.loads(subscription["FilterPolicy"]),
            "visibility": own["VisibilityTimeout"],
            "delay": own["DelaySeconds"],
            "dead": json.loads(own["RedrivePolicy"])["maxReceiveCount"],
            "queue policy": json.loads(own["Policy"])["Statement"][0]["Sid"],
            "queue tags": self.sqs.list_queue_tags(**queue)["Tags"],
            "topics": sorted(
                name
                for each in self.sns.list_topics()["Topics"]
                if (name := each["TopicArn"].rsplit(":", 1)[-1]).startswith(("wide-first", "wide-second"))
            ),
        }

    def secrets(self) -> dict[str, Any]:
        client = self.secretsmanager
        login = json.loads(client.get_secret_value(SecretId="wide/login")["SecretString"])
        return {
            "description": client.describe_secret(SecretId="wide/login")["Description"],
            "username": login["username"],
            "length": len(login["password"]),
            "given": client.get_secret_value(SecretId=self.ids["Given"])["SecretString"],
            "policy": json.loads(client.get_resource_policy(SecretId="wide/login")["ResourcePolicy"])["Statement"][0][
                "Sid"
            ],
        }

    def watching(self) -> dict[str, Any]:
        group = self.logs.describe_log_groups(logGroupNamePrefix="/wide/machine")["logGroups"][0]
        filters = self.logs.describe_metric_filters(logGroupName="/wide/machine")["metricFilters"]
        schedule = self.scheduler.get_schedule(GroupName=self.ids["Schedules"], Name=self.ids["Schedule"])
        targets = self.events.list_targets_by_rule(Rule=self.ids["Rule"])["Targets"]
        alarm = self.cloudwatch.describe_alarms(AlarmNames=["wide-failed"])["MetricAlarms"][0]
        both = self.cloudwatch.describe_alarms(AlarmNames=["wide-any"])["CompositeAlarms"][0]
        board = json.loads(self.cloudwatch.get_dashboard(DashboardName="wide-board")["DashboardBody"])
        return {
            "retention": group["retentionInDays"],
            "pattern": filters[0]["filterPattern"],
            "when": schedule["ScheduleExpression"],
            "retry": schedule["Target"]["RetryPolicy"],
            "targets": sorted(target["Id"] for target in targets),
            "threshold": alarm["Threshold"],
            "any": (both["AlarmRule"], both["AlarmDescription"]),
            "board": board["widgets"][0]["properties"]["markdown"],
        }

    def keys(self) -> dict[str, Any]:
        key, ssm = self.kms.describe_key(KeyId="alias/wide")["KeyMetadata"], self.ssm
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/wide/topic")["TagList"]
        return {
            "key": (key["KeyId"] == self.ids["Key"], key["Description"]),
            "rotates": self.kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"],
            "parameter": ssm.get_parameter(Name="/wide/topic")["Parameter"]["Value"],
            "copy": ssm.get_parameter(Name=self.ids["Copy"])["Parameter"]["Value"],
            "tags": _tags(tags),
        }

    def everything(self) -> dict[str, Any]:
        parts = ("bucket", "role", "glue_catalog", "functions", "machines", "messages", "secrets", "watching", "keys")
        return {part: getattr(self, part)() for part in parts}


def expected(variant: str) -> dict[str, Any]:
    second = variant == "second"
    tags = {"variant": variant, "owner": "me"}
    cors = [
        {
            "AllowedMethods": ["GET"],
            "AllowedOrigins": ["*"],
            "ExposeHeaders": ["etag"],
            "MaxAgeSeconds": 60,
            "ID": "any",
        }
    ]
    topic = "arn:aws:sns:us-east-1:123456789012:wide-topic"
    return {
        "bucket": {
            "versioning": "Suspended" if second else "Enabled",
            "encryption": {"SSEAlgorithm": "AES256"},
            "public": {True},
            "ownership": [{"ObjectOwnership": "BucketOwnerEnforced"}],
            "expires": [30 if second else 7],
            "cold": [[{"Days": 90, "StorageClass": "GLACIER"}]],
            "cors": "NoSuchCORSConfiguration" if second else cors,
            "logs": "access/",
            "notifies": ("arn:aws:sqs:us-east-1:123456789012:wide-queue", ["s3:ObjectCreated:*"]),
            "website": {"Suffix": "index.html"},
            "tags": tags,
            "policy": f"Tls{variant}",
        },
        "role": {
            "arn": "arn:aws:iam::123456789012:role/work/wide-worker",
            "description": f"works as {variant}",
            "hours": 7200 if second else 3600,
            "tags": tags,
            "policies": ["apart", "inline", "read-more" if second else "read"],
            "inline": "sns:*" if second else "sns:Publish",
            "apart": "sqs:*" if second else "sqs:SendMessage",
            "attached": ["arn:aws:iam::123456789012:policy/wide-managed"],
            "managed": "logs:*" if second else "logs:PutLogEvents",
            "clients": [f"sts.{variant}"],
        },
        "glue_catalog": {
            "database": variant,
            "table": (variant, "s3://wide-data/trips/"),
            "arguments": {"--variant": variant, "--n": "3"},
            "concurrent": {"MaxConcurrentRuns": 4 if second else 2},
            "capacity": 0.0625,
            "tags": tags,
        },
        "functions": {
            "memory": 256 if second else 128,
            "variables": {"VARIANT": variant, "COUNT": "3"},
            "answer": {"variant": variant, "got": {"n": 1}},
            "version": "2" if second else "1",
            "retries": 1 if second else 0,
            "allowed": ["events.amazonaws.com" if second else "sns.amazonaws.com"],
            "reserved": 3 if second else 2,
            "tags": tags,
        },
        "machines": {
            "comment": f"{variant} runs wide-job",
            "logs": "ALL",
            "live": f"{variant} runs wide-job",
            "type": "EXPRESS" if second else "STANDARD",
            "tags": tags,
        },
        "messages": {
            "display": variant,
            "policy": variant,
            "mail": [f"{variant}@example.com"],
            "raw": "true" if second else "false",
            "filter": {"variant": [variant]},
            "visibility": "60" if second else "45",
            "delay": "0" if second else "5",
            "dead": 3,
            "queue policy": variant,
            "queue tags": tags,
            "topics": [f"wide-{variant}"],
        },
        "secrets": {
            "description": variant,
            "username": "boss",
            "length": 20,
            "given": "second-Secret-2" if second else "first-Secret-1",
            "policy": variant,
        },
        "watching": {
            "retention": 30 if second else 7,
            "pattern": f'{{ $.event = "{variant}" }}',
            "when": "cron(0 6 * * ? *)" if second else "cron(0 5 * * ? *)",
            "retry": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 300},
            "targets": ["queue", "topic"] if second else ["topic"],
            "threshold": 2.0 if second else 1.0,
            "any": ('ALARM("wide-failed")', variant),
            "board": variant,
        },
        "keys": {
            "key": (True, variant),
            "rotates": second,
            "parameter": f"{variant}:{topic}",
            "copy": f"{variant}:{topic}",
            "tags": tags,
        },
    }


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def parameters(code: str, **more: str) -> dict[str, str]:
    return {"Prefix": "wide", "Code": code, **more}


SECOND = {"Variant": "second", "Password": "second-Secret-2"}


def test_a_creation_that_fails_at_its_end_takes_everything_away(stacks: Stacks, cloud: Any, code_bucket: str) -> None:
    name = "wide-broken"
    stacks.create(name, TEMPLATE, parameters=parameters(code_bucket, Prefix="brk", Broken="yes"))
    assert stacks.status(name) == "ROLLBACK_COMPLETE"
    assert list(stacks.failures(name)) == ["Failing"]
    assert "Role nobody-has-this-role not found" in stacks.failures(name)["Failing"]
    reason = "The following resource(s) failed to create: [Failing]. Rollback requested by user."
    assert (name, "ROLLBACK_IN_PROGRESS", reason) in stacks.events(name)
    buckets = [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]]
    assert buckets == [code_bucket]
    assert cloud.client("iam").list_roles()["Roles"] == []
    assert cloud.client("glue").get_databases()["DatabaseList"] == []
    assert cloud.client("lambda").list_functions()["Functions"] == []
    assert cloud.client("stepfunctions").list_state_machines()["stateMachines"] == []
    assert cloud.client("sns").list_topics()["Topics"] == []
    assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []
    stacks.delete(name)


def test_it_is_created(stacks: Stacks, cloud: Any, code_bucket: str) -> None:
    stacks.create(NAME, TEMPLATE, parameters=parameters(code_bucket), tags={"owner": "me"})
    assert stacks.failures(NAME) == {}
    assert stacks.status(NAME) == "CREATE_COMPLETE"
    assert Services(cloud, stacks).everything() == expected("first")
    ids = stacks.resources(NAME)
    assert stacks.outputs(NAME) == {"Machine": ids["Machine"], "Bucket": "wide-data"}
    assert ids["Machine"] == "arn:aws:states:us-east-1:123456789012:stateMachine:wide-machine"
    assert ids["Made"].startswith("wide-made-")
    assert ids["Packaged"].startswith("wide-Packaged-")
    assert ids["Small"].startswith("arn:aws:states:us-east-1:123456789012:stateMachine:Small-")


def test_it_is_updated(stacks: Stacks, cloud: Any, code_bucket: str) -> None:
    before = stacks.resources(NAME)
    stacks.update(NAME, TEMPLATE, parameters=parameters(code_bucket, **SECOND))
    assert stacks.failures(NAME) == {}
    assert stacks.status(NAME) == "UPDATE_COMPLETE"
    assert Services(cloud, stacks).everything() == expected("second")
    after = stacks.resources(NAME)
    replaced = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert replaced == {"FunctionVersion", "MachineVersion", "Permission", "Small"}
    assert before.keys() - after.keys() == {"OnlyFirst"}
    assert stacks.outputs(NAME)["Second"] == "wide-second"


def test_an_update_that_fails_leaves_it_as_it_was(stacks: Stacks, cloud: Any, code_bucket: str) -> None:
    before = stacks.resources(NAME)
    stacks.update(NAME, TEMPLATE, parameters=parameters(code_bucket, Broken="yes"))
    assert stacks.status(NAME) == "UPDATE_ROLLBACK_COMPLETE"
    assert list(stacks.failures(NAME)) == ["Failing"]
    assert stacks.resources(NAME) == before
    assert Services(cloud, stacks).everything() == expected("second")
    values = {each["ParameterKey"]: each["ParameterValue"] for each in stacks.stack(NAME)["Parameters"]}
    assert values == parameters(code_bucket, Variant="second", Password="****", Broken="no")


def test_no_event_and_no_answer_shows_a_hidden_parameter(stacks: Stacks, cloud: Any) -> None:
    everything = json.dumps(stacks.api.describe_stack_events(StackName=NAME)["StackEvents"], default=str)
    assert "Secret-2" not in everything
    assert "****" in everything


def test_it_is_deleted_as_soon_as_its_bucket_is_empty(stacks: Stacks, cloud: Any, code_bucket: str) -> None:
    stack_id = stacks.stack(NAME)["StackId"]
    made = stacks.resources(NAME)["Made"]
    cloud.client("s3").put_object(Bucket=made, Key="mine", Body=b"1")
    stacks.delete(NAME)
    assert stacks.status(NAME) == "DELETE_FAILED"
    assert stacks.stack(NAME)["StackStatusReason"] == "The following resource(s) failed to delete: [Made]. "
    assert "The bucket you tried to delete is not empty" in stacks.failures(NAME)["Made"]
    s3 = cloud.client("s3")
    s3.delete_object(Bucket=made, Key="mine")
    stacks.delete(NAME)
    assert stacks.status(stack_id) == "DELETE_COMPLETE", stacks.failures(stack_id)
    with pytest.raises(ClientError, match="Stack with id wide does not exist"):
        stacks.stack(NAME)
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == [code_bucket]
    assert cloud.client("iam").list_policies(Scope="Local")["Policies"] == []
    assert cloud.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert cloud.client("logs").describe_log_groups(logGroupNamePrefix="/wide")["logGroups"] == []
    assert "alias/wide" not in [each["AliasName"] for each in cloud.client("kms").list_aliases()["Aliases"]]
    # A replaced version with UpdateReplacePolicy Retain goes with its machine.
    assert cloud.client("stepfunctions").list_state_machines()["stateMachines"] == []
