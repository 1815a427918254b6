"""What the README promises, the code has; what the code offers, the README tells."""

from __future__ import annotations

import re
from pathlib import Path

import local_cloud
from local_cloud import settings
from local_cloud.cli import main

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_command_and_option_is_documented() -> None:
    rows = dict(re.findall(r"^\| `local-cloud (\w+)([^`]*)` \|", README, re.MULTILINE))
    assert set(rows) == set(main.commands)
    for name, command in main.commands.items():
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        told = set(re.findall(r"--[a-z-]+", rows[name])) | {"--state"}
        assert told == options, name


def test_every_variable_is_documented() -> None:
    used = set(re.findall(r"LOCAL_CLOUD_[A-Z]+", Path(settings.__file__).read_text()))
    assert used == set(re.findall(r"LOCAL_CLOUD_[A-Z]+", README))


def test_every_part_of_the_state_folder_is_documented() -> None:
    block = README.split("## The state folder")[1].split("```")[1]
    told = {line.split("/")[0].split()[0] for line in block.strip().splitlines()}
    assert told == {name for name in settings.STATE_NAMES if not name.endswith(".1")}


def test_every_service_of_ours_is_documented() -> None:
    table = README.split("## What is real")[1].split("## Errors")[0].lower()
    from local_cloud.services import SERVICES

    names = {"awslambda": "lambda", "stepfunctions": "step functions", "redshift": "redshift serverless"}
    names["servicequotas"] = "service quotas"
    for service in SERVICES:
        assert names.get(service, service) in table, service


def test_the_library_example_uses_what_there_is() -> None:
    example = README.split("```python")[1].split("```")[0]
    for name in re.findall(r"local_cloud\.(\w+)", example):
        assert name in local_cloud.__all__
