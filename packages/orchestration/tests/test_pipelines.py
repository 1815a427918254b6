"""Months, pipelines and environments as people name them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestration import environments, pipelines
from orchestration.errors import UnknownEnvironment, UnknownPipeline, UsageError
from orchestration.pipelines import Month


@pytest.mark.parametrize("text", ["2009-01", "2024-09", "2099-12"])
def test_month_round_trip(text: str) -> None:
    assert str(Month.parse(text)) == text


def test_month_as_key_and_date() -> None:
    assert (Month(2024, 9).path, Month(2024, 9).first_day) == ("2024/09", "2024-09-01")


@pytest.mark.parametrize("text", ["2024-13", "2024-00", "2024-9", "24-09", "2024/09", "1899-01", "", "2024-09-01"])
def test_not_a_month(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Month.parse(text)
    assert str(caught.value) == f"{text!r} is not a month; write it as YYYY-MM, such as 2024-09"


def test_every_pipeline_folder_is_complete() -> None:
    for pipeline in pipelines.all_pipelines():
        assert pipeline.definition.is_file()
        assert pipeline.sql_files
        assert "." in pipeline.table


def test_unknown_pipeline_names_those_there_are() -> None:
    with pytest.raises(UnknownPipeline, match=r"^there is no pipeline 'yelow'; there are: .*yellow-trips"):
        pipelines.load("yelow")


def test_unknown_environment_names_those_there_are() -> None:
    with pytest.raises(UnknownEnvironment, match=r"there are: dev, local, prod$"):
        environments.load("staging")


def test_local_never_takes_the_callers_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    environments.load("local").activate()
    assert os.environ["AWS_ACCESS_KEY_ID"] == "local"
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "local"
    assert "AWS_SESSION_TOKEN" not in os.environ
    assert "AWS_PROFILE" not in os.environ
    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({}, "us-east-1"),
        ({"AWS_PROFILE": "abroad"}, "eu-west-1"),
        ({"AWS_PROFILE": "nowhere"}, "us-east-1"),
        ({"AWS_PROFILE": "missing"}, "us-east-1"),
        ({"AWS_PROFILE": "abroad", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_PROFILE": "abroad", "AWS_DEFAULT_REGION": "eu-west-2", "AWS_REGION": "eu-west-3"}, "eu-west-3"),
        ({"AWS_REGION": "eu-west-3"}, "eu-west-3"),
    ],
)
def test_the_region_is_the_callers_where_one_is_set(
    variables: dict[str, str], region: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the SDKs go: AWS_REGION, AWS_DEFAULT_REGION, the profile's; the environment's own where none of them is."""
    config = tmp_path / "config"
    config.write_text("[profile abroad]\nregion = eu-west-1\n[profile nowhere]\noutput = json\n")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "")  # so that it is as before in the end, whatever is set meanwhile
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    environments.load("dev").activate()
    assert os.environ["AWS_DEFAULT_REGION"] == region


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_other_environments_keep_the_callers_keys(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    environments.load(name).activate()
    assert os.environ["AWS_PROFILE"] == "mine"
    assert "AWS_ENDPOINT_URL" not in os.environ
