"""Terraform's own AWS provider over the local cloud, where both are on this machine: what it made needs no change."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CONFIGURATION = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
}
provider "aws" {
  s3_use_path_style = true
  default_tags { tags = { Project = "elt" } }
}
resource "aws_s3_bucket" "scripts" { bucket = "terraform-scripts" }
resource "aws_s3_object" "script" {
  bucket  = aws_s3_bucket.scripts.id
  key     = "job.py"
  content = "print(1)"
}
resource "aws_iam_role" "glue" {
  name = "terraform-glue"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "glue.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}
resource "aws_glue_job" "spark" {
  name              = "terraform-spark"
  role_arn          = aws_iam_role.glue.arn
  glue_version      = "4.0"
  worker_type       = "G.1X"
  number_of_workers = 2
  command { script_location = "s3://${aws_s3_bucket.scripts.bucket}/job.py" }
}
resource "aws_glue_job" "flex" {
  name              = "terraform-flex"
  role_arn          = aws_iam_role.glue.arn
  glue_version      = "5.0"
  worker_type       = "G.1X"
  number_of_workers = 2
  execution_class   = "FLEX"
  command { script_location = "s3://${aws_s3_bucket.scripts.bucket}/job.py" }
}
resource "aws_glue_job" "shell" {
  name         = "terraform-shell"
  role_arn     = aws_iam_role.glue.arn
  max_capacity = 0.0625
  command {
    name            = "pythonshell"
    script_location = "s3://${aws_s3_bucket.scripts.bucket}/job.py"
    python_version  = "3.9"
  }
}
resource "aws_cloudformation_stack" "topic" {
  name          = "terraform-topic"
  template_body = jsonencode({
    Resources = { T = { Type = "AWS::SNS::Topic" } }
    Outputs   = { Arn = { Value = { Ref = "T" } } }
  })
}
output "topic" { value = aws_cloudformation_stack.topic.outputs["Arn"] }
"""


class Terraform:
    def __init__(self, folder: Path, cloud: Any) -> None:
        (folder / "main.tf").write_text(CONFIGURATION)
        settings = {name: value for name, value in os.environ.items() if name.startswith("TF_")}
        self.folder, self.env = folder, {**cloud.env, **settings, "CHECKPOINT_DISABLE": "1"}

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["terraform", *arguments, "-no-color"]
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=280)


@pytest.fixture
def terraform(tmp_path: Path, cloud: Any) -> Terraform:
    if shutil.which("terraform") is None:
        pytest.skip("Terraform is not on this machine")
    found = Terraform(tmp_path, cloud)
    if found("init").returncode:
        pytest.skip(
            "Terraform's AWS provider is not to be had: set TF_CLI_CONFIG_FILE to a file that names a mirror of it"
        )
    return found


def test_what_terraform_made_needs_no_change_and_goes_with_destroy(terraform: Terraform, cloud: Any) -> None:
    applied = terraform("apply", "-auto-approve")
    assert applied.returncode == 0, applied.stderr
    planned = terraform("plan", "-detailed-exitcode")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert terraform("output", "-raw", "topic").stdout.startswith("arn:aws:sns:us-east-1:123456789012:terraform-topic-")
    destroyed = terraform("destroy", "-auto-approve")
    assert destroyed.returncode == 0, destroyed.stderr
    assert cloud.client("glue").list_jobs()["JobNames"] == []
