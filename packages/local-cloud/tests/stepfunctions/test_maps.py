"""Map and Parallel states: order, limits, inputs, tolerated failures, readers, batches, results."""

from __future__ import annotations

import json

import duckdb
import pytest

JSONATA = {"QueryLanguage": "JSONata"}
PASS = {"Type": "Pass", "End": True}
ECHO = {"StartAt": "I", "States": {"I": PASS}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
ODD = {
    "StartAt": "C",
    "States": {
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.bad", "BooleanEquals": True, "Next": "F"}], "Default": "I"},
        "F": {"Type": "Fail", "Error": "Bad", "CausePath": "States.Format('item {}', $.n)"},
        "I": PASS,
    },
}


def items(count, bad=()):
    return [{"n": number, "bad": number in bad} for number in range(count)]


@pytest.fixture(scope="module")
def bucket(sfn):
    sfn.client("s3").create_bucket(Bucket="maps")

    def put(key, body):
        sfn.client("s3").put_object(Bucket="maps", Key=key, Body=body)
        return {"Bucket": "maps", "Key": key}

    return put


def run_map(sfn, input, *, machine=None, **fields):
    return sfn.run(sfn.one({"Type": "Map", **fields}, **(machine or {})), input)


@pytest.mark.parametrize("processor", [ECHO, ECHO | DISTRIBUTED], ids=["inline", "distributed"])
@pytest.mark.parametrize(
    ("fields", "input", "wanted"),
    [
        ({}, [3, 1, 2], [3, 1, 2]),
        ({}, [], []),
        ({"ItemsPath": "$.a.b"}, {"a": {"b": ["x"]}}, ["x"]),
        ({"ItemsPath": "$.a[*].b"}, {"a": [{"b": 1}, {"b": 2}]}, [1, 2]),
        ({"ItemsPath": "$$.Execution.Input.a", "InputPath": "$.k"}, {"a": [1], "k": {}}, [1]),
        (
            {"ItemsPath": "$.i",
             "ItemSelector": {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "k.$": "$.k"}},
            {"i": ["a", "b"], "k": 7},
            [{"v": "a", "i": 0, "k": 7}, {"v": "b", "i": 1, "k": 7}],
        ),
        ({"ItemsPath": "$.i", "ResultSelector": {"all.$": "$[*].x"}}, {"i": [{"x": 1}, {"x": 2}]}, {"all": [1, 2]}),
        ({"ItemsPath": "$.i", "ResultPath": "$.out"}, {"i": [1]}, {"i": [1], "out": [1]}),
        ({"MaxConcurrency": 1}, [1, 2, 3], [1, 2, 3]),
        ({"ItemsPath": "$.i", "MaxConcurrencyPath": "$.n"}, {"i": [1, 2], "n": 1}, [1, 2]),
    ],
)  # fmt: skip
def test_what_iterations_get_and_give(sfn, processor, fields, input, wanted):
    outcome = run_map(sfn, input, ItemProcessor=processor, **fields)
    assert outcome.result == wanted


def test_maps_in_jsonata(sfn):
    output = "{% $states.input & $states.context.Execution.Input.k %}"
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Output": output, "End": True}}}
    fields = {
        "Items": "{% $states.input.i %}",
        "ItemSelector": "{% $string($states.context.Map.Item.Index) & $states.context.Map.Item.Value %}",
        "MaxConcurrency": "{% $states.input.n %}",
        "Output": {"all": "{% $states.result %}"},
    }
    input = {"i": ["a", "b"], "n": 1, "k": "!"}
    outcome = run_map(sfn, input, machine=JSONATA, ItemProcessor=inner, **fields)
    assert outcome.result == {"all": ["0a!", "1b!"]}
    listed = run_map(sfn, {"x": 5}, machine=JSONATA, ItemProcessor=ECHO, Items=[1, "{% $states.input.x %}"])
    assert listed.result == [1, 5]


def test_the_context_of_an_iteration_reaches_its_tasks(sfn):
    url = sfn.client("sqs").create_queue(QueueName="iterations")["QueueUrl"]
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": url, "MessageBody.$": "States.Format('{}', $$.Map.Item.Index)"},
        "ResultSelector": {"index.$": "$$.Map.Item.Index"},
        "End": True,
    }
    processor = {"StartAt": "T", "States": {"T": send}}
    assert run_map(sfn, ["a", "b"], ItemProcessor=processor).result == [{"index": 0}, {"index": 1}]


def test_no_more_iterations_at_once_than_allowed(sfn):
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}
    outcome = run_map(sfn, list(range(6)), ItemProcessor=wait, MaxConcurrency=3)
    running = peak = 0
    for event in outcome.events:
        running += {"MapIterationStarted": 1, "MapIterationSucceeded": -1}.get(event["type"], 0)
        peak = max(peak, running)
    assert (outcome.status, peak) == ("SUCCEEDED", 3)


def test_a_thousand_items_and_more(sfn):
    outcome = run_map(sfn, list(range(1500)), ItemProcessor=ECHO, MaxConcurrency=1)
    assert outcome.result == list(range(1500))


def test_maps_in_branches_in_maps(sfn):
    inner = {
        "Type": "Map",
        "ItemsPath": "$.list",
        "ItemProcessor": {"StartAt": "D", "States": {"D": {"Type": "Pass", "Parameters": {"d.$": "$"}, "End": True}}},
        "End": True,
    }
    branch = {"StartAt": "M", "States": {"M": inner}}
    other = {"StartAt": "O", "States": {"O": {"Type": "Pass", "Result": "other", "End": True}}}
    middle = {"Type": "Parallel", "Branches": [branch, other], "End": True}
    outcome = run_map(sfn, [{"list": [1, 2]}, {"list": [3]}], ItemProcessor={"StartAt": "P", "States": {"P": middle}})
    assert outcome.result == [[[{"d": 1}, {"d": 2}], "other"], [[{"d": 3}], "other"]]


@pytest.mark.parametrize(
    ("fields", "input", "bad", "status"),
    [
        ({}, {}, [], "SUCCEEDED"),
        ({}, {}, [3], "FAILED"),
        ({"ToleratedFailureCount": 2}, {}, [1, 3], "SUCCEEDED"),
        ({"ToleratedFailureCount": 2}, {}, [1, 3, 5], "FAILED"),
        ({"ToleratedFailureCountPath": "$.n"}, {"n": 1}, [1], "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 20}, {}, [1, 3], "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 20}, {}, [1, 3, 5], "FAILED"),
        ({"ToleratedFailurePercentage": 29.9}, {}, [1, 3, 5], "FAILED"),
        ({"ToleratedFailurePercentage": 100}, {}, range(10), "SUCCEEDED"),
        ({"ToleratedFailurePercentagePath": "$.n"}, {"n": 10}, [1], "SUCCEEDED"),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100}, {}, [1, 3], "FAILED"),
    ],
)
def test_tolerated_failures_of_children(sfn, fields, input, bad, status):
    outcome = run_map(
        sfn, input | {"i": items(10, bad)}, ItemsPath="$.i", ItemProcessor=ODD | DISTRIBUTED, MaxConcurrency=1, **fields
    )
    assert outcome.status == status
    if status == "SUCCEEDED":
        assert outcome.output == [item for item in items(10, bad) if not item["bad"]]
        assert outcome.types[-4:] == ["MapRunSucceeded", "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"]
    else:
        failed = {
            "error": "States.ExceedToleratedFailureThreshold",
            "cause": "The specified tolerated failure threshold was exceeded",
        }
        assert outcome.result == tuple(failed.values())
        assert outcome.types[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
        assert outcome.details("MapRunFailed") == [failed]


@pytest.mark.parametrize("count", [-1, "many", None])
def test_a_number_of_tolerated_failures_that_is_none(sfn, count):
    fields = {"ItemsPath": "$.i", "ItemProcessor": ECHO | DISTRIBUTED, "ToleratedFailureCountPath": "$.n"}
    outcome = run_map(sfn, {"i": [1], "n": count}, **fields)
    assert outcome.error == "States.Runtime"
    assert "ToleratedFailureCount" in outcome.cause


def test_a_map_run_and_its_children(sfn):
    outcome = run_map(
        sfn, items(4, [1]), ItemProcessor=ODD | DISTRIBUTED, ToleratedFailureCount=3, MaxConcurrency=2, Label="Label"
    )
    assert outcome.status == "SUCCEEDED"
    arn = outcome.details("MapRunStarted")[0]["mapRunArn"]
    machine = outcome.arn.split(":")[6]
    assert arn.startswith(f"arn:aws:states:us-east-1:123456789012:mapRun:{machine}/Label:")
    runs = sfn.api.list_map_runs(executionArn=outcome.arn)["mapRuns"]
    assert [(run["mapRunArn"], run["executionArn"]) for run in runs] == [(arn, outcome.arn)]
    described = sfn.api.describe_map_run(mapRunArn=arn)
    counts = {"pending": 0, "running": 0, "succeeded": 3, "failed": 1, "timedOut": 0, "aborted": 0, "total": 4}
    for name in ("itemCounts", "executionCounts"):
        assert {key: described[name][key] for key in counts} == counts
    assert (described["status"], described["maxConcurrency"]) == ("SUCCEEDED", 2)
    assert (described["toleratedFailureCount"], described["toleratedFailurePercentage"]) == (3, 0)
    children = sfn.api.list_executions(mapRunArn=arn)["executions"]
    assert sorted(child["status"] for child in children) == ["FAILED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]
    assert {child["mapRunArn"] for child in children} == {arn}
    failed = sfn.api.list_executions(mapRunArn=arn, statusFilter="FAILED")["executions"]
    assert [child["status"] for child in failed] == ["FAILED"]
    child = sfn.describe(failed[0]["executionArn"])
    assert (child["status"], child["error"], child["cause"], child["mapRunArn"]) == ("FAILED", "Bad", "item 1", arn)
    assert (json.loads(child["input"]), child["redriveStatus"]) == ({"n": 1, "bad": True}, "REDRIVABLE_BY_MAP_RUN")
    good = sfn.describe(next(each["executionArn"] for each in children if each["status"] == "SUCCEEDED"))
    assert (json.loads(good["output"]), "error" in good) == (json.loads(good["input"]), False)
    assert sfn.refused("describe_execution", executionArn=f"{child['executionArn']}x")[0] == "ExecutionDoesNotExist"
    gone = f"{arn}x"
    assert sfn.refused("describe_map_run", mapRunArn=gone)[0] == "ResourceNotFound"


PARQUET = "PARQUET"
SOURCES = [
    ("JSON", b'[{"n": 1}, {"n": 2}]', {}, [{"n": 1}, {"n": 2}]),
    ("JSON", b'{"a": 1, "b": [2]}', {}, [{"Key": "a", "Value": 1}, {"Key": "b", "Value": [2]}]),
    ("JSON", b'{"x": [{"rows": [7, 8]}]}', {"ItemsPointer": "/x/0/rows"}, [7, 8]),
    ("JSONL", '{"n": "ü"}\n\n{"n": 2}\n'.encode(), {}, [{"n": "ü"}, {"n": 2}]),
    ("CSV", b'id,name\n1,"a, b"\n2,\n', {"CSVHeaderLocation": "FIRST_ROW"},
     [{"id": "1", "name": "a, b"}, {"id": "2", "name": ""}]),
    ("CSV", b"1|a\n2|b\n", {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["id", "name"], "CSVDelimiter": "PIPE"},
     [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]),
    ("JSON", b"[1, 2, 3]", {"MaxItems": 2}, [1, 2]),
    ("JSON", b"[1, 2, 3]", {"MaxItemsPath": "$.most"}, [1]),
    (PARQUET, None, {}, [{"n": 1, "s": "a"}, {"n": 2, "s": None}]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "config", "wanted"), SOURCES)
def test_readers(sfn, bucket, tmp_path, kind, body, config, wanted):
    if kind == PARQUET:
        path = tmp_path / "items.parquet"
        duckdb.connect().sql("SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t(n, s) ORDER BY n").write_parquet(
            str(path)
        )
        body = path.read_bytes()
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": kind, **config},
        "Parameters": {"Bucket": "maps", "Key.$": "$.key"},
    }
    bucket("source", body)
    outcome = run_map(sfn, {"key": "source", "most": 1}, ItemReader=reader, ItemProcessor=ECHO | DISTRIBUTED)
    assert outcome.result == wanted


def test_reading_a_listing(sfn, bucket):
    for key in ("list/a", "list/b", "other"):
        bucket(key, key.encode())
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Arguments": {"Bucket": "{% $states.input.bucket %}", "Prefix": "list/"},
    }
    outcome = run_map(sfn, {"bucket": "maps"}, machine=JSONATA, ItemReader=reader, ItemProcessor=ECHO | DISTRIBUTED)
    assert [(item["Key"], item["Size"], item["StorageClass"]) for item in outcome.output] == [
        ("list/a", 6, "STANDARD"),
        ("list/b", 6, "STANDARD"),
    ]
    assert all(isinstance(item["LastModified"], int) and item["Etag"] for item in outcome.output)


@pytest.mark.parametrize(
    ("key", "config", "cause"),
    [
        ("gone", {"InputType": "JSON"}, "The specified key does not exist."),
        ("text", {"InputType": "JSON"}, "The item source is not JSON: "),
        ("number", {"InputType": "JSON"}, "Attempting to map over non-iterable node."),
        ("text", {"InputType": "PARQUET"}, "The item source is not Parquet: "),
        ("twice", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, "CSV headers cannot contain duplicates."),
        ("number", {"InputType": "JSON", "ItemsPointer": "/a"}, "The ItemsPointer '/a' names nothing"),
    ],
)
def test_a_source_that_cannot_be_read_can_be_caught(sfn, bucket, key, config, cause):
    for name, body in (("text", b"hello"), ("number", b"5"), ("twice", b"a,a\n1,2\n")):
        bucket(name, body)
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Parameters": {"Bucket": "maps", "Key": key},
    }
    catch = [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Caught"}]
    outcome = run_map(sfn, {}, ItemReader=reader, ItemProcessor=ECHO | DISTRIBUTED, Catch=catch)
    assert outcome.output["Error"] == "States.ItemReaderFailed"
    assert cause in outcome.output["Cause"]


@pytest.mark.parametrize(
    ("batcher", "sizes"),
    [
        ({"MaxItemsPerBatch": 2}, [2, 2, 1]),
        ({"MaxItemsPerBatchPath": "$.most"}, [3, 2]),
        ({"MaxInputBytesPerBatch": 60}, [1, 1, 1, 1, 1]),
        ({"MaxItemsPerBatch": 100}, [5]),
    ],
)
def test_batches(sfn, batcher, sizes):
    numbered = [{"number": number, "padding": "x" * 10} for number in range(5)]
    common = {"BatchInput": {"k.$": "$.k"}}
    outcome = run_map(
        sfn,
        {"i": numbered, "k": 1, "most": 3},
        ItemsPath="$.i",
        ItemBatcher=batcher | common,
        ItemProcessor=ECHO | DISTRIBUTED,
    )
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert [len(batch["Items"]) for batch in outcome.output] == sizes
    assert [item for batch in outcome.output for item in batch["Items"]] == numbered
    assert {json.dumps(batch["BatchInput"]) for batch in outcome.output} == {'{"k": 1}'}
    run = sfn.api.describe_map_run(mapRunArn=outcome.details("MapRunStarted")[0]["mapRunArn"])
    assert (run["itemCounts"]["succeeded"], run["executionCounts"]["succeeded"]) == (5, len(sizes))


def test_results_in_files(sfn, bucket):
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "maps", "Prefix": "results"}}
    outcome = run_map(sfn, items(3, [1]), ItemProcessor=ODD | DISTRIBUTED, ResultWriter=writer, ToleratedFailureCount=1)
    arn = outcome.details("MapRunStarted")[0]["mapRunArn"]
    folder = f"results/{arn.rpartition(':')[2]}"
    assert outcome.output == {
        "MapRunArn": arn,
        "ResultWriterDetails": {"Bucket": "maps", "Key": f"{folder}/manifest.json"},
    }

    def read(name):
        return json.loads(sfn.client("s3").get_object(Bucket="maps", Key=f"{folder}/{name}")["Body"].read())

    manifest = read("manifest.json")
    assert (manifest["DestinationBucket"], manifest["MapRunArn"]) == ("maps", arn)
    files = {status: [file["Key"] for file in files] for status, files in manifest["ResultFiles"].items()}
    assert files == {
        "FAILED": [f"{folder}/FAILED_0.json"],
        "PENDING": [],
        "SUCCEEDED": [f"{folder}/SUCCEEDED_0.json"],
    }
    (failed,) = read("FAILED_0.json")
    assert (failed["Status"], failed["Error"], failed["Cause"]) == ("FAILED", "Bad", "item 1")
    assert json.loads(failed["Input"]) == {"n": 1, "bad": True}
    succeeded = read("SUCCEEDED_0.json")
    assert sorted(json.loads(each["Output"])["n"] for each in succeeded) == [0, 2]
    assert {each["Status"] for each in succeeded} == {"SUCCEEDED"}
    assert all(each["ExecutionArn"].endswith(each["Name"]) for each in succeeded)


@pytest.mark.parametrize(
    ("config", "body"),
    [
        ({"Transformation": "COMPACT", "OutputType": "JSON"}, b"[[1,2],[3]]"),
        ({"Transformation": "FLATTEN", "OutputType": "JSON"}, b"[1,2,3]"),
        ({"Transformation": "FLATTEN", "OutputType": "JSONL"}, b"1\n2\n3\n"),
    ],
)
def test_forms_of_results(sfn, bucket, config, body):
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "maps", "Prefix": "forms"},
        "WriterConfig": config,
    }
    processor = ECHO | DISTRIBUTED
    outcome = run_map(sfn, [[1, 2], [3]], ItemProcessor=processor, ResultWriter=writer, MaxConcurrency=1)
    folder = outcome.output["ResultWriterDetails"]["Key"].rpartition("/")[0]
    suffix = config["OutputType"].lower()
    written = sfn.client("s3").get_object(Bucket="maps", Key=f"{folder}/SUCCEEDED_0.{suffix}")["Body"].read()
    assert written == body
    preview = run_map(
        sfn, [[1, 2], [3]], ItemProcessor=processor, ResultWriter={"WriterConfig": config}, MaxConcurrency=1
    )
    assert preview.output == ([1, 2, 3] if config["Transformation"] == "FLATTEN" else [[1, 2], [3]])


def test_results_that_cannot_be_written_can_be_caught(sfn):
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "no-such-bucket"}}
    catch = [{"ErrorEquals": ["States.ResultWriterFailed"], "Next": "Caught"}]
    outcome = run_map(sfn, [1], ItemProcessor=ECHO | DISTRIBUTED, ResultWriter=writer, Catch=catch)
    assert outcome.output["Error"] == "States.ResultWriterFailed"
    assert "no-such-bucket" in outcome.output["Cause"] or "NoSuchBucket" in outcome.output["Cause"]


def test_parallel_branches(sfn):
    branches = [
        {"StartAt": name, "States": {name: {"Type": "Pass", "Parameters": {f"{name}.$": "$.v"}, "End": True}}}
        for name in ("b0", "b1", "b2")
    ]
    state = {
        "Type": "Parallel",
        "Branches": branches,
        "Parameters": {"v.$": "$.in"},
        "ResultSelector": {"first.$": "$[0].b0", "all.$": "$"},
        "ResultPath": "$.out",
    }
    assert sfn.run(sfn.one(state), {"in": 5}).output == {
        "in": 5,
        "out": {"first": 5, "all": [{"b0": 5}, {"b1": 5}, {"b2": 5}]},
    }


def test_a_stop_ends_all_iterations(sfn):
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    before = sfn.threads()
    execution = sfn.start(sfn.machine(sfn.one({"Type": "Map", "ItemProcessor": wait})), list(range(30)))
    sfn.until(lambda: [event["type"] for event in sfn.history(execution)].count("WaitStateEntered"), lambda n: n == 30)
    assert sfn.threads() >= before + 30
    sfn.api.stop_execution(executionArn=execution)
    assert sfn.wait(execution).status == "ABORTED"
    assert sfn.until(sfn.threads, lambda count: count < before + 10) < before + 10


def test_a_stop_ends_the_machines_that_iterations_wait_for_and_begins_no_more(sfn):
    child = sfn.machine(sfn.one({"Type": "Wait", "Seconds": 3600}))
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": child, "Name": "{% 'item-' & $string($states.input) %}"},
        "End": True,
    }
    state = {
        "Type": "Map",
        "Items": "{% $states.input.items %}",
        "MaxConcurrency": "{% $states.input.at_once %}",
        "ItemProcessor": {"StartAt": "T", "States": {"T": task}},
    }
    execution = sfn.start(sfn.machine(sfn.one(state, **JSONATA)), {"items": list(range(6)), "at_once": 2})
    sfn.until(lambda: [event["type"] for event in sfn.history(execution)].count("TaskSubmitted"), lambda n: n == 2)
    sfn.api.stop_execution(executionArn=execution)
    assert sfn.wait(execution).status == "ABORTED"

    def children():
        found = sfn.api.list_executions(stateMachineArn=child)["executions"]
        return {one["name"]: one["status"] for one in found}

    ended = {"item-0": "ABORTED", "item-1": "ABORTED"}
    assert sfn.until(children, lambda found: "RUNNING" not in found.values()) == ended


@pytest.mark.parametrize(
    ("fields", "input", "cause"),
    [
        ({"MaxConcurrencyPath": "$.n"}, {"n": "x"},
         'The MaxConcurrencyPath field refers to value "x" which is not a valid integer: $.n'),
        ({"ToleratedFailureCountPath": "$.n"}, {"n": {}},
         'The ToleratedFailureCountPath field refers to value "{}" which is not a valid integer: $.n'),
        ({"ToleratedFailurePercentagePath": "$.n"}, {"n": "x"},
         'The ToleratedFailurePercentagePath field refers to value "x" which is not a valid float: $.n'),
        ({"ToleratedFailureCountPath": "$.n"}, {"n": -1}, "ToleratedFailureCount cannot be negative."),
        ({"ToleratedFailurePercentagePath": "$.n"}, {"n": 100.1},
         "ToleratedFailurePercentage must be between 0 and 100."),
        ({"MaxConcurrencyPath": "$.a.b"}, {}, "Invalid path '$.a.b' : Missing property in path $['a']"),
    ],
)  # fmt: skip
def test_a_path_to_no_number_is_said_in_aws_words(sfn, fields, input, cause):
    outcome = run_map(sfn, {"i": [1], **input}, ItemsPath="$.i", ItemProcessor=ECHO | DISTRIBUTED, **fields)
    prefix = "An error occurred while executing the state 'S' (entered at the event id #2). "
    assert outcome.result == ("States.Runtime", prefix + cause)


def test_jsonata_over_no_array_is_a_query_evaluation_error(sfn):
    echo = {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}
    outcome = sfn.run(sfn.one({"Type": "Map", "ItemProcessor": echo}, QueryLanguage="JSONata"), {"a": 1})
    assert outcome.result == (
        "States.QueryEvaluationError",
        "An error occurred while executing the state 'S' (entered at the event id #2). Map state input must be an array"
        ' but was: {"a":1}',
    )
    assert outcome.types[2:] == ["EvaluationFailed", "MapStateFailed", "ExecutionFailed"]


@pytest.mark.parametrize(("most", "wanted"), [(0, [1, 2, 3]), (2, [1, 2])])
def test_no_items_at_most_are_all_items(sfn, most, wanted):
    sfn.client("s3").create_bucket(Bucket=f"most-{most}")
    sfn.client("s3").put_object(Bucket=f"most-{most}", Key="items", Body=b"[1, 2, 3]")
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON", "MaxItems": most},
        "Parameters": {"Bucket": f"most-{most}", "Key": "items"},
    }
    assert run_map(sfn, {}, ItemProcessor=ECHO | DISTRIBUTED, ItemReader=reader).result == wanted
