"""An environment's file: each setting, of its type, or one line that says which is wrong. And where AWS is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration import environments, pipelines
from orchestration.cli import invoke
from orchestration.errors import UsageError

WHOLE = """\
alert_email = "oncall@example.com"
schedules = ["yellow-trips"]
development_releases = false
usage_limit = { rpu_hours_a_day = 24, when_reached = "log" }
quicksight_principal = ""
readers = []

[sdk]
AWS_DEFAULT_REGION = "us-east-1"
"""

EVERY = ", ".join(pipelines.find_scheduled())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.toml").write_text(WHOLE)
    monkeypatch.setattr(environments, "_FOLDER", tmp_path)
    return tmp_path


def test_settings_as_recorded_make_the_same_environment(folder: Path) -> None:
    then = environments.load("mine")
    (folder / "mine.toml").write_text(
        WHOLE.replace("yellow-trips", "reviews").replace("24", "48").replace("log", "deactivate")
    )
    now = environments.load("mine")
    assert then != now
    assert now.with_settings(then.settings, where="a record") == then
    assert now.with_settings({"of a later elt": 1}, where="a record") == now
    with pytest.raises(UsageError, match=r"^a record: schedules is 'true', not a list$"):
        now.with_settings(then.settings | {"schedules": "true"}, where="a record")


@pytest.mark.parametrize(("recorded", "on"), [(True, pipelines.find_scheduled()), (False, [])])
def test_a_record_of_all_schedules_or_none_is_still_understood(folder: Path, recorded: bool, on: list[str]) -> None:
    environment = environments.load("mine")
    assert environment.with_settings({"schedules": recorded}, where="a record").schedules == on


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (('schedules = ["yellow-trips"]\n', ""), "{file} lacks schedules: give it a list"),
        (('["yellow-trips"]', '"false"'), "{file}: schedules is 'false', not a list"),
        (('["yellow-trips"]', "false"), "{file}: schedules is a list of pipelines: write schedules = []"),
        (
            ('["yellow-trips"]', "true"),
            f"{{file}}: schedules is a list of pipelines: write schedules = {json.dumps(pipelines.find_scheduled())}",
        ),
        (
            ('["yellow-trips"]', '["yellow-trips", "yellow"]'),
            f"{{file}}: schedules has 'yellow', which is no pipeline with a schedule; there are: {EVERY}",
        ),
        (
            ('["yellow-trips"]', "[1]"),
            f"{{file}}: schedules has 1, which is no pipeline with a schedule; there are: {EVERY}",
        ),
        (('"oncall@example.com"', "1"), "{file}: alert_email is 1, not a text in quotes"),
        (("schedules", "schedule"), "{file} lacks schedules: give it a list"),
        (
            ("schedules", "more = 1\nschedules"),
            "{file} has no setting more; these are: alert_email, schedules, usage_limit, quicksight_principal, "
            "readers, development_releases, sdk",
        ),
        (("when_reached", "when"), "{file}: usage_limit lacks when_reached: give it a text in quotes"),
        (("= 24", "= 2.5"), "{file}: usage_limit: rpu_hours_a_day is 2.5, not a whole number"),
        (("= 24", "= true"), "{file}: usage_limit: rpu_hours_a_day is True, not a whole number"),
        (("{ rpu_hours_a_day", "24 #"), "{file}: usage_limit is 24, not a table"),
        (("readers = []", 'readers = ""'), "{file}: readers is '', not a list"),
        *(
            (
                ("readers = []", f"readers = [{reader}]"),
                f"{{file}}: readers has {eval(reader)!r}, not the ARN of an IAM role or user, such as "
                "arn:aws:iam::123456789012:role/Analysts",
            )
            for reader in ("1", "'Analysts'", "'arn:aws:iam::123456789012:group/x'", "'arn:aws:iam::1:role/x'")
        ),
        (('"us-east-1"', "1"), "{file}: sdk: AWS_DEFAULT_REGION is 1, not a text in quotes"),
        (("schedules =", "schedules"), "{file} cannot be read: Expected '=' after a key"),
    ],
)
def test_a_file_that_is_wrong(
    folder: Path, change: tuple[str, str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "mine.toml"
    file.write_text(WHOLE.replace(*change))
    assert invoke(["status", "--env", "mine"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"elt: Invalid value for '--env': {line.format(file=file)}")
    assert told.count("\n") == 1


@pytest.mark.parametrize("environment", ["local", "dev"])
@pytest.mark.parametrize(
    "url", ["nonsense", "http://", "ftp://x", "http://127.0.0.1:x", "http://127.0.0.1:99999", "http://[::1"]
)
def test_an_endpoint_that_is_none(
    environment: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_CLOUD_STATE", str(tmp_path))
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")  # and what the command sets is taken back
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert invoke(["status", "--env", environment]) == 2
    assert capsys.readouterr() == (
        "",
        f"elt: AWS_ENDPOINT_URL is {url!r}: give it a URL such as http://127.0.0.1:4566, or unset it\n",
    )
