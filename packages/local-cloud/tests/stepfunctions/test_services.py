"""Tasks that call services: Glue, Lambda, SNS, SQS, other machines, and AWS SDK integrations."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import textwrap
import zipfile

import pytest

JSONATA = {"QueryLanguage": "JSONata"}
OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ALL = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
SCRIPT = """
    import sys, time
    class BadMonth(Exception):
        pass
    print("--JOB_RUN_ID" in sys.argv)
    if "--fail" in sys.argv:
        raise BadMonth("2024-13 is no month: use 01 to 12")
    if "--slow" in sys.argv:
        time.sleep(600)
"""


def task(resource, parameters=None, **more):
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters or {}, **more}


@pytest.fixture(scope="module")
def job(sfn):
    s3, glue = sfn.client("s3"), sfn.client("glue")
    s3.create_bucket(Bucket="jobs")
    sfn.cloud.role("job")
    s3.put_object(Bucket="jobs", Key="job.py", Body=textwrap.dedent(SCRIPT).encode())
    command = {"Name": "pythonshell", "ScriptLocation": "s3://jobs/job.py", "PythonVersion": OWN_PYTHON}
    glue.create_job(Name="job", Role="job", Command=command, ExecutionProperty={"MaxConcurrentRuns": 10})
    return "job"


def run_state(sfn, job, run_id):
    return sfn.client("glue").get_job_run(JobName=job, RunId=run_id)["JobRun"]["JobRunState"]


def submitted_run(sfn, execution):
    """The ID of the job run that an execution waits for."""
    event = sfn.until_event(execution, "TaskSubmitted")
    return json.loads(event["taskSubmittedEventDetails"]["output"])["JobRunId"]


def test_a_job_that_succeeds(sfn, job):
    state = task("glue:startJobRun.sync", {"JobName": job, "Arguments": {"--month.$": "$.month"}})
    outcome = sfn.run(sfn.one(state), {"month": "09"})
    assert outcome.status == "SUCCEEDED", outcome.cause
    run = outcome.output
    assert {name: run[name] for name in ("Arguments", "Attempt", "JobName", "JobRunState")} == {
        "Arguments": {"--month": "09"},
        "Attempt": 0,
        "JobName": job,
        "JobRunState": "SUCCEEDED",
    }
    assert 1.6e12 < run["StartedOn"] <= run["CompletedOn"] == run["LastModifiedOn"]
    assert re.fullmatch("jr_[0-9a-f]{64}", run["Id"])
    assert outcome.types[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    scheduled, submitted = outcome.details("TaskScheduled")[0], outcome.details("TaskSubmitted")[0]
    assert (scheduled["resourceType"], scheduled["resource"]) == ("glue", "startJobRun.sync")
    assert json.loads(scheduled["parameters"]) == {"JobName": job, "Arguments": {"--month": "09"}}
    answer = json.loads(submitted["output"])
    assert answer["JobRunId"] == run["Id"]
    assert headers_of(answer) == {"connection", *HEADERS}
    assert answer["SdkHttpMetadata"]["HttpHeaders"]["Content-Type"] == "application/x-amz-json-1.1"
    assert json.loads(outcome.details("TaskSucceeded")[0]["output"]) == run


@pytest.mark.parametrize("machine", [{}, JSONATA], ids=["JSONPath", "JSONata"])
def test_a_job_that_fails(sfn, job, machine):
    """The cause is the job run as JSON, from which a machine takes the message."""
    state = task("glue:startJobRun.sync", {"JobName": job, "Arguments": {"--fail": "1"}}, Catch=ALL)
    if machine:
        state["Arguments"] = state.pop("Parameters")
    outcome = sfn.run(sfn.one(state, **machine))
    assert outcome.output["Error"] == "States.TaskFailed"
    run = json.loads(outcome.output["Cause"])
    assert {name: run[name] for name in ("JobName", "JobRunState", "ErrorMessage", "Attempt")} == {
        "JobName": job,
        "JobRunState": "FAILED",
        "ErrorMessage": "BadMonth: 2024-13 is no month: use 01 to 12",
        "Attempt": 0,
    }
    assert isinstance(run["StartedOn"], int)
    assert outcome.details("TaskFailed") == [
        {
            "resourceType": "glue",
            "resource": "startJobRun.sync",
            "error": "States.TaskFailed",
            "cause": outcome.output["Cause"],
        }
    ]


def test_a_job_is_stopped_when_its_task_times_out(sfn, job):
    state = task("glue:startJobRun.sync", {"JobName": job, "Arguments": {"--slow": "1"}}, TimeoutSeconds=2, Catch=ALL)
    outcome = sfn.run(sfn.one(state))
    assert outcome.output == {"Error": "States.Timeout", "Cause": ""}
    run_id = submitted_run(sfn, outcome.arn)
    assert sfn.until(lambda: run_state(sfn, job, run_id), lambda state: state == "STOPPED")


def test_a_job_is_stopped_when_its_execution_is(sfn, job):
    state = task("glue:startJobRun.sync", {"JobName": job, "Arguments": {"--slow": "1"}})
    execution = sfn.start(sfn.machine(sfn.one(state)))
    run_id = submitted_run(sfn, execution)
    sfn.api.stop_execution(executionArn=execution, error="Why", cause="because")
    outcome = sfn.wait(execution)
    assert (outcome.status, outcome.result) == ("ABORTED", ("Why", "because"))
    assert sfn.until(lambda: run_state(sfn, job, run_id), lambda state: state == "STOPPED")


def test_a_job_that_is_stopped_fails_its_task(sfn, job):
    state = task("glue:startJobRun.sync", {"JobName": job, "Arguments": {"--slow": "1"}})
    execution = sfn.start(sfn.machine(sfn.one(state)))
    run_id = submitted_run(sfn, execution)
    sfn.client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run_id])
    outcome = sfn.wait(execution)
    assert outcome.error == "States.TaskFailed"
    assert json.loads(outcome.cause)["JobRunState"] == "STOPPED"


def test_a_job_that_is_not_waited_for(sfn, job):
    outcome = sfn.run(sfn.one(task("glue:startJobRun", {"JobName": job})))
    run_id = outcome.output["JobRunId"]
    assert sfn.until(lambda: run_state(sfn, job, run_id), lambda state: state == "SUCCEEDED")


ERRORS = [
    ("glue:startJobRun.sync", {"JobName": "nope"}, "Glue.EntityNotFoundException", "AWSGlue", 400,
     "EntityNotFoundException"),
    ("lambda:invoke", {"FunctionName": "nope"}, "Lambda.ResourceNotFoundException", "AWSLambda", 404,
     "ResourceNotFoundException"),
    ("sns:publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:nope", "Message": "m"}, "SNS.NotFoundException",
     "AmazonSNS", 404, "NotFound"),
    ("states:startExecution", {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:nope"},
     "StepFunctions.StateMachineDoesNotExistException", "AWSStepFunctions", 400, "StateMachineDoesNotExist"),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "parameters", "error", "service", "status", "code"), ERRORS)
def test_errors_of_optimised_integrations(sfn, resource, parameters, error, service, status, code):
    outcome = sfn.run(sfn.one(task(resource, parameters, Catch=ALL)))
    assert outcome.output["Error"] == error
    details = rf"\(Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: \S+; Proxy: null\)"
    assert re.search(rf"\S {details}$", outcome.output["Cause"])


def test_a_job_that_may_not_run_more_often(sfn, job):
    """The name that retries of a pipeline look for."""
    glue = sfn.client("glue")
    definition = glue.get_job(JobName=job)["Job"]
    glue.create_job(Name="alone", Role="job", Command=definition["Command"], ExecutionProperty={"MaxConcurrentRuns": 1})
    state = task("glue:startJobRun.sync", {"JobName": "alone", "Arguments": {"--slow": "1"}})
    machine = sfn.machine(sfn.one(state))
    first = sfn.start(machine)
    submitted_run(sfn, first)
    outcome = sfn.wait(sfn.start(machine))
    assert outcome.error == "Glue.ConcurrentRunsExceededException"
    assert "(Service: AWSGlue; Status Code: 400; Error Code: ConcurrentRunsExceededException;" in outcome.cause
    sfn.api.stop_execution(executionArn=first)


@pytest.mark.parametrize(
    ("resource", "parameters", "problem"),
    [
        ("glue:startJobRun.sync", {"JobName.$": "$.n"}, "The value for the field 'JobName' must be a STRING"),
        ("glue:startJobRun.sync", {"JobName": "j", "Arguments": {"--n": 1}},
         "The value for the field '--n' must be a STRING"),
        ("glue:startJobRun.sync", {"JobName": "j", "Timeout": "1"},
         "The value for the field 'Timeout' must be an INTEGER"),
        ("sqs:sendMessage", {"QueueUrl": "q", "MessageBody": "m", "MessageAttributes": {"a": {"Nope": 1}}},
         'The field "Nope" is not supported by Step Functions'),
    ],
)  # fmt: skip
def test_parameters_that_do_not_fit(sfn, resource, parameters, problem):
    outcome = sfn.run(sfn.one(task(resource, parameters)), {"n": 5})
    assert outcome.error == "States.Runtime"
    assert outcome.cause.endswith(f" could not be used to start the Task: [{problem}]")
    assert "TaskScheduled" not in outcome.types


@pytest.fixture(scope="module")
def function(sfn):
    handler = """
        def main(event, context):
            if event.get("fail"):
                raise ValueError(f"no {event['fail']}")
            return {"event": event, "name": context.function_name}
    """
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("app.py", textwrap.dedent(handler))
    role = "arn:aws:iam::123456789012:role/machine"
    sfn.client("lambda").create_function(
        FunctionName="function", Role=role, Runtime=f"python{OWN_PYTHON}", Handler="app.main",
        Code={"ZipFile": body.getvalue()}, Timeout=30,
    )  # fmt: skip
    return "arn:aws:lambda:us-east-1:123456789012:function:function"


HEADERS = ("Content-Length", "Content-Type", "Date", "x-amzn-RequestId")
"""Of every service, as AWS spells them."""


def headers_of(output):
    """The names of a response's headers, which are there as texts and as lists of texts."""
    metadata = output["SdkHttpMetadata"]
    assert metadata["AllHttpHeaders"] == {name: [value] for name, value in metadata["HttpHeaders"].items()}
    assert metadata["HttpStatusCode"] == 200
    assert metadata["HttpHeaders"]["x-amzn-RequestId"] == output["SdkResponseMetadata"]["RequestId"]
    return set(metadata["HttpHeaders"])


def test_a_function_by_the_integration(sfn, function):
    state = task("lambda:invoke", {"FunctionName": function, "Payload.$": "$"})
    output = sfn.run(sfn.one(state), {"k": "ü"}).output
    assert output["Payload"] == {"event": {"k": "ü"}, "name": "function"}
    assert (output["StatusCode"], output["ExecutedVersion"]) == (200, "$LATEST")
    assert headers_of(output) == {"Connection", "X-Amz-Executed-Version", "X-Amzn-Trace-Id", *HEADERS} | {
        "x-amzn-Remapped-Content-Length"
    }


def test_a_function_by_its_arn(sfn, function):
    state = {"Type": "Task", "Resource": function}
    outcome = sfn.run(sfn.one(state), {"k": 1})
    assert outcome.output == {"event": {"k": 1}, "name": "function"}
    assert outcome.types[2:5] == ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]


@pytest.mark.parametrize("by_arn", [True, False])
def test_a_function_that_raises(sfn, function, by_arn):
    state = {"Type": "Task", "Resource": function, "Catch": [{"ErrorEquals": ["ValueError"], "Next": "Caught"}]}
    if not by_arn:
        state |= task("lambda:invoke", {"FunctionName": function, "Payload.$": "$"})
    outcome = sfn.run(sfn.one(state), {"fail": "luck"})
    assert outcome.output["Error"] == "ValueError"
    cause = json.loads(outcome.output["Cause"])
    assert (cause["errorMessage"], cause["errorType"]) == ("no luck", "ValueError")
    assert outcome.types[4] == ("LambdaFunctionFailed" if by_arn else "TaskFailed")


def test_publishing(sfn):
    sns, sqs = sfn.client("sns"), sfn.client("sqs")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    url = sqs.create_queue(QueueName="subscribed")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:subscribed")
    state = task("sns:publish", {"TopicArn": topic, "Subject": "s", "Message": {"a.$": "$.a"}})
    output = sfn.run(sfn.one(state), {"a": [1]}).output
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    notice = json.loads(message["Body"])
    assert (notice["MessageId"], notice["Subject"]) == (output["MessageId"], "s")
    assert json.loads(notice["Message"]) == {"a": [1]}


def test_sending(sfn):
    url = sfn.client("sqs").create_queue(QueueName="sent")["QueueUrl"]
    attributes = {"kind": {"DataType": "String", "StringValue.$": "$.kind"}}
    state = task("sqs:sendMessage", {"QueueUrl": url, "MessageBody.$": "$", "MessageAttributes": attributes})
    output = sfn.run(sfn.one(state), {"kind": "x"}).output
    (message,) = sfn.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert (message["MessageId"], json.loads(message["Body"])) == (output["MessageId"], {"kind": "x"})
    assert message["MessageAttributes"]["kind"]["StringValue"] == "x"


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [(".sync", ('{"a":1}', '{"got":1}')), (".sync:2", ({"a": 1}, {"got": 1}))],
)
def test_another_machine_that_is_waited_for(sfn, pattern, wanted):
    child = sfn.machine(sfn.one({"Type": "Pass", "Parameters": {"got.$": "$.a"}}))
    state = task(f"states:startExecution{pattern}", {"StateMachineArn": child, "Input": {"a.$": "$.a"}})
    output = sfn.run(sfn.one(state), {"a": 1}).output
    assert (output["Input"], output["Output"], output["Status"]) == (*wanted, "SUCCEEDED")
    assert {name: value for name, value in output.items() if name.startswith("Redrive")} == {
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }
    assert output["ExecutionArn"].startswith(child.replace(":stateMachine:", ":execution:"))
    assert 1.6e12 < output["StartDate"] <= output["StopDate"]


def test_another_machine_that_fails(sfn):
    child = sfn.machine(sfn.one({"Type": "Fail", "Error": "E", "Cause": "c"}))
    state = task("states:startExecution.sync:2", {"StateMachineArn": child}, Catch=ALL)
    output = sfn.run(sfn.one(state)).output
    assert output["Error"] == "States.TaskFailed"
    cause = json.loads(output["Cause"])
    assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "E", "c")


def test_another_machine_is_stopped_with_its_parent(sfn):
    child = sfn.machine(sfn.one({"Type": "Wait", "Seconds": 3600}))
    parent = sfn.start(
        sfn.machine(sfn.one(task("states:startExecution.sync:2", {"StateMachineArn": child, "Name": "inner"})))
    )
    sfn.until_event(parent, "TaskSubmitted")
    sfn.api.stop_execution(executionArn=parent)
    inner = f"{child.replace(':stateMachine:', ':execution:')}:inner"
    assert sfn.wait(inner).status == "ABORTED"


def test_another_machine_that_is_not_waited_for(sfn):
    child = sfn.machine(sfn.one({"Type": "Pass"}))
    parameters = {"StateMachineArn": child, "Input": {"parent.$": "$$.Execution.Id"}}
    outcome = sfn.run(sfn.one(task("states:startExecution", parameters)))
    assert sfn.wait(outcome.output["ExecutionArn"]).output == {"parent": outcome.arn}


def test_an_express_machine_that_is_called(sfn):
    child = sfn.machine(sfn.one({"Type": "Pass", "Parameters": {"got.$": "$.a"}}), type="EXPRESS")
    parameters = {"StateMachineArn": child, "Input": {"a.$": "$.a"}}
    output = sfn.run(sfn.one(task("aws-sdk:sfn:startSyncExecution", parameters)), {"a": 1}).output
    assert (output["Status"], output["Output"], output["Input"]) == ("SUCCEEDED", '{"got":1}', '{"a":1}')


def test_events_that_are_refused_fail_their_task(sfn):
    entry = {"Source": "s", "DetailType": "t", "Detail": {"k.$": "$.k"}, "EventBusName": "default"}
    state = task("events:putEvents", {"Entries": [entry]})
    output = sfn.run(sfn.one(state), {"k": 1}).output
    assert (output["FailedEntryCount"], len(output["Entries"])) == (0, 1)
    bad = task("events:putEvents", {"Entries": [entry | {"Source": ""}]}, Catch=ALL)
    output = sfn.run(sfn.one(bad), {"k": 1}).output
    assert output["Error"] == "EventBridge.FailedEntry"
    assert json.loads(output["Cause"])["FailedEntryCount"] == 1


SDK = [
    ("s3:listBuckets", {}, lambda output: "jobs" in [each["Name"] for each in output["Buckets"]]),
    ("s3:getObject", {"Bucket": "jobs", "Key": "job.py"}, lambda output: "BadMonth" in output["Body"]),
    ("glue:getJob", {"JobName": "job"}, lambda output: output["Job"]["Command"]["PythonVersion"] == OWN_PYTHON),
    ("glue:getJobRuns", {"JobName": "job", "MaxResults": 1}, lambda output: len(output["JobRuns"]) == 1),
    ("secretsmanager:listSecrets", {}, lambda output: "SecretList" in output),
    ("cloudwatchlogs:describeLogGroups", {}, lambda output: "LogGroups" in output),
    ("sts:getCallerIdentity", {}, lambda output: output["Account"] == "123456789012"),
]


@pytest.mark.parametrize(("action", "parameters", "good"), SDK, ids=[action for action, *_ in SDK])
def test_sdk_integrations(sfn, job, action, parameters, good):
    outcome = sfn.run(sfn.one(task(f"aws-sdk:{action}", parameters)))
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert good(outcome.output), outcome.output


def test_sdk_integrations_write_times_as_text(sfn, job):
    output = sfn.run(sfn.one(task("aws-sdk:glue:getJob", {"JobName": job}))).output
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", output["Job"]["CreatedOn"])


@pytest.mark.parametrize(
    ("action", "parameters", "error", "cause"),
    [
        ("s3:getObject", {"Bucket": "jobs", "Key": "nope"}, "S3.NoSuchKeyException",
         r"The specified key does not exist. \(Service: S3, Status Code: 404, Request ID: \S+,"
         r" Extended Request ID: \S+\)"),
        ("glue:getJob", {"JobName": "nope"}, "Glue.EntityNotFoundException",
         r".+ \(Service: Glue, Status Code: 400, Request ID: \S*\)"),
        ("secretsmanager:getSecretValue", {"SecretId": "nope"}, "SecretsManager.ResourceNotFoundException",
         r".+ \(Service: SecretsManager, Status Code: 4\d\d, Request ID: \S*\)"),
        ("sfn:startExecution", {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:nope"},
         "Sfn.StateMachineDoesNotExistException",
         r"State Machine Does Not Exist: '.+:nope' \(Service: Sfn, Status Code: 400, Request ID: \S+\)"),
    ],
)  # fmt: skip
def test_errors_of_sdk_integrations(sfn, job, action, parameters, error, cause):
    outcome = sfn.run(sfn.one(task(f"aws-sdk:{action}", parameters)))
    assert outcome.error == error
    assert re.fullmatch(cause + r" \(SDK Attempt Count: 1\)", outcome.cause)


def test_calls_act_as_the_machines_role(sfn):
    state = task("aws-sdk:sts:getCallerIdentity")
    arn = sfn.run(sfn.one(state)).output["Arn"]
    assert re.fullmatch(r"arn:aws:sts::123456789012:assumed-role/machine/[A-Za-z]{32}", arn)


def test_calls_act_as_the_states_role(sfn):
    """Which the machine's own role has to be allowed to assume."""
    other, strange = sfn.cloud.role("other"), sfn.cloud.role("strange", trust={"Service": "lambda.amazonaws.com"})
    state = task("aws-sdk:sts:getCallerIdentity", Credentials={"RoleArn.$": "$.role"})
    assert ":assumed-role/other/" in sfn.run(sfn.one(state), {"role": other}).output["Arn"]
    refused = sfn.run(sfn.one(state), {"role": strange})
    assert (refused.error, f"is not authorized to assume the role {strange}" in refused.cause) == (
        "Sts.StsException",
        True,
    )


def test_what_runs_machines_imports_no_other_interpreter():
    """moto's, with EC2, takes longer to import than all the rest."""
    script = (
        "import sys; from local_cloud.services.stepfunctions.running import execution; "
        "print([name for name in sys.modules if name in ('antlr4', 'moto.batch', 'moto.ec2', 'moto.stepfunctions')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("resource", "parameters", "error", "message"),
    [
        ("sqs:sendMessage", {"QueueUrl": "q", "MessageBody": None}, "SQS.AmazonSQSException",
         "The request must contain the parameter MessageBody. ("),
        ("dynamodb:putItem", {"TableName": "t", "Item": None}, "DynamoDB.AmazonDynamoDBException",
         "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null ("),
        ("aws-sdk:dynamodb:putItem", {"TableName": "t", "Item": None}, "DynamoDb.DynamoDbException",
         "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null ("),
    ],
)  # fmt: skip
def test_a_parameter_that_must_not_be_null_fails_in_the_task(sfn, resource, parameters, error, message):
    outcome = sfn.run(sfn.one(task(resource, parameters, Catch=ALL)))
    assert outcome.output["Error"] == error
    assert outcome.output["Cause"].startswith(message)
    assert outcome.types[2:5] == ["TaskScheduled", "TaskStarted", "TaskFailed"]


def test_a_text_is_stored_as_json(sfn):
    s3 = sfn.client("s3")
    s3.create_bucket(Bucket="texts")
    for key, body in (("text", "ü"), ("object", {"a": 1})):
        state = task("aws-sdk:s3:putObject", {"Bucket": "texts", "Key": key, "Body": body})
        assert sfn.run(sfn.one(state)).status == "SUCCEEDED"
    stored = [s3.get_object(Bucket="texts", Key=key) for key in ("text", "object")]
    assert [each["Body"].read().decode() for each in stored] == ['"ü"', '{"a":1}']
    assert {each["ContentType"] for each in stored} == {"text/plain; charset=UTF-8"}


def test_events_name_the_machine_and_the_execution(sfn):
    queue = sfn.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:events"
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                             "Action": "sqs:SendMessage", "Resource": arn}]}  # fmt: skip
    sfn.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    sfn.client("events").put_rule(Name="named", EventPattern=json.dumps({"source": ["named"]}))
    sfn.client("events").put_targets(Rule="named", Targets=[{"Id": "q", "Arn": arn}])
    entry = {"Detail": {}, "DetailType": "t", "Source": "named", "Resources": ["mine"]}
    execution = sfn.run(sfn.one(task("events:putEvents", {"Entries": [entry]}))).arn
    (message,) = sfn.until(
        lambda: sfn.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []), bool
    )
    machine = execution.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    assert json.loads(message["Body"])["resources"] == ["mine", machine, execution]


def test_an_execution_that_is_waited_for_may_have_the_tasks_token(sfn):
    inner = sfn.machine(sfn.one({"Type": "Pass", "Parameters": {"token.$": "$.t"}}))
    state = task("states:startExecution.sync:2", {"StateMachineArn": inner, "Input": {"t.$": "$$.Task.Token"}})
    output = sfn.run(sfn.one(state)).output
    assert output["Output"]["token"] == output["Input"]["t"]
