"""Job definitions through the API: one test for each of the places where moto's own are not enough."""

from __future__ import annotations

import json

import pytest

DEFINITION = {
    "Role": "glue-role",
    "Command": {"Name": "pythonshell", "PythonVersion": "3.9", "ScriptLocation": "s3://artifacts/job.py"},
    "DefaultArguments": {"--a": "1"},
    "MaxRetries": 2,
    "Description": "first",
}


def settable(job):
    return {key: value for key, value in job.items() if key not in ("Name", "CreatedOn", "LastModifiedOn")}


def test_a_definition_comes_back_whole_with_awss_defaults(glue):
    glue.api.create_job(Name="whole", **DEFINITION, ExecutionProperty={"MaxConcurrentRuns": 4})
    assert settable(glue.api.get_job(JobName="whole")["Job"]) == {
        **DEFINITION,
        "Timeout": 2880,
        "MaxCapacity": 0.0625,
        "ExecutionProperty": {"MaxConcurrentRuns": 4},
    }


def test_a_spark_job_has_an_execution_class_where_it_was_given_one(glue):
    spark = {**DEFINITION, "Command": {"Name": "glueetl", "ScriptLocation": "s3://artifacts/job.py"}}
    glue.api.create_job(Name="standard", **spark, GlueVersion="5.0")
    glue.api.create_job(Name="flex", **spark, GlueVersion="5.0", ExecutionClass="FLEX")
    assert "ExecutionClass" not in glue.api.get_job(JobName="standard")["Job"]
    assert glue.api.get_job(JobName="flex")["Job"]["ExecutionClass"] == "FLEX"


def test_update_overwrites_the_whole_definition_and_keeps_when_it_was_made(glue):
    glue.api.create_job(Name="update", **DEFINITION, GlueVersion="3.0")
    before = glue.api.get_job(JobName="update")["Job"]
    command = {**DEFINITION["Command"], "ScriptLocation": "s3://artifacts/v2.py"}
    glue.api.update_job(JobName="update", JobUpdate={"Role": "other", "Command": command, "Timeout": 5})
    after = glue.api.get_job(JobName="update")["Job"]
    assert settable(after) == {
        "Role": "other",
        "Command": command,
        "Timeout": 5,
        "GlueVersion": "3.0",
        "MaxRetries": 0,
        "DefaultArguments": {},
        "MaxCapacity": 0.0625,
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
    }
    assert after["CreatedOn"] == before["CreatedOn"]
    assert after["LastModifiedOn"] >= before["LastModifiedOn"]


def test_read_change_write_is_what_an_update_takes(glue):
    glue.api.create_job(Name="read-change-write", **DEFINITION)
    job = settable(glue.api.get_job(JobName="read-change-write")["Job"])
    glue.api.update_job(JobName="read-change-write", JobUpdate={**job, "Description": "second"})
    assert glue.api.get_job(JobName="read-change-write")["Job"]["Description"] == "second"
    assert settable(glue.api.get_job(JobName="read-change-write")["Job"]) == {**job, "Description": "second"}


def test_creating_the_same_job_again_is_fine_and_another_one_of_its_name_is_not(glue):
    glue.api.create_job(Name="again", **DEFINITION)
    glue.api.create_job(Name="again", **DEFINITION)
    with pytest.raises(glue.api.exceptions.IdempotentParameterMismatchException):
        glue.api.create_job(Name="again", **{**DEFINITION, "Description": "second"})
    assert glue.api.get_job(JobName="again")["Job"]["Description"] == "first"


def test_jobs_are_listed_tagged_and_deleted(glue):
    glue.api.create_job(Name="tagged", **DEFINITION, Tags={"team": "data"})
    assert [job["Name"] for job in glue.api.get_jobs()["Jobs"]].count("tagged") == 1
    assert glue.api.list_jobs(Tags={"team": "data"})["JobNames"] == ["tagged"]
    assert [j["Name"] for j in glue.api.batch_get_jobs(JobNames=["tagged", "nope"])["Jobs"]] == ["tagged"]
    arn = "arn:aws:glue:us-east-1:123456789012:job/tagged"
    assert glue.api.get_tags(ResourceArn=arn)["Tags"] == {"team": "data"}
    for _ in range(2):  # deleting what is not there is no error
        assert glue.api.delete_job(JobName="tagged")["JobName"] == "tagged"
    with pytest.raises(glue.api.exceptions.EntityNotFoundException):
        glue.api.get_job(JobName="tagged")
    glue.api.create_job(Name="tagged", **DEFINITION)
    assert glue.api.get_tags(ResourceArn=arn)["Tags"] == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Role": ""}, "needs a Role"),
        ({"Command": {"Name": "pythonshell"}}, "ScriptLocation"),
        ({"WorkerType": "G.1X", "NumberOfWorkers": 2}, "Worker Type is not supported for Job Command pythonshell"),
        ({"Timeout": 10081}, "Timeout must be between 1 and 10080 minutes"),
        (
            {"Command": {"Name": "glueetl", "ScriptLocation": "s3://b/k"}, "MaxCapacity": 2.0, "NumberOfWorkers": 2},
            "Please do not set Max Capacity",
        ),
    ],
)
def test_what_aws_refuses_is_refused(glue, change, message):
    with pytest.raises(glue.api.exceptions.InvalidInputException, match=message):
        glue.api.create_job(Name="refused", **{**DEFINITION, **change})
    with pytest.raises(glue.api.exceptions.EntityNotFoundException):
        glue.api.get_job(JobName="refused")


@pytest.mark.parametrize(
    ("command", "version", "message"),
    [
        ("gluestreaming", "5.0", "is a gluestreaming job: the local cloud runs pythonshell and glueetl"),
        ("glueetl", "3.0", "has GlueVersion 3.0: the local cloud runs 4.0, 5.0, 5.1"),
    ],
)
def test_a_job_without_an_engine_here_does_not_start(glue, command, version, message):
    name = f"no-engine-{command}"
    glue.api.create_job(
        Name=name, Role="r", GlueVersion=version, Command={"Name": command, "ScriptLocation": "s3://b/k"}
    )
    with pytest.raises(glue.api.exceptions.InvalidInputException, match=message):
        glue.api.start_job_run(JobName=name)
    assert glue.api.get_job_runs(JobName=name)["JobRuns"] == []


def test_the_aws_command_works_on_it(glue, cloud):
    glue.api.create_job(Name="by-command", **DEFINITION)
    shown = cloud.aws("glue", "get-job", "--job-name", "by-command")
    assert json.loads(shown.stdout)["Job"]["Command"] == DEFINITION["Command"], shown.stderr
    missing = cloud.aws("glue", "start-job-run", "--job-name", "nowhere")
    assert missing.returncode != 0
    assert "EntityNotFoundException" in missing.stderr
