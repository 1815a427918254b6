"""What a wheel says of itself, and the whole of what it needs on Glue."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from functools import cached_property
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from orchestration.errors import PublishError

#: Where a Glue Python Shell job runs: https://docs.aws.amazon.com/glue/latest/dg/add-job-python.html
_GLUE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.9.0",
    "python_version": "3.9",
    "sys_platform": "linux",
}


@dataclass(frozen=True)
class Wheel:
    """A wheel on this disk."""

    path: Path

    @cached_property
    def metadata(self) -> Message:
        """https://packaging.python.org/en/latest/specifications/core-metadata/"""
        with zipfile.ZipFile(self.path) as opened:
            name = next(n for n in opened.namelist() if n.endswith(".dist-info/METADATA") and n.count("/") == 1)
            return HeaderParser().parsestr(opened.read(name).decode("utf-8"))

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def file(self) -> str:
        return self.path.name

    @property
    def name(self) -> str:
        """As the index has it: `rs-query`."""
        return canonicalize_name(str(self.metadata["Name"]))

    @property
    def version(self) -> str:
        return str(self.metadata["Version"])

    @property
    def requirements(self) -> list[Requirement]:
        return [Requirement(line) for line in self.metadata.get_all("Requires-Dist", [])]

    def needs(self, extras: Collection[str] = ()) -> list[Requirement]:
        """List the requirements that hold on Glue, with the extras that are asked for."""
        return [
            one
            for one in self.requirements
            if one.marker is None or any(one.marker.evaluate({**_GLUE, "extra": extra}) for extra in ("", *extras))
        ]


def closure(wheel: Wheel, extras: Collection[str], house: Mapping[str, Wheel]) -> list[Wheel]:
    """List every wheel of `house` (by name) that `wheel` needs on Glue: with itself, all that a job installs.

    A wheel comes after those it needs, so that it makes no difference whether they are installed together or one
    after the other. Errors: PublishError where one is missing or of a version that is not wanted.
    """
    found: dict[str, Wheel] = {}
    seen: set[tuple[str, frozenset[str]]] = set()

    def visit(needing: Wheel, with_extras: Collection[str]) -> None:
        for requirement in sorted(needing.needs(with_extras), key=str):
            name = canonicalize_name(requirement.name)
            needed = house.get(name)
            if needed is None or not requirement.specifier.contains(needed.version, prereleases=True):
                has = f"has {needed.version}" if needed else "lacks it"
                raise PublishError(f"{needing.name} needs {requirement}, and the wheelhouse {has}: run `make lock`")
            if (step := (name, frozenset(requirement.extras))) not in seen:
                seen.add(step)
                visit(needed, requirement.extras)
                found.setdefault(name, needed)

    visit(wheel, extras)
    return [*found.values()]
