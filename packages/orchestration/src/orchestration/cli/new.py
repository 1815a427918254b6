"""`elt new`: the files of a dataset, an era or a pipeline, written into the checkout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from orchestration.errors import UsageError

_SAMPLE = click.option(
    "--sample",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A month as it is published, Parquet, named after it: …_2024-09.parquet.",
)


@click.group("new")
def command() -> None:
    """Write the files of a new dataset, era or pipeline into the checkout.

    They are a proposal: read them before they are deployed.
    """


@command.command()
@click.argument("name")
@_SAMPLE
def dataset(name: str, sample: Path) -> None:
    """Propose a dataset of trips from a sample of its file.

    Columns, types and an era come from the Parquet footer, the length of texts from its rows. Beside the dataset there
    are its pipeline, NAME-trips, and a test, which keeps the sample's first hundred rows and passes at once.
    """
    from orchestration.project import root
    from orchestration.scaffold import dataset as scaffold
    from orchestration.scaffold import files
    from orchestration.scaffold import sample as samples

    files.check_name(name)
    read = samples.read(sample)
    _show(root(), files.write(root(), scaffold.propose(name, read)))
    for one in read.left_out:
        click.echo(f"left out: {one.source}, of a type that no column of a table can have", err=True)
    click.echo(f"next: read them, then `elt deploy` and `elt run {name}-trips --month {read.month}`", err=True)


@command.command()
@click.argument("name", metavar="DATASET")
@_SAMPLE
def era(name: str, sample: Path) -> None:
    """Add the columns that a new year's file has to a dataset, and an era that loads them.

    `elt deploy` then adds them to the table; months before have NULL there.
    """
    from orchestration.project import root
    from orchestration.scaffold import dataset as scaffold
    from orchestration.scaffold import sample as samples

    file = root() / scaffold.DATASETS / f"{name}.toml"
    if not file.is_file():
        there = ", ".join(sorted(one.stem for one in file.parent.glob("*.toml")))
        raise UsageError(f"there is no dataset {name!r}; there are: {there}")
    text, new = scaffold.add_era(file.read_text(encoding="utf-8"), samples.read(sample))
    file.write_text(text, encoding="utf-8")
    _show(root(), [file])
    for one in new:
        click.echo(f"new: {one.name} {one.type}, from {one.source}", err=True)
    click.echo("next: read it, then `elt plan` and `elt deploy`", err=True)


@command.command()
@click.argument("name")
def pipeline(name: str) -> None:
    """Write a pipeline that runs SQL by month: its state machine, SQL, part of the stack, and a test.

    Its SQL counts the trips of yellow_trips, to be replaced by what the pipeline is for.
    """
    from orchestration import pipelines
    from orchestration.project import root
    from orchestration.scaffold import files
    from orchestration.scaffold.pipeline import fill

    files.check_name(name)
    if name in pipelines.names():
        raise UsageError(f"there is a pipeline {name} already; nothing was written")
    _show(root(), files.write(root(), fill(name)))
    click.echo(f"next: write its SQL, then `elt deploy` and `elt run {name} --month 2024-09`", err=True)


def _show(root: Path, written: Iterable[Path]) -> None:
    for file in written:
        click.echo(str(file.relative_to(root)))
