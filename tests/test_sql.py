"""`elt sql` asks the warehouse: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from pyarrow import parquet

from laptop import BIN, Laptop
from orchestration.cli import sql_prompt
from orchestration.errors import UsageError


@pytest.fixture(scope="module")
def fares(laptop: Laptop) -> Iterator[str]:
    """A table of two fares, and a third row with nothing in it."""
    made = laptop.elt(
        "sql",
        "create table fares (day date, fare decimal(9,2), payer varchar(20)); "
        "insert into fares values ('2024-09-01', 12.50, 'a, \"b\"'), ('2024-09-02', 0.10, ''), (null, null, null)",
        "--write",
    )
    assert made.returncode == 0, made.stderr
    yield "fares"
    laptop.elt("sql", "drop table fares", "--write")


def test_a_table_for_people_aligns_numbers_and_names_nulls(laptop: Laptop, fares: str) -> None:
    asked = laptop.elt("sql", f"select * from {fares} order by day")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.splitlines() == [
        "day          fare  payer",
        "----------  -----  ------",
        '2024-09-01  12.50  a, "b"',
        "2024-09-02   0.10",
        "NULL         NULL  NULL",
        "(3 rows)",
    ]


def test_csv_and_json_keep_digits_and_tell_empty_from_null(laptop: Laptop, fares: str) -> None:
    query = f"select * from {fares} order by day"
    csv = laptop.elt("sql", query, "--output", "csv").stdout
    assert csv.splitlines() == ["day,fare,payer", '2024-09-01,12.50,"a, ""b"""', '2024-09-02,0.10,""', ",,"]
    lines = laptop.elt("sql", query, "--output", "json").stdout.splitlines()
    assert [json.loads(line, parse_float=Decimal) for line in lines] == [
        {"day": "2024-09-01", "fare": Decimal("12.50"), "payer": 'a, "b"'},
        {"day": "2024-09-02", "fare": Decimal("0.10"), "payer": ""},
        {"day": None, "fare": None, "payer": None},
    ]


def test_a_parquet_file_has_the_types_of_the_warehouse(laptop: Laptop, fares: str, tmp_path: Path) -> None:
    out = tmp_path / "fares.parquet"
    asked = laptop.elt("sql", f"select * from {fares} order by day", "--output", "parquet", "--out", str(out))
    assert (asked.returncode, asked.stdout) == (0, f"{out}\n")
    table = parquet.read_table(out)
    assert [str(field.type) for field in table.schema] == ["date32[day]", "decimal128(9, 2)", "string"]
    assert table.to_pylist()[0] == {"day": date(2024, 9, 1), "fare": Decimal("12.50"), "payer": 'a, "b"'}


def test_files_standard_input_and_parameters(laptop: Laptop, fares: str, tmp_path: Path) -> None:
    (file := tmp_path / "one.sql").write_text(f"select payer from {fares} where day = :day")
    from_file = laptop.elt("sql", "-f", str(file), "--param", "day=2024-09-01", "--output", "csv")
    assert from_file.stdout == 'payer\n"a, ""b"""\n'
    piped = subprocess.run(
        [BIN / "elt", "sql", "--output", "csv"],
        input="select 1 as one; select 2 as two",
        env=laptop.env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert piped.stdout == "one\n1\n\ntwo\n2\n"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (
            ["select 1; delete from fares"],
            2,
            "elt: <sql>:1:11: statement 2 (delete from fares) is none that only reads; --write runs it",
        ),
        (
            ["select * into copied from fares"],
            2,
            "elt: <sql>:1:1: statement 1 (select * into copied from fares) is none that only reads; --write runs it",
        ),
        (
            ["with one as (select 1) delete from fares using one"],
            2,
            "elt: <sql>:1:1: statement 1 (with one as (select 1) delete from fares using one) is none that only reads; "
            "--write runs it",
        ),
        (["select 1", "-f", "x.sql"], 2, "elt: give the SQL or -f FILE, not both"),
        (["select 1", "--output", "parquet"], 2, "elt: Parquet goes to a file: --out FILE"),
        (
            ["select 1; select 2", "--output", "parquet", "--out", "x.parquet"],
            2,
            "elt: a Parquet file holds one result set, and there are 2",
        ),
        (["-f", "no-such.sql"], 1, "elt: no-such.sql: No such file or directory"),
        (["select :day"], 1, "elt: <sql>:1:8: no value for parameter :day"),
    ],
)
def test_what_is_refused_runs_nothing(laptop: Laptop, fares: str, arguments: list[str], code: int, line: str) -> None:
    asked = laptop.elt("sql", *arguments)
    assert (asked.returncode, asked.stdout, asked.stderr.strip()) == (code, "", line)
    assert laptop.elt("sql", f"select count(*) n from {fares}", "--output", "csv").stdout == "n\n3\n"


def test_words_of_changes_in_literals_names_and_explanations_are_no_changes(laptop: Laptop, fares: str) -> None:
    asked = laptop.elt("sql", "select 'delete' \"update\" -- insert into", "--output", "csv")
    assert (asked.returncode, asked.stdout) == (0, "update\ndelete\n")
    assert laptop.elt("sql", f"explain delete from {fares}").returncode == 0


def test_a_mistake_in_sql_is_one_line_that_names_the_statement(laptop: Laptop) -> None:
    asked = laptop.elt("sql", "select 1;\nselect nobody from nowhere")
    assert asked.returncode == 1
    (line,) = asked.stderr.strip().splitlines()
    assert line.startswith("elt: <sql>:2:20: statement 2 (select nobody from nowhere)")
    assert 'relation "nowhere" does not exist' in line


def typed(keys: str, run: list[str]) -> None:
    """What a person types at the prompt; `run` gets what would be run."""

    def each(line: str) -> None:
        run.append(line)
        if "wrong" in line:
            raise UsageError("wrong")

    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        sql_prompt.repeat(each, environment="local", names=tuple)


def test_the_prompt_takes_several_lines_goes_on_after_a_mistake_and_remembers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_CLOUD_STATE", str(tmp_path))
    run: list[str] = []
    typed("select 1,\r2;\rwrong;\rselect 3;\rexit\r", run)
    assert run == ["select 1,\n2;", "wrong;", "select 3;"]
    assert capsys.readouterr().err.splitlines()[1:] == ["wrong"]
    again: list[str] = []
    typed("\x1b[A\x1b[A\r\x04", again)  # two up, Enter, Ctrl-D
    assert again == ["select 3;"]


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("select sum(tip_", ["tip_amount"]),
        ("select 1 fro", ["from"]),
        ("SELECT 1 FRO", ["FROM"]),
        ("select 1 from public.y", ["public.yellow_trips"]),
        ("select 1 from ", []),
    ],
)
def test_the_prompt_completes_tables_columns_and_keywords(text: str, completed: list[str]) -> None:
    names = sql_prompt.Names(("yellow_trips", "public.yellow_trips", "tip_amount"))
    found = names.get_completions(Document(text), CompleteEvent(completion_requested=True))
    assert [one.text for one in found] == completed
