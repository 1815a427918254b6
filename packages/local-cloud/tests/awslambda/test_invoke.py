"""Synchronous invocations: real processes, answers as AWS words them."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config


def test_a_function_answers_with_what_its_handler_returns(functions):
    name = functions.function(
        "def main(event, context): return {'doubled': [2 * n for n in event['numbers']], 'é': None}"
    )
    answer = functions.invoke(name, {"numbers": [1, 2]})
    assert answer.payload == {"doubled": [2, 4], "é": None}
    assert (answer.error, answer.status, answer.version) == (None, 200, "$LATEST")


@pytest.mark.parametrize("event", [None, [], "text", 0, {"a": None}])
def test_any_json_is_an_event(functions, event):
    assert functions.invoke(echo(functions), event).payload == ({} if event is None else event)


_ECHO: dict[int, str] = {}


def echo(functions) -> str:
    if id(functions) not in _ECHO:
        _ECHO[id(functions)] = functions.function("def main(event, context): return event", FunctionName="echo")
    return _ECHO[id(functions)]


def test_the_handler_sees_its_settings_its_role_and_its_context(functions, cloud):
    name = functions.function(
        files={
            "app.py": """
                import os
                def main(event, context):
                    keys = ("function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb",
                            "aws_request_id", "log_group_name", "log_stream_name", "identity", "client_context")
                    return {
                        "environ": dict(os.environ),
                        "at_home": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"],
                        "beside": open("data.txt").read(),
                        "context": {key: getattr(context, key) for key in keys},
                        "left": context.get_remaining_time_in_millis(),
                    }
            """,
            "data.txt": "lies beside the code",
        },
        FunctionName="context",
        MemorySize=256,
        Timeout=9,
        Environment={"Variables": {"BUCKET": "raw"}},
    )
    said = functions.invoke(name).payload
    context = said["context"]
    assert re.fullmatch(r"[0-9a-f-]{36}", context.pop("aws_request_id"))
    stream = context.pop("log_stream_name")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    assert context == {
        "function_name": "context",
        "function_version": "$LATEST",
        "invoked_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:context",
        "memory_limit_in_mb": "256",
        "log_group_name": "/aws/lambda/context",
        "identity": None,
        "client_context": None,
    }
    assert said["at_home"]
    assert said["beside"] == "lies beside the code"
    assert 0 < said["left"] <= 9000
    environ = said["environ"]
    expected = {
        "BUCKET": "raw",
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "context",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/context",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "_HANDLER": "app.main",
        "TZ": ":UTC",
    }
    assert {key: environ.get(key) for key in expected} == expected
    assert environ["AWS_ACCESS_KEY_ID"] not in ("test", "")
    assert environ["AWS_SESSION_TOKEN"]


def test_boto3_is_there_and_acts_as_the_functions_role(functions):
    name = functions.function(
        "import boto3\ndef main(event, context): return boto3.client('sts').get_caller_identity()['Arn']"
    )
    assert functions.invoke(name).payload.startswith("arn:aws:sts::123456789012:assumed-role/function/")


def test_a_process_is_kept_for_the_next_event_and_not_beyond_a_change(functions, make_zip):
    count = (
        "import os\nn = 0\ndef main(event, context):\n    global n\n    n += 1\n    return [os.getpid(), n, {tag!r}]"
    )
    name = functions.function(count.format(tag="one"))
    (first, *one), (second, *two) = functions.invoke(name).payload, functions.invoke(name).payload
    assert first == second
    assert (one, two) == ([1, "one"], [2, "one"])
    functions.api.update_function_code(FunctionName=name, ZipFile=make_zip({"app.py": count.format(tag="two")}))
    third, *three = functions.invoke(name).payload
    assert third != first
    assert three == [1, "two"]
    functions.api.update_function_configuration(FunctionName=name, Environment={"Variables": {"A": "1"}})
    assert functions.invoke(name).payload[0] != third


def test_events_at_the_same_time_have_processes_of_their_own(functions):
    name = functions.function(
        """
        import os, time
        def main(event, context):
            time.sleep(0.5)
            return [os.getpid(), event]
        """
    )
    with ThreadPoolExecutor(3) as pool:
        answers = [answer.payload for answer in pool.map(lambda n: functions.invoke(name, n), range(3))]
    assert len({pid for pid, _ in answers}) == 3
    assert [event for _, event in answers] == [0, 1, 2]


def test_bytes_are_the_response_itself_and_texts_inside_of_one(functions):
    name = functions.function("def main(event, context): return event and {'inside': b'a'} or b'[1]'")
    assert [functions.invoke(name, event).payload for event in (0, 1)] == [[1], {"inside": "a"}]


@pytest.mark.parametrize(
    ("handler", "error", "trace"),
    [
        (
            "def main(event, context): raise ValueError('no month\\nin the event')",
            {"errorType": "ValueError", "errorMessage": "no month\nin the event"},
            ["in main"],
        ),
        (
            "def main(event, context): return {1, 2}",
            {
                "errorType": "Runtime.MarshalError",
                "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
            },
            [],
        ),
        (
            "import nosuch",
            {
                "errorType": "Runtime.ImportModuleError",
                "errorMessage": "Unable to import module 'app': No module named 'nosuch'",
            },
            [],
        ),
        (
            "1 / 0",
            {"errorType": "ZeroDivisionError", "errorMessage": "division by zero"},
            ['File "/var/task/app.py", line 1, in <module>'],
        ),
        (
            "def other(event, context): pass",
            {"errorType": "Runtime.HandlerNotFound", "errorMessage": "Handler 'main' missing on module 'app'"},
            [],
        ),
    ],
)
def test_what_goes_wrong_in_the_function_is_its_answer(functions, handler, error, trace):
    answer = functions.invoke(functions.function(handler))
    payload = answer.payload
    frames = payload.pop("stackTrace")
    assert re.fullmatch(r"[0-9a-f-]{36}", payload.pop("requestId"))
    assert (payload, answer.error, answer.status) == (error, "Unhandled", 200)
    assert len(frames) == len(trace)
    assert all(part in frame for part, frame in zip(trace, frames, strict=True))
    assert f"[ERROR] {error['errorType']}: {error['errorMessage']}" in answer.log


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("import sys\ndef main(event, context): sys.exit(4)", "Runtime exited with error: exit status 4"),
        ("import os\ndef main(event, context): os._exit(0)", "Runtime exited without providing a reason"),
        (
            "import os, signal\ndef main(event, context): os.kill(os.getpid(), signal.SIGKILL)",
            "Runtime exited with error: signal: 9",
        ),
    ],
)
def test_a_process_that_ends_is_an_error_and_the_next_event_has_a_new_one(functions, handler, message):
    name = functions.function(handler)
    for _ in range(2):
        answer = functions.invoke(name)
        assert answer.payload["errorType"] == "Runtime.ExitError"
        assert answer.payload["errorMessage"].endswith(f" Error: {message}")
        assert answer.error == "Unhandled"


def test_a_process_killed_while_it_waits_is_not_asked_again(functions):
    name = functions.function("import os\ndef main(event, context): return os.getpid()")
    first = functions.invoke(name).payload
    os.kill(first, signal.SIGKILL)
    answer = functions.invoke(name)
    assert (answer.error, answer.payload != first) == (None, True)


def test_a_function_that_ends_while_it_loads_is_an_error(functions):
    answer = functions.invoke(functions.function("import os; os._exit(3)"))
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert answer.payload["errorMessage"].endswith("Runtime exited with error: exit status 3")


def test_the_timeout_ends_the_function_and_all_it_started(functions, tmp_path):
    name = functions.function(
        f"""
        import os, subprocess, sys, time
        def main(event, context):
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
            print("begun", flush=True)
            time.sleep(600)
        """,
        Timeout=1,
    )
    answer = functions.invoke(name)
    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith(" Error: Task timed out after 1.00 seconds")
    assert "begun" in answer.log
    for pid in (tmp_path / "pids").read_text().split():
        status = tmp_path.joinpath(f"/proc/{pid}/stat")
        assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_an_answer_can_be_too_large(functions):
    answer = functions.invoke(functions.function("def main(event, context): return 'x' * 6_291_556"))
    assert answer.payload == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    large = functions.invoke(functions.function("def main(event, context): return 'x' * 6_000_000"))
    assert len(large.payload) == 6_000_000
    assert large.error is None


def test_a_large_event_arrives_whole(functions):
    event = {"text": "é" * 2_000_000}
    assert functions.invoke(echo(functions), event).payload == event


def test_the_log_has_what_the_function_said_between_start_end_and_report(functions):
    name = functions.function(
        """
        import logging, sys
        print("loaded")
        logging.getLogger().setLevel("INFO")
        def main(event, context):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            logging.info("logged")
            print("without an end", end="")
        """,
        FunctionName="talks",
    )
    first = functions.invoke(name)
    lines = first.log.splitlines()
    request = lines[0].split()[2]
    assert lines[0] == f"START RequestId: {request} Version: $LATEST"
    assert lines[1:3] == ["to stdout", "to stderr"]
    assert re.fullmatch(rf"\[INFO\]\t\d{{4}}-\d\d-\d\dT[\d:.]+Z\t{request}\tlogged", lines[3])
    assert lines[4:6] == ["without an end", f"END RequestId: {request}"]
    assert re.fullmatch(
        rf"REPORT RequestId: {request}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB",
        lines[6],
    )
    second = functions.invoke(name)
    logs = functions.client("logs")
    (stream,) = logs.describe_log_streams(logGroupName="/aws/lambda/talks")["logStreams"]
    events = logs.get_log_events(
        logGroupName="/aws/lambda/talks", logStreamName=stream["logStreamName"], startFromHead=True
    )["events"]
    assert [event["message"] for event in events] == ["loaded", *lines, *second.log.splitlines()]


def test_the_tail_of_a_long_log_is_4_kb(functions):
    answer = functions.invoke(functions.function("def main(event, context):\n  for n in range(10_000): print(n)"))
    assert len(answer.log) == 4096
    assert "\n9999\nEND RequestId: " in answer.log


def test_a_dry_run_runs_nothing(functions):
    name = functions.function("raise SystemExit")
    answer = functions.invoke(name, InvocationType="DryRun")
    assert (answer.status, answer.payload, answer.error) == (204, None, None)


def test_qualifiers_pick_versions_and_aliases(functions, make_zip):
    handler = "def main(event, context): return [{tag!r}, context.function_version, context.invoked_function_arn]"
    name = functions.function(handler.format(tag="one"), FunctionName="qualified")
    functions.api.publish_version(FunctionName=name)
    functions.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.api.update_function_code(FunctionName=name, ZipFile=make_zip({"app.py": handler.format(tag="two")}))
    arn = "arn:aws:lambda:us-east-1:123456789012:function:qualified"
    assert functions.invoke(name).payload == ["two", "$LATEST", arn]
    for qualifier in ("1", "live"):
        answer = functions.invoke(name, Qualifier=qualifier)
        assert answer.payload[:2] == ["one", "1"]
        assert answer.payload[2].endswith(f":{qualifier}")
        assert answer.version == "1"
    assert functions.invoke(f"{arn}:live").payload[0] == "one"
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException):
        functions.invoke(name, Qualifier="nowhere")
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException):
        functions.invoke("nowhere")


def test_an_event_that_is_no_json_is_refused(functions):
    with pytest.raises(functions.api.exceptions.InvalidRequestContentException, match="Could not parse"):
        functions.api.invoke(FunctionName=echo(functions), Payload=b"{month:")


def test_reserved_concurrency_is_the_limit(functions):
    name = functions.function("import time\ndef main(event, context): time.sleep(event)")
    functions.api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    hasty = functions.cloud.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(hasty.exceptions.TooManyRequestsException):
        hasty.invoke(FunctionName=name, Payload="0")
    functions.api.delete_function_concurrency(FunctionName=name)
    assert functions.invoke(name, 0).error is None


def test_a_python_that_is_not_there_is_said_in_the_log(functions):
    name = functions.function("def main(event, context): return 1", FunctionName="old", Runtime="python3.6")
    assert functions.invoke(name).payload == 1
    said = functions.client("logs").filter_log_events(logGroupName="/aws/lambda/old")["events"]
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert said[0]["message"] == f"Python 3.6 is not on this machine: the function runs on Python {own}"


def test_the_aws_command_invokes(functions, cloud, tmp_path):
    out = tmp_path / "out.json"
    done = cloud.aws("lambda", "invoke", "--function-name", echo(functions), "--payload", '{"a":1}', str(out))
    assert json.loads(out.read_text()) == {"a": 1}, done.stderr
    assert json.loads(done.stdout)["StatusCode"] == 200
