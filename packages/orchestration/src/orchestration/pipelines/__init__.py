"""The pipelines that ship: one folder each, with `pipeline.toml`, its state machine and `sql/`.

Pipelines may share these: their `pipeline.toml` names the state machine of a folder beside their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib

from orchestration.errors import UnknownPipeline, UsageError

_FOLDER = Path(__file__).parent
_MONTH = re.compile(r"((?:19|20)\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """What `pipeline.toml` says of any pipeline.

    `dataset` is the word its executions and its prefixes in the buckets begin with, `table` is `schema.table`,
    `state_machine` is a path from the pipeline's folder.
    """

    name: str
    dataset: str
    table: str
    state_machine: str
    folder: Path

    @property
    def definition(self) -> Path:
        return (self.folder / self.state_machine).resolve()

    @property
    def shares_its_machine(self) -> bool:
        """Whether machine, SQL and part of the stack are in a folder that several pipelines share."""
        return self.definition.parent != self.folder.resolve()

    @property
    def sql_files(self) -> list[Path]:
        return sorted(self.definition.parent.glob("sql/*.sql"))

    @property
    def stack_parameters(self) -> dict[str, str]:
        """What its part of the pipelines stack takes from `pipeline.toml`."""
        return {}


@dataclass(frozen=True, kw_only=True)
class MonthlyPipeline(Pipeline):
    """Loads one month at a time; `first_month` is `YYYY-MM`."""

    first_month: str


@dataclass(frozen=True, kw_only=True)
class DailyPipeline(Pipeline):
    """Brings its table up to date with its source every day.

    `categories` are the partitions of the source that are read, `since_year` the first year that is loaded.
    """

    categories: tuple[str, ...]
    since_year: int

    @property
    def stack_parameters(self) -> dict[str, str]:
        prefix = camel(self.name)
        return {f"{prefix}Categories": ",".join(self.categories), f"{prefix}SinceYear": str(self.since_year)}


_KINDS: dict[str, type[Pipeline]] = {"month": MonthlyPipeline, "day": DailyPipeline}


def names(within: Path = _FOLDER) -> list[str]:
    return sorted(file.parent.name.replace("_", "-") for file in within.glob("*/pipeline.toml"))


def find_scheduled() -> list[str]:
    """List the pipelines that can run by themselves: those whose part of the stack takes a parameter `…Schedule`."""
    return [
        one.name
        for one in all_pipelines()
        if one.shares_its_machine
        or f"\n  {camel(one.name)}Schedule:\n" in (one.folder / "stack.yaml").read_text(encoding="utf-8")
    ]


def load(name: str, within: Path = _FOLDER) -> Pipeline:
    """Return the pipeline called `name`, of this package or of another copy; UnknownPipeline names those there are."""
    if name not in names(within):
        raise UnknownPipeline(f"there is no pipeline {name!r}; there are: {', '.join(names(within))}")
    folder = within / name.replace("-", "_")
    data = tomllib.loads((folder / "pipeline.toml").read_text(encoding="utf-8"))
    kind = _KINDS[data.pop("period")]
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    return kind(folder=folder, **values)


def load_monthly(name: str) -> MonthlyPipeline:
    """Return the pipeline called `name`, which must be one that loads months. Errors: UnknownPipeline, UsageError."""
    pipeline = load(name)
    if not isinstance(pipeline, MonthlyPipeline):
        raise UsageError(f"{name} is not loaded by month; these are: {', '.join(p.name for p in monthly_pipelines())}")
    return pipeline


def load_daily(name: str) -> DailyPipeline:
    """Return the pipeline called `name`, which must be one that runs by day. Errors: UnknownPipeline, UsageError."""
    pipeline = load(name)
    if not isinstance(pipeline, DailyPipeline):
        raise UsageError(f"{name} does not run by day")
    return pipeline


def all_pipelines(within: Path = _FOLDER) -> list[Pipeline]:
    return [load(name, within) for name in names(within)]


def monthly_pipelines() -> list[MonthlyPipeline]:
    return [pipeline for pipeline in all_pipelines() if isinstance(pipeline, MonthlyPipeline)]


def camel(name: str) -> str:
    """Return a pipeline's name as its stack's logical names begin: `yellow-trips` is YellowTrips."""
    return "".join(word.capitalize() for word in name.split("-"))


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, as `YYYY-MM` everywhere a person sees it."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        match = _MONTH.fullmatch(text)
        if not match:
            raise UsageError(f"{text!r} is not a month; write it as YYYY-MM, such as 2024-09")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def path(self) -> str:
        """As the keys in S3 have it: `2024/09`."""
        return f"{self.year:04}/{self.number:02}"

    @property
    def first_day(self) -> str:
        return f"{self}-01"
