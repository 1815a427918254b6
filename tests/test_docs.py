"""The documentation keeps its word: commands are taken, links lead somewhere, recipes work when they are followed."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from laptop import ROOT
from orchestration import pipelines
from orchestration.cli import COMMANDS, elt
from orchestration.pipelines import asl
from rs_query.cli import _parser

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Pipelines that only exist once a recipe has been followed: the next module follows them.
BY_RECIPE = {"fhv-trips", "trips-by-month"}
#: Commands that nothing here can check; what they are given is read by people alone.
UNCHECKED = {".", "cd", "cp", "echo", "export", "gh", "mkdir", "sed"}


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks of some languages, in order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def command_lines(page: Path) -> Iterator[list[str]]:
    """The words of each command on a page, without comments; also of one that another is given."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            for word in words:
                if inner := re.fullmatch(r"(?:\w+=)?\$\((.*)\)", word):
                    yield shlex.split(inner[1])
            while words:
                end = next(
                    (at for at, word in enumerate(words) if word.endswith(";") or word in ("&&", "|")), len(words)
                )
                command = [
                    *words[:end],
                    *([words[end].rstrip(";")] if end < len(words) and words[end][-1] == ";" else []),
                ]
                if command and not command[0].startswith("eval"):
                    yield command
                words = words[end + 1 :]


LINES = [(page, line) for page in PAGES for line in command_lines(page)]


def resolve(words: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """The command that `elt` would run, and what is left for it."""
    command: click.Command = elt
    context = click.Context(elt, info_name="elt")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"`{context.command_path}` has no command {words[0]!r}"
        context = click.Context(found, info_name=words[0], parent=context)
        command, words = found, words[1:]
    return command, context, words


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page.stem}: {' '.join(line)[:60]}" for page, line in LINES])
def test_a_command_line_would_be_taken(page: Path, line: list[str]) -> None:
    name, *words = line
    name = name.removeprefix(".venv/bin/")
    if name == "elt":
        command, context, rest = resolve([("yellow-trips" if word in BY_RECIPE else word) for word in words])
        command.make_context(context.info_name, rest, parent=context.parent)
    elif name == "make":
        targets = {target for line in makefile_rules() for target in line.split()}
        for word in words:
            assert "=" in word or word in targets, f"the Makefile has no target {word}"
    elif name == "aws":
        aws_takes(words)
    elif name == "rs-query":
        _parser().parse_args(words)
    elif name == "python":
        program = [sys.executable, *(words[:2] if words[0] == "-m" else words[:1]), "--help"]
        done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    elif name == "pytest":
        assert all((ROOT / word).exists() for word in words)
    else:
        assert name in UNCHECKED, f"{page.name} has a command that this test does not know: {line}"


def makefile_rules() -> list[str]:
    return re.findall(r"^([a-z][a-z -]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)


def aws_takes(words: list[str]) -> None:
    """By the aws command's own tables: the service, the operation, and each option."""
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    service = driver._get_command_table()[words[0]]
    operation = (service.subcommand_table if hasattr(service, "subcommand_table") else service._get_command_table())[
        words[1]
    ]
    known = set(operation.arg_table) | set(driver._get_argument_table())
    given = {word[2:].partition("=")[0] for word in words[2:] if word.startswith("--")}
    assert given <= known, given - known


@pytest.mark.parametrize("pipeline", pipelines.all_pipelines(), ids=lambda pipeline: pipeline.name)
def test_every_state_that_a_mail_may_name_is_on_call(pipeline: pipelines.Pipeline) -> None:
    """As whole names in the first column of a table there, which names no state that no pipeline has."""
    page = (ROOT / "docs" / "on-call.md").read_text(encoding="utf-8")
    cells = re.findall(
        r"^\| ([^|]+?) \|", page.partition("## By state and error")[2].partition("\n## ")[0], re.MULTILINE
    )
    told = {name for cell in cells for name in cell.split(", ")} - {"state", "any"}
    assert failing(pipeline) <= told
    assert told <= {name for one in pipelines.all_pipelines() for name in failing(one)}


def failing(pipeline: pipelines.Pipeline) -> set[str]:
    """The states that a run can fail at."""
    states = json.loads(asl.read(pipeline.definition))["States"]
    caught = {
        name for name, state in states.items() for one in state.get("Catch", []) if "failed_at" in one.get("Assign", {})
    }
    return caught | {"ValidateInput"}


INLINE = [
    (page, code)
    for page in PAGES
    for code in re.findall(
        r"`(elt [^`]+)`", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    )
]


@pytest.mark.parametrize(("page", "code"), INLINE, ids=[f"{page.stem}: {code[:60]}" for page, code in INLINE])
def test_a_command_in_a_sentence_exists(page: Path, code: str) -> None:
    """Shortened as sentences are (`elt backfill … --plan`): the command and its options have to be there."""
    words = code.split()[1:]
    names = []
    while words and re.fullmatch(r"[a-z]+", words[0]) and len(names) < 2:
        names.append(words.pop(0))
    if not names:
        return
    command, _, _ = resolve(
        names if isinstance(elt.get_command(click.Context(elt), names[0]), click.Group) else names[:1]
    )
    assert {word for word in words if word.startswith("--")} <= flags(command) | {"--help"}


def flags(command: click.Command) -> set[str]:
    return {name for param in command.params for name in param.opts if name.startswith("--")} - {"--help"}


def commands(group: click.Group = elt, path: str = "elt") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in COMMANDS if group is elt else group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def test_the_page_of_commands_has_each_with_its_flags_and_no_other() -> None:
    """`make docs` writes it anew."""
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (elt [^\n]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    documented = {
        name: {
            flag for row in re.findall(r"^\| `([^`]+)`", body, re.MULTILINE) for flag in re.findall(r"--[\w-]+", row)
        }
        for name, body in sections.items()
    }
    assert documented == {name: flags(command) for name, command in commands()}


def test_the_page_of_redshifts_functions_is_that_of_the_table() -> None:
    """`make docs` writes it again."""
    made = runpy.run_path(str(ROOT / "docs" / "generate_redshift_functions.py"))["page"]()
    assert (ROOT / "docs" / "redshift-functions.md").read_text(encoding="utf-8") == made


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if page.name != "README.md" and f"]({page.name})" not in index] == []


def test_paths_that_pages_name_are_there() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        paths = re.findall(r"`((?:packages|\.github|tests|docs|requirements)/[\w./-]+)`", text)
        missing = [
            path
            for path in paths
            if not (ROOT / path).exists() and not {"fhv", "fhv_trips", "trips_by_month"} & set(re.split(r"\W", path))
        ]
        assert missing == [], page.name


def test_the_rules_of_the_branch_ask_for_a_check_that_ci_has() -> None:
    rules = json.loads((ROOT / ".github" / "branch-rules.json").read_text(encoding="utf-8"))["rules"]
    (asked,) = [rule["parameters"] for rule in rules if rule["type"] == "required_status_checks"]
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert {check["context"] for check in asked["required_status_checks"]} <= {job.get("name") for job in jobs.values()}
    assert {check["integration_id"] for check in asked["required_status_checks"]} == {15368}, "GitHub Actions itself"
    assert "--input .github/branch-rules.json" in (ROOT / "docs" / "first-deployment.md").read_text(encoding="utf-8")


def test_only_administrators_set_the_tags_that_publish_a_package() -> None:
    """A tag's workflow is the one at its commit, reviewed or not, and the environment dev takes such tags."""
    rules = json.loads((ROOT / ".github" / "tag-rules.json").read_text(encoding="utf-8"))
    release = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
    assert rules["conditions"]["ref_name"]["include"] == [f"refs/tags/{tag}" for tag in release[True]["push"]["tags"]]
    assert {rule["type"] for rule in rules["rules"]} == {"creation", "update", "deletion"}
    assert rules["bypass_actors"] == [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]
    assert "--input .github/tag-rules.json" in (ROOT / "docs" / "first-deployment.md").read_text(encoding="utf-8")
