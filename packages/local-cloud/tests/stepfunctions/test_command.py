"""Step Functions by the unmodified `aws` command, and what the server must not do."""

from __future__ import annotations

import json
import subprocess
import sys

DEFINITION = {"StartAt": "S", "States": {"S": {"Type": "Fail", "Error": "E", "CausePath": "$.why"}}}


def test_a_machine_by_the_aws_command(sfn, tmp_path):
    def aws(*args):
        done = sfn.cloud.aws("stepfunctions", *args, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    path = tmp_path / "machine.json"
    path.write_text(json.dumps(DEFINITION))
    assert aws("validate-state-machine-definition", "--definition", f"file://{path}")["result"] == "OK"
    role = "arn:aws:iam::123456789012:role/machine"
    machine = aws("create-state-machine", "--name", "cli", "--definition", f"file://{path}", "--role-arn", role)
    arn = machine["stateMachineArn"]
    tested = aws("test-state", "--definition", json.dumps(DEFINITION["States"]["S"]), "--input", '{"why": "ü"}')
    assert tested == {"status": "FAILED", "error": "E", "cause": "ü"}
    started = aws("start-execution", "--state-machine-arn", arn, "--name", "one", "--input", '{"why": "ü"}')
    outcome = sfn.wait(started["executionArn"])
    described = aws("describe-execution", "--execution-arn", outcome.arn)
    assert (described["status"], described["error"], described["cause"]) == ("FAILED", "E", "ü")
    listed = aws("list-executions", "--state-machine-arn", arn, "--status-filter", "FAILED")
    assert [each["name"] for each in listed["executions"]] == ["one"]
    history = aws("get-execution-history", "--execution-arn", outcome.arn, "--max-items", "2")
    assert [event["type"] for event in history["events"]] == ["ExecutionStarted", "FailStateEntered"]
    redriven = sfn.cloud.aws("stepfunctions", "redrive-execution", "--execution-arn", outcome.arn)
    assert redriven.returncode == 0, redriven.stderr
    again = sfn.cloud.aws(
        "stepfunctions", "start-execution", "--state-machine-arn", arn, "--name", "one", "--input", "{}"
    )
    assert again.returncode != 0
    assert "(ExecutionAlreadyExists) when calling the StartExecution operation" in again.stderr
    bad = sfn.cloud.aws(
        "stepfunctions", "create-state-machine", "--name", "bad", "--definition", "{}", "--role-arn", role
    )
    assert "(InvalidDefinition)" in bad.stderr
    assert "These fields are required: [States, StartAt]" in bad.stderr


def test_the_grammar_is_not_read_before_it_is_needed():
    """It costs a second that no start of the server should pay."""
    program = """
import sys, tempfile
from pathlib import Path
from types import SimpleNamespace
import local_cloud.services.stepfunctions as service
from local_cloud.persistence import Persistence

settings = SimpleNamespace(region="us-east-1", account_id="123456789012")
upkeep = SimpleNamespace(add=lambda name, work: None)
persistence = Persistence(Path(tempfile.mkdtemp()))
cloud = SimpleNamespace(
    apis={}, persistence=persistence, settings=settings, upkeep=upkeep, on_stop=lambda hook: None
)
service.install(cloud)
print([name for name in sys.modules if "antlr" in name or "stepfunctions.parser.asl" in name or "jsonata" == name])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
