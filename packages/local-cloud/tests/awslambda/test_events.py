"""Asynchronous invocations: retries, destinations, the dead-letter queue."""

from __future__ import annotations

import json
import textwrap

import pytest

#: The server with retries that follow at once.
QUICK_RETRIES = textwrap.dedent(
    """
    import local_cloud.services.awslambda.events as events
    from local_cloud.server import serve
    from local_cloud.settings import Settings
    events.RETRY_DELAYS_S, events.THROTTLED_DELAY_S = (0.0, 0.0), 0.05
    serve(Settings.create())
    """
)

FAILS = "def main(event, context): print('tried', context.aws_request_id); raise ValueError('never')"


@pytest.fixture(scope="module")
def cloud(new_cloud):
    running = new_cloud(command=("-c", QUICK_RETRIES))
    running.start()
    yield running
    running.stop()


def send(functions, name, event):
    answer = functions.invoke(name, event, InvocationType="Event")
    assert (answer.status, answer.payload) == (202, None)


def attempts(functions, name):
    events = functions.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    return [event["message"].split()[1] for event in events if event["message"].startswith("tried")]


def test_an_event_is_run_without_being_waited_for(functions):
    functions.queue("done")
    name = functions.function(
        """
        import boto3, json
        def main(event, context):
            sqs = boto3.client("sqs")
            sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="done")["QueueUrl"], MessageBody=json.dumps(event))
        """
    )
    send(functions, name, {"month": "2024-09"})
    assert functions.receive("done")["Body"] == '{"month": "2024-09"}'


def test_a_failing_event_is_tried_three_times_and_goes_to_the_dead_letter_queue(functions):
    name = functions.function(FAILS, DeadLetterConfig={"TargetArn": functions.queue("dead-letters")})
    send(functions, name, {"a": 1})
    message = functions.receive("dead-letters")
    said = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    tried = attempts(functions, name)
    assert tried == [said["RequestID"]] * 3
    assert said == {"RequestID": tried[0], "ErrorCode": "200", "ErrorMessage": "never"}
    assert message["Body"] == '{"a": 1}'


def test_the_destination_of_failures_hears_all_about_it(functions):
    arn = functions.queue("failures")
    name = functions.function(FAILS)
    functions.api.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    send(functions, name, {"a": 1})
    record = json.loads(functions.receive("failures")["Body"])
    tried = attempts(functions, name)
    assert len(tried) == 2
    del record["timestamp"]
    assert record.pop("responsePayload")["errorMessage"] == "never"
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": tried[0],
            "functionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 2,
        },
        "requestPayload": {"a": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    }


def test_the_destination_of_successes_may_be_a_topic(functions):
    sns, queue = functions.client("sns"), functions.queue("successes")
    topic = sns.create_topic(Name="successes")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    name = functions.function("def main(event, context): return 'fine'")
    functions.api.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": topic}}
    )
    send(functions, name, {})
    record = json.loads(functions.receive("successes")["Body"])
    assert (record["requestContext"]["condition"], record["responsePayload"]) == ("Success", "fine")


def test_an_event_without_room_waits_for_it(functions):
    name = functions.function("def main(event, context): return 1")
    functions.api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    functions.api.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": functions.queue("at-last")}}
    )
    send(functions, name, {})
    functions.api.delete_function_concurrency(FunctionName=name)
    assert json.loads(functions.receive("at-last")["Body"])["requestContext"]["condition"] == "Success"


def test_a_topics_message_reaches_a_function(functions):
    functions.queue("from-topic")
    name = functions.function(
        """
        import boto3
        def main(event, context):
            sqs = boto3.client("sqs")
            url = sqs.get_queue_url(QueueName="from-topic")["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=event["Records"][0]["Sns"]["Message"])
        """
    )
    sns = functions.client("sns")
    topic = sns.create_topic(Name="to-function")["TopicArn"]
    arn = functions.api.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="hello")
    assert functions.receive("from-topic")["Body"] == "hello"


def test_a_queues_messages_reach_a_function(functions):
    source = functions.queue("source")
    functions.queue("sink")
    name = functions.function(
        """
        import boto3
        def main(event, context):
            sqs = boto3.client("sqs")
            url = sqs.get_queue_url(QueueName="sink")["QueueUrl"]
            for record in event["Records"]:
                sqs.send_message(QueueUrl=url, MessageBody=record["body"].upper())
        """
    )
    functions.api.create_event_source_mapping(FunctionName=name, EventSourceArn=source)
    sqs = functions.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="source")["QueueUrl"], MessageBody="hello")
    assert functions.receive("sink")["Body"] == "HELLO"
