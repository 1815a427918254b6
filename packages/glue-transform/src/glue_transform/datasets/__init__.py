"""The datasets, each one TOML file of this folder: target columns, eras of the source, quality rules."""

from __future__ import annotations

import sys
from importlib.resources import files
from typing import Any

from glue_transform.datasets.definition import Code, Column, Dataset, Era, Rule, parse
from glue_transform.errors import InvalidDataset, UnknownDataset

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Code", "Column", "Dataset", "Era", "Rule", "load", "names"]


def names() -> list[str]:
    """List the datasets that can be loaded, in alphabetical order."""
    found = (entry.name for entry in files(__name__).iterdir())
    return sorted(name[: -len(".toml")] for name in found if name.endswith(".toml"))


def load(name: str) -> Dataset:
    """Return the definition of one dataset, `yellow` say. Raises UnknownDataset and InvalidDataset."""
    if name not in names():
        raise UnknownDataset(f"no dataset {name!r}: choose one of {', '.join(names())}")
    try:
        content: dict[str, Any] = tomllib.loads((files(__name__) / f"{name}.toml").read_text("utf-8"))
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise InvalidDataset(f"{name}.toml is not TOML: {error}; correct it there") from None
    return parse(name, content)
