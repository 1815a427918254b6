"""Function definitions: what moto leaves out, and what survives."""

from __future__ import annotations

import json
import signal

import pytest


def test_code_comes_from_s3_and_a_wheel_is_a_zip_too(functions, make_zip):
    s3 = functions.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(
        Bucket="code", Key="trigger-1.0.whl", Body=make_zip({"pkg/app.py": "def main(event, context): return 's3'"})
    )
    name = functions.function(Code={"S3Bucket": "code", "S3Key": "trigger-1.0.whl"}, Handler="pkg/app.main")
    assert functions.invoke(name).payload == "s3"
    s3.put_object(Bucket="code", Key="v2.zip", Body=make_zip({"app.py": "def main(event, context): return 'v2'"}))
    updated = functions.api.update_function_code(FunctionName=name, S3Bucket="code", S3Key="v2.zip")
    functions.api.update_function_configuration(FunctionName=name, Handler="app.main")
    assert functions.invoke(name).payload == "v2"
    assert updated["CodeSize"] == len(s3.get_object(Bucket="code", Key="v2.zip")["Body"].read())


def test_a_version_of_an_object_can_be_the_code(functions, make_zip):
    s3 = functions.client("s3")
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    ids = [
        s3.put_object(
            Bucket="versions", Key="f.zip", Body=make_zip({"app.py": f"def main(event, context): return {n}"})
        )["VersionId"]
        for n in (1, 2)
    ]
    code = {"S3Bucket": "versions", "S3Key": "f.zip"}
    assert functions.invoke(functions.function(Code={**code, "S3ObjectVersion": ids[0]})).payload == 1
    assert functions.invoke(functions.function(Code=code)).payload == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"Code": {"S3Bucket": "nowhere", "S3Key": "k"}}, "Error occurred while GetObject"),
        ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip uploaded file"),
        ({"Runtime": "nodejs22.x"}, "The local cloud runs Python functions from a zip, not nodejs22.x"),
        ({"Role": "arn:aws:iam::123456789012:role/nowhere"}, "cannot be assumed by Lambda"),
        ({"LoggingConfig": {"LogFormat": "JSON"}}, "as Text, not as JSON"),
    ],
)
def test_a_function_that_could_not_run_is_refused(functions, settings, message):
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match=message):
        functions.function("", FunctionName="refused", **settings)
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException):
        functions.api.get_function(FunctionName="refused")


def test_an_update_of_the_configuration_changes_what_it_names(functions):
    name = functions.function("def main(event, context): return 1", Description="first", MemorySize=128)
    queue = functions.queue("dead")
    changes = {
        "Timeout": 7,
        "MemorySize": 512,
        "DeadLetterConfig": {"TargetArn": queue},
        "EphemeralStorage": {"Size": 1024},
        "TracingConfig": {"Mode": "Active"},
    }
    answered = functions.api.update_function_configuration(FunctionName=name, **changes)
    read = functions.api.get_function_configuration(FunctionName=name)
    for configuration in (answered, read):
        assert {key: configuration[key] for key in changes} == changes
        assert configuration["Description"] == "first"
        assert configuration["State"] == "Active"
    functions.api.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in functions.api.get_function_configuration(FunctionName=name)


NAMES = [
    "{name}",
    "function:{name}",
    "123456789012:function:{name}",
    "us-east-1:123456789012:function:{name}",
    "arn:aws:lambda:us-east-1:123456789012:function:{name}",
]


@pytest.mark.parametrize("form", NAMES)
def test_a_function_is_found_by_every_name_that_lambda_takes(functions, form):
    name = functions.function("def main(event, context): return context.invoked_function_arn")
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    api, given = functions.api, form.format(name=name)
    api.publish_version(FunctionName=given)
    api.create_alias(FunctionName=given, Name="live", FunctionVersion="1")

    assert api.get_function(FunctionName=given)["Configuration"]["FunctionArn"] == arn
    assert api.get_function(FunctionName=f"{given}:live")["Configuration"]["Version"] == "1"
    assert api.get_function_configuration(FunctionName=given, Qualifier="1")["Version"] == "1"
    assert [each["Version"] for each in api.list_versions_by_function(FunctionName=given)["Versions"]] == [
        "$LATEST",
        "1",
    ]
    assert [each["Name"] for each in api.list_aliases(FunctionName=given)["Aliases"]] == ["live"]
    assert json.loads(api.invoke(FunctionName=f"{given}:live")["Payload"].read()) == f"{arn}:live"
    api.delete_function(FunctionName=given)
    with pytest.raises(api.exceptions.ResourceNotFoundException):
        api.get_function(FunctionName=name)


@pytest.mark.parametrize("form", NAMES)
def test_a_function_can_be_made_by_every_name_that_lambda_takes(functions, form):
    name = f"made-{NAMES.index(form)}"

    made = functions.function("def main(event, context): return 1", FunctionName=form.format(name=name))

    assert functions.api.get_function_configuration(FunctionName=name)["FunctionName"] == name
    functions.api.delete_function(FunctionName=made)


def test_a_name_and_a_qualifier_that_differ_are_refused(functions):
    name = functions.function("def main(event, context): return 1")
    functions.api.publish_version(FunctionName=name)

    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="derived qualifier"):
        functions.api.get_function(FunctionName=f"{name}:1", Qualifier="2")


@pytest.mark.parametrize("place", ["eu-west-1:123456789012", "us-east-1:210987654321"])
def test_a_function_of_another_region_or_account_is_not_found(functions, place):
    name = functions.function("def main(event, context): return 1")

    with pytest.raises(functions.api.exceptions.ResourceNotFoundException):
        functions.api.get_function(FunctionName=f"arn:aws:lambda:{place}:function:{name}")


def test_the_log_group_can_be_another_one(functions):
    name = functions.function(
        "def main(event, context): print('said'); return context.log_group_name",
        FunctionName="logs-elsewhere",
        LoggingConfig={"LogGroup": "/elt/trigger"},
    )
    assert functions.invoke(name).payload == "/elt/trigger"
    said = functions.client("logs").filter_log_events(logGroupName="/elt/trigger")["events"]
    assert "said" in [event["message"] for event in said]
    updated = functions.api.update_function_configuration(FunctionName=name, LoggingConfig={"LogGroup": "/elt/b"})
    assert updated["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/elt/b"}
    functions.api.update_function_configuration(FunctionName=name, LoggingConfig={"LogFormat": "Text"})
    assert functions.invoke(name).payload == "/aws/lambda/logs-elsewhere"


def test_a_versions_number_is_not_given_twice(functions):
    name = functions.function("def main(event, context): return context.function_version")
    assert functions.api.publish_version(FunctionName=name)["Version"] == "1"
    functions.api.update_function_configuration(FunctionName=name, Description="second")
    assert functions.api.publish_version(FunctionName=name)["Version"] == "2"
    functions.api.delete_function(FunctionName=name, Qualifier="1")
    functions.api.update_function_configuration(FunctionName=name, Description="third")
    assert functions.api.publish_version(FunctionName=name)["Version"] == "3"
    assert functions.invoke(name, Qualifier="3").payload == "3"


def test_a_layers_modules_can_be_imported(functions, make_zip):
    s3 = functions.client("s3")
    s3.create_bucket(Bucket="layers")
    s3.put_object(Bucket="layers", Key="l.zip", Body=make_zip({"python/from_s3.py": "VALUE = 's3'"}))
    inline = functions.api.publish_layer_version(
        LayerName="inline", Content={"ZipFile": make_zip({"python/inline.py": "VALUE = 'inline'"})}
    )
    stored = functions.api.publish_layer_version(LayerName="stored", Content={"S3Bucket": "layers", "S3Key": "l.zip"})
    name = functions.function(
        "import inline, from_s3\ndef main(event, context): return [inline.VALUE, from_s3.VALUE]",
        Layers=[inline["LayerVersionArn"], stored["LayerVersionArn"]],
    )
    assert functions.invoke(name).payload == ["inline", "s3"]


def test_a_new_event_invoke_configuration_takes_the_place_of_the_old(functions):
    name = functions.function("def main(event, context): return 1")
    api = functions.api
    api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=2, MaximumEventAgeInSeconds=100)
    api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    config = api.get_function_event_invoke_config(FunctionName=name)
    assert (config["MaximumRetryAttempts"], config.get("MaximumEventAgeInSeconds")) == (1, None)
    api.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=200)
    config = api.get_function_event_invoke_config(FunctionName=name)
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (1, 200)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_functions_survive_a_restart_and_their_processes_do_not(new_cloud, functions_of, signum):
    cloud = new_cloud()
    cloud.start()
    functions = functions_of(cloud)
    name = functions.function(
        "import os\ndef main(event, context): return [os.getpid(), os.environ['A']]",
        Environment={"Variables": {"A": "kept"}},
        DeadLetterConfig={"TargetArn": functions.queue("dead")},
    )
    functions.api.publish_version(FunctionName=name)
    functions.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    pid, _ = functions.invoke(name).payload
    before = functions.api.get_function(FunctionName=name)["Configuration"]
    cloud.stop(signum)
    cloud.start()
    assert functions.api.get_function(FunctionName=name)["Configuration"] == before
    again, kept = functions.invoke(name, Qualifier="live").payload
    assert again != pid
    assert kept == "kept"
    cloud.stop()
