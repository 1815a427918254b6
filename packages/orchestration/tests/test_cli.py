"""Wrong usage: one line, exit code 2, and nothing started."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestration import environments
from orchestration.cli import COMMANDS, invoke, logs, status
from orchestration.joblogs import LogLine


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["run", "yelow-trips", "--month", "2024-09"],
            "elt: Invalid value for 'PIPELINE': there is no pipeline 'yelow-trips'; "
            "there are: fhvhv-trips, green-trips, reviews, yellow-trips (see `elt run --help`)",
        ),
        (
            ["run", "yellow-trips", "--month", "2024-13"],
            "elt: Invalid value for '--month': '2024-13' is not a month; write it as YYYY-MM, such as 2024-09 "
            "(see `elt run --help`)",
        ),
        (
            ["run", "green-trips", "--month", "2013-07"],
            "elt: green-trips begins with 2013-08; --month 2013-07 is before that",
        ),
        (
            ["run", "yellow-trips", "--month", "1999-01"],
            "elt: yellow-trips begins with 2009-01; --month 1999-01 is before that",
        ),
        (["run", "yellow-trips", "--month", "2099-01"], "elt: --month 2099-01 has not begun yet"),
        (["run", "yellow-trips"], "elt: yellow-trips runs by month: give it one, such as --month 2024-09"),
        (
            ["run", "reviews", "--month", "2024-09"],
            "elt: reviews runs by day: it takes no --month, --engine or --force",
        ),
        (
            ["run", "reviews", "--source", "/no/such/folder"],
            "elt: there is no folder /no/such/folder; --source takes a folder or s3://BUCKET/PREFIX",
        ),
        (
            ["run", "reviews", "--source", "/"],
            "elt: / holds neither product_category=…/*.parquet nor *.tsv files of reviews",
        ),
        (
            ["run", "reviews", "--gone", "Toys/Music"],
            "elt: --gone 'Toys/Music' is no category; write it as its folder product_category=… does",
        ),
        (
            ["run", "yellow-trips", "--month", "2024-09", "--gone", "Toys"],
            "elt: yellow-trips runs by month: it takes no --gone or --yes",
        ),
        (["run", "reviews", "--source", "s3://"], "elt: s3:// is no S3 URI; write s3://BUCKET/PREFIX"),
        (
            ["run", "yellow-trips", "--month", "2024-09", "--source", "/no/such/folder"],
            "elt: there is no folder /no/such/folder; --source takes a folder of TLC-named files or a URL",
        ),
        (
            ["run", "yellow-trips", "--month", "2024-09", "--source", "/", "--no-wait"],
            "elt: this command serves the folder to the job, so it has to wait: drop --no-wait or give a URL",
        ),
        (
            ["run", "yellow-trips", "--month", "2024-09", "--source", "/", "--env", "prod"],
            "elt: prod cannot reach a folder on this machine; give --source a URL",
        ),
        (
            ["verify", "yellow-trips", "--env", "staging"],
            "elt: Invalid value for '--env': there is no environment 'staging'; there are: dev, local, prod "
            "(see `elt verify --help`)",
        ),
        (
            ["demo", "--rows", "0"],
            "elt: Invalid value for '--rows': 0 is not in the range 1<=x<=50000000. (see `elt demo --help`)",
        ),
        (
            ["backfill", "reviews", "--from", "2024-01", "--to", "2024-03"],
            "elt: Invalid value for 'PIPELINE': reviews is not loaded by month; these are: fhvhv-trips, "
            "green-trips, yellow-trips (see `elt backfill --help`)",
        ),
        (
            ["backfill", "yellow-trips", "--from", "2024-01"],
            "elt: give --from and --to, or --follow or --stop for a backfill already started",
        ),
        (
            ["backfill", "yellow-trips", "--from", "2024-03", "--to", "2024-01"],
            "elt: --from 2024-03 is after --to 2024-01",
        ),
        (
            ["backfill", "green-trips", "--from", "2013-07", "--to", "2013-09"],
            "elt: green-trips begins with 2013-08; --from 2013-07 is before that",
        ),
        (
            ["backfill", "yellow-trips", "--from", "2024-01", "--to", "2024-03", "--max-concurrency", "9"],
            "elt: Invalid value for '--max-concurrency': 9 is not in the range 1<=x<=8. (see `elt backfill --help`)",
        ),
        (
            ["backfill", "yellow-trips", "--follow", "--stop"],
            "elt: --follow and --stop go alone with the pipeline: they are about a backfill already started",
        ),
        (["frobnicate"], "elt: No such command 'frobnicate'. (see `elt --help`)"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(arguments) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"{line}\n")


@pytest.mark.parametrize("command", ["status", "down", "reset --yes", "env", "up", "fire reviews"])
@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("LOCAL_CLOUD_PORT", "http", "LOCAL_CLOUD_PORT is 'http': give a port from 1 to 65535."),
        ("LOCAL_CLOUD_STATE", __file__, f"{__file__} is a file: give LOCAL_CLOUD_STATE, or --state, a folder."),
    ],
)
def test_wrong_settings_of_the_local_cloud(
    command: str,
    variable: str,
    value: str,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("LOCAL_CLOUD_STATE", str(tmp_path / "elt"))
    monkeypatch.setenv(variable, value)
    assert invoke(["local", *command.split()]) == 2
    assert capsys.readouterr() == ("", f"elt: {line}\n")


def test_a_file_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(*arguments: object, **options: object) -> None:
        (tmp_path / "missing" / "page.html").write_text("")

    monkeypatch.setattr("orchestration.releases.building.build.build_all", write)
    assert invoke(["release", "build", "trigger"]) == 1
    assert capsys.readouterr() == ("", f"elt: {tmp_path}/missing/page.html: No such file or directory\n")


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_every_command_has_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(arguments) == 0
    assert "Usage: elt" in capsys.readouterr().out


def test_every_command_and_flag_is_in_the_readme() -> None:
    import click

    from orchestration.cli import elt

    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    context = click.Context(elt)

    def flags(command: click.Command) -> set[str]:
        found = {option for param in command.params for option in param.opts if option.startswith("--")}
        if isinstance(command, click.Group):
            for child in command.commands.values():
                found |= flags(child)
        return found - {"--help"}

    for name in COMMANDS:
        command = elt.get_command(context, name)
        assert command is not None
        assert f"elt {name}" in readme
        assert {flag for flag in flags(command) if flag not in readme} == set()


def test_help_imports_nothing_heavy() -> None:
    """`elt --help` answers at once because commands are imported when they run."""
    code = (
        "import sys; from orchestration.cli import invoke; invoke(['--help']); "
        "print([m for m in ('boto3', 'rich', 'duckdb', 'moto', 'werkzeug', 'local_cloud') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_status_is_newest_first_and_whole_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    status.show(
        [
            row("reviews", "reviews-2024-09-05", "RUNNING", minute=7, seconds=61.2),
            row("green-trips", "green-2021-03-backfill-20261122T014548-af50", "SUCCEEDED", minute=3, seconds=4.0),
        ],
        environments.load("dev"),
    )
    assert capsys.readouterr().out.splitlines() == [
        "pipeline     execution                                    status     started (UTC)        seconds",
        "reviews      reviews-2024-09-05                           RUNNING    2026-11-22 01:07:09     61.2",
        "green-trips  green-2021-03-backfill-20261122T014548-af50  SUCCEEDED  2026-11-22 01:03:09      4.0",
    ]


def row(pipeline: str, name: str, state: str, *, minute: int, seconds: float) -> dict[str, Any]:
    started = f"2026-11-22T01:{minute:02}:09+00:00"
    return {"pipeline": pipeline, "name": name, "status": state, "started": started, "seconds": seconds}


def test_status_of_nothing_says_what_to_do_there(capsys: pytest.CaptureFixture[str]) -> None:
    status.show([], environments.load("prod"))
    told = capsys.readouterr()
    assert (told.out, told.err) == (
        "",
        "nothing has run yet; try: elt run yellow-trips --month 2024-09 --env prod\n",
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            '{"event": "opened", "dataset": "yellow", "month": "2022-01", "rows": 100000, "era": "2016-07"}',
            "01:47:08 TransformTrips opened: rows 100000  era 2016-07",
        ),
        ('  File "job.py", line 8, in main', '01:47:08 TransformTrips   File "job.py", line 8, in main'),
        ("[1, 2]", "01:47:08 TransformTrips [1, 2]"),
        (
            '{"event": "run", "status": "failed", "error": "line 1\\nline 2"}',
            '01:47:08 TransformTrips run: status failed  error "line 1\\nline 2"',
        ),
    ],
)
def test_a_log_line_as_text(text: str, shown: str) -> None:
    line = LogLine(milliseconds=1795312028000, state="TransformTrips", job_run="jr_1", text=text, event_id="1")
    assert logs.as_text(line) == shown


@pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "nothing", "nobody there"])
def test_nothing_is_deleted_without_a_yes(
    answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert invoke(["destroy", "--env", "prod"]) == 2
    told = capsys.readouterr().err.replace("Delete stack elt-prod-pipelines? [y/N]: ", "").strip()
    assert told == "elt: nothing is deleted; --yes deletes without asking"


def test_ctrl_c_is_one_line_also_while_modules_are_imported(tmp_path: Path) -> None:
    """Nothing has begun, and the first thing that is imported takes the longest."""
    (tmp_path / "click").mkdir()
    (tmp_path / "click" / "__init__.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [Path(sys.executable).parent / "elt", "status"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "elt: interrupted\n")


@pytest.mark.parametrize("group", [[], ["local"], ["release"], ["new"]])
def test_a_group_alone_prints_its_help(group: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(group) == 0
    said = capsys.readouterr()
    assert said.out.startswith(" ".join(["Usage: elt", *group]))
    assert said.err == ""


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("elt ver", ["verify"]),
        ("elt run gr", ["green-trips"]),
        ("elt backfill re", []),
        ("elt status --env p", ["prod"]),
        ("elt logs ye", ["yellow-trips"]),
    ],
)
def test_tab_completes_commands_pipelines_and_environments(
    words: str,
    completed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("LOCAL_CLOUD_STATE", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    monkeypatch.setenv("_ELT_COMPLETE", "bash_complete")
    with pytest.raises(SystemExit):
        invoke([])
    assert capsys.readouterr().out.split() == [f"plain,{name}" for name in completed]
