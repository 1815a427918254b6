"""The commands and the code of docs/*.md, run as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def examples(page: str, language: str) -> list[str]:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run(cloud, folder, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=cloud.env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_of_a_job_runs(cloud, tmp_path):
    (tmp_path / "hello.py").write_text("print('hello')")
    (commands,) = examples("jobs", "sh")
    *before, logs = commands.strip().split("\n")
    run(cloud, tmp_path, "bash", "-ec", "\n".join(before))
    glue = cloud.client("glue")
    while glue.get_job_runs(JobName="hello")["JobRuns"][0]["JobRunState"] in ("STARTING", "RUNNING"):
        pass
    assert [event["message"] for event in json.loads(run(cloud, tmp_path, "bash", "-ec", logs))["events"]] == ["hello"]


def test_the_example_of_a_function_runs(cloud, tmp_path):
    with zipfile.ZipFile(tmp_path / "hello.zip", "w") as archive:
        archive.writestr("app.py", "def main(event, context):\n    print('hello')\n    return event")
    (tmp_path / "event.json").write_text('{"a": 1}')
    (commands,) = examples("functions", "sh")
    said = run(cloud, tmp_path, "bash", "-ec", commands)
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": 1}
    assert '"message": "hello"' in said


@pytest.fixture(scope="module")
def monthly(cloud):
    """The schedule of the examples, and the queue it sends to."""
    cloud.client("sqs").create_queue(QueueName="monthly")
    cloud.client("scheduler").create_schedule(
        Name="monthly",
        ScheduleExpression="cron(0 6 5 * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        State="DISABLED",
        Target={
            "Arn": "arn:aws:sqs:us-east-1:123456789012:monthly",
            "RoleArn": cloud.role("scheduler"),
            "Input": "<aws.scheduler.scheduled-time>",
        },
    )


@pytest.mark.parametrize("language", ["sh", "python"])
def test_the_example_of_a_schedule_fires(cloud, tmp_path, monthly, language):
    (example,) = examples("schedules", language)
    interpreter = {"sh": ("bash", "-ec"), "python": ("python", "-c")}[language]
    run(cloud, tmp_path, *interpreter, example)
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName="monthly")["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert message["Body"] == "2024-11-05T06:00:00Z"
