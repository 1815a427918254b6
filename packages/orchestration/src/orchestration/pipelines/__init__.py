"""The pipelines that ship: one folder each, with `pipeline.toml`, its state machine (or another's) and `sql/`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import tomllib

from orchestration.errors import UnknownPipeline, UsageError

_FOLDER = Path(__file__).parent
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Pipeline:
    """What `pipeline.toml` says.

    `table` is `schema.table`, `first_month` is `YYYY-MM`, `state_machine` is a path from the pipeline's folder.
    """

    name: str
    dataset: str
    table: str
    period: str
    first_month: str
    state_machine: str
    folder: Path

    @property
    def definition(self) -> Path:
        return (self.folder / self.state_machine).resolve()

    @property
    def sql_files(self) -> list[Path]:
        return sorted(self.folder.glob("sql/*.sql"))


def names() -> list[str]:
    return sorted(file.parent.name.replace("_", "-") for file in _FOLDER.glob("*/pipeline.toml"))


def load(name: str) -> Pipeline:
    """The pipeline called `name`; UnknownPipeline names those there are."""
    if name not in names():
        raise UnknownPipeline(f"there is no pipeline {name!r}; there are: {', '.join(names())}")
    folder = _FOLDER / name.replace("-", "_")
    data = tomllib.loads((folder / "pipeline.toml").read_text(encoding="utf-8"))
    return Pipeline(folder=folder, **data)


def all_pipelines() -> list[Pipeline]:
    return [load(name) for name in names()]


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
